//! `tls` under `[broker]`.

use super::super::*;
use super::{EXAMPLE, check_in, folder, lines};

fn broker(keys: &str) -> Result<Broker, String> {
    let folder = folder();
    std::fs::write(folder.path().join("config/ca.pem"), "").unwrap();
    std::fs::write(folder.path().join("config/box.pem"), "").unwrap();
    let text = EXAMPLE.replace("port = 1883", keys);
    let read = check_in(folder.path(), &text);
    read.map(|(site, _)| site.broker).map_err(|found| lines(&found))
}

#[test]
fn tls_has_a_port_of_its_own_and_verifies_the_broker() {
    let read = broker("tls = { ca_file = \"ca.pem\" }").unwrap();
    let tls = read.tls.unwrap();
    assert_eq!((read.port, tls.client, tls.server_name), (8883, None, None));
    assert!(tls.ca_file.ends_with("config/ca.pem"));
    assert_eq!(broker("").unwrap().port, 1883);
    let read = broker("port = 1884\ntls = { ca_file = \"ca.pem\", server_name = \"mqtt.example\" }").unwrap();
    assert_eq!((read.port, read.tls.unwrap().server_name.as_deref()), (1884, Some("mqtt.example")));
}

#[test]
fn a_client_certificate_needs_one_source_of_its_key() {
    let keys = |more: &str| format!("tls = {{ ca_file = \"ca.pem\", {more} }}");
    let read = broker(&keys("client_cert_file = \"box.pem\", client_key_credential = \"mqtt-client-key\""));
    let key = read.unwrap().tls.unwrap().client.unwrap().key;
    assert_eq!(key, SecretSource::Credential("mqtt-client-key".into()));
    for (more, words) in [
        ("client_cert_file = \"box.pem\"", "a client certificate without its key"),
        ("client_key_credential = \"k\"", "a key without a client certificate"),
        (
            "client_cert_file = \"box.pem\", client_key_file = \"secret\", client_key_credential = \"k\"",
            "there is also a client_key_file",
        ),
        ("client_cert_file = \"no.pem\", client_key_credential = \"k\"", "there is no file"),
        ("server_name = \"mqtts://a\"", "is an address with a scheme"),
        ("verify = false", "there is no such key in tls under [broker]"),
    ] {
        let said = broker(&keys(more)).unwrap_err();
        assert!(said.contains(words) && said.contains("broker.tls"), "{more}: {said}");
    }
    assert!(broker("tls = {}").unwrap_err().contains("broker.tls.ca_file: is missing"));
    assert!(broker("tls = true").unwrap_err().contains("should be a section"));
}

#[test]
fn the_port_for_tls_without_tls_is_a_warning() {
    let warned = |keys: &str| {
        let folder = folder();
        std::fs::write(folder.path().join("config/ca.pem"), "").unwrap();
        lines(&check_in(folder.path(), &EXAMPLE.replace("port = 1883", keys)).unwrap().1)
    };
    let said = warned("port = 8883");
    assert!(said.contains("broker.port: 8883 is a broker's port for TLS, and no tls is set"), "{said}");
    assert_eq!(warned("port = 8883\ntls = { ca_file = \"ca.pem\" }"), "");
    assert_eq!(warned("port = 1883"), "");
}
