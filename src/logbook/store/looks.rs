//! From looks to rows: what was seen, and the tracks that it went on with.

use std::sync::LazyLock;
use std::time::Duration;

use rusqlite::params;

use super::{Failure, Store, Written, integer, local};
use crate::clock::MonoTime;
use crate::detect::{Class, Detection};
use crate::geometry::{BBox, FrameSize, Px};
use crate::logbook::chain::BoxRow;
use crate::logbook::entry::LookEntry;
use crate::track::{Track, TrackState, VesselId};

/// Places in a look: `detection.id` is the look's id times this, plus the place.
const PLACES: usize = 256;

/// Boxes that one statement inserts: to begin and end a statement costs about as much as a row.
const TOGETHER: usize = 8;

/// The statements for one box up to [`TOGETHER`].
static INSERT_BOXES: LazyLock<[String; TOGETHER]> = LazyLock::new(|| {
    std::array::from_fn(|more| {
        let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?)"; more + 1].join(", ");
        format!("INSERT INTO detection (id, vessel, class, confidence, x, y, width, height) VALUES {rows}")
    })
});

/// An open track's row is brought up to date when it is this far behind.
const TRACK_ROW_EVERY: Duration = Duration::from_secs(10);

/// A detection as its row has it.
struct BoxToWrite {
    id: i64,
    vessel: Option<i64>,
    row: BoxRow,
}

impl BoxToWrite {
    fn new((id, (detection, vessel)): (i64, &(Detection, Option<VesselId>))) -> Self {
        let [x, y, width, height] = whole_pixels(&detection.bbox);
        let confidence = (f64::from(detection.confidence.clamp(0.0, 1.0)) * 1000.0).round() as i64;
        let row = [class_number(detection.class), confidence, x, y, width, height];
        Self { id, vessel: vessel.map(|v| integer(v.0)), row }
    }

    /// In the order of the columns in [`INSERT_BOXES`].
    fn values(&self) -> impl Iterator<Item = Option<i64>> {
        [Some(self.id), self.vessel].into_iter().chain(self.row.map(Some))
    }
}

impl Store {
    pub(super) fn look(&mut self, entry: &LookEntry) -> Result<Written, Failure> {
        let due: Vec<&Track> = entry.tracks.iter().filter(|track| self.is_due(track)).collect();
        if entry.detections.is_empty() && due.is_empty() {
            return Ok(Written::default());
        }
        let camera = self.camera(&entry.camera)?;
        // An empty look still gets a row when it changed a track; a crowded one gets several.
        let mut chunks = entry.detections.chunks(PLACES);
        let mut look = self.look_row(entry, camera)?;
        self.detections(look, chunks.next().unwrap_or_default())?;
        for chunk in chunks {
            look = self.look_row(entry, camera)?;
            self.detections(look, chunk)?;
        }
        for track in due {
            self.track(entry, camera, look, track)?;
        }
        if self.seals.due(entry.at.mono) {
            self.seals.seal(&self.connection, &self.zone, self.start, entry.at.wall)?;
        }
        Ok(Written { detections: entry.detections.len() as u64, ..Written::default() })
    }

    fn look_row(&mut self, entry: &LookEntry, camera: i64) -> Result<i64, Failure> {
        let id = self.seals.next_look();
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO look (id, start, camera, at, utc_offset, frame, frame_width, frame_height)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        let FrameSize { width, height } = entry.frame_size;
        let (at, offset) = local(&self.zone, entry.at.wall);
        let frame = integer(entry.frame_seq);
        statement.execute(params![id, self.start, camera, at, offset, frame, width, height])?;
        let row = [id, self.start, at, offset, frame, width.into(), height.into()];
        self.seals.look(&row, entry.camera.as_str(), entry.at.mono);
        Ok(id)
    }

    fn detections(&mut self, look: i64, seen: &[(Detection, Option<VesselId>)]) -> Result<(), Failure> {
        let rows = (look * PLACES as i64..).zip(seen).map(BoxToWrite::new).collect::<Vec<_>>();
        for together in rows.chunks(TOGETHER) {
            let mut statement = self.connection.prepare_cached(&INSERT_BOXES[together.len() - 1])?;
            let values = together.iter().flat_map(BoxToWrite::values);
            for (place, value) in (1..).zip(values) {
                statement.raw_bind_parameter(place, value)?;
            }
            statement.raw_execute()?;
            together.iter().for_each(|b| self.seals.detection(b.id, b.vessel, &b.row));
        }
        Ok(())
    }

    pub(super) fn is_due(&self, track: &Track) -> bool {
        let behind = |written: &MonoTime| track.last_seen.since(*written) >= TRACK_ROW_EVERY;
        track.state == TrackState::Ended || self.tracks.get(&track.vessel).is_none_or(behind)
    }

    fn track(&mut self, entry: &LookEntry, camera: i64, look: i64, track: &Track) -> Result<(), Failure> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO track (vessel, start, camera, state, first_seen, first_offset, last_seen, last_offset,
               first_look, last_look, detections, x, y, width, height)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT (vessel) DO UPDATE SET state = excluded.state, last_seen = excluded.last_seen,
               last_offset = excluded.last_offset, last_look = excluded.last_look, detections = excluded.detections,
               x = excluded.x, y = excluded.y, width = excluded.width, height = excluded.height
             WHERE track.start = excluded.start",
        )?;
        let state = if track.state == TrackState::Ended { "ended" } else { "open" };
        let (first, first_offset) =
            local(&self.zone, entry.at.before(entry.at.mono.since(track.first_seen)).wall);
        let (last, last_offset) =
            local(&self.zone, entry.at.before(entry.at.mono.since(track.last_seen)).wall);
        let [x, y, width, height] = whole_pixels(&track.bbox);
        let vessel = integer(track.vessel.0);
        let rows = statement.execute(params![
            vessel,
            self.start,
            camera,
            state,
            first,
            first_offset,
            last,
            last_offset,
            look,
            track.hits,
            x,
            y,
            width,
            height
        ])?;
        if rows == 0 {
            return Err(Failure::Refused(format!("vessel number {vessel} belongs to an earlier start")));
        }
        match track.state {
            TrackState::Ended => self.tracks.remove(&track.vessel),
            _ => self.tracks.insert(track.vessel, track.last_seen),
        };
        Ok(())
    }
}

/// Left, top, width, height.
fn whole_pixels(bbox: &BBox<Px>) -> [i64; 4] {
    let [x0, y0, x1, y1] = [bbox.x0, bbox.y0, bbox.x1, bbox.y1].map(|edge| edge.round() as i64);
    [x0, y0, x1 - x0, y1 - y0]
}

/// As stored; `v_detections` has the words.
fn class_number(class: Class) -> i64 {
    match class {
        Class::Vessel => 0,
        Class::Person => 1,
    }
}

/// What [`class_number`] stored; `None` for a class of a later version.
pub(in crate::logbook) fn class_of(number: i64) -> Option<Class> {
    [Class::Vessel, Class::Person].into_iter().find(|&class| class_number(class) == number)
}
