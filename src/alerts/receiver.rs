//! Receives acknowledgements in an MQTT session of its own, so that nothing sent there can disturb the alerts.
//!
//! The broker keeps this session: an acknowledgement that is sent while the daemon is off waits for it.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::acknowledgement::read_acknowledgement;
use super::mqtt::{MqttClient, MqttSettings};
use super::stats::RelayStats;
use super::topic::{Topic, TopicKind};
use super::transport::{MqttError, MqttEvent, Transport};
use super::warn_limit::WarnLimit;
use crate::backoff::Delays;
use crate::clock::{Clock, MonoTime};
use crate::config::Broker;
use crate::ids::SiteId;
use crate::logbook::{Entry, LogbookError, LogbookSender, Reader};
use crate::rules::SignalId;

/// Pause before an acknowledgement is offered again to a logbook whose queue is full.
const QUEUE_RETRY: Duration = Duration::from_millis(100);

/// The task's state.
pub(super) struct AcknowledgementReceiver {
    pub(super) broker: Broker,
    pub(super) site: SiteId,
    pub(super) logbook_path: PathBuf,
    pub(super) logbook: LogbookSender,
    /// To the rules.
    pub(super) acknowledged: SyncSender<SignalId>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) delays: Delays,
    pub(super) stats: Arc<RelayStats>,
    pub(super) stop: CancellationToken,
    pub(super) rejections: WarnLimit,
}

impl AcknowledgementReceiver {
    /// Receives until stopped.
    pub(super) async fn run(mut self) {
        let stop = self.stop.clone();
        stop.run_until_cancelled(async {
            let mut logged = None;
            loop {
                let Err(cause) = self.session().await;
                let delay = self.delays.next_delay();
                if logged.as_ref() != Some(&cause) {
                    tracing::warn!("acknowledgements cannot be received: {cause}");
                    logged = Some(cause);
                }
                tokio::time::sleep(delay).await;
            }
        })
        .await;
    }

    /// One session, until it breaks.
    async fn session(&mut self) -> Result<Infallible, MqttError> {
        let topic = Topic::new(&self.site, TopicKind::Acknowledge).to_string();
        let mut client = self.connect()?;
        let mut subscribing = false;
        loop {
            let event = client.next().await.inspect_err(|cause| {
                // That the broker is away is the relay's problem to tell.
                let refused = subscribing.then(|| format!("acknowledgements cannot be received: {cause}"));
                self.stats.set_acknowledgements(refused);
            })?;
            match event {
                MqttEvent::Connected(_) => {
                    // Nobody answers an alert with a retained message: one that is there is an old mistake.
                    client.subscribe(&topic, false)?;
                    subscribing = true;
                }
                MqttEvent::Subscribed => {
                    subscribing = false;
                    self.delays.reset();
                    self.stats.set_acknowledgements(None);
                    tracing::info!("receiving acknowledgements on {topic}");
                }
                MqttEvent::Received(message) => self.receive(&message.payload).await,
                _ => {}
            }
        }
    }

    fn connect(&self) -> Result<MqttClient, MqttError> {
        let client_id = format!("havenwacht-{}-acknowledge", self.site);
        let settings = MqttSettings { keep_session: true, ..MqttSettings::new(&self.broker, client_id) };
        let mut client = MqttClient::new(settings);
        client.connect()?;
        Ok(client)
    }

    /// Hands one acknowledgement to the logbook, then to the rules.
    async fn receive(&mut self, message: &[u8]) {
        let now = self.clock.now();
        let acknowledgement = match read_acknowledgement(message, now.wall) {
            Ok(acknowledgement) => acknowledgement,
            Err(cause) => return self.reject(now.mono, &cause),
        };
        let signal = acknowledgement.signal;
        match self.is_known(signal).await {
            Ok(true) => {}
            Ok(false) => {
                let cause = format!("no signal {} in the logbook", signal.0);
                return self.reject(now.mono, &cause);
            }
            // The writer checks again.
            Err(cause) => tracing::debug!("cannot look up signal {}: {cause}", signal.0),
        }
        tracing::info!("signal {}: {} by {}", signal.0, acknowledgement.verdict.as_str(), acknowledgement.by);
        let mut entry = Entry::Acknowledgement(acknowledgement);
        while let Ok(Some(returned)) = self.logbook.try_send(entry) {
            entry = returned;
            tokio::time::sleep(QUEUE_RETRY).await;
        }
        if let Err(TrySendError::Full(_)) = self.acknowledged.try_send(signal) {
            self.reject(now.mono, &"too many acknowledgements are waiting");
        }
    }

    fn reject(&mut self, now: MonoTime, cause: &dyn std::fmt::Display) {
        self.rejections.warn(now, &format!("an acknowledgement was rejected: {cause}"));
    }

    async fn is_known(&self, signal: SignalId) -> Result<bool, LogbookError> {
        let path = self.logbook_path.clone();
        let lookup = tokio::task::spawn_blocking(move || {
            Ok(Reader::open(&path)?.signal_id(&signal.0.to_string())?.is_some())
        });
        lookup.await.unwrap_or_else(|cause| Err(LogbookError::Stopped(cause.to_string())))
    }
}
