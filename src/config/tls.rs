//! `tls` under `[broker]`: how the connection is encrypted and who the broker must be. There is no key that skips a check.

use super::credentials;
use super::files;
use super::host;
use super::reader::{TableReader, ValueReader};
use super::secret::SecretSource;
use super::site::{BrokerTls, ClientCertificate};

const CA: &str = "a PEM file with the certificate of the authority that signed the broker's; for a public authority it is \"/etc/ssl/certs/ca-certificates.crt\"";
const CERTIFICATE: &str = "a PEM file with the certificate that the broker knows this box by";

/// `None` where an error was reported.
pub(super) fn read(item: &ValueReader<'_>) -> Option<BrokerTls> {
    let section = item.table("tls")?;
    let ca_file =
        section.required("ca_file", "\"/etc/havenwacht/broker-ca.pem\"", |item| files::existing(item, CA));
    let client = client(&section);
    let server_name = section.get("server_name").map(|item| host::host(&item));
    Some(BrokerTls {
        ca_file: ca_file?,
        client: client?,
        server_name: match server_name {
            Some(name) => Some(name?),
            None => None,
        },
    })
}

/// The certificate that this box shows, if any; `None` where an error was reported.
fn client(section: &TableReader<'_>) -> Option<Option<ClientCertificate>> {
    let certificate = section.get("client_cert_file");
    let key = section.get("client_key_file").or_else(|| section.get("client_key_credential"));
    match (&certificate, &key) {
        (None, None) => return Some(None),
        (Some(given), None) => {
            let help =
                "add client_key_credential = \"...\" (a systemd credential) or client_key_file = \"...\"";
            given.error("a client certificate without its key", help);
        }
        (None, Some(given)) => {
            given.error("a key without a client certificate", "add client_cert_file = \"...\"");
        }
        (Some(_), Some(_)) => {}
    }
    let cert_file = files::existing(&certificate?, CERTIFICATE);
    let key = client_key(section);
    Some(Some(ClientCertificate { cert_file: cert_file?, key: key? }))
}

fn client_key(section: &TableReader<'_>) -> Option<SecretSource> {
    let file = section.optional("client_key_file", |item| credentials::secret_file(item, "key"));
    let credential =
        section.optional("client_key_credential", |item| credentials::credential(item, "mqtt-client-key"));
    if let (Some(_), Some(second)) = (section.get("client_key_file"), section.get("client_key_credential")) {
        second.error("there is also a client_key_file", "keep one of the two");
    }
    file.or(credential)
}
