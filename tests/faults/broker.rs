//! A broker that goes away and comes back.

use std::collections::BTreeSet;
use std::time::Duration;

use havenwacht::alerts::Listener;

use crate::Row;
use crate::harbour::{Harbour, wait_for};

/// Takes in what is heard for as long as `going` says.
fn hear(
    listener: &mut Listener,
    into: &mut BTreeSet<String>,
    mut going: impl FnMut(&BTreeSet<String>) -> bool,
) {
    while going(into) {
        if let Some(alert) = listener.next(Duration::from_millis(50)).and_then(|heard| heard.alert()) {
            into.insert(alert["alert_id"].as_str().expect("an alert has an id").to_owned());
        }
    }
}

#[test]
fn no_alert_is_lost_while_the_broker_is_away() {
    let mut harbour = Harbour::new(&["inner-harbour", "quay-east"]);
    let mut listener = harbour.listener();
    harbour.start_watch();
    let mut heard = BTreeSet::new();
    let began = crate::harbour::now();
    hear(&mut listener, &mut heard, |heard| heard.len() < 3 && began.elapsed() < Duration::from_secs(30));
    assert!(heard.len() >= 3, "alerts flow before the fault: {heard:?}");

    harbour.broker.take().unwrap().kill();
    let (_, noticed) = wait_for("the watch notices", Duration::from_secs(10), || {
        harbour.health().filter(|health| !health.alerts.connected)
    });
    // Something must happen while the broker is away.
    let waiting = wait_for("alerts wait", Duration::from_secs(60), || {
        harbour.health().map(|health| health.alerts.undelivered).filter(|&waiting| waiting >= 2)
    })
    .0;
    assert!(waiting >= 2);

    harbour.restart_broker();
    let came_back = crate::harbour::now();
    let (_, drained) = wait_for("the backlog is delivered", Duration::from_secs(20), || {
        harbour.health().filter(|health| health.alerts.undelivered == 0 && health.alerts.connected)
    });
    assert!(came_back.elapsed() < Duration::from_secs(20));
    harbour.watch.as_mut().unwrap().stop(Duration::from_secs(10));

    // The broker forgot the listener's session, so what was sent before it subscribed anew it may not have heard; the
    // logbook tells what the broker confirmed, and that must be all.
    let alerts = harbour.alerts();
    let lost = alerts.values().filter(|delivered| !**delivered).count();
    assert!(heard.iter().all(|id| alerts.contains_key(id)), "an alert without its row");
    Row::new(12, "broker killed and back", 1)
        .lost(lost)
        .detected(noticed, Duration::from_secs(10))
        .recovered(drained, Duration::from_secs(20))
        .record();
}
