//! Explanations: why a rule sent a signal or suppressed it, and what else is known of that time.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{OptionalExtension, Params, Row, params};

use super::reader::Reader;
use crate::logbook::error::{LogbookError, sql};
use crate::logbook::values::{integer, utc_text};

/// What to explain: a vessel, a rule, or both.
#[derive(Clone, Debug, Default)]
pub struct ExplanationQuery {
    /// The vessel.
    pub vessel: Option<u64>,
    /// The identifier of the rule.
    pub rule: Option<String>,
    /// The time; `None`: any time.
    pub when: Option<RangeInclusive<Timestamp>>,
}

/// All that the logbook knows, oldest first. Times are local, with offset.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// Signals.
    pub signals: Vec<ExplainedSignal>,
    /// Suppressed signals.
    pub suppressed: Vec<ExplainedSuppression>,
    /// Whether any row, of any time, is about the rule.
    pub rule_is_known: bool,
    /// The vessel's track.
    pub track: Option<TrackSpan>,
    /// The vessel's stays at berths.
    pub visits: Vec<VisitSpan>,
    /// States of the vessel's camera (of all cameras, without a vessel): the state at the beginning of the time, or of the
    /// vessel's track, and all changes up to its end.
    pub camera_states: Vec<CameraStateChange>,
    /// Outages of the vessel's camera (of all cameras, without a vessel) in that time.
    pub outages: Vec<OutageSpan>,
    /// The last start before the end of that time.
    pub start: Option<StartSpan>,
}

/// The facts of a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionFacts {
    /// The condition in words; empty in signals of schema 1.
    pub condition: String,
    /// The measured value, in `unit`.
    pub measured: f64,
    /// The threshold, in `unit`.
    pub threshold: f64,
    /// The margin, in `unit`.
    pub margin: f64,
    /// Unit of the three.
    pub unit: String,
    /// The schedule in words.
    pub schedule: String,
    /// Hash of the site file.
    pub config_hash: String,
}

/// A signal.
#[derive(Clone, Debug)]
pub struct ExplainedSignal {
    /// Its number in the logbook.
    pub number: i64,
    /// Its present severity.
    pub severity: String,
    /// The rule's name.
    pub rule: String,
    /// In words.
    pub text: String,
    /// When it opened.
    pub opened: String,
    /// When it closed, and by what (`rule`, `restart`).
    pub closed: Option<(String, String)>,
    /// Why it opened.
    pub facts: DecisionFacts,
    /// Whether staff were to be notified.
    pub notified: bool,
    /// Messages to staff: phase, local time, `delivered`/`waiting`/`expired`, local time of delivery.
    pub messages: Vec<(String, String, String, Option<String>)>,
    /// Acknowledgements: local time, by whom, verdict, note.
    pub acknowledgements: Vec<(String, String, String, String)>,
}

/// A suppressed signal.
#[derive(Clone, Debug)]
pub struct ExplainedSuppression {
    /// The rule's identifier.
    pub rule: String,
    /// Why it was suppressed.
    pub reason: String,
    /// In words.
    pub text: String,
    /// Time of the first pass.
    pub first: String,
    /// Time of the last pass.
    pub last: String,
    /// Number of passes.
    pub times: i64,
    /// The facts at the last pass.
    pub facts: DecisionFacts,
}

/// When a vessel was tracked.
#[derive(Clone, Debug)]
pub struct TrackSpan {
    /// The camera.
    pub camera: String,
    /// From.
    pub first: String,
    /// To.
    pub last: String,
    /// Whether that overlaps the time of the query.
    pub in_time: bool,
}

/// A stay at a berth.
#[derive(Clone, Debug)]
pub struct VisitSpan {
    /// The berth.
    pub berth: String,
    /// From.
    pub began: String,
    /// Until, and how it ended.
    pub ended: Option<(String, String)>,
}

/// A start of the daemon.
#[derive(Clone, Debug)]
pub struct StartSpan {
    /// From.
    pub since: String,
    /// When it stopped (UTC), if that was before the time of the query.
    pub stopped: Option<String>,
    /// It was cut off at an unknown time: it did not stop in order, and another start follows.
    pub cut_off: bool,
}

/// A camera outage.
#[derive(Clone, Debug)]
pub struct OutageSpan {
    /// The camera.
    pub camera: String,
    /// From.
    pub began: String,
    /// Until; `None` while it lasts.
    pub ended: Option<String>,
    /// The cause in words.
    pub text: String,
}

/// A state of a camera.
#[derive(Clone, Debug)]
pub struct CameraStateChange {
    /// The camera.
    pub camera: String,
    /// From.
    pub since: String,
    /// The state.
    pub state: String,
    /// Why.
    pub reason: String,
}

impl Reader {
    /// The time zone of the logbook: that of its last start.
    pub fn time_zone(&self) -> Result<TimeZone, LogbookError> {
        let query = "SELECT time_zone FROM start ORDER BY id DESC LIMIT 1";
        let name = self.connection.query_row(query, [], |row| row.get::<_, String>(0)).optional();
        let name = name.map_err(sql("read the logbook"))?.unwrap_or_else(|| "UTC".into());
        TimeZone::get(&name).map_err(|_unknown| LogbookError::TimeZone(name))
    }

    /// Explains; empty for a vessel that the logbook does not know.
    pub fn explain(&self, query: &ExplanationQuery) -> Result<Explanation, LogbookError> {
        self.explanation(query).map_err(sql("read the logbook"))
    }

    fn explanation(&self, query: &ExplanationQuery) -> rusqlite::Result<Explanation> {
        let from = query.when.as_ref().map(|when| utc_text(*when.start()));
        let to = query.when.as_ref().map(|when| utc_text(*when.end()));
        let signals = self.explained_signals(query, from.as_ref(), to.as_ref())?;
        let suppressed = self.explained_suppressions(query, from.as_ref(), to.as_ref())?;
        let track = self.track_of(query.vessel, from.as_ref(), to.as_ref())?;
        let (track, first, last) = match track {
            Some((track, first, last)) => (Some(track), Some(first), Some(last)),
            None => (None, None, None),
        };
        let camera = track.as_ref().map(|track| track.camera.as_str());
        let time = (from.or(first), to.or(last));
        let rule_is_known = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM signal WHERE rule = ?1) OR EXISTS (SELECT 1 FROM suppressed WHERE rule = ?1)",
            [&query.rule],
            |row| row.get(0),
        )?;
        Ok(Explanation {
            signals,
            suppressed,
            rule_is_known,
            visits: self.visits_of(query.vessel)?,
            camera_states: self.camera_states_of(camera, &time)?,
            outages: self.outages_of(camera, &time)?,
            start: self.start_before(&time)?,
            track,
        })
    }

    fn explained_signals(
        &self,
        query: &ExplanationQuery,
        from: Option<&String>,
        to: Option<&String>,
    ) -> rusqlite::Result<Vec<ExplainedSignal>> {
        let mut signals = self.rows(
            "SELECT seq, severity, rule, text, opened, closed, closed_by, notified = 'yes' AS notified, condition, measured,
               threshold, margin, unit, schedule, config_hash
             FROM v_signals WHERE (?1 IS NULL OR vessel = ?1) AND (?2 IS NULL OR rule_id = ?2)
               AND (?3 IS NULL OR closed_utc IS NULL OR closed_utc >= ?3) AND (?4 IS NULL OR since_utc <= ?4)
             ORDER BY seq",
            params![query.vessel.map(integer), query.rule, from, to],
            signal,
        )?;
        for signal in &mut signals {
            signal.messages = self.rows(
                "SELECT phase, local_time, delivery, delivered FROM v_alerts WHERE signal = ?1 ORDER BY seq",
                [signal.number],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?;
            signal.acknowledgements = self.rows(
                "SELECT local_time, by, verdict, note FROM v_acknowledgements WHERE signal = ?1 ORDER BY id",
                [signal.number],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )?;
        }
        Ok(signals)
    }

    fn explained_suppressions(
        &self,
        query: &ExplanationQuery,
        from: Option<&String>,
        to: Option<&String>,
    ) -> rusqlite::Result<Vec<ExplainedSuppression>> {
        self.rows(
            "SELECT rule, reason, text, first, last, times, condition, measured, threshold, margin, unit, schedule, config_hash
             FROM v_suppressed WHERE (?1 IS NULL OR vessel = ?1) AND (?2 IS NULL OR rule = ?2)
               AND (?3 IS NULL OR last_utc >= ?3) AND (?4 IS NULL OR first_utc <= ?4)
             ORDER BY first_utc, id",
            params![query.vessel.map(integer), query.rule, from, to],
            suppression,
        )
    }

    /// The vessel's track, and its first and last time in UTC.
    fn track_of(
        &self,
        vessel: Option<u64>,
        from: Option<&String>,
        to: Option<&String>,
    ) -> rusqlite::Result<Option<(TrackSpan, String, String)>> {
        let tracks = self.rows(
            "SELECT camera, first_seen, last_seen, first_seen_utc, last_seen_utc,
               (?2 IS NULL OR last_seen_utc >= ?2) AND (?3 IS NULL OR first_seen_utc <= ?3)
             FROM v_tracks WHERE vessel = ?1",
            params![vessel.map(integer), from, to],
            |row| {
                let (camera, first, last) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let track = TrackSpan { camera, first, last, in_time: row.get(5)? };
                Ok((track, row.get(3)?, row.get(4)?))
            },
        )?;
        Ok(tracks.into_iter().next())
    }

    fn visits_of(&self, vessel: Option<u64>) -> rusqlite::Result<Vec<VisitSpan>> {
        self.rows(
            "SELECT berth, began, ended, how FROM v_visits
             WHERE vessel = ?1 OR seq IN (SELECT visit FROM visit_step WHERE vessel = ?1) ORDER BY seq",
            [vessel.map(integer)],
            |row| {
                let ended = row.get::<_, Option<String>>(2)?.zip(row.get(3)?);
                Ok(VisitSpan { berth: row.get(0)?, began: row.get(1)?, ended })
            },
        )
    }

    fn camera_states_of(
        &self,
        camera: Option<&str>,
        (from, to): &(Option<String>, Option<String>),
    ) -> rusqlite::Result<Vec<CameraStateChange>> {
        self.rows(
            "WITH before AS (SELECT camera, max(id) AS id FROM v_camera_state WHERE ?2 IS NULL OR utc <= ?2 GROUP BY camera)
             SELECT now.camera, local_time, state, reason
             FROM v_camera_state AS now LEFT JOIN before ON before.camera = now.camera
             WHERE (?1 IS NULL OR now.camera = ?1) AND (?3 IS NULL OR utc <= ?3) AND now.id >= ifnull(before.id, 0)
             ORDER BY now.camera, now.id",
            params![camera, from, to],
            |row| {
                let (camera, since) = (row.get(0)?, row.get(1)?);
                Ok(CameraStateChange { camera, since, state: row.get(2)?, reason: row.get(3)? })
            },
        )
    }

    fn outages_of(
        &self,
        camera: Option<&str>,
        (from, to): &(Option<String>, Option<String>),
    ) -> rusqlite::Result<Vec<OutageSpan>> {
        self.rows(
            "SELECT camera, began, ended, text FROM v_camera_outages
             WHERE (?1 IS NULL OR camera = ?1) AND (?2 IS NULL OR ended IS NULL OR ended_utc >= ?2)
               AND (?3 IS NULL OR began_utc <= ?3) ORDER BY seq",
            params![camera, from, to],
            |row| {
                let (camera, began) = (row.get(0)?, row.get(1)?);
                Ok(OutageSpan { camera, began, ended: row.get(2)?, text: row.get(3)? })
            },
        )
    }

    fn start_before(
        &self,
        (from, to): &(Option<String>, Option<String>),
    ) -> rusqlite::Result<Option<StartSpan>> {
        let starts = self.rows(
            "SELECT local_time, CASE WHEN ended_utc < ?2 THEN ended_utc END, ending = 'cut off' FROM v_starts
             WHERE ?1 IS NULL OR utc <= ?1 ORDER BY start DESC LIMIT 1",
            params![to, from],
            |row| Ok(StartSpan { since: row.get(0)?, stopped: row.get(1)?, cut_off: row.get(2)? }),
        )?;
        Ok(starts.into_iter().next())
    }

    fn rows<T>(
        &self,
        query: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.connection.prepare_cached(query)?.query_map(params, read)?.collect()
    }
}

fn signal(row: &Row<'_>) -> rusqlite::Result<ExplainedSignal> {
    Ok(ExplainedSignal {
        number: row.get("seq")?,
        severity: row.get("severity")?,
        rule: row.get("rule")?,
        text: row.get("text")?,
        opened: row.get("opened")?,
        closed: row.get::<_, Option<String>>("closed")?.zip(row.get("closed_by")?),
        facts: facts(row)?,
        notified: row.get("notified")?,
        messages: Vec::new(),
        acknowledgements: Vec::new(),
    })
}

fn suppression(row: &Row<'_>) -> rusqlite::Result<ExplainedSuppression> {
    Ok(ExplainedSuppression {
        rule: row.get("rule")?,
        reason: row.get("reason")?,
        text: row.get("text")?,
        first: row.get("first")?,
        last: row.get("last")?,
        times: row.get("times")?,
        facts: facts(row)?,
    })
}

fn facts(row: &Row<'_>) -> rusqlite::Result<DecisionFacts> {
    Ok(DecisionFacts {
        condition: row.get("condition")?,
        measured: row.get("measured")?,
        threshold: row.get("threshold")?,
        margin: row.get("margin")?,
        unit: row.get("unit")?,
        schedule: row.get("schedule")?,
        config_hash: row.get("config_hash")?,
    })
}
