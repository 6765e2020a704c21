//! Visits, as the rules engine resumes them.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Params, Row};
use uuid::Uuid;

use super::reader::Reader;
use crate::geometry::BBox;
use crate::ids::{CameraId, PlaceId};
use crate::logbook::error::{LogbookError, sql};
use crate::logbook::values::timestamp;
use crate::rules::{Visit, VisitEnd, VisitId};
use crate::track::VesselId;

const VISITS: &str =
    "SELECT visit.id, camera.name, berth, vessel, began, arrived, last_seen, x0, y0, x1, y1, length_m,
   ended, how FROM visit JOIN camera ON camera.id = visit.camera";

impl Reader {
    /// Visits that have not ended, in the order in which they began, also those of earlier starts. Times are whole milliseconds.
    pub fn open_visits(&self) -> Result<Vec<Visit>, LogbookError> {
        self.visits(&format!("{VISITS} WHERE ended IS NULL ORDER BY seq"), [])
    }

    /// Visits that ended at `since` or later, in the order in which they ended.
    pub fn visits_ended_since(&self, since: Timestamp) -> Result<Vec<Visit>, LogbookError> {
        self.visits(&format!("{VISITS} WHERE ended >= ?1 ORDER BY ended, seq"), [since.as_millisecond()])
    }

    fn visits(&self, query: &str, params: impl Params) -> Result<Vec<Visit>, LogbookError> {
        let read = || {
            let mut statement = self.connection.prepare(query)?;
            statement.query_map(params, visit)?.collect::<Result<Vec<_>, _>>()
        };
        read().map_err(sql("read visits from the logbook"))
    }
}

fn visit(row: &Row<'_>) -> rusqlite::Result<Visit> {
    let ended = match (row.get::<_, Option<i64>>(12)?, row.get::<_, Option<String>>(13)?) {
        (Some(at), Some(how)) => {
            Some((timestamp(at)?, end(&how).ok_or_else(|| invalid(13, format!("`{how}`")))?))
        }
        _ => None,
    };
    Ok(Visit {
        id: VisitId(Uuid::parse_str(&text(row, 0)?).map_err(|why| invalid(0, why))?),
        camera: CameraId::new(&text(row, 1)?).map_err(|why| invalid(1, why))?,
        berth: PlaceId::new(&text(row, 2)?).map_err(|why| invalid(2, why))?,
        vessel: VesselId(row.get::<_, i64>(3)?.cast_unsigned()),
        began: timestamp(row.get(4)?)?,
        arrived: row.get(5)?,
        last_seen: timestamp(row.get(6)?)?,
        bbox: BBox::new(row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?),
        length_m: row.get(11)?,
        ended,
    })
}

fn end(how: &str) -> Option<VisitEnd> {
    [VisitEnd::Departed, VisitEnd::Replaced, VisitEnd::Vanished].into_iter().find(|end| end.as_str() == how)
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    row.get(column)
}

/// The value of this column was not written by Havenwacht.
fn invalid(column: usize, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
}
