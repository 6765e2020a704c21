//! Connects to the broker: looks up its name, connects, and sets up TLS.
//!
//! Certificates and keys are read for every session, so that renewed ones need no restart.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::tokio_rustls::TlsConnector;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
use tokio::net::{TcpStream, lookup_host};

use super::causes::DialError;
use super::first_bytes::FirstBytes;
use super::transport::MqttError;
use crate::config::{Broker, BrokerTls, ClientCertificate};

/// A dead first address, such as of IPv6 without a route, must not use up the time for the whole connection.
const PER_ADDRESS: Duration = Duration::from_millis(1500);

/// How one session reaches its broker.
#[derive(Clone)]
pub(super) struct Dialer {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Dialer {
    /// Reads the certificates and the key.
    pub(super) fn new(broker: &Broker) -> Result<Self, MqttError> {
        let (host, port) = (broker.host.clone(), broker.port);
        let tls =
            broker.tls.as_ref().map(|tls| Ok((connector(tls)?, server_name(tls, &host)?))).transpose()?;
        Ok(Self { host, port, tls })
    }

    pub(super) async fn connect(self) -> io::Result<FirstBytes> {
        let Self { host, port, tls } = self;
        let tcp = connect(&host, port).await?;
        let Some((connector, name)) = tls else { return Ok(FirstBytes::new(tcp)) };
        match connector.connect(name, tcp).await {
            Ok(stream) => Ok(FirstBytes::new(stream)),
            Err(cause) if cause.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => Err(cause),
            Err(_closed) => Err(io::Error::other(DialError::HandshakeClosed)),
        }
    }
}

/// Tries the addresses of `host` in their order.
async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let unknown = |_| io::Error::other(DialError::NameNotFound(host.to_owned()));
    let mut last = None;
    for address in lookup_host((host, port)).await.map_err(unknown)? {
        let tried = tokio::time::timeout(PER_ADDRESS, TcpStream::connect(address)).await;
        match tried.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => {
                // A PubAck that waits for the next packet would delay the next alert.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(cause) => last = Some(cause),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other(DialError::NameNotFound(host.to_owned()))))
}

fn server_name(tls: &BrokerTls, host: &str) -> Result<ServerName<'static>, MqttError> {
    let name = tls.server_name.clone().unwrap_or_else(|| host.to_owned());
    let wrong =
        |_| MqttError::failed(format!("a certificate cannot be for `{name}`: set server_name in `tls`"));
    ServerName::try_from(name.clone()).map_err(wrong)
}

fn connector(tls: &BrokerTls) -> Result<TlsConnector, MqttError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(MqttError::failed)?
        .with_root_certificates(authorities(&tls.ca_file)?);
    let config = match &tls.client {
        None => config.with_no_client_auth(),
        Some(client) => with_client(config, client)?,
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

fn with_client(
    config: rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>,
    client: &ClientCertificate,
) -> Result<ClientConfig, MqttError> {
    let chain = certificates(&client.cert_file)?;
    let pem = client.key.read().map_err(MqttError::failed)?;
    // The library's error is not repeated: it may contain parts of the key.
    let key = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes())
        .map_err(|_| MqttError::failed("the client key is not a private key in PEM format"))?;
    let unfit = |_| MqttError::failed("the client key does not belong to the client certificate");
    config.with_client_auth_cert(chain, key).map_err(unfit)
}

fn authorities(path: &Path) -> Result<RootCertStore, MqttError> {
    let mut store = RootCertStore::empty();
    let (_added, ignored) = store.add_parsable_certificates(certificates(path)?);
    if store.is_empty() {
        let path = path.display();
        return Err(MqttError::failed(format!("{path}: none of its {ignored} certificates can be read")));
    }
    Ok(store)
}

/// The certificates of a PEM file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, MqttError> {
    let said = |what: String| MqttError::failed(format!("{}: {what}", path.display()));
    let pem = std::fs::read(path).map_err(|cause| said(cause.to_string()))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
    if found.is_empty() {
        return Err(said("no certificate in PEM format".into()));
    }
    Ok(found)
}
