//! The relay's guarantees against a broker that follows a script.

mod delivery;
mod outbox_model;
mod relay_fixture;
#[path = "../../../tests/common/scripted_broker.rs"]
mod scripted_broker;

use std::sync::atomic::Ordering::Relaxed;

use proptest::prelude::*;

use super::relay::WINDOW;
use super::relay::retained::PublishedCamera;
use crate::camera_health::{Cause, Outage};
use crate::camera_state::{CameraChange, CameraState};
use crate::logbook::testing::{at, camera, column, notified_signal};
use crate::logbook::{ChainHead, Entry};
use relay_fixture::{RelayFixture, alert_seq};
use scripted_broker::Behaviour;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_survive_a_broker_that_forgets() {
    let script = [Behaviour::CloseAfter(4), Behaviour::CloseAfter(3), Behaviour::Acknowledge];
    let mut fixture = RelayFixture::new(&script, 30.0);
    fixture.raise(1..=20);
    fixture.start_relay();
    fixture.wait_until_delivered(20).await;
    assert_eq!(fixture.alerts_of(2), (1..=20).collect::<Vec<_>>(), "in order");
    let received = fixture.received();
    let first = received.iter().filter(|message| alert_seq(message) == Some(1));
    let attempts: Vec<_> = first.map(|message| message.json()["attempt"].as_u64().unwrap()).collect();
    // The second session began with the status, which was not answered.
    assert_eq!(attempts, [1, 2]);
    assert_eq!(column(&fixture.path(), "SELECT attempts FROM alert WHERE seq = 1"), ["2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_delivered_by_its_own_acknowledgement_only() {
    // The first session receives a window of alerts, of which it acknowledges the last three in reverse.
    let script = [Behaviour::Reverse { after: WINDOW, last: 3 }, Behaviour::Silent];
    let mut fixture = RelayFixture::new(&script, 30.0);
    fixture.raise(1..=20);
    fixture.start_relay();
    fixture.wait_until("three sessions without a reply", |f| f.broker.log().connects.len() >= 4).await;
    let last = WINDOW as i64;
    let delivered = fixture.delivered();
    assert!(delivered.iter().all(|seq| (last - 2..=last).contains(seq)), "{delivered:?}");
    assert_eq!(
        fixture.alerts_of(1),
        [0; 0],
        "the status first: only a broker that answers it lets an alert be blamed"
    );
    assert_eq!(fixture.alerts_of(2), [1], "one at a time, until it is known which alert ends the sessions");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledgements_out_of_order_do_not_stop_the_relay() {
    let reverse = Behaviour::Reverse { after: WINDOW, last: 5 };
    let script = [Behaviour::EverySecond, reverse, Behaviour::EverySecond, Behaviour::Acknowledge];
    let mut fixture = RelayFixture::new(&script, 60.0);
    fixture.raise(1..=40);
    fixture.start_relay();
    fixture.wait_until_delivered(40).await;
    let sent = fixture.stats.attempts.load(Relaxed);
    assert!(sent <= 40 + 3 * WINDOW as u64, "at most a window of repeats a session: {sent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_login_is_reported_and_tried_again() {
    let mut fixture =
        RelayFixture::new(&[Behaviour::Reject, Behaviour::Reject, Behaviour::Acknowledge], 10.0);
    fixture.start_relay();
    let reported = |f: &RelayFixture| f.stats.last_error().is_some_and(|e| e.contains("rejected the login"));
    fixture.wait_until("the rejection is reported", reported).await;
    fixture.raise(1..=3);
    fixture.wait_until_delivered(3).await;
    assert_eq!(fixture.stats.last_error(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_relay_continues_after_the_delivered_alerts() {
    let script = [Behaviour::Reverse { after: WINDOW, last: 2 }, Behaviour::Silent, Behaviour::Acknowledge];
    let mut fixture = RelayFixture::new(&script, 30.0);
    fixture.raise(1..=12);
    fixture.start_relay();
    fixture.wait_until("two alerts are delivered", |f| f.delivered().len() == 2).await;
    fixture.relay.abort();
    fixture.start_relay();
    fixture.wait_until_delivered(12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_session_sends_the_head_of_the_chain() {
    let mut fixture = RelayFixture::new(&[Behaviour::CloseAfter(2), Behaviour::Acknowledge], 10.0);
    let head = fixture.writer.heads().borrow().clone();
    assert_eq!(head.seq, 1, "the start");
    fixture.heads.send_replace(head.clone());
    fixture.start_relay();
    let heads = |f: &RelayFixture| f.retained("/logbook/head");
    fixture.wait_until("two sessions", |f| heads(f).len() == 2).await;
    for (session, message) in heads(&fixture).into_iter().enumerate() {
        assert_eq!(message.session, session);
        assert_eq!(ChainHead::from_json(&String::from_utf8(message.payload).unwrap()), Some(head.clone()));
    }
}

fn camera_state(state: CameraState, outage: Option<Outage>) -> PublishedCamera {
    let reason = "it was so".into();
    let change = CameraChange { camera: camera(), at: at(1.0), state, reason, retries: 0 };
    PublishedCamera { change: Some(change), outage }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_session_sends_status_and_camera_states() {
    let mut fixture = RelayFixture::new(&[Behaviour::CloseAfter(2), Behaviour::Acknowledge], 10.0);
    let frozen = Outage {
        cause: Cause::Frozen,
        began: at(2.0),
        measured: Some(15.0),
        threshold: Some(15.0),
        unit: "s",
        text: "the picture has been the same for 15 s".into(),
    };
    let set = |f: &RelayFixture, state| f.cameras.send_modify(|all| drop(all.insert(camera(), state)));
    set(&fixture, camera_state(CameraState::Connecting, None));
    fixture.start_relay();
    fixture.wait_until("two sessions", |f| f.received().len() >= 4).await;
    set(&fixture, camera_state(CameraState::Streaming, None));
    fixture.wait_until("the change", |f| f.received().len() >= 5).await;
    set(&fixture, camera_state(CameraState::Streaming, Some(frozen)));
    fixture.wait_until("the outage", |f| f.received().len() >= 6).await;
    fixture.stop.cancel();
    assert!((&mut fixture.relay).await.unwrap());
    fixture.wait_until("the disconnect", |f| f.broker.log().disconnects == 1).await;
    let received: Vec<_> = fixture
        .received()
        .iter()
        .map(|message| {
            assert!(message.retain);
            let (payload, topic) = (message.json(), message.topic.rsplit('/').next().unwrap().to_owned());
            let text = |value: &serde_json::Value| value.as_str().unwrap_or("none").to_owned();
            (message.session, topic, text(&payload["state"]), text(&payload["outage"]["cause"]))
        })
        .collect();
    let expected = [
        (0, "status", "online", "none"),
        (0, "state", "connecting", "none"),
        (1, "status", "online", "none"),
        (1, "state", "connecting", "none"),
        (1, "state", "streaming", "none"),
        (1, "state", "streaming", "frozen"),
        (1, "status", "offline", "none"),
    ];
    let expected = expected.map(|(n, topic, state, cause)| (n, topic.into(), state.into(), cause.into()));
    assert_eq!(received, expected);
    let log = fixture.broker.log();
    let (connect, will) = &log.connects[0];
    assert!(will.topic == log.received[0].topic.as_bytes() && will.retain);
    assert!(will.message.starts_with(br#"{"schema":1"#));
    assert!(connect.clean_start);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_session_clears_the_states_of_removed_cameras() {
    let mut fixture = RelayFixture::new(&[Behaviour::CloseAfter(2), Behaviour::Acknowledge], 10.0);
    fixture.removed = vec![camera()];
    fixture.start_relay();
    let cleared = |f: &RelayFixture| f.retained("/state").iter().filter(|m| m.payload.is_empty()).count();
    fixture.wait_until("two sessions", |f| cleared(f) == 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_lists_the_problems_of_the_logbook() {
    let mut fixture = RelayFixture::new(&[Behaviour::Acknowledge], 10.0);
    fixture.start_relay();
    let problems = |f: &RelayFixture| {
        f.retained("/status").iter().map(|status| status.json()["problems"].to_string()).collect::<Vec<_>>()
    };
    fixture.wait_until("the status", |f| problems(f) == ["[]"]).await;
    fixture.writer.stats().degraded.store(true, Relaxed);
    fixture.wait_until("the problem", |f| problems(f).len() == 2).await;
    assert!(problems(&fixture)[1].contains("cannot be written"), "{:?}", problems(&fixture));
    fixture.writer.stats().degraded.store(false, Relaxed);
    fixture.wait_until("its end", |f| problems(f).len() == 3 && problems(f)[2] == "[]").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_alerts_are_historical_and_old_ones_expire() {
    let day = 86_400.0;
    let mut fixture = RelayFixture::new(&[Behaviour::Acknowledge], day + 100.0);
    for (number, seconds) in [(1, 50.0), (2, day), (3, day + 90.0)] {
        fixture.sender.send(notified_signal(number, seconds)).unwrap();
    }
    fixture.start_relay();
    fixture.wait_until("two are delivered", |f| f.delivered() == [2, 3]).await;
    let delivery = "SELECT delivery FROM v_alerts WHERE seq = 1";
    fixture.wait_until("one expired", |f| column(&f.path(), delivery) == ["expired"]).await;
    let received = fixture.received();
    let alerts = received
        .iter()
        .filter_map(|m| Some((alert_seq(m)?, m.json()["historical"].as_bool()?, m.expires_after?)));
    assert_eq!(
        alerts.collect::<Vec<_>>(),
        [(2, true, 86_300), (3, false, 86_390)],
        "the broker drops them after 24 hours, too"
    );
    assert_eq!(fixture.stats.expired.load(Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_is_sent_just_before_its_alert() {
    let mut fixture = RelayFixture::new(&[Behaviour::Acknowledge], 10.0);
    let Entry::Signal(mut signal) = notified_signal(1, 5.0) else { unreachable!() };
    let alert = signal.alert.as_mut().unwrap();
    let topic = "havenwacht/sample-harbour/picture/1";
    alert.payload = format!(r#"{{"schema":1,"picture_topic":"{topic}"}}"#);
    alert.picture = Some(vec![0xD8; 300_000]);
    fixture.sender.send(Entry::Signal(signal)).unwrap();
    fixture.start_relay();
    fixture.wait_until_delivered(1).await;
    let received = fixture.received();
    let at = received.iter().position(|message| alert_seq(message) == Some(1)).unwrap();
    assert_eq!((received[at - 1].topic.as_str(), received[at - 1].payload.len()), (topic, 300_000));
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![
        Just(Behaviour::Reject),
        Just(Behaviour::Silent),
        Just(Behaviour::EverySecond),
        Just(Behaviour::AllButFirst),
        (1usize..10).prop_map(Behaviour::CloseAfter),
        (1usize..10, 0usize..10).prop_map(|(after, last)| Behaviour::Reverse { after, last }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever the broker does in its first sessions: no alert is lost, none is called delivered too early.
    #[test]
    fn no_behaviour_of_a_broker_costs_an_alert(
        mut script in prop::collection::vec(behaviour(), 0..5), alerts in 1u32..25,
    ) {
        script.push(Behaviour::Acknowledge);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut fixture = RelayFixture::new(&script, 30.0);
            fixture.start_relay();
            fixture.raise(1..=alerts);
            fixture.wait_until_delivered(alerts.into()).await;
        });
    }
}
