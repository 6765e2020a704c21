//! Steps of signals, and the alerts that notify staff of them. The caller's transaction holds both.

use rusqlite::{OptionalExtension, params};

use crate::logbook::context::{Failure, WriteContext, Written};
use crate::logbook::entry::{OutboxAlert, SignalEntry};
use crate::logbook::integrity::chain::picture_digest;
use crate::logbook::values::integer;
use crate::rules::{Phase, SignalEvent};

/// The longest payload of an alert, in bytes. The relay's packet limit is larger than this and the picture together.
pub const MAX_PAYLOAD_BYTES: usize = 64 << 10;

/// The largest picture of an alert, in bytes.
pub const MAX_PICTURE_BYTES: usize = 1 << 20;

/// The longest topic of an alert, in bytes.
const MAX_TOPIC_BYTES: usize = 1024;

pub(super) fn write(context: WriteContext<'_>, camera: i64, entry: &SignalEntry) -> Result<Written, Failure> {
    let event = &entry.event;
    let sendable = sendable(entry);
    let signal = match event.phase {
        Phase::Opened => open_signal(context, camera, event, sendable.is_some())?,
        Phase::Updated | Phase::Escalated | Phase::Closed => update_signal(context, event)?,
    };
    write_step(context, signal, event)?;
    let Some(alert) = sendable else {
        return Ok(Written { unsendable: entry.alert.is_some(), ..Written::default() });
    };
    let seq = write_alert(context, signal, event, alert)?;
    Ok(Written { alert: Some(seq), ..Written::default() })
}

fn open_signal(
    context: WriteContext<'_>,
    camera: i64,
    event: &SignalEvent,
    notified: bool,
) -> Result<i64, Failure> {
    let (at, offset) = context.local(event.at.wall);
    let (since, since_offset) = context.local(event.since.wall);
    let mut statement = context.connection.prepare_cached(
        "INSERT INTO signal (id, start, camera, rule, rule_name, kind, place, place_name, severity, vessel, notified,
           since, since_offset, opened, opened_offset, condition, measured, threshold, margin, unit, schedule, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
    )?;
    Ok(statement.insert(params![
        event.signal.0.to_string(),
        context.start,
        camera,
        event.rule.as_str(),
        event.rule_name,
        event.kind,
        event.place.as_str(),
        event.place_name,
        event.severity.as_str(),
        event.vessel.map_or(0, |v| integer(v.0)),
        notified,
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

/// Updates or closes the signal's row; returns the signal's number.
fn update_signal(context: WriteContext<'_>, event: &SignalEvent) -> Result<i64, Failure> {
    let id = event.signal.0.to_string();
    let mut statement = context.connection.prepare_cached("SELECT seq FROM signal WHERE id = ?1")?;
    let known: Option<i64> = statement.query_row([&id], |row| row.get(0)).optional()?;
    let signal = known.ok_or_else(|| Failure::Rejected(format!("signal {id} was never opened")))?;
    let (at, offset) = context.local(event.at.wall);
    let closed = (event.phase == Phase::Closed).then_some(at);
    context
        .connection
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
    Ok(signal)
}

fn write_step(context: WriteContext<'_>, signal: i64, event: &SignalEvent) -> Result<(), Failure> {
    let (at, offset) = context.local(event.at.wall);
    let [x0, y0, x1, y1] = fractions(event);
    context
        .connection
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
    Ok(())
}

/// Writes the alert into the outbox; returns its number.
fn write_alert(
    context: WriteContext<'_>,
    signal: i64,
    event: &SignalEvent,
    alert: &OutboxAlert,
) -> Result<i64, Failure> {
    let (at, offset) = context.local(event.at.wall);
    let mut statement = context.connection.prepare_cached(
        "INSERT INTO alert (id, start, signal, phase, at, utc_offset, topic, payload, picture, picture_digest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    Ok(statement.insert(params![
        alert.id.to_string(),
        context.start,
        signal,
        event.phase.as_str(),
        at,
        offset,
        alert.topic,
        alert.payload,
        alert.picture,
        alert.picture.as_deref().map(picture_digest)
    ])?)
}

/// The alert, unless no broker would accept it: it would block all later alerts forever.
fn sendable(entry: &SignalEntry) -> Option<&OutboxAlert> {
    let alert = entry.alert.as_ref()?;
    let picture = alert.picture.as_ref().map_or(0, Vec::len);
    let topic_fits = !alert.topic.is_empty()
        && alert.topic.len() <= MAX_TOPIC_BYTES
        && !alert.topic.contains(['+', '#', '\0']);
    let fits = alert.payload.len() <= MAX_PAYLOAD_BYTES && picture <= MAX_PICTURE_BYTES && topic_fits;
    if !fits {
        tracing::error!(
            alert = %alert.id, topic = alert.topic, payload_bytes = alert.payload.len(), picture_bytes = picture,
            text = entry.event.text, "an alert that no broker accepts is written to the logbook only"
        );
    }
    fits.then_some(alert)
}

/// Four decimals: finer than a pixel, and readable.
fn fractions(event: &SignalEvent) -> [f64; 4] {
    let b = &event.bbox;
    [b.x0, b.y0, b.x1, b.y1].map(|v| (f64::from(v) * 1e4).round() / 1e4)
}
