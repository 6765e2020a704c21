//! Alerts to staff over MQTT, and acknowledgements from staff.
//!
//! The relay sends the alerts of the outbox; the receiver takes acknowledgements. Each has its own MQTT session.
//!
//! # Guarantees
//!
//! 1. An alert is delivered when the broker has accepted its own packet and answered that of its picture, and not before. A
//!    refused alert stays in the outbox, is reported with the reason, and is sent again later.
//! 2. The outbox in the logbook is the only queue. After an error the relay drops the session and reads the undelivered
//!    rows again. A broker that stops, does not reply, forgets, or acknowledges out of order costs no alert. It costs at most
//!    eight repeats, each with the same `alert_id`.
//! 3. Alerts are sent in the order of their `seq`. Repeats follow in the same order. Only an alert that the broker refuses,
//!    or that ends every session, is set aside and follows the others.
//! 4. An alert that waited (raised over a minute ago, or before the last restart) contains `"historical": true`. An alert
//!    that is older than 24 hours is not sent; the logbook marks it as expired. The age is measured with the clock that
//!    counts from boot where possible, and never with a wall clock that may be wrong.
//! 5. A message that the broker does not acknowledge within 5 s ends the session. A broker that answers no ping ends it
//!    within 10 s. The relay then connects again, forever, after 0.5 s to 4 s.
//! 6. The topic `status` says `online` during a session and `offline` after it, sent by the relay or as last will. Every
//!    session sends each camera's state and outage again.
//! 7. Every session sends the head of the logbook's chain of events (retained), and again when the chain has grown, at most
//!    every 10 s. Whoever keeps these messages can later prove that no earlier event was rewritten.
//! 8. An acknowledgement is written to the logbook and passed to the rules. The broker keeps one that is sent while the
//!    daemon is off. A message that is not an acknowledgement, or that names an unknown signal, is rejected. Messages on
//!    this topic cannot disturb the alerts.
//!
//! [`TopicKind`] lists the topics, `config/alert.schema.json` the fields of an alert.

mod acknowledgement;
mod causes;
mod dial;
mod first_bytes;
mod mqtt;
pub mod payload;
mod publish;
mod receiver;
mod refusal;
mod relay;
mod staff_client;
mod stats;
#[cfg(test)]
mod tests;
mod topic;
mod transport;
mod warn_limit;

use std::path::Path;
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
use crate::config::{Broker, Site};
use crate::ids::{CameraId, SiteId};
use crate::logbook::{Outbox, Writer};
use crate::rules::SignalId;
use receiver::AcknowledgementReceiver;
use relay::{CameraStates, OutboxQueue, RelayHistory, RelayTask, RetainedSources, TIMING};
use warn_limit::WarnLimit;

pub use acknowledgement::{AcknowledgeError, BadAcknowledgement, acknowledge, read_acknowledgement};
pub use mqtt::{MqttClient, MqttSettings};
pub use publish::publish;
pub use refusal::Refusal;
pub use staff_client::StaffClient;
pub use stats::RelayStats;
pub use topic::{Topic, TopicKind, UnknownTopic};
pub use transport::{BrokerLimits, MqttError, MqttEvent, MqttMessage, Transport};

/// The running relay.
pub struct Relay {
    task: JoinHandle<bool>,
    stop: CancellationToken,
    stats: Arc<RelayStats>,
    cameras: watch::Sender<CameraStates>,
}

/// Passes camera states to the relay. Cheap to clone. The default handle has no relay.
#[derive(Clone, Default)]
pub struct RelayHandle {
    cameras: watch::Sender<CameraStates>,
}

impl RelayHandle {
    /// A camera's new state. Only the latest state of each camera is published.
    pub fn camera_state(&self, change: &CameraChange) {
        self.cameras.send_modify(|cameras| {
            cameras.entry(change.camera.clone()).or_default().change = Some(change.clone());
        });
    }

    /// A camera's outage began, changed its cause, or ended (`None`).
    pub fn camera_outage(&self, camera: &CameraId, outage: Option<&Outage>) {
        self.cameras.send_modify(|cameras| {
            cameras.entry(camera.clone()).or_default().outage = outage.cloned();
        });
    }
}

impl Relay {
    /// Starts two tasks: one sends the alerts of `writer`'s logbook to the site's broker, the other passes acknowledgements to
    /// the logbook and to `acknowledged`. `beat` is called at least once a second while the first one runs.
    pub fn start(
        runtime: &Runtime,
        site: &Site,
        writer: &Writer,
        clock: Arc<dyn Clock>,
        acknowledged: SyncSender<SignalId>,
        beat: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let (cameras, camera_states) = watch::channel(CameraStates::new());
        let (stop, stats) = (CancellationToken::new(), Arc::new(RelayStats::default()));
        let seed = u64::from(clock.mono().since_boot().subsec_nanos());
        let receiver = AcknowledgementReceiver {
            broker: site.broker.clone(),
            site: site.id.clone(),
            logbook_path: writer.path().into(),
            logbook: writer.sender(),
            acknowledged,
            clock: clock.clone(),
            delays: reconnect_delays(seed.wrapping_add(1)),
            stats: stats.clone(),
            stop: stop.clone(),
            rejections: WarnLimit::default(),
        };
        let task = RelayTask {
            transport: relay_client(&site.broker, &site.id),
            committed: writer.outbox(),
            retained: RetainedSources {
                site: site.id.clone(),
                start: (writer.start(), clock.now()),
                cameras: camera_states,
                removed: removed_cameras(site, writer.path()),
                heads: writer.heads(),
                writer: writer.stats(),
                relay: stats.clone(),
                clock: clock.clone(),
            },
            outbox: OutboxQueue::new(writer.path().into(), writer.sender()),
            clock,
            beat: Box::new(beat),
            stats: stats.clone(),
            delays: reconnect_delays(seed),
            timing: TIMING,
            stop: stop.clone(),
            history: RelayHistory::default(),
        };
        runtime.spawn(receiver.run());
        Self { task: runtime.spawn(task.run()), stop, stats, cameras }
    }

    /// Counters.
    pub fn stats(&self) -> Arc<RelayStats> {
        self.stats.clone()
    }

    /// A handle for the modules that know the cameras' states.
    pub fn handle(&self) -> RelayHandle {
        RelayHandle { cameras: self.cameras.clone() }
    }

    /// Sends the waiting alerts if the broker is connected, publishes `offline`, and stops. True when `offline` was sent.
    ///
    /// Call it while the writer still runs, so that the last deliveries are noted. An alert whose delivery is not noted is
    /// sent again after the next start.
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

/// Cameras of the logbook that are no longer in the site file.
fn removed_cameras(site: &Site, logbook: &Path) -> Vec<CameraId> {
    let all = Outbox::open(logbook).and_then(|outbox| outbox.cameras()).unwrap_or_else(|cause| {
        tracing::warn!("the states of removed cameras stay at the broker: {cause}");
        Vec::new()
    });
    let removed = all.iter().filter(|id| site.cameras.iter().all(|camera| camera.id.as_str() != *id));
    removed.filter_map(|id| CameraId::new(id).ok()).collect()
}

/// The relay's client: the broker publishes `offline` when the connection breaks. It keeps no session, because the outbox is
/// the only queue.
fn relay_client(broker: &Broker, site: &SiteId) -> MqttClient {
    let will = MqttMessage::new(&Topic::new(site, TopicKind::Status), payload::offline(site));
    MqttClient::new(MqttSettings {
        last_will: Some(will),
        ..MqttSettings::new(broker, format!("havenwacht-{site}"))
    })
}

/// At most 4 s between two attempts, so that the first alert is out within 5 s after the broker is back.
fn reconnect_delays(seed: u64) -> Delays {
    const RECONNECT: Backoff = match Backoff::new(Duration::from_millis(500), Duration::from_secs(4), 50) {
        Ok(policy) => policy,
        Err(_) => panic!("the constant back-off is valid"),
    };
    RECONNECT.delays(seed)
}
