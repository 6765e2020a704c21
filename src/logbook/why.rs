//! Why a rule spoke, why it kept silent, and what was true meanwhile.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{OptionalExtension, Params, Row, params};

use super::error::{LogbookError, sql};
use super::reader::{Reader, as_utc};
use super::store::integer;

/// What is asked: about a vessel, a rule, or a vessel and a rule.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// This vessel.
    pub vessel: Option<u64>,
    /// Identifier of this rule.
    pub rule: Option<String>,
    /// Then; `None`: ever.
    pub when: Option<RangeInclusive<Timestamp>>,
}

/// All the logbook knows in answer, oldest first. Times are local, with offset.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Signals.
    pub spoken: Vec<Spoken>,
    /// Silences.
    pub silences: Vec<Silence>,
    /// Whether any signal or silence, ever, is of the rule asked about.
    pub rule_is_known: bool,
    /// The vessel, as it was followed.
    pub seen: Option<Seen>,
    /// Its stays at berths.
    pub stays: Vec<Stay>,
    /// States of the vessel's camera (of all cameras where no vessel is asked about): the one at the beginning of the
    /// time asked about (or of the vessel's track), and what followed until its end.
    pub cameras: Vec<CameraThen>,
    /// When the vessel's camera (any camera, where no vessel is asked about) gave no usable picture in that time.
    pub outage: Vec<OutageThen>,
    /// The watch that was last begun before the end of that time.
    pub watch: Option<WatchThen>,
}

/// On what a decision stood.
#[derive(Clone, Debug, PartialEq)]
pub struct Grounds {
    /// In words; empty in signals of version 1.
    pub condition: String,
    /// In `unit`.
    pub measured: f64,
    /// In `unit`.
    pub threshold: f64,
    /// In `unit`.
    pub margin: f64,
    /// Of the three.
    pub unit: String,
    /// In force, or not.
    pub schedule: String,
    /// Of the site file.
    pub config_hash: String,
}

/// A signal.
#[derive(Clone, Debug)]
pub struct Spoken {
    /// Its number in the logbook.
    pub number: i64,
    /// As it stands.
    pub severity: String,
    /// What staff call the rule.
    pub rule: String,
    /// For people.
    pub text: String,
    /// When it opened.
    pub opened: String,
    /// When it closed, and by whom (`rule`, `restart`).
    pub closed: Option<(String, String)>,
    /// Why.
    pub grounds: Grounds,
    /// Whether it was to be told.
    pub told: bool,
    /// Messages to staff: phase, local time, `delivered`/`waiting`/`expired`, when it was delivered.
    pub messages: Vec<(String, String, String, Option<String>)>,
    /// Answers: local time, by whom, which, note.
    pub answers: Vec<(String, String, String, String)>,
}

/// A rule's silence.
#[derive(Clone, Debug)]
pub struct Silence {
    /// The rule's identifier.
    pub rule: String,
    /// Why it kept silent.
    pub reason: String,
    /// For people.
    pub text: String,
    /// First look.
    pub first: String,
    /// Last look.
    pub last: String,
    /// How many looks.
    pub times: i64,
    /// On what it stood at the last of them.
    pub grounds: Grounds,
}

/// How a vessel was followed.
#[derive(Clone, Debug)]
pub struct Seen {
    /// By which camera.
    pub camera: String,
    /// From.
    pub first: String,
    /// To.
    pub last: String,
    /// Whether that includes any of the time asked about.
    pub then: bool,
}

/// A stay at a berth.
#[derive(Clone, Debug)]
pub struct Stay {
    /// Which berth.
    pub berth: String,
    /// From.
    pub began: String,
    /// Until, and how it ended.
    pub ended: Option<(String, String)>,
}

/// A start of the watch.
#[derive(Clone, Debug)]
pub struct WatchThen {
    /// Since.
    pub since: String,
    /// When it was stopped (UTC), if that was before the time asked about.
    pub stopped: Option<String>,
    /// Nobody stopped it, and another was begun after it: it was cut off, nobody knows when.
    pub cut_off: bool,
}

/// A blind spell of a camera.
#[derive(Clone, Debug)]
pub struct OutageThen {
    /// Which.
    pub camera: String,
    /// From.
    pub began: String,
    /// Until; `None` while it lasts.
    pub ended: Option<String>,
    /// Why.
    pub text: String,
}

/// A state of a camera.
#[derive(Clone, Debug)]
pub struct CameraThen {
    /// Which.
    pub camera: String,
    /// Since.
    pub since: String,
    /// Its state.
    pub state: String,
    /// Why.
    pub reason: String,
}

impl Reader {
    /// The zone in which the logbook is kept: that of its last start.
    pub fn time_zone(&self) -> Result<TimeZone, LogbookError> {
        let query = "SELECT time_zone FROM start ORDER BY id DESC LIMIT 1";
        let name = self.connection.query_row(query, [], |row| row.get::<_, String>(0)).optional();
        let name = name.map_err(sql("read the logbook"))?.unwrap_or_else(|| "UTC".into());
        TimeZone::get(&name).map_err(|_unknown| LogbookError::TimeZone(name))
    }

    /// Answers a question. Nothing about a vessel that the logbook does not know.
    pub fn why(&self, question: &Question) -> Result<Account, LogbookError> {
        self.account(question).map_err(sql("read the logbook"))
    }

    fn account(&self, question: &Question) -> rusqlite::Result<Account> {
        let from = question.when.as_ref().map(|when| as_utc(*when.start()));
        let to = question.when.as_ref().map(|when| as_utc(*when.end()));
        let vessel = question.vessel.map(integer);
        let asked = params![vessel, question.rule, from, to];
        let mut spoken = self.all(
            "SELECT seq, severity, rule, text, opened, closed, closed_by, told = 'yes' AS told, condition, measured, threshold,
               margin, unit, schedule, config_hash
             FROM v_signals WHERE (?1 IS NULL OR vessel = ?1) AND (?2 IS NULL OR rule_id = ?2)
               AND (?3 IS NULL OR closed_utc IS NULL OR closed_utc >= ?3) AND (?4 IS NULL OR since_utc <= ?4)
             ORDER BY seq",
            asked,
            signal,
        )?;
        for signal in &mut spoken {
            signal.messages = self.all(
                "SELECT phase, local_time, delivery, delivered FROM v_alerts WHERE signal = ?1 ORDER BY seq",
                [signal.number],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?;
            signal.answers = self.all(
                "SELECT local_time, by, answer, note FROM v_acknowledgements WHERE signal = ?1 ORDER BY id",
                [signal.number],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?;
        }
        let silences = self.all(
            "SELECT rule, reason, text, first, last, times, condition, measured, threshold, margin, unit, schedule, config_hash
             FROM v_suppressed WHERE (?1 IS NULL OR vessel = ?1) AND (?2 IS NULL OR rule = ?2)
               AND (?3 IS NULL OR last_utc >= ?3) AND (?4 IS NULL OR first_utc <= ?4)
             ORDER BY first_utc, id",
            asked,
            silence,
        )?;
        let track = self.all(
            "SELECT camera, first_seen, last_seen, first_seen_utc, last_seen_utc,
               (?2 IS NULL OR last_seen_utc >= ?2) AND (?3 IS NULL OR first_seen_utc <= ?3)
             FROM v_tracks WHERE vessel = ?1",
            params![vessel, from, to],
            |row| {
                let seen =
                    Seen { camera: row.get(0)?, first: row.get(1)?, last: row.get(2)?, then: row.get(5)? };
                Ok((seen, row.get::<_, String>(3)?, row.get::<_, String>(4)?))
            },
        )?;
        let stays = self.all(
            "SELECT berth, began, ended, how FROM v_visits
             WHERE vessel = ?1 OR seq IN (SELECT visit FROM visit_step WHERE vessel = ?1) ORDER BY seq",
            [vessel],
            |row| {
                let ended = row.get::<_, Option<String>>(2)?.zip(row.get(3)?);
                Ok(Stay { berth: row.get(0)?, began: row.get(1)?, ended })
            },
        )?;
        let (seen, first, last) = match track.into_iter().next() {
            Some((seen, first, last)) => (Some(seen), Some(first), Some(last)),
            None => (None, None, None),
        };
        let (from, to) = (from.or(first), to.or(last));
        let cameras = self.all(
            "WITH before AS (SELECT camera, max(id) AS id FROM v_camera_state WHERE ?2 IS NULL OR utc <= ?2 GROUP BY camera)
             SELECT now.camera, local_time, state, reason
             FROM v_camera_state AS now LEFT JOIN before ON before.camera = now.camera
             WHERE (?1 IS NULL OR now.camera = ?1) AND (?3 IS NULL OR utc <= ?3) AND now.id >= ifnull(before.id, 0)
             ORDER BY now.camera, now.id",
            params![seen.as_ref().map(|seen| &seen.camera), from, to],
            |row| {
                Ok(CameraThen {
                    camera: row.get(0)?,
                    since: row.get(1)?,
                    state: row.get(2)?,
                    reason: row.get(3)?,
                })
            },
        )?;
        let outage = self.all(
            "SELECT camera, began, ended, text FROM v_blind_spells
             WHERE (?1 IS NULL OR camera = ?1) AND (?2 IS NULL OR ended IS NULL OR ended_utc >= ?2)
               AND (?3 IS NULL OR began_utc <= ?3) ORDER BY seq",
            params![seen.as_ref().map(|seen| &seen.camera), from, to],
            |row| {
                Ok(OutageThen {
                    camera: row.get(0)?,
                    began: row.get(1)?,
                    ended: row.get(2)?,
                    text: row.get(3)?,
                })
            },
        )?;
        let watch = self.all(
            "SELECT local_time, CASE WHEN ended_utc < ?2 THEN ended_utc END, ending = 'cut off' FROM v_starts
             WHERE ?1 IS NULL OR utc <= ?1 ORDER BY start DESC LIMIT 1",
            params![to, from],
            |row| Ok(WatchThen { since: row.get(0)?, stopped: row.get(1)?, cut_off: row.get(2)? }),
        )?;
        let rule_is_known = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM signal WHERE rule = ?1) OR EXISTS (SELECT 1 FROM suppressed WHERE rule = ?1)",
            [&question.rule],
            |row| row.get(0),
        )?;
        Ok(Account {
            spoken,
            silences,
            rule_is_known,
            seen,
            stays,
            cameras,
            outage,
            watch: watch.into_iter().next(),
        })
    }

    fn all<T>(
        &self,
        query: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.connection.prepare_cached(query)?.query_map(params, read)?.collect()
    }
}

fn signal(row: &Row<'_>) -> rusqlite::Result<Spoken> {
    Ok(Spoken {
        number: row.get("seq")?,
        severity: row.get("severity")?,
        rule: row.get("rule")?,
        text: row.get("text")?,
        opened: row.get("opened")?,
        closed: row.get::<_, Option<String>>("closed")?.zip(row.get("closed_by")?),
        grounds: grounds(row)?,
        told: row.get("told")?,
        messages: Vec::new(),
        answers: Vec::new(),
    })
}

fn silence(row: &Row<'_>) -> rusqlite::Result<Silence> {
    Ok(Silence {
        rule: row.get("rule")?,
        reason: row.get("reason")?,
        text: row.get("text")?,
        first: row.get("first")?,
        last: row.get("last")?,
        times: row.get("times")?,
        grounds: grounds(row)?,
    })
}

fn grounds(row: &Row<'_>) -> rusqlite::Result<Grounds> {
    Ok(Grounds {
        condition: row.get("condition")?,
        measured: row.get("measured")?,
        threshold: row.get("threshold")?,
        margin: row.get("margin")?,
        unit: row.get("unit")?,
        schedule: row.get("schedule")?,
        config_hash: row.get("config_hash")?,
    })
}
