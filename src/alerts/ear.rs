//! Hears what staff answer, in an MQTT session of its own: whatever is sent here, the alerts go out undisturbed.
//!
//! The broker keeps this session, so an answer that is given while the watch is away waits for it.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, Incoming, QoS, StateError, SubscribeReasonCode,
};
use tokio_util::sync::CancellationToken;

use super::transport::LinkError;
use super::{answer, mqtt, topics};
use crate::backoff::Delays;
use crate::clock::{Clock, MonoTime};
use crate::config::Broker;
use crate::ids::SiteId;
use crate::logbook::{Entry, LogbookError, LogbookSender, Reader};
use crate::rules::SignalId;

/// One complaint in so long; the others are counted.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// Between tries to hand an answer to a logbook that has no room.
const ROOM_SOON: Duration = Duration::from_millis(100);

/// The task's state.
pub(super) struct Ear {
    pub(super) broker: Broker,
    pub(super) site: SiteId,
    pub(super) path: PathBuf,
    pub(super) logbook: LogbookSender,
    pub(super) acknowledged: SyncSender<SignalId>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) delays: Delays,
    pub(super) stop: CancellationToken,
    pub(super) complaints: Complaints,
}

impl Ear {
    /// Listens until stopped.
    pub(super) async fn run(mut self) {
        let stop = self.stop.clone();
        stop.run_until_cancelled(async {
            let mut told = None;
            loop {
                let Err(why) = self.session().await;
                let delay = self.delays.next_delay();
                if told.as_ref() != Some(&why) {
                    tracing::warn!(%why, ?delay, "answers of the staff are not heard now ({why}); trying again");
                    told = Some(why);
                }
                tokio::time::sleep(delay).await;
            }
        })
        .await;
    }

    /// One session, until it breaks.
    async fn session(&mut self) -> Result<Infallible, LinkError> {
        let topic = topics::answer(&self.site);
        let (client, mut events) = self.connect(false)?;
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                    client
                        .try_subscribe(&topic, QoS::AtLeastOnce)
                        .map_err(|why| LinkError(why.to_string()))?;
                }
                Ok(Event::Incoming(Incoming::SubAck(taken))) => {
                    if taken.return_codes.contains(&SubscribeReasonCode::Failure) {
                        return Err(LinkError(format!("the broker allows no subscription to {topic}")));
                    }
                    self.delays.reset();
                    tracing::info!(topic, "answers of the staff are heard");
                }
                Ok(Event::Incoming(Incoming::Publish(message))) => self.hear(&message.payload).await,
                Ok(_) => {}
                Err(why) => {
                    if let ConnectionError::MqttState(StateError::Deserialization(_)) = &why {
                        self.forget().await?;
                    }
                    return Err(LinkError(why.to_string()));
                }
            }
        }
    }

    /// A message too large to be read stands before all others for as long as the broker keeps the session: gives up
    /// what it keeps.
    async fn forget(&self) -> Result<(), LinkError> {
        let (_client, mut events) = self.connect(true)?;
        loop {
            let event = events.poll().await.map_err(|why| LinkError(why.to_string()))?;
            if let Event::Incoming(Incoming::ConnAck(_)) = event {
                return Ok(());
            }
        }
    }

    fn connect(&self, clean: bool) -> Result<(AsyncClient, EventLoop), LinkError> {
        let mut options = mqtt::options(&self.broker, &format!("havenwacht-{}-answers", self.site))?;
        options.set_clean_session(clean);
        Ok(AsyncClient::new(options, 4))
    }

    /// Takes a message in: to the logbook first, then to the watch.
    async fn hear(&mut self, message: &[u8]) {
        let now = self.clock.now();
        let answered = match answer::read_answer(message, now.wall) {
            Ok(answered) => answered,
            Err(why) => return self.complaints.ignored(now.mono, &why),
        };
        let signal = answered.signal;
        match self.is_known(signal).await {
            Ok(true) => {}
            Ok(false) => {
                return self.complaints.ignored(now.mono, &format!("no signal {} in the logbook", signal.0));
            }
            // The writer looks again.
            Err(cause) => tracing::debug!(%cause, "the logbook cannot be read now"),
        }
        tracing::info!(signal = %signal.0, by = answered.by, "a signal was answered: {}", answered.answer.as_str());
        let mut entry = Entry::Acknowledged(answered);
        while let Ok(Some(full)) = self.logbook.try_send(entry) {
            entry = full;
            tokio::time::sleep(ROOM_SOON).await;
        }
        if let Err(TrySendError::Full(_)) = self.acknowledged.try_send(signal) {
            self.complaints.ignored(now.mono, &"the watch has too many answers waiting");
        }
    }

    async fn is_known(&self, signal: SignalId) -> Result<bool, LogbookError> {
        let path = self.path.clone();
        let asked = tokio::task::spawn_blocking(move || {
            Ok(Reader::open(&path)?.signal_id(&signal.0.to_string())?.is_some())
        });
        asked.await.unwrap_or_else(|why| Err(LogbookError::Stopped(why.to_string())))
    }
}

/// Says that messages are ignored, without letting whoever sends them fill the journal.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    last: Option<MonoTime>,
    unsaid: u64,
}

impl Complaints {
    fn ignored(&mut self, now: MonoTime, why: &dyn std::fmt::Display) {
        if self.is_due(now) {
            let unsaid = std::mem::take(&mut self.unsaid);
            tracing::warn!(%why, unsaid, "an answer was ignored: {why}");
        }
    }

    fn is_due(&mut self, now: MonoTime) -> bool {
        let due = self.last.is_none_or(|last| now.since(last) >= COMPLAIN_EVERY);
        if due {
            self.last = Some(now);
        } else {
            self.unsaid += 1;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_nonsense_is_a_line_a_minute() {
        let mut complaints = Complaints::default();
        let second = |n| MonoTime::from_boot(Duration::from_secs(n));
        let said = (0..600).filter(|&n| complaints.is_due(second(n))).count();
        assert_eq!(said, 10);
        assert_eq!(complaints.unsaid, 590);
    }
}
