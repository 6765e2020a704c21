//! Delivered means accepted; and no message that cannot pass stops the others.

use std::sync::atomic::Ordering::Relaxed;

use rumqttc::PubAckReason;

use super::camera_state;
use super::relay_fixture::{RelayFixture, alert_seq};
use super::scripted_broker::Behaviour;
use crate::camera_state::CameraState;
use crate::logbook::Entry;
use crate::logbook::testing::{camera, notified_signal};

/// Alert `number` with a payload or a picture of so many bytes.
fn large_alert(number: u32, payload: usize, picture: usize) -> Entry {
    let Entry::Signal(mut signal) = notified_signal(number.into(), f64::from(number)) else { unreachable!() };
    let alert = signal.alert.as_mut().unwrap();
    let text = "x".repeat(payload);
    let topic = format!("havenwacht/sample-harbour/picture/{number}");
    alert.payload = format!(r#"{{"schema":1,"text":"{text}","picture_topic":"{topic}"}}"#);
    alert.picture = (picture > 0).then(|| vec![0xD8; picture]);
    Entry::Signal(signal)
}

impl RelayFixture {
    /// The last message of an alert.
    fn last_of(&self, seq: i64) -> serde_json::Value {
        let received = self.received();
        received.iter().rfind(|message| alert_seq(message) == Some(seq)).unwrap().json()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_alert_is_reported_and_not_delivered() {
    let script = [Behaviour::RefuseAlerts(PubAckReason::NotAuthorized)];
    let mut fixture = RelayFixture::new(&script, 30.0);
    fixture.raise(1..=3);
    fixture.start_relay();
    fixture.wait_until("each is tried again", |f| f.broker.log().alerts().count() >= 9).await;
    assert_eq!(fixture.delivered(), [0; 0]);
    let [(what, reason, count)] = fixture.stats.refusals()[..] else { panic!("one kind of refusal") };
    assert_eq!((what, reason.as_str()), ("alert", "not-authorised"));
    assert!(count >= 6, "{count}");
    let problem = "the broker refuses 3 alerts; the last on havenwacht/";
    assert!(fixture.stats.problems()[0].starts_with(problem), "{:?}", fixture.stats.problems());
    let told = |f: &RelayFixture| {
        f.retained("/status").iter().any(|s| s.json()["problems"].to_string().contains("not authorised"))
    };
    fixture.wait_until("the status tells", told).await;
    assert_eq!(fixture.broker.log().connects.len(), 1, "the session continues");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_delivered_when_the_broker_no_longer_refuses_it() {
    let script = [Behaviour::RefuseAlerts(PubAckReason::QuotaExceeded), Behaviour::Acknowledge];
    let mut fixture = RelayFixture::new(&script, 30.0);
    fixture.raise(1..=3);
    fixture.start_relay();
    fixture.wait_until("refused", |f| f.stats.problems().len() == 1).await;
    fixture.relay.abort();
    fixture.start_relay();
    fixture.wait_until_delivered(3).await;
    fixture.wait_until("no problem is left", |f| f.stats.problems().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_matching_subscriber_is_no_refusal() {
    let script = [Behaviour::RefuseAlerts(PubAckReason::NoMatchingSubscribers)];
    let mut fixture = RelayFixture::new(&script, 30.0);
    fixture.start_relay();
    fixture.raise(1..=3);
    fixture.wait_until("all are delivered", |f| f.delivered() == [1, 2, 3]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_ends_sessions_is_left_out() {
    let mut fixture = RelayFixture::new(&[Behaviour::CloseAtPayload(100_000)], 30.0);
    fixture.raise(1..=2);
    fixture.sender.send(large_alert(3, 10, 300_000)).unwrap();
    fixture.raise(4..=20);
    fixture.start_relay();
    fixture.wait_until_delivered(20).await;
    let alert = fixture.last_of(3);
    assert_eq!(alert["picture_topic"], serde_json::Value::Null);
    assert_eq!(alert["picture_omitted"], "sessions with the broker ended while it was sent");
    assert!(fixture.stats.failures.load(Relaxed) <= 3, "{}", fixture.stats.failures.load(Relaxed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_ends_sessions_delays_no_other_for_long() {
    let mut fixture = RelayFixture::new(&[Behaviour::CloseAtPayload(10_000)], 30.0);
    fixture.sender.send(large_alert(1, 20_000, 0)).unwrap();
    fixture.raise(2..=20);
    fixture.start_relay();
    let others: Vec<_> = (2..=20).collect();
    fixture.wait_until("the others are delivered", |f| f.delivered() == others).await;
    fixture.wait_until("it is reported", |f| f.stats.problems().len() == 1).await;
    assert!(fixture.stats.problems()[0].starts_with("1 alert ended several sessions"));
    let tried = fixture.broker.log().connects.len();
    fixture.raise(21..=22);
    fixture.wait_until("later ones, too", |f| f.delivered().contains(&22)).await;
    fixture.wait_until("it is tried again", |f| f.broker.log().connects.len() > tried).await;
    assert!(!fixture.delivered().contains(&1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_beyond_the_announced_limits_is_sent() {
    let mut fixture = RelayFixture::new(&[Behaviour::Announce { max_packet: 4_000, retain: false }], 30.0);
    fixture.sender.send(large_alert(1, 10, 50_000)).unwrap();
    fixture.sender.send(large_alert(2, 5_000, 0)).unwrap();
    fixture.raise(3..=5);
    fixture.cameras.send_modify(|cameras| {
        cameras.insert(camera(), camera_state(CameraState::Streaming, None));
    });
    fixture.start_relay();
    fixture.wait_until("all that fit are delivered", |f| f.delivered() == [1, 3, 4, 5]).await;
    assert_eq!(fixture.last_of(1)["picture_omitted"], "it is larger than the broker accepts");
    fixture
        .wait_until("the camera's state", |f| f.received().iter().any(|m| m.topic.ends_with("/state")))
        .await;
    assert!(fixture.received().iter().all(|message| !message.retain));
    assert!(fixture.stats.problems()[0].contains("packet too large"), "{:?}", fixture.stats.problems());
    assert_eq!(fixture.broker.log().connects.len(), 1, "no session broke");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_go_before_presence() {
    let mut fixture = RelayFixture::new(&[Behaviour::Acknowledge], 30.0);
    fixture.raise(1..=20);
    fixture.start_relay();
    fixture.wait_until("the status", |f| !f.retained("/status").is_empty()).await;
    let received = fixture.received();
    let order: Vec<_> = received.iter().map(alert_seq).collect();
    assert_eq!(order[..21], (1..=20).map(Some).chain([None]).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_not_blamed_for_a_broker_that_answers_nothing() {
    let script = [vec![Behaviour::Silent; 7], vec![Behaviour::Acknowledge]].concat();
    let mut fixture = RelayFixture::new(&script, 30.0);
    fixture.sender.send(large_alert(1, 10, 5_000)).unwrap();
    fixture.start_relay();
    fixture.wait_until("the broker is well", |f| f.broker.log().connects.len() == script.len()).await;
    fixture.wait_until("the alert is delivered at once", |f| f.delivered() == [1]).await;
    assert_eq!(fixture.last_of(1)["picture_omitted"], serde_json::Value::Null);
    assert_eq!(fixture.broker.log().connects.len(), script.len());
    assert_eq!(fixture.stats.problems(), [""; 0]);
}
