//! TLS to a real broker: what is right passes, and what is wrong is refused with a sentence that names it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use havenwacht::alerts::{self, MqttMessage, MqttSettings, Topic, TopicKind};
use havenwacht::cli::demo::programs::{Program, free_port, mosquitto};
use havenwacht::config::{Broker, BrokerTls, ClientCertificate, Login, SecretSource};
use havenwacht::ids::SiteId;
use test_support::wait_for;

use crate::certificates::{Authority, Signed};

/// A broker with these settings for its only listener, on a free port.
fn broker(work: &Path, settings: &str) -> (Program, u16) {
    let port = free_port().unwrap();
    let config = work.join(format!("{port}.conf"));
    // Mosquitto as another user could not read the files of the tests.
    let text = format!("user root\nlistener {port} 127.0.0.1\n{settings}");
    std::fs::write(&config, text).unwrap();
    let args = ["-c".to_owned(), config.display().to_string()];
    let program = Program::start("broker", &mosquitto().unwrap(), &args, &work.join("broker.log")).unwrap();
    wait_for(Duration::from_secs(10), "the broker answers", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    (program, port)
}

fn tls(ca_file: &Path) -> BrokerTls {
    BrokerTls { ca_file: ca_file.into(), client: None, server_name: None }
}

fn with_client(ca_file: &Path, client: &Signed) -> BrokerTls {
    let key = SecretSource::File(client.key.clone());
    let client = Some(ClientCertificate { cert_file: client.certificate.clone(), key });
    BrokerTls { client, ..tls(ca_file) }
}

/// Publishes a message; the error as a technician reads it.
fn publish(port: u16, tls: Option<BrokerTls>, login: Option<Login>) -> Result<(), String> {
    let broker = Broker { host: "localhost".into(), port, login, tls };
    let topic = Topic::new(&SiteId::new("sample-harbour").unwrap(), TopicKind::Status);
    let messages = vec![MqttMessage::new(&topic, "{}")];
    alerts::publish(MqttSettings::new(&broker, "desk"), messages, Duration::from_secs(10))
        .map_err(|cause| cause.to_string())
}

fn expect(outcome: Result<(), String>, words: &str) {
    let said = outcome.unwrap_err();
    assert!(said.contains(words), "{said}");
}

#[test]
fn the_certificate_of_the_broker_is_verified() {
    let work = tempfile::tempdir().unwrap();
    let (ours, other) = (Authority::new(work.path(), "ours"), Authority::new(work.path(), "other"));
    let open = |certificate: Signed| {
        broker(work.path(), &format!("allow_anonymous true\n{}", certificate.listener()))
    };
    let (_good, port) = open(ours.sign("localhost"));
    publish(port, Some(tls(&ours.file)), None).unwrap();
    expect(publish(port, Some(tls(&other.file)), None), "certificate is unknown: no authority in `ca_file`");
    expect(publish(port, None, None), "add `tls` under [broker] if this port is one with TLS");

    let (_expired, port) = open(ours.sign_until("localhost", 2020));
    expect(publish(port, Some(tls(&ours.file)), None), "certificate has expired");

    let (_wrong, port) = open(ours.sign("other.example"));
    let wrong_name = "certificate is for another name (DnsName(\"other.example\")), not for localhost";
    expect(publish(port, Some(tls(&ours.file)), None), wrong_name);
    let named = BrokerTls { server_name: Some("other.example".into()), ..tls(&ours.file) };
    publish(port, Some(named), None).unwrap();
}

#[test]
fn a_broker_can_ask_for_a_client_certificate() {
    let work = tempfile::tempdir().unwrap();
    let (ours, other) = (Authority::new(work.path(), "ours"), Authority::new(work.path(), "other"));
    let settings = format!(
        "allow_anonymous true\n{}require_certificate true\ncafile {}\n",
        ours.sign("localhost").listener(),
        ours.file.display()
    );
    let (_broker, port) = broker(work.path(), &settings);
    expect(publish(port, Some(tls(&ours.file)), None), "the broker asks for a client certificate");
    publish(port, Some(with_client(&ours.file, &ours.sign("box"))), None).unwrap();
    let stranger = with_client(&ours.file, &other.sign("stranger"));
    expect(publish(port, Some(stranger), None), "the broker does not accept the client certificate");
    let (mine, yours) = (ours.sign("mine"), ours.sign("yours"));
    let mixed = Signed { certificate: mine.certificate, key: yours.key };
    expect(
        publish(port, Some(with_client(&ours.file, &mixed)), None),
        "the client key does not belong to the client certificate",
    );
}

#[test]
fn other_faults_have_other_words() {
    let work = tempfile::tempdir().unwrap();
    let ours = Authority::new(work.path(), "ours");
    let (_plain, port) = broker(work.path(), "allow_anonymous false\n");
    expect(publish(port, Some(tls(&ours.file)), None), "this port may be one without TLS");
    expect(publish(free_port().unwrap(), None, None), "connection refused");
    expect(publish(port, None, None), "the broker rejected the login");
    let missing = PathBuf::from("/nonexistent/ca.pem");
    expect(publish(port, Some(tls(&missing)), None), "/nonexistent/ca.pem: No such file");
    let no_secret = work.path().join("secret");
    std::fs::write(&no_secret, "zeer-geheim-77").unwrap();
    let client = ours.sign("box");
    let unreadable = Signed { certificate: client.certificate, key: no_secret };
    let said = publish(port, Some(with_client(&ours.file, &unreadable)), None).unwrap_err();
    assert!(said.contains("not a private key in PEM format") && !said.contains("zeer-geheim"), "{said}");
}
