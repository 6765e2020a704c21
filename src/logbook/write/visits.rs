//! Stays of vessels at berths.

use rusqlite::params;

use crate::logbook::context::{Failure, WriteContext, Written};
use crate::logbook::values::integer;
use crate::rules::{VisitEvent, VisitStep};

/// Updates the row of the visit. Its beginning and its end also get a row of their own.
pub(super) fn write(context: WriteContext<'_>, camera: i64, event: &VisitEvent) -> Result<Written, Failure> {
    let visit = &event.visit;
    let vessel = integer(visit.vessel.0);
    let (began, began_offset) = context.local(visit.began);
    let (last_seen, last_offset) = context.local(visit.last_seen);
    let ended = visit.ended.map(|(at, how)| (context.local(at), how.as_str()));
    let [x0, y0, x1, y1] = [visit.bbox.x0, visit.bbox.y0, visit.bbox.x1, visit.bbox.y1].map(f64::from);
    let rows = context
        .connection
        .prepare_cached(
            "INSERT INTO visit (id, start, camera, berth, vessel, began, began_offset, arrived, last_seen, last_offset,
               x0, y0, x1, y1, length_m, ended, ended_offset, how)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
             ON CONFLICT (id) DO UPDATE SET vessel = excluded.vessel, last_seen = excluded.last_seen,
               last_offset = excluded.last_offset, x0 = excluded.x0, y0 = excluded.y0, x1 = excluded.x1,
               y1 = excluded.y1, length_m = excluded.length_m, ended = excluded.ended,
               ended_offset = excluded.ended_offset, how = excluded.how
             WHERE visit.ended IS NULL",
        )?
        .execute(params![
            visit.id.0.to_string(),
            context.start,
            camera,
            visit.berth.as_str(),
            vessel,
            began,
            began_offset,
            visit.arrived,
            last_seen,
            last_offset,
            x0,
            y0,
            x1,
            y1,
            visit.length_m,
            ended.map(|((at, _), _)| at),
            ended.map(|((_, offset), _)| offset),
            ended.map(|(_, how)| how)
        ])?;
    if rows == 0 {
        return Err(Failure::Rejected(format!("visit {} has ended already", visit.id.0)));
    }
    let step = match event.step {
        VisitStep::Began => "began",
        VisitStep::Ended => "ended",
        VisitStep::Continues => return Ok(Written::default()),
    };
    let (at, offset) = context.local(event.at.wall);
    context
        .connection
        .prepare_cached(
            "INSERT INTO visit_step (visit, step, vessel, at, utc_offset)
             SELECT seq, ?2, ?3, ?4, ?5 FROM visit WHERE id = ?1",
        )?
        .execute(params![visit.id.0.to_string(), step, vessel, at, offset])?;
    Ok(Written::default())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use test_support::wait_until;

    use super::*;
    use crate::geometry::BBox;
    use crate::logbook::Reader;
    use crate::logbook::testing::{BEGIN, SOON, at, column, open, options_at, retention, start, visit};
    use crate::logbook::{Entry, Writer};
    use crate::rules::VisitEnd;
    use crate::track::VesselId;

    fn ended(number: u64, seconds: f64, how: VisitEnd) -> VisitEvent {
        let mut event = visit(number, VisitStep::Ended, seconds);
        event.visit.ended = Some((at(seconds).wall, how));
        event
    }

    #[test]
    fn open_visits_are_resumed_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let (writer, sender) = open(&path);
        let mut moored = visit(1, VisitStep::Continues, 50.0);
        moored.visit.vessel = VesselId(41);
        moored.visit.length_m = Some(17.25);
        moored.visit.bbox = BBox::new(0.123_456_7, 0.2, 0.3, 0.4);
        for event in [
            visit(1, VisitStep::Began, 1.0),
            visit(2, VisitStep::Began, 2.0),
            visit(3, VisitStep::Began, 3.0),
            moored.clone(),
            ended(3, 60.0, VisitEnd::Vanished),
            ended(2, 70.0, VisitEnd::Departed),
        ] {
            sender.send(Entry::Visit(event)).unwrap();
        }
        writer.flush(SOON).unwrap();
        // Cut off, not closed.
        drop((writer, sender));
        let lock = std::fs::File::open(path.with_extension("sqlite.lock")).unwrap();
        lock.lock().unwrap();
        drop(lock);

        let (writer, sender) = open(&path);
        assert_eq!(writer.next_vessel(), 42, "a visit's vessel keeps its number");
        let reader = Reader::open(writer.path()).unwrap();
        assert_eq!(reader.open_visits().unwrap(), [moored.visit.clone()]);
        let ends = reader.visits_ended_since(at(0.0).wall).unwrap();
        assert_eq!(
            ends,
            [ended(3, 60.0, VisitEnd::Vanished).visit, ended(2, 70.0, VisitEnd::Departed).visit],
            "in the order of their ends"
        );
        assert_eq!(reader.visits_ended_since(at(60.001).wall).unwrap(), ends[1..]);
        assert_eq!(reader.visits_ended_since(at(70.001).wall).unwrap(), []);

        sender.send(Entry::Visit(ended(1, 90.0, VisitEnd::Departed))).unwrap();
        sender.send(Entry::Visit(visit(1, VisitStep::Continues, 91.0))).unwrap();
        writer.flush(SOON).unwrap();
        assert_eq!(reader.open_visits().unwrap(), [], "an ended visit stays ended");
        assert_eq!(writer.stats().rejected.load(Ordering::Relaxed), 1);
        assert_eq!(
            column(&path, "SELECT visit || step FROM visit_step ORDER BY id"),
            ["1began", "2began", "3began", "3ended", "2ended", "1ended"]
        );
    }

    #[test]
    fn only_ended_visits_are_removed_for_age() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let (mut options, clock) = options_at(BEGIN);
        let day = Duration::from_secs(86_400);
        options.retention = Some(retention(day, 10 * day));
        let (writer, sender) = Writer::open(&path, &start(), options).unwrap();
        for number in 1..=2 {
            sender.send(Entry::Visit(visit(number, VisitStep::Began, 1.0))).unwrap();
        }
        sender.send(Entry::Visit(ended(2, 9.0, VisitEnd::Departed))).unwrap();
        let suppressed =
            crate::logbook::testing::suppression(crate::rules::SuppressionReason::Cooldown, 5.0, 3);
        sender.send(Entry::Suppressed(suppressed)).unwrap();
        writer.flush(SOON).unwrap();
        clock.advance(11 * day);
        let removed = || writer.stats().removed_events.load(Ordering::Relaxed);
        wait_until(SOON, "the ended visit and the suppression are removed", || removed() == 2);
        assert_eq!(column(&path, "SELECT seq FROM visit"), ["1"]);
        assert_eq!(column(&path, "SELECT visit FROM visit_step"), ["1"]);
        assert_eq!(column(&path, "SELECT count(*) FROM suppressed"), ["0"]);
    }
}
