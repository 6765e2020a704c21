//! A signal's step and, when staff are told, its alert in the outbox. The caller's transaction holds both.

use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, params};

use super::chain::picture_digest;
use super::entry::{OutboxAlert, SignalEntry};
use super::store::{Failure, Written, integer, local};
use crate::rules::{Phase, SignalEvent};

/// The longest alert text that is taken. The relay's packet limit lies above this and the picture together.
pub const MAX_PAYLOAD_BYTES: usize = 64 << 10;

/// The largest picture that is taken.
pub const MAX_PICTURE_BYTES: usize = 1 << 20;

/// Writes both.
pub(super) fn write(
    connection: &Connection,
    zone: &TimeZone,
    start: i64,
    camera: i64,
    entry: &SignalEntry,
) -> Result<Written, Failure> {
    let event = &entry.event;
    let sendable = sendable(entry);
    let signal = match event.phase {
        Phase::Opened => opened(connection, zone, start, camera, event, sendable.is_some())?,
        Phase::Updated | Phase::Escalated | Phase::Closed => {
            let mut statement = connection.prepare_cached("SELECT seq FROM signal WHERE id = ?1")?;
            let known = statement.query_row([event.signal.0.to_string()], |row| row.get(0)).optional()?;
            known.ok_or_else(|| Failure::Refused(format!("signal {} was never opened", event.signal.0)))?
        }
    };
    let (at, offset) = local(zone, event.at.wall);
    if event.phase != Phase::Opened {
        let closed = (event.phase == Phase::Closed).then_some(at);
        connection
            .prepare_cached(
                "UPDATE signal SET measured = ?2, severity = ?3, closed = ?4, closed_offset = ?5,
                   closed_by = iif(?4 IS NULL, NULL, 'rule')
                 WHERE seq = ?1 AND closed IS NULL",
            )?
            .execute(params![
                signal,
                event.facts.measured,
                event.severity.as_str(),
                closed,
                closed.map(|_| offset)
            ])?;
    }
    let [x0, y0, x1, y1] = fractions(event);
    connection
        .prepare_cached(
            "INSERT INTO signal_step (signal, phase, severity, at, utc_offset, measured, text, x0, y0, x1, y1)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            signal,
            event.phase.as_str(),
            event.severity.as_str(),
            at,
            offset,
            event.facts.measured,
            event.text,
            x0,
            y0,
            x1,
            y1
        ])?;
    let Some(alert) = sendable else {
        return Ok(Written { unsendable: entry.alert.is_some(), ..Written::default() });
    };
    let seq = connection
        .prepare_cached(
            "INSERT INTO alert (id, start, signal, phase, at, utc_offset, topic, payload, picture, picture_digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .insert(params![
            alert.id.to_string(),
            start,
            signal,
            event.phase.as_str(),
            at,
            offset,
            alert.topic,
            alert.payload,
            alert.picture,
            alert.picture.as_deref().map(picture_digest)
        ])?;
    Ok(Written { alert: Some(seq), ..Written::default() })
}

fn opened(
    connection: &Connection,
    zone: &TimeZone,
    start: i64,
    camera: i64,
    event: &SignalEvent,
    told: bool,
) -> Result<i64, Failure> {
    let (at, offset) = local(zone, event.at.wall);
    let (since, since_offset) = local(zone, event.since.wall);
    let mut statement = connection.prepare_cached(
        "INSERT INTO signal (id, start, camera, rule, rule_name, kind, place, place_name, severity, vessel, told,
           since, since_offset, opened, opened_offset, condition, measured, threshold, margin, unit, schedule, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
    )?;
    Ok(statement.insert(params![
        event.signal.0.to_string(),
        start,
        camera,
        event.rule.as_str(),
        event.rule_name,
        event.kind,
        event.place.as_str(),
        event.place_name,
        event.severity.as_str(),
        event.vessel.map_or(0, |v| integer(v.0)),
        told,
        since,
        since_offset,
        at,
        offset,
        event.facts.condition,
        event.facts.measured,
        event.facts.threshold,
        event.facts.margin,
        event.facts.unit,
        event.facts.schedule,
        event.text
    ])?)
}

/// The alert, unless it could never leave: such an alert would stand before all later ones for ever.
fn sendable(entry: &SignalEntry) -> Option<&OutboxAlert> {
    let alert = entry.alert.as_ref()?;
    let picture = alert.picture.as_ref().map_or(0, Vec::len);
    let topic_fits =
        !alert.topic.is_empty() && alert.topic.len() <= 1024 && !alert.topic.contains(['+', '#', '\0']);
    let fits = alert.payload.len() <= MAX_PAYLOAD_BYTES && picture <= MAX_PICTURE_BYTES && topic_fits;
    if !fits {
        tracing::error!(
            alert = %alert.id, topic = alert.topic, payload_bytes = alert.payload.len(), picture_bytes = picture,
            "an alert that no broker takes stays in the logbook only: {}", entry.event.text
        );
    }
    fits.then_some(alert)
}

/// Four decimals: finer than a pixel, and readable.
fn fractions(event: &SignalEvent) -> [f64; 4] {
    let b = &event.bbox;
    [b.x0, b.y0, b.x1, b.y1].map(|v| (f64::from(v) * 1e4).round() / 1e4)
}
