//! Sends a few messages from a program that is not the daemon, and waits until the broker has them.

use std::time::Duration;

use tokio::runtime;

use super::mqtt::{MqttClient, MqttSettings};
use super::transport::{MqttError, MqttEvent, MqttMessage, Transport};

/// Publishes `messages` and returns when the broker accepted all of them, at most `deadline` later. Not for use inside
/// an async runtime.
pub fn publish(
    settings: MqttSettings,
    messages: Vec<MqttMessage>,
    deadline: Duration,
) -> Result<(), MqttError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(MqttError::failed)?;
    let mut unacknowledged = messages.len();
    let exchange = async {
        let mut client = MqttClient::new(settings);
        client.connect()?;
        messages.into_iter().try_for_each(|message| client.publish(message))?;
        while unacknowledged > 0 {
            if let MqttEvent::Acknowledged(_, outcome) = client.next().await? {
                outcome.map_err(|refusal| MqttError::failed(format!("refused: {refusal}")))?;
                unacknowledged -= 1;
            }
        }
        Ok(())
    };
    let late = |_| MqttError::failed(format!("the broker did not acknowledge within {deadline:?}"));
    runtime.block_on(async { tokio::time::timeout(deadline, exchange).await.map_err(late)? })
}
