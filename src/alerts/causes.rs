//! From the client library's causes to sentences that a technician can act on.

use std::io::{self, ErrorKind};

use rumqttc::{
    ConnectReturnCode, ConnectionError, DisconnectReasonCode, PubAckReason, StateError, SubscribeReasonCode,
    mqttbytes,
};
use rustls::{AlertDescription, CertificateError};

use super::refusal::Refusal;
use super::transport::MqttError;

/// Why no connection came about, where neither the system nor the TLS library has a name for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DialError {
    #[error("the name `{0}` is not known: check `host` under [broker] and the box's name server")]
    NameNotFound(String),
    #[error("the broker expects TLS on this port: add `tls` under [broker], or use its port without TLS")]
    NeedsTls,
    #[error("the broker closed the connection during the TLS handshake: this port may be one without TLS")]
    HandshakeClosed,
    #[error("{ONLY_OLD}")]
    NoMqtt5,
}

const CLOSED: &str = "the broker closed the connection";
const NO_ANSWER: &str = "no answer from the broker";
const LOGIN: &str = "check `username` and the password under [broker]";
const ONLY_OLD: &str =
    "the broker does not speak MQTT 5: use a broker that does, such as Mosquitto 1.6 or later";

/// How far a session has come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// The broker has not accepted it yet; without TLS.
    Plain,
    /// The same with TLS.
    Encrypted,
    /// The broker has accepted it.
    Accepted,
}

/// Why a session ended or did not begin.
pub(super) fn to_error(cause: &ConnectionError, stage: Stage) -> MqttError {
    let text = sentence(cause);
    let hint = match stage {
        _ if text != CLOSED => "",
        Stage::Plain => {
            " before it accepted the session: add `tls` under [broker] if this port is one with TLS; else it may not speak MQTT 5"
        }
        Stage::Encrypted => {
            " before it accepted the session: it may ask for a client certificate, or not speak MQTT 5"
        }
        Stage::Accepted => "",
    };
    MqttError::failed(text + hint)
}

fn sentence(cause: &ConnectionError) -> String {
    match cause {
        ConnectionError::Io(cause) | ConnectionError::MqttState(StateError::Io(cause)) => io(cause),
        ConnectionError::MqttState(cause) => state(cause),
        ConnectionError::Timeout(_) | ConnectionError::DisconnectTimeout => NO_ANSWER.into(),
        ConnectionError::ConnectionRefused(code) => rejection(*code),
        other => other.to_string(),
    }
}

/// Whether the broker accepted a message. No matching subscriber is no fault: the broker accepted it.
pub(super) fn of_publish(reason: PubAckReason) -> Result<(), Refusal> {
    match reason {
        PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Ok(()),
        PubAckReason::NotAuthorized => Err(Refusal::NotAuthorised),
        PubAckReason::QuotaExceeded => Err(Refusal::QuotaExceeded),
        PubAckReason::PayloadFormatInvalid => Err(Refusal::PayloadFormatInvalid),
        PubAckReason::TopicNameInvalid => Err(Refusal::TopicInvalid),
        PubAckReason::UnspecifiedError
        | PubAckReason::ImplementationSpecificError
        | PubAckReason::PacketIdentifierInUse => Err(Refusal::Unspecified),
    }
}

/// Whether the broker accepted a subscription.
pub(super) fn of_subscription(code: SubscribeReasonCode) -> Result<(), Refusal> {
    match code {
        SubscribeReasonCode::Success(_) => Ok(()),
        SubscribeReasonCode::NotAuthorized => Err(Refusal::NotAuthorised),
        SubscribeReasonCode::QuotaExceeded => Err(Refusal::QuotaExceeded),
        SubscribeReasonCode::TopicFilterInvalid => Err(Refusal::TopicInvalid),
        _ => Err(Refusal::Unspecified),
    }
}

fn io(cause: &io::Error) -> String {
    let inner = cause.get_ref();
    if let Some(cause) = inner.and_then(|inner| inner.downcast_ref::<DialError>()) {
        return cause.to_string();
    }
    if let Some(cause) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls(cause);
    }
    match cause.kind() {
        ErrorKind::ConnectionRefused => "connection refused: nothing listens at that address".into(),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => CLOSED.into(),
        ErrorKind::TimedOut => "no answer".into(),
        _ => cause.to_string(),
    }
}

fn tls(cause: &rustls::Error) -> String {
    match cause {
        rustls::Error::InvalidCertificate(fault) => {
            format!("the broker's certificate {}", certificate(fault))
        }
        rustls::Error::AlertReceived(alert) => alert_sentence(*alert),
        rustls::Error::InvalidMessage(_) => DialError::HandshakeClosed.to_string(),
        other => format!("TLS: {other}"),
    }
}

fn certificate(fault: &CertificateError) -> String {
    match fault {
        // The second: an authority of that name, with another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "is unknown: no authority in `ca_file` signed it".into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired: renew it, or set the box's clock".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet: set the box's clock".into()
        }
        CertificateError::NotValidForName => "is for another name: set `server_name` in `tls`".into(),
        CertificateError::NotValidForNameContext { expected, presented } if presented.is_empty() => format!(
            "has no subjectAltName, and a common name does not count: make one for {}",
            expected.to_str()
        ),
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "is for another name ({}), not for {}: correct `host`, or set `server_name` in `tls`",
            presented.join(", "),
            expected.to_str()
        ),
        CertificateError::Revoked => "was revoked".into(),
        // The library gives these only as its own error.
        other => match format!("{other:?}") {
            text if text.contains("CaUsedAsEndEntity") => {
                "is that of an authority: make one for the broker that this authority signs".into()
            }
            text if text.contains("UnsupportedCertVersion") => {
                "is of version 1: make one with a subjectAltName, which makes it version 3".into()
            }
            _ => format!("is not accepted: {other}"),
        },
    }
}

/// What the broker says of our side of the handshake.
fn alert_sentence(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired => {
            "the broker asks for a client certificate: set `client_cert_file` and its key in `tls`".into()
        }
        Alert::HandshakeFailure => {
            "the broker ended the TLS handshake: it may ask for a client certificate".into()
        }
        Alert::BadCertificate
        | Alert::UnknownCA
        | Alert::CertificateUnknown
        | Alert::CertificateExpired
        | Alert::CertificateRevoked
        | Alert::UnsupportedCertificate
        | Alert::DecryptError
        | Alert::AccessDenied => {
            format!("the broker does not accept the client certificate ({alert:?}): check `client_cert_file`")
        }
        Alert::ProtocolVersion => "the broker allows neither TLS 1.2 nor TLS 1.3".into(),
        other => format!("the broker ended the TLS connection ({other:?})"),
    }
}

fn state(cause: &StateError) -> String {
    match cause {
        StateError::ConnectionAborted => CLOSED.into(),
        StateError::AwaitPingResp => "the broker answers no ping".into(),
        StateError::ServerDisconnect { reason_code, .. } => format!("{CLOSED}: {}", goodbye(*reason_code)),
        // A reason that MQTT 5 does not foresee in an acknowledgement. Mosquitto sends it for `message_size_limit`.
        StateError::Deserialization(mqttbytes::Error::InvalidConnectReturnCode(0x95)) => {
            format!("the broker refused a message: {}", Refusal::PacketTooLarge)
        }
        StateError::Deserialization(mqttbytes::Error::Io(cause)) => io(cause),
        StateError::Deserialization(why) => format!("the broker sent an unreadable packet: {why}"),
        other => other.to_string(),
    }
}

/// Why the broker rejected the session.
fn rejection(code: ConnectReturnCode) -> String {
    use ConnectReturnCode as Code;
    match code {
        Code::BadUserNamePassword | Code::NotAuthorized => {
            format!("the broker rejected the login: {LOGIN}")
        }
        Code::RefusedProtocolVersion | Code::UnsupportedProtocolVersion => ONLY_OLD.into(),
        Code::BadClientId | Code::ClientIdentifierNotValid => {
            "the broker rejected the client id, `havenwacht-` and the site's id: allow it".into()
        }
        Code::RetainNotSupported => {
            "the broker keeps no messages; the next session asks it for nothing of the kind".into()
        }
        Code::Banned => "the broker has banned this box: look at its access rules".into(),
        Code::ServiceUnavailable | Code::ServerUnavailable | Code::ServerBusy => "the broker is busy".into(),
        code => format!("the broker rejected the session ({code:?})"),
    }
}

/// Why the broker ended the session.
fn goodbye(code: DisconnectReasonCode) -> String {
    use DisconnectReasonCode as Code;
    match code {
        Code::SessionTakenOver => {
            "another client connected with the same client id: give each box its own site id".into()
        }
        Code::NotAuthorized => Refusal::NotAuthorised.to_string(),
        Code::PacketTooLarge => Refusal::PacketTooLarge.to_string(),
        Code::QuotaExceeded => Refusal::QuotaExceeded.to_string(),
        Code::ServerShuttingDown => "it shuts down".into(),
        Code::ServerBusy => "it is busy".into(),
        Code::KeepAliveTimeout => "it received nothing for too long".into(),
        Code::AdministrativeAction => "its administrator ended the session".into(),
        code => format!("{code:?}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn refused(code: ConnectReturnCode) -> ConnectionError {
        ConnectionError::ConnectionRefused(code)
    }

    fn dial(cause: DialError) -> ConnectionError {
        io::Error::other(cause).into()
    }

    fn tls(cause: rustls::Error) -> ConnectionError {
        io::Error::new(ErrorKind::InvalidData, cause).into()
    }

    fn certificate(fault: CertificateError) -> ConnectionError {
        tls(rustls::Error::InvalidCertificate(fault))
    }

    fn goodbye(reason_code: DisconnectReasonCode) -> ConnectionError {
        StateError::ServerDisconnect { reason_code, reason_string: None }.into()
    }

    fn wrong_name() -> CertificateError {
        let expected = rustls::pki_types::ServerName::try_from("mqtt.example").unwrap();
        CertificateError::NotValidForNameContext { expected, presented: vec!["other.example".into()] }
    }

    #[test]
    fn each_cause_has_a_sentence_of_its_own() {
        use AlertDescription as Alert;
        let causes = [
            dial(DialError::NameNotFound("mqtt.example".into())),
            io::Error::from(ErrorKind::ConnectionRefused).into(),
            io::Error::from(ErrorKind::TimedOut).into(),
            io::Error::from(ErrorKind::ConnectionReset).into(),
            dial(DialError::NeedsTls),
            dial(DialError::HandshakeClosed),
            dial(DialError::NoMqtt5),
            certificate(CertificateError::UnknownIssuer),
            certificate(CertificateError::Expired),
            certificate(CertificateError::NotValidYet),
            certificate(wrong_name()),
            certificate(CertificateError::Revoked),
            tls(rustls::Error::AlertReceived(Alert::CertificateRequired)),
            tls(rustls::Error::AlertReceived(Alert::UnknownCA)),
            tls(rustls::Error::AlertReceived(Alert::ProtocolVersion)),
            refused(ConnectReturnCode::BadUserNamePassword),
            refused(ConnectReturnCode::ClientIdentifierNotValid),
            refused(ConnectReturnCode::ServerBusy),
            refused(ConnectReturnCode::QuotaExceeded),
            goodbye(DisconnectReasonCode::SessionTakenOver),
            goodbye(DisconnectReasonCode::NotAuthorized),
            goodbye(DisconnectReasonCode::PacketTooLarge),
            goodbye(DisconnectReasonCode::ServerShuttingDown),
            StateError::AwaitPingResp.into(),
            StateError::Deserialization(mqttbytes::Error::InvalidConnectReturnCode(0x95)).into(),
            StateError::Deserialization(mqttbytes::Error::MalformedPacket).into(),
        ];
        let early = [Stage::Plain, Stage::Encrypted];
        let early = early.map(|stage| to_error(&StateError::ConnectionAborted.into(), stage));
        let sentences = causes.iter().map(|cause| to_error(cause, Stage::Accepted)).chain(early);
        let sentences: Vec<_> = sentences.map(|sentence| sentence.to_string()).collect();
        assert_eq!(sentences.iter().collect::<BTreeSet<_>>().len(), sentences.len(), "{sentences:#?}");
        insta::assert_snapshot!(sentences.join("\n"));
    }

    #[test]
    fn a_message_is_accepted_with_or_without_a_subscriber() {
        assert_eq!(of_publish(PubAckReason::Success), Ok(()));
        assert_eq!(of_publish(PubAckReason::NoMatchingSubscribers), Ok(()));
        assert_eq!(of_publish(PubAckReason::NotAuthorized), Err(Refusal::NotAuthorised));
    }
}
