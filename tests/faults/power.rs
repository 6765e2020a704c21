//! The daemon killed at random moments, as a power cut would.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::harbour::{Harbour, now};
use crate::{Row, rounds};

/// A little chance that is the same every time: splitmix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }
}

#[test]
fn no_alert_is_lost_and_none_is_without_its_row_when_the_daemon_is_killed() {
    let mut harbour = Harbour::new(&["inner-harbour"]);
    let mut listener = harbour.listener();
    let mut heard = BTreeSet::new();
    let mut chance = Chance(41);
    let kills = rounds(4, 20);
    let mut slowest_start = Duration::ZERO;
    for kill in 0..=kills {
        let began = now();
        harbour.start_watch();
        slowest_start = slowest_start.max(began.elapsed());
        let lives = Duration::from_millis(1500 + chance.below(5000));
        let last = kill == kills;
        let until = if last { Duration::from_secs(15) } else { lives };
        while began.elapsed() < until {
            if let Some(alert) = listener.next(Duration::from_millis(50)).and_then(|heard| heard.alert()) {
                heard.insert(alert["alert_id"].as_str().unwrap().to_owned());
            }
            // The last life may end once nothing waits.
            if last && began.elapsed() > lives && harbour.health().is_some_and(|h| h.alerts.undelivered == 0)
            {
                break;
            }
        }
        let mut watch = harbour.watch.take().unwrap();
        if last {
            assert!(watch.stop(Duration::from_secs(15)), "the last life ends in order");
        } else {
            watch.kill();
            harbour.check_logbook();
        }
    }
    while let Some(message) = listener.next(Duration::from_millis(500)) {
        if let Some(alert) = message.alert() {
            heard.insert(alert["alert_id"].as_str().unwrap().to_owned());
        }
    }

    let rows = harbour.alerts();
    let lost = rows.keys().filter(|id| !heard.contains(*id)).count();
    let without_row = heard.iter().filter(|id| !rows.contains_key(*id)).count();
    println!("{} alerts over {} lives", rows.len(), kills + 1);
    assert!(rows.len() > kills, "alerts flowed in these lives");
    let unheard: Vec<_> = rows.iter().filter(|(id, _)| !heard.contains(*id)).collect();
    assert_eq!(
        lost, 0,
        "alerts in the logbook that nobody heard, and whether the broker confirmed them: {unheard:?}"
    );
    assert_eq!(without_row, 0, "alerts heard that the logbook does not hold");
    Row::new(8, "daemon killed at random", kills)
        .lost(lost)
        .recovered(slowest_start, Duration::from_secs(20))
        .at_most("alerts without row", without_row as f64, "", 0.0)
        .record();
}
