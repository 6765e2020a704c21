//! Suppressed signals: rules whose condition held and that sent nothing.

use rusqlite::params;

use crate::logbook::context::{Failure, WriteContext, Written};
use crate::logbook::values::integer;
use crate::rules::Suppression;

/// Adds to the row of the same start, camera, rule, vessel and reason: repeats collapse.
pub(super) fn write(
    context: WriteContext<'_>,
    camera: i64,
    suppressed: &Suppression,
) -> Result<Written, Failure> {
    let (first, first_offset) = context.local(suppressed.since);
    let (last, last_offset) = context.local(suppressed.at.wall);
    let facts = &suppressed.facts;
    context
        .connection
        .prepare_cached(
            "INSERT INTO suppressed (start, camera, rule, vessel, reason, first, first_offset, last, last_offset, times,
               condition, measured, threshold, margin, unit, schedule, text)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
             ON CONFLICT (start, camera, rule, vessel, reason) DO UPDATE SET
               last = excluded.last, last_offset = excluded.last_offset, times = times + excluded.times,
               condition = excluded.condition, measured = excluded.measured, threshold = excluded.threshold,
               margin = excluded.margin, unit = excluded.unit, schedule = excluded.schedule, text = excluded.text",
        )?
        .execute(params![
            context.start,
            camera,
            suppressed.rule.as_str(),
            suppressed.vessel.map_or(0, |vessel| integer(vessel.0)),
            suppressed.reason.as_str(),
            first,
            first_offset,
            last,
            last_offset,
            suppressed.times,
            facts.condition,
            facts.measured,
            facts.threshold,
            facts.margin,
            facts.unit,
            facts.schedule,
            suppressed.text
        ])?;
    Ok(Written::default())
}

#[cfg(test)]
mod tests {
    use crate::logbook::Entry;
    use crate::logbook::testing::{SOON, column, open, suppression};
    use crate::rules::SuppressionReason;

    #[test]
    fn repeats_are_one_row_with_the_last_facts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logbook.sqlite");
        let (writer, sender) = open(&path);
        let mut last = suppression(SuppressionReason::OutsideSchedule, 60.0, 40);
        last.facts.measured = 59.0;
        last.text = "vessel 7 is still there".into();
        let mut of_a_place = suppression(SuppressionReason::OutsideSchedule, 1.0, 1);
        of_a_place.vessel = None;
        let suppressed = [
            suppression(SuppressionReason::OutsideSchedule, 1.0, 2),
            suppression(SuppressionReason::OutsideSchedule, 31.0, 120),
            suppression(SuppressionReason::Cooldown, 40.0, 1),
            last,
            of_a_place,
        ];
        for suppression in suppressed {
            sender.send(Entry::Suppressed(suppression)).unwrap();
        }
        writer.flush(SOON).unwrap();
        let rows = "SELECT reason || ' ' || times || ' ' || first_utc || ' ' || last_utc || ' ' || measured || ' ' || text
                    FROM v_suppressed WHERE vessel = 7 ORDER BY id";
        assert_eq!(
            column(&path, rows),
            [
                "outside schedule 162 2026-06-01T20:13:00.750Z 2026-06-01T20:14:00.000Z 59.0 vessel 7 is still there",
                "cooldown 1 2026-06-01T20:13:40.000Z 2026-06-01T20:13:40.000Z 1.5 vessel 7 is in Inner basin; live again at 21:30",
            ]
        );
        assert_eq!(
            column(&path, "SELECT ifnull(vessel, 'none') FROM v_suppressed ORDER BY id"),
            ["7", "7", "none"]
        );
        assert_eq!(column(&path, "SELECT first FROM v_suppressed LIMIT 1"), ["2026-06-01 22:13:00 +02:00"]);
        assert_eq!(writer.stats().rejected.load(std::sync::atomic::Ordering::Relaxed), 0);
    }
}
