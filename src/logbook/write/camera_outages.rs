//! Camera outages: a row at the beginning, completed at the end.

use rusqlite::{Connection, params};

use crate::camera_health::OutageChange;
use crate::logbook::context::{Failure, WriteContext, Written};
use crate::logbook::entry::OutageStep;

/// Ends are numbered in the order in which they are written.
const END: &str = "UPDATE camera_outage SET ended = ?2, ended_offset = ?3, ended_by = ?4,
     end_seq = (SELECT ifnull(max(end_seq), 0) + 1 FROM camera_outage)
   WHERE id = ?1 AND ended IS NULL";

pub(super) fn write(context: WriteContext<'_>, camera: i64, step: &OutageStep) -> Result<Written, Failure> {
    let id = step.id.to_string();
    match &step.change {
        OutageChange::Began(outage) => {
            let (began, offset) = context.local(outage.began.wall);
            context
                .connection
                .prepare_cached(
                    "INSERT INTO camera_outage (id, start, camera, cause, began, began_offset, measured, threshold, unit, text)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                )?
                .execute(params![
                    id,
                    context.start,
                    camera,
                    outage.cause.as_str(),
                    began,
                    offset,
                    outage.measured,
                    outage.threshold,
                    outage.unit,
                    outage.text
                ])?;
        }
        OutageChange::Ended(_, at, how) => {
            let (ended, offset) = context.local(at.wall);
            let rows =
                context.connection.prepare_cached(END)?.execute(params![id, ended, offset, how.as_str()])?;
            if rows == 0 {
                return Err(Failure::Rejected(format!("camera outage {id} never began, or has ended")));
            }
        }
    }
    Ok(Written::default())
}

/// Ends the outages that an earlier start left open: nobody knows when they ended.
pub(super) fn end_all(connection: &Connection, at: i64, offset: i64) -> rusqlite::Result<()> {
    let mut open = connection.prepare("SELECT id FROM camera_outage WHERE ended IS NULL ORDER BY seq")?;
    let ids = open.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let mut end = connection.prepare(END)?;
    for id in ids {
        end.execute(params![id, at, offset, "restart"])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use crate::camera_health::{Cause, OutageEnd};
    use crate::logbook::Entry;
    use crate::logbook::testing::{SOON, at, column, open, outage};

    const SPELLS: &str = "SELECT cause || ' ' || began_utc || ' ' || ifnull(ended_utc, '-') || ' ' || ifnull(ended_by, '-') ||
       ' ' || ifnull(measured, '-') || ' ' || ifnull(end_seq, '-') || ' ' || text FROM v_camera_outages ORDER BY seq";

    #[test]
    fn an_outage_is_completed_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let (writer, sender) = open(&path);
        let steps = [
            outage(1, Cause::Frozen, 10.0, None),
            outage(2, Cause::SignalLoss, 12.0, None),
            outage(2, Cause::SignalLoss, 12.0, Some((20.0, OutageEnd::Recovered))),
            outage(1, Cause::Frozen, 10.0, Some((30.0, OutageEnd::AnotherCause))),
            // Neither ends a second time, nor does what never began.
            outage(1, Cause::Frozen, 10.0, Some((40.0, OutageEnd::Recovered))),
            outage(3, Cause::LowContrast, 10.0, Some((40.0, OutageEnd::Recovered))),
        ];
        for step in steps {
            sender.send(Entry::Outage(step)).unwrap();
        }
        writer.flush(SOON).unwrap();
        assert_eq!(
            column(&path, SPELLS),
            [
                "frozen 2026-06-01T20:13:10.000Z 2026-06-01T20:13:30.000Z another cause 15.0 2 the picture is frozen",
                "signal loss 2026-06-01T20:13:12.000Z 2026-06-01T20:13:20.000Z recovered - 1 no picture arrives",
            ]
        );
        assert_eq!(writer.stats().rejected.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn open_outages_are_ended_by_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let (writer, sender) = open(&path);
        for (number, cause) in [(1, Cause::SceneChange), (2, Cause::SignalLoss)] {
            sender.send(Entry::Outage(outage(number, cause, 10.0, None))).unwrap();
        }
        writer.close(at(20.0).wall, SOON).unwrap();
        let (writer, _sender) = open(&path);
        writer.close(at(30.0).wall, SOON).unwrap();
        let ends = "SELECT end_seq || ended_by || start FROM v_camera_outages ORDER BY seq";
        assert_eq!(column(&path, ends), ["1restart1", "2restart1"]);
    }
}
