//! Telling staff: the outbox relay, its one MQTT session, topics, payloads and presence.
//!
//! # What is promised
//!
//! 1. An alert is delivered when the broker has confirmed *its* packet (and its picture's), and not before.
//! 2. SQLite is the only queue. A session is forgotten whole after every error; the next one reads the undelivered rows
//!    again. A broker that is away, silent, forgetful or that confirms out of order costs no alert and never stops the
//!    relay; it costs at most eight repeats, each with the same `alert_id`.
//! 3. Alerts leave in the order of their `seq`. With a repeat the order is that of the repeat.
//! 4. An alert that waited (raised over a minute ago, or before the last restart) says `"historical": true`. One that is
//!    older than 24 hours is not sent any more; it is marked as expired in the logbook, logged and counted. Age is told by the
//!    time since boot where that can be, and by a wall clock that may be wrong never.
//! 5. A message that is not confirmed within five seconds ends the session; a broker that answers no ping ends it within
//!    ten. New sessions are tried for ever, half a second to four seconds apart.
//! 6. `status` says `online` while there is a session, and `offline` after it: by goodbye or by last will. Each camera's
//!    state, and whether it is blind, is told anew in every session.
//! 7. Where the logbook's chain of events ends is told (retained) in every session, and again when it has grown, at most
//!    every ten seconds: whoever keeps these messages can prove later that nothing before them was rewritten.
//! 8. An answer on `ack` is written to the logbook and told to the watch, also one that was given while the watch was away
//!    (the broker keeps it). What is no answer, or answers an unknown signal, is ignored; whatever is sent there, alerts
//!    go out undisturbed.
//!
//! [`topics`] lists where messages go, `config/alert.schema.json` what an alert says.

mod answer;
mod ear;
mod listen;
mod mqtt;
pub mod payload;
mod relay;
#[cfg(test)]
mod scripted;
mod stats;
pub mod topics;
mod transport;
mod window;

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::backoff::{Backoff, Delays};
use crate::camera_health::Outage;
use crate::camera_state::CameraChange;
use crate::clock::Clock;
use crate::config::Site;
use crate::ids::CameraId;
use crate::logbook::Writer;
use crate::rules::SignalId;
use ear::{Complaints, Ear};
use relay::{Memory, Presence, TIMING, Task};

pub use answer::{BadAnswer, UnsentAnswer, answer, read_answer};
pub use listen::{Heard, Listener};
pub use stats::RelayStats;
pub use transport::{LinkError, LinkEvent, Message, Transport};

/// The running relay.
pub struct Relay {
    task: JoinHandle<bool>,
    stop: CancellationToken,
    stats: Arc<RelayStats>,
    presence: watch::Sender<Presence>,
}

/// Tells the relay of cameras. Cheap to clone. The default one is heard by nobody.
#[derive(Clone, Default)]
pub struct RelayHandle {
    presence: watch::Sender<Presence>,
}

impl RelayHandle {
    /// A camera's new state; only the latest of each camera is told.
    pub fn camera_state(&self, change: &CameraChange) {
        self.presence.send_modify(|presence| {
            presence.entry(change.camera.clone()).or_default().change = Some(change.clone());
        });
    }

    /// A camera became blind, or sees again (`None`).
    pub fn camera_outage(&self, camera: &CameraId, outage: Option<&Outage>) {
        self.presence.send_modify(|presence| {
            presence.entry(camera.clone()).or_default().outage = outage.cloned();
        });
    }
}

impl Relay {
    /// Starts relaying the alerts of `writer`'s logbook to the site's broker, and the staff's answers to the logbook and
    /// to `acknowledged`. `beat` is called on every turn.
    pub fn start(
        runtime: &Runtime,
        site: &Site,
        writer: &Writer,
        clock: Arc<dyn Clock>,
        acknowledged: SyncSender<SignalId>,
        beat: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let will = relay::retained(topics::status(&site.id), payload::offline(&site.id));
        let transport = mqtt::Mqtt::new(site.broker.clone(), format!("havenwacht-{}", site.id), will);
        let (presence, told) = watch::channel(Presence::new());
        let (stop, stats) = (CancellationToken::new(), Arc::new(RelayStats::default()));
        let seed = u64::from(clock.mono().since_boot().subsec_nanos());
        let ear = Ear {
            broker: site.broker.clone(),
            site: site.id.clone(),
            path: writer.path().into(),
            logbook: writer.sender(),
            acknowledged,
            clock: clock.clone(),
            delays: retry(seed.wrapping_add(1)),
            stop: stop.clone(),
            complaints: Complaints::default(),
        };
        let task = Task {
            transport,
            site: site.id.clone(),
            start: (writer.start(), clock.now()),
            committed: writer.outbox(),
            presence: told,
            heads: writer.heads(),
            logbook: writer.sender(),
            writer: writer.stats(),
            delays: retry(seed),
            clock,
            beat: Box::new(beat),
            stats: stats.clone(),
            timing: TIMING,
            stop: stop.clone(),
            memory: Memory::new(writer.path().into()),
        };
        runtime.spawn(ear.run());
        Self { task: runtime.spawn(task.run()), stop, stats, presence }
    }

    /// Counters.
    pub fn stats(&self) -> Arc<RelayStats> {
        self.stats.clone()
    }

    /// For those who know of cameras.
    pub fn handle(&self) -> RelayHandle {
        RelayHandle { presence: self.presence.clone() }
    }

    /// Sends what waits if the broker is there, says goodbye, stops. True when the goodbye is out.
    ///
    /// Call it while the writer still runs, so that last deliveries are noted; what is not noted is sent again later.
    pub async fn stop(mut self, deadline: Duration) -> bool {
        self.stop.cancel();
        match tokio::time::timeout(deadline, &mut self.task).await {
            Ok(ended) => ended.unwrap_or(false),
            Err(_late) => {
                self.task.abort();
                false
            }
        }
    }
}

/// First alert at most five seconds after the broker is back: this much waiting at most, the rest to connect. Not hammered
/// while it is away.
fn retry(seed: u64) -> Delays {
    const RETRY: Backoff = match Backoff::new(Duration::from_millis(500), Duration::from_secs(4), 50) {
        Ok(policy) => policy,
        Err(_) => panic!("a constant back-off makes sense"),
    };
    RETRY.delays(seed)
}
