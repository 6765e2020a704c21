//! The other end: hears a site's messages as harbour staff would. The demo and tests listen with it.

use std::collections::HashSet;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use rumqttc::{Client, Connection, Event, Incoming, MqttOptions, QoS};

/// Hears one site's messages on one broker. Comes back by itself when the broker does.
pub struct Listener {
    client: Client,
    connection: Connection,
    topics: String,
    seen: HashSet<String>,
    repeats: usize,
    subscribed: bool,
}

/// A message that was heard.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Its topic.
    pub topic: String,
    /// Its bytes.
    pub payload: Vec<u8>,
}

impl Listener {
    /// Listens to everything under `havenwacht/<site>/` at `host`:`port`, as client `name`.
    ///
    /// The session is kept by the broker, so alerts that arrive while this listener is away wait for it.
    pub fn new(host: &str, port: u16, site: &str, name: &str) -> Self {
        let mut options = MqttOptions::new(name, host, port);
        options.set_keep_alive(Duration::from_secs(5));
        options.set_clean_session(false);
        options.set_max_packet_size(4 << 20, 1 << 20);
        let (client, connection) = Client::new(options, 16);
        Self {
            client,
            connection,
            topics: format!("havenwacht/{site}/#"),
            seen: HashSet::new(),
            repeats: 0,
            subscribed: false,
        }
    }

    /// Waits until the broker has taken the subscription: from then on nothing is missed. False after `patience`.
    pub fn subscribe(&mut self, patience: Duration) -> bool {
        let turn = Duration::from_millis(100);
        for _ in 0..=patience.as_millis() / turn.as_millis() {
            if self.subscribed {
                break;
            }
            self.next(turn);
        }
        self.subscribed
    }

    /// Alerts that came again: their ids were known.
    pub fn repeats(&self) -> usize {
        self.repeats
    }

    /// Waits at most `wait` for a message. An alert that is repeated is heard once.
    pub fn next(&mut self, wait: Duration) -> Option<Heard> {
        let until = SystemClock::default().mono() + wait;
        loop {
            let left = until.since(SystemClock::default().mono());
            match self.connection.recv_timeout(left) {
                Ok(Ok(event)) => {
                    if let Some(heard) = self.take_in(event) {
                        return Some(heard);
                    }
                }
                // The event loop connects anew on the next call; not at once, or it would spin.
                Ok(Err(_broker_away)) => std::thread::sleep(left.min(Duration::from_millis(200))),
                Err(_nothing_came) => return None,
            }
            if left.is_zero() {
                return None;
            }
        }
    }

    /// What an event of the connection means: a message, or a step in (re)connecting.
    fn take_in(&mut self, event: Event) -> Option<Heard> {
        match event {
            Event::Incoming(Incoming::ConnAck(_)) => {
                // A full request queue means a subscription is on its way already.
                let _queued = self.client.try_subscribe(&self.topics, QoS::AtLeastOnce);
                None
            }
            Event::Incoming(Incoming::SubAck(_)) => {
                self.subscribed = true;
                None
            }
            Event::Incoming(Incoming::Publish(publish)) => {
                let heard = Heard { topic: publish.topic, payload: publish.payload.to_vec() };
                let alert_id = heard.alert().and_then(|a| Some(a.get("alert_id")?.as_str()?.to_owned()));
                let is_new = alert_id.is_none_or(|id| self.seen.insert(id));
                self.repeats += usize::from(!is_new);
                is_new.then_some(heard)
            }
            _ => None,
        }
    }
}

impl Heard {
    /// The alert, when the message is one.
    pub fn alert(&self) -> Option<serde_json::Map<String, serde_json::Value>> {
        let is_alert = self.topic.split('/').nth(2) == Some("alert");
        is_alert.then(|| serde_json::from_slice(&self.payload).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_staff_answer_does_not_count_as_an_alert() {
        let said = |topic: &str| Heard { topic: topic.into(), payload: br#"{"alert_id": "1"}"#.to_vec() };
        assert!(said("havenwacht/sample-harbour/alert/quay-east/night-passage").alert().is_some());
        assert!(said("havenwacht/sample-harbour/ack").alert().is_none());
    }
}
