//! The retained messages of a session: status, camera states and the head of the logbook's chain, each sent when it
//! differs from what this session sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::alerts::payload;
use crate::alerts::stats::RelayStats;
use crate::alerts::topic::{Topic, TopicKind};
use crate::alerts::transport::MqttMessage;
use crate::camera_health::Outage;
use crate::camera_state::CameraChange;
use crate::clock::{Clock, Stamp};
use crate::ids::{CameraId, SiteId};
use crate::logbook::{ChainHead, WriterStats};

/// The head of the chain is sent at most this often.
const HEAD_EVERY: Duration = Duration::from_secs(10);

/// Every camera's present state.
pub(in crate::alerts) type CameraStates = BTreeMap<CameraId, PublishedCamera>;

/// What is published of one camera.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::alerts) struct PublishedCamera {
    /// Its last change of state; nothing is published before the first.
    pub(in crate::alerts) change: Option<CameraChange>,
    /// The current outage.
    pub(in crate::alerts) outage: Option<Outage>,
}

/// Where the retained messages come from.
pub(in crate::alerts) struct RetainedSources {
    pub(in crate::alerts) site: SiteId,
    /// This start's id, and when it began.
    pub(in crate::alerts) start: (i64, Stamp),
    pub(in crate::alerts) cameras: watch::Receiver<CameraStates>,
    /// Cameras that were in the site file once: the broker may still keep their states.
    pub(in crate::alerts) removed: Vec<CameraId>,
    pub(in crate::alerts) heads: watch::Receiver<ChainHead>,
    /// The problems of the logbook and of the relay are part of the status.
    pub(in crate::alerts) writer: Arc<WriterStats>,
    pub(in crate::alerts) relay: Arc<RelayStats>,
    pub(in crate::alerts) clock: Arc<dyn Clock>,
}

/// What a session has sent.
#[derive(Default)]
pub(super) struct SentRetained {
    /// The problems in the last status; `None` before the first status.
    problems: Option<Vec<String>>,
    cameras: CameraStates,
    /// So many of the removed cameras.
    removed: usize,
    /// Number of the last head, and when it was sent.
    head: Option<(i64, Instant)>,
}

impl SentRetained {
    /// Of a session after others that cleared the states of so many removed cameras.
    pub(super) fn after_clearing(removed: usize) -> Self {
        Self { removed, ..Self::default() }
    }

    /// How many states of removed cameras were cleared.
    pub(super) fn cleared(&self) -> usize {
        self.removed
    }
}

impl RetainedSources {
    /// What this session must send next: the status, a camera state, the end of one, or the head of the chain.
    pub(super) fn next(&self, sent: &mut SentRetained) -> Option<MqttMessage> {
        let state = self.status(sent).or_else(|| self.camera_state(sent));
        state.or_else(|| self.removed_camera(sent)).or_else(|| self.head(sent))
    }

    /// An empty message: the broker then keeps none for this topic.
    fn removed_camera(&self, sent: &mut SentRetained) -> Option<MqttMessage> {
        let camera = self.removed.get(sent.removed)?.clone();
        sent.removed += 1;
        Some(self.message(TopicKind::CameraState { camera }, String::new()))
    }

    fn status(&self, sent: &mut SentRetained) -> Option<MqttMessage> {
        let problems = [self.writer.problems(), self.relay.problems()].concat();
        if sent.problems.as_ref() == Some(&problems) {
            return None;
        }
        let (start, since) = self.start;
        let online = payload::online(&self.site, start, since.wall, &problems);
        sent.problems = Some(problems);
        Some(self.message(TopicKind::Status, online))
    }

    fn camera_state(&self, sent: &mut SentRetained) -> Option<MqttMessage> {
        let cameras = self.cameras.borrow();
        let (camera, state, change) = cameras.iter().find_map(|(camera, state)| {
            let change = state.change.as_ref()?;
            (sent.cameras.get(camera) != Some(state)).then_some((camera, state, change))
        })?;
        sent.cameras.insert(camera.clone(), state.clone());
        let payload = payload::camera_state(&self.site, change, state.outage.as_ref());
        Some(self.message(TopicKind::CameraState { camera: camera.clone() }, payload))
    }

    /// The head of the chain, when it has grown since this session sent it: what was published cannot be rewritten
    /// unnoticed.
    fn head(&self, sent: &mut SentRetained) -> Option<MqttMessage> {
        let (head, now) = (self.heads.borrow(), Instant::now());
        let due = head.seq > 0 && sent.head.is_none_or(|(seq, at)| seq != head.seq && now - at >= HEAD_EVERY);
        due.then(|| {
            sent.head = Some((head.seq, now));
            let payload = payload::head(&self.site, self.start.0, self.clock.now().wall, &head);
            self.message(TopicKind::LogbookHead, payload)
        })
    }

    fn message(&self, kind: TopicKind, payload: String) -> MqttMessage {
        MqttMessage::new(&Topic::new(&self.site, kind), payload)
    }
}
