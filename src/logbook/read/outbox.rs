//! The outbox: alerts that the broker has not confirmed.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::row_age;
use crate::clock::Stamp;
use crate::logbook::error::{LogbookError, sql};
use crate::logbook::open;

/// Reads the undelivered alerts. What happens to an alert is handed to the writer as a
/// [`DeliveryNote`](crate::logbook::DeliveryNote).
pub struct Outbox {
    connection: Connection,
}

/// An undelivered alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number: alerts are sent in this order.
    pub seq: i64,
    /// The start that raised it.
    pub start: i64,
    /// When the step happened.
    pub at: Timestamp,
    /// How often it was sent.
    pub attempts: u32,
    /// MQTT topic.
    pub topic: String,
    /// JSON object without the delivery fields.
    pub payload: String,
    /// JPEG.
    pub picture: Option<Vec<u8>>,
}

impl OutboxRow {
    /// How long ago it happened, at the time `now` of start `this`, whatever happened to the wall clock meanwhile. `None`
    /// when it is unknown: the clock is not set, or was not set then, or has jumped lately.
    pub fn age(
        &self,
        outbox: &Outbox,
        this: i64,
        now: Stamp,
    ) -> Result<Option<SignedDuration>, LogbookError> {
        let boot_ms = i64::try_from(now.mono.since_boot().as_millis()).unwrap_or(i64::MAX);
        let row = (self.start, self.at.as_millisecond());
        let age = row_age::age_ms(&outbox.connection, row, (this, now.wall.as_millisecond(), boot_ms));
        Ok(age.map_err(sql("compute the age of an alert"))?.map(SignedDuration::from_millis))
    }
}

/// How many alerts wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxDepth {
    /// Undelivered alerts.
    pub alerts: u64,
    /// When the oldest of them happened.
    pub oldest: Option<Timestamp>,
}

impl Outbox {
    /// Opens the logbook at `path` for reading.
    pub fn open(path: &Path) -> Result<Self, LogbookError> {
        Ok(Self { connection: open::for_reading(path)? })
    }

    /// Up to `limit` undelivered alerts with a number above `after`, in order.
    pub fn undelivered(&self, after: i64, limit: usize) -> Result<Vec<OutboxRow>, LogbookError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT seq, start, at, attempts, topic, payload, picture FROM alert
                 WHERE delivered IS NULL AND expired IS NULL AND seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            statement
                .query_map(params![after, limit], |row| {
                    Ok(OutboxRow {
                        seq: row.get(0)?,
                        start: row.get(1)?,
                        at: timestamp(row.get(2)?),
                        attempts: row.get(3)?,
                        topic: row.get(4)?,
                        payload: row.get(5)?,
                        picture: row.get(6)?,
                    })
                })?
                .collect::<Result<Vec<_>, _>>()
        };
        read().map_err(sql("read the outbox"))
    }

    /// Ids of all cameras that this logbook has entries of.
    pub fn cameras(&self) -> Result<Vec<String>, LogbookError> {
        let read = || {
            let mut statement = self.connection.prepare("SELECT name FROM camera ORDER BY name")?;
            statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()
        };
        read().map_err(sql("list the cameras"))
    }

    /// How many alerts wait.
    pub fn depth(&self) -> Result<OutboxDepth, LogbookError> {
        self.connection
            .prepare_cached("SELECT count(*), min(at) FROM alert WHERE delivered IS NULL AND expired IS NULL")
            .and_then(|mut statement| {
                statement.query_row([], |row| {
                    let alerts: i64 = row.get(0)?;
                    let oldest: Option<i64> = row.get(1)?;
                    Ok(OutboxDepth { alerts: alerts.unsigned_abs(), oldest: oldest.map(timestamp) })
                })
            })
            .map_err(sql("measure the outbox"))
    }
}

fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
