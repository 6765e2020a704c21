//! A subscriber as harbour staff have one: receives every message of a site. The demo and the tests use it.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::runtime::{self, Runtime};
use tokio::time::{Instant, sleep, timeout_at};

use super::mqtt::{MqttClient, MqttSettings};
use super::topic::{Topic, TopicKind};
use super::transport::{MqttError, MqttEvent, MqttMessage, Transport};
use crate::config::Broker;
use crate::ids::SiteId;

/// Bytes of the largest packet received: more than the largest picture.
const MAX_INCOMING: u32 = 4 << 20;

/// Pause after a session that failed.
const RECONNECT_AFTER: Duration = Duration::from_millis(200);

/// Receives the messages of one site. Connects again by itself when the broker was down. Not for use inside an async
/// runtime.
pub struct StaffClient {
    runtime: Runtime,
    subscription: Subscription,
    alert_ids: HashSet<String>,
    repeats: usize,
}

struct Subscription {
    client: MqttClient,
    filter: String,
    connected: bool,
    accepted: bool,
}

impl StaffClient {
    /// Subscribes to every topic of `site` on the broker at this machine's `port`, with the client id `name`.
    ///
    /// The broker keeps the session, so alerts that are sent while this client is not connected wait for it.
    pub fn new(port: u16, site: &SiteId, name: &str) -> std::io::Result<Self> {
        let broker = Broker { host: "127.0.0.1".into(), port, login: None, tls: None };
        let settings = MqttSettings {
            keep_session: true,
            max_incoming: MAX_INCOMING,
            ..MqttSettings::new(&broker, name)
        };
        let (client, filter) = (MqttClient::new(settings), Topic::filter(site));
        Ok(Self {
            runtime: runtime::Builder::new_current_thread().enable_all().build()?,
            subscription: Subscription { client, filter, connected: false, accepted: false },
            alert_ids: HashSet::new(),
            repeats: 0,
        })
    }

    /// Waits until the broker accepted the subscription: no later message is missed. False after `deadline`.
    pub fn subscribe(&mut self, deadline: Duration) -> bool {
        let subscription = &mut self.subscription;
        let accepted = async {
            let deadline = Instant::now() + deadline;
            while !subscription.accepted && timeout_at(deadline, subscription.next()).await.is_ok() {}
            subscription.accepted
        };
        self.runtime.block_on(accepted)
    }

    /// Alerts that arrived again: their `alert_id` was known.
    pub fn repeats(&self) -> usize {
        self.repeats
    }

    /// Waits at most `wait` for a message. Repeated alerts are counted and left out.
    pub fn next(&mut self, wait: Duration) -> Option<MqttMessage> {
        let Self { runtime, subscription, alert_ids, repeats } = self;
        runtime.block_on(async {
            let deadline = Instant::now() + wait;
            loop {
                let Some(message) = timeout_at(deadline, subscription.next()).await.ok()? else { continue };
                let id = message.alert().and_then(|alert| Some(alert.get("alert_id")?.as_str()?.to_owned()));
                if id.is_none_or(|id| alert_ids.insert(id)) {
                    return Some(message);
                }
                *repeats += 1;
            }
        })
    }
}

impl Subscription {
    /// The next message; `None` for any other event, or when the session broke.
    async fn next(&mut self) -> Option<MqttMessage> {
        match self.event().await {
            Ok(MqttEvent::Received(message)) => return Some(message),
            Ok(MqttEvent::Subscribed) => self.accepted = true,
            Ok(_) => {}
            Err(_broker_away) => {
                self.connected = false;
                sleep(RECONNECT_AFTER).await;
            }
        }
        None
    }

    async fn event(&mut self) -> Result<MqttEvent, MqttError> {
        if !self.connected {
            self.client.connect()?;
            self.connected = true;
        }
        let event = self.client.next().await?;
        if let MqttEvent::Connected(_) = event {
            self.client.subscribe(&self.filter, true)?;
        }
        Ok(event)
    }
}

impl MqttMessage {
    /// The alert's fields; `None` when the message is not an alert.
    pub fn alert(&self) -> Option<Map<String, Value>> {
        let topic: Topic = self.topic.parse().ok()?;
        let is_alert = matches!(topic.kind, TopicKind::Alert { .. });
        is_alert.then(|| serde_json::from_slice(&self.payload).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_is_not_an_alert() {
        let message = |topic: &str| MqttMessage {
            topic: topic.into(),
            payload: br#"{"alert_id": "1"}"#.to_vec().into(),
            retain: false,
            expires_after: None,
        };
        assert!(message("havenwacht/sample-harbour/alert/quay-east/night-passage").alert().is_some());
        assert!(message("havenwacht/sample-harbour/acknowledge").alert().is_none());
    }
}
