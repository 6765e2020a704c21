//! Brokers that refuse messages or limit their size: delivered means accepted, and no message stops the others.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use havenwacht::alerts::StaffClient;
use havenwacht::cli::demo::programs;
use havenwacht::config::BrokerTls;
use nix::sys::signal::Signal;
use serde_json::Value;
use test_support::{now, wait_until};

use crate::alert_source::AlertSource;
use crate::broker::mosquitto_with;
use crate::certificates::Authority;
use crate::{Row, is_long};

/// Bytes of a picture that is larger than the brokers here accept.
const PICTURE: usize = 50_000;

/// The alerts that arrive within `time`; returns sooner when there are `enough`.
fn received(staff: &mut StaffClient, time: Duration, enough: usize) -> Vec<Value> {
    let (began, mut alerts) = (now(), Vec::new());
    while began.elapsed() < time && alerts.len() < enough {
        let message = staff.next(Duration::from_millis(50));
        alerts.extend(message.and_then(|message| message.alert()).map(Value::Object));
    }
    alerts
}

#[test]
fn a_refused_alert_is_told_and_never_called_delivered() {
    let work = tempfile::tempdir().unwrap();
    let port = programs::free_port().unwrap();
    let list = work.path().join("acl");
    let allow = |topics: &str| {
        let text = format!("topic read havenwacht/#\ntopic write havenwacht/test-harbour/{topics}\n");
        std::fs::write(&list, text).unwrap();
        // Mosquitto drops its rights and then reads the list again at SIGHUP.
        std::fs::set_permissions(&list, std::fs::Permissions::from_mode(0o644)).unwrap();
    };
    std::fs::set_permissions(work.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    allow("status");
    let settings = format!("allow_anonymous true\nacl_file {}\n", list.display());
    let broker = mosquitto_with(work.path(), port, &settings);
    let mut source = AlertSource::new(port);
    let mut staff = StaffClient::new(port, &source.site.id, "harbour-staff").unwrap();
    assert!(staff.subscribe(Duration::from_secs(5)), "the broker accepts the subscription");
    source.raise_many(3);
    let stats = source.start_relay();
    let told = || stats.problems().first().is_some_and(|problem| problem.contains("refuses 3 alerts"));
    let noticed = wait_until(Duration::from_secs(10), "the refusal is told", told);
    assert!(stats.problems()[0].contains("not authorised"), "{:?}", stats.problems());
    let early = received(&mut staff, Duration::from_secs(2), 1).len();
    let called_delivered = source.count("delivered is not null");

    allow("#");
    broker.signal(Signal::SIGHUP).unwrap();
    let cured = now();
    let alerts = received(&mut staff, Duration::from_secs(20), 3);
    wait_until(Duration::from_secs(5), "all are delivered", || source.count("delivered is null") == 0);
    let recovered = cured.elapsed();
    wait_until(Duration::from_secs(5), "no problem is left", || stats.problems().is_empty());
    Row::new(22, "broker refuses alerts (access list)", 3)
        .lost(3 - alerts.len())
        .repeated(staff.repeats(), 0)
        .detected(noticed, Duration::from_secs(3))
        .recovered(recovered, Duration::from_secs(12))
        .at_most("delivered while refused", (early as u64 + called_delivered) as f64, "", 0.0)
        .at_most("sessions broken", (stats.sessions.load(Relaxed) - 1) as f64, "", 0.0)
        .record();
}

/// Raises six alerts, three with a picture, for a broker with these settings. Returns what staff received, the time until
/// all were delivered, and the sessions broken.
fn relay_pictures(settings: &str) -> (Vec<Value>, Duration, u64) {
    let work = tempfile::tempdir().unwrap();
    let port = programs::free_port().unwrap();
    let _broker = mosquitto_with(work.path(), port, &format!("allow_anonymous true\n{settings}\n"));
    let mut source = AlertSource::new(port);
    let mut staff = StaffClient::new(port, &source.site.id, "harbour-staff").unwrap();
    assert!(staff.subscribe(Duration::from_secs(5)), "the broker accepts the subscription");
    for _ in 0..3 {
        source.raise(Some(vec![0xFF; PICTURE]));
        source.raise(None);
    }
    source.raise_many(0);
    let stats = source.start_relay();
    let began = now();
    let alerts = received(&mut staff, Duration::from_secs(40), 6);
    wait_until(Duration::from_secs(60), "all are delivered", || source.count("delivered is null") == 0);
    (alerts, began.elapsed(), stats.sessions.load(Relaxed) - 1)
}

fn without_picture(alerts: &[Value]) -> usize {
    alerts.iter().filter(|alert| alert["picture_omitted"].is_string()).count()
}

#[test]
fn a_packet_limit_below_the_pictures_costs_no_alert() {
    let (alerts, took, broken) = relay_pictures("max_packet_size 5000");
    assert_eq!(without_picture(&alerts), 3);
    Row::new(23, "broker announces a packet limit below the pictures", 6)
        .lost(6 - alerts.len())
        .recovered(took, Duration::from_secs(3))
        .at_most("sessions broken", broken as f64, "", 0.0)
        .record();
}

#[test]
fn pictures_that_end_the_session_cost_no_alert() {
    // Mosquitto refuses such a picture with a reason that MQTT 5 does not foresee, and the client ends the session.
    let (alerts, took, broken) = relay_pictures("message_size_limit 5000");
    Row::new(23, "a session ends at each picture", 6)
        .lost(6 - alerts.len())
        .recovered(took, Duration::from_secs(30))
        .at_most("sessions broken", broken as f64, "", 8.0)
        .record();
}

#[test]
fn a_broker_that_keeps_no_messages_gets_every_alert() {
    let (alerts, took, broken) = relay_pictures("retain_available false");
    assert_eq!(without_picture(&alerts), 0);
    Row::new(23, "broker keeps no messages (retain not available)", 6)
        .lost(6 - alerts.len())
        .recovered(took, Duration::from_secs(3))
        .at_most("sessions broken", broken as f64, "", 0.0)
        .record();
}

#[test]
fn an_unknown_certificate_is_told_and_cured_without_a_restart() {
    let work = tempfile::tempdir().unwrap();
    let port = programs::free_port().unwrap();
    let (ours, other) = (Authority::new(work.path(), "ours"), Authority::new(work.path(), "other"));
    let listener = ours.sign("127.0.0.1").listener();
    let _broker = mosquitto_with(work.path(), port, &format!("{listener}allow_anonymous true\nuser root\n"));
    let mut source = AlertSource::new(port);
    let ca_file = work.path().join("ca.pem");
    std::fs::copy(&other.file, &ca_file).unwrap();
    source.site.broker.tls = Some(BrokerTls { ca_file: ca_file.clone(), client: None, server_name: None });
    let alerts = if is_long() { 1000 } else { 100 };
    source.raise_many(alerts);
    let stats = source.start_relay();
    let told = || stats.last_error().is_some_and(|error| error.contains("certificate is unknown"));
    let noticed = wait_until(Duration::from_secs(10), "the fault is told", told);
    std::fs::copy(&ours.file, &ca_file).unwrap();
    let recovered =
        wait_until(Duration::from_secs(60), "all are delivered", || source.count("delivered is null") == 0);
    Row::new(24, "broker's certificate unknown, then known", alerts as usize)
        .lost(source.count("delivered is null") as usize)
        .detected(noticed, Duration::from_secs(2))
        .recovered(recovered, Duration::from_secs(12))
        .record();
}
