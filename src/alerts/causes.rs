//! From the client library's causes to sentences that a technician can act on.

use std::io::{self, ErrorKind};

use rumqttc::{
    ConnectReturnCode, ConnectionError, DisconnectReasonCode, PubAckReason, StateError, SubscribeReasonCode,
    mqttbytes,
};

use super::refusal::Refusal;
use super::transport::MqttError;

const CLOSED: &str = "the broker closed the connection";
const NO_ANSWER: &str = "no answer from the broker";
const LOGIN: &str = "check `username` and the password under [broker]";
const ONLY_OLD: &str =
    "the broker does not speak MQTT 5: use a broker that does, such as Mosquitto 1.6 or later";

/// Why a session ended or did not begin.
pub(super) fn to_error(cause: &ConnectionError) -> MqttError {
    MqttError::failed(match cause {
        ConnectionError::Io(cause) | ConnectionError::MqttState(StateError::Io(cause)) => io(cause),
        ConnectionError::MqttState(cause) => state(cause),
        ConnectionError::Timeout(_) | ConnectionError::DisconnectTimeout => NO_ANSWER.into(),
        ConnectionError::ConnectionRefused(code) => rejection(*code),
        other => other.to_string(),
    })
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
    match cause.kind() {
        ErrorKind::ConnectionRefused => "connection refused: nothing listens at that address".into(),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => CLOSED.into(),
        ErrorKind::TimedOut => "no answer".into(),
        _ => cause.to_string(),
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
