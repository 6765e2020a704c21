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
use super::topic::{Topic, TopicKind};
use super::transport::{MqttError, MqttEvent, Transport};
use crate::backoff::Delays;
use crate::clock::{Clock, MonoTime};
use crate::config::Broker;
use crate::ids::SiteId;
use crate::logbook::{Entry, LogbookError, LogbookSender, Reader};
use crate::rules::SignalId;

/// At most one warning about rejected messages in this time; the others are counted.
const WARN_EVERY: Duration = Duration::from_secs(60);

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
    pub(super) stop: CancellationToken,
    pub(super) rejections: RejectionLog,
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
        let mut client = self.connect(true)?;
        loop {
            match client.next().await {
                Ok(MqttEvent::Connected) => client.subscribe(&topic)?,
                Ok(MqttEvent::Subscribed) => {
                    self.delays.reset();
                    tracing::info!("receiving acknowledgements on {topic}");
                }
                Ok(MqttEvent::Received(message)) => self.receive(&message.payload).await,
                Ok(_) => {}
                Err(cause @ MqttError::UnreadablePacket(_)) => {
                    self.drop_kept_messages().await?;
                    return Err(cause);
                }
                Err(cause) => return Err(cause),
            }
        }
    }

    /// A message that is too large comes first again in every session that the broker keeps, so no later message would
    /// arrive. A session that is not kept makes the broker drop them.
    async fn drop_kept_messages(&self) -> Result<(), MqttError> {
        let mut client = self.connect(false)?;
        while client.next().await? != MqttEvent::Connected {}
        Ok(())
    }

    fn connect(&self, keep_session: bool) -> Result<MqttClient, MqttError> {
        let client_id = format!("havenwacht-{}-acknowledge", self.site);
        let mut client =
            MqttClient::new(MqttSettings { keep_session, ..MqttSettings::new(&self.broker, client_id) });
        client.connect()?;
        Ok(client)
    }

    /// Hands one acknowledgement to the logbook, then to the rules.
    async fn receive(&mut self, message: &[u8]) {
        let now = self.clock.now();
        let acknowledgement = match read_acknowledgement(message, now.wall) {
            Ok(acknowledgement) => acknowledgement,
            Err(cause) => return self.rejections.log(now.mono, &cause),
        };
        let signal = acknowledgement.signal;
        match self.is_known(signal).await {
            Ok(true) => {}
            Ok(false) => {
                let cause = format!("no signal {} in the logbook", signal.0);
                return self.rejections.log(now.mono, &cause);
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
            self.rejections.log(now.mono, &"too many acknowledgements are waiting");
        }
    }

    async fn is_known(&self, signal: SignalId) -> Result<bool, LogbookError> {
        let path = self.logbook_path.clone();
        let lookup = tokio::task::spawn_blocking(move || {
            Ok(Reader::open(&path)?.signal_id(&signal.0.to_string())?.is_some())
        });
        lookup.await.unwrap_or_else(|cause| Err(LogbookError::Stopped(cause.to_string())))
    }
}

/// Logs rejected messages, at most one line a minute: a sender cannot fill the journal.
#[derive(Debug, Default)]
pub(super) struct RejectionLog {
    last: Option<MonoTime>,
    unlogged: u64,
}

impl RejectionLog {
    fn log(&mut self, now: MonoTime, cause: &dyn std::fmt::Display) {
        if !self.is_due(now) {
            return;
        }
        match std::mem::take(&mut self.unlogged) {
            0 => tracing::warn!("an acknowledgement was rejected: {cause}"),
            earlier => {
                tracing::warn!(
                    "an acknowledgement was rejected: {cause}; {earlier} more since the last such line"
                );
            }
        }
    }

    fn is_due(&mut self, now: MonoTime) -> bool {
        let due = self.last.is_none_or(|last| now.since(last) >= WARN_EVERY);
        if due {
            self.last = Some(now);
        } else {
            self.unlogged += 1;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_messages_are_logged_once_a_minute() {
        let mut log = RejectionLog::default();
        let second = |n| MonoTime::from_boot(Duration::from_secs(n));
        let lines = (0..600).filter(|&n| log.is_due(second(n))).count();
        assert_eq!(lines, 10);
        assert_eq!(log.unlogged, 590);
    }
}
