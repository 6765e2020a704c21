//! Detection passes: their detections, and the tracks that they changed.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use rusqlite::params;

use super::cameras::CameraNumbers;
use crate::clock::MonoTime;
use crate::detect::Detection;
use crate::geometry::{BBox, FrameSize, Px};
use crate::logbook::context::{Failure, WriteContext, Written};
use crate::logbook::entry::PassEntry;
use crate::logbook::integrity::seals::{BoxRow, Seals};
use crate::logbook::values::{class_number, integer};
use crate::track::{Track, TrackState, VesselId};

/// Detections of one row of `pass`: `detection.id` is the pass number times this, plus the place in the pass.
const PLACES: usize = 256;

/// Boxes that one statement inserts. To begin and end a statement costs about as much as a row.
const BOXES_AT_ONCE: usize = 8;

/// The statements for one box up to [`BOXES_AT_ONCE`].
static INSERT_BOXES: LazyLock<[String; BOXES_AT_ONCE]> = LazyLock::new(|| {
    std::array::from_fn(|more| {
        let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?)"; more + 1].join(", ");
        format!("INSERT INTO detection (id, vessel, class, confidence, x, y, width, height) VALUES {rows}")
    })
});

/// The row of an open track is updated when it is this old.
const TRACK_ROW_EVERY: Duration = Duration::from_secs(10);

/// Writes passes; knows which rows of tracks are old, and what is not sealed yet.
pub(super) struct PassWriter {
    pub(super) seals: Seals,
    /// When the row of each open track was last updated.
    tracks: HashMap<VesselId, MonoTime>,
}

impl PassWriter {
    pub(super) fn new(seals: Seals) -> Self {
        Self { seals, tracks: HashMap::new() }
    }

    /// After a rollback: `seals` as they were before; every track's row may be old.
    pub(super) fn roll_back(&mut self, seals: Seals) {
        self.seals = seals;
        self.tracks.clear();
    }

    /// Whether a pass updates the row of a track.
    pub(super) fn has_due_track(&self, entry: &PassEntry) -> bool {
        entry.tracks.iter().any(|track| self.is_due(track))
    }

    pub(super) fn write(
        &mut self,
        context: WriteContext<'_>,
        cameras: &mut CameraNumbers,
        entry: &PassEntry,
    ) -> Result<Written, Failure> {
        let due: Vec<&Track> = entry.tracks.iter().filter(|track| self.is_due(track)).collect();
        if entry.detections.is_empty() && due.is_empty() {
            return Ok(Written::default());
        }
        let camera = cameras.number(context.connection, &entry.camera)?;
        // A pass without detections has a row when it changed a track; one with many detections has several rows.
        let mut chunks = entry.detections.chunks(PLACES);
        let mut pass = self.write_pass(context, camera, entry)?;
        self.write_detections(context, pass, chunks.next().unwrap_or_default())?;
        for chunk in chunks {
            pass = self.write_pass(context, camera, entry)?;
            self.write_detections(context, pass, chunk)?;
        }
        for track in due {
            write_track(context, camera, pass, entry, track)?;
            match track.state {
                TrackState::Ended => self.tracks.remove(&track.vessel),
                _ => self.tracks.insert(track.vessel, track.last_seen),
            };
        }
        if self.seals.due(entry.at.mono) {
            self.seals.seal(context, entry.at.wall)?;
        }
        Ok(Written { detections: entry.detections.len() as u64, ..Written::default() })
    }

    fn write_pass(
        &mut self,
        context: WriteContext<'_>,
        camera: i64,
        entry: &PassEntry,
    ) -> Result<i64, Failure> {
        let id = self.seals.next_pass();
        let mut statement = context.connection.prepare_cached(
            "INSERT INTO pass (id, start, camera, at, utc_offset, frame, frame_width, frame_height)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        let FrameSize { width, height } = entry.frame_size;
        let (at, offset) = context.local(entry.at.wall);
        let frame = integer(entry.frame_seq);
        statement.execute(params![id, context.start, camera, at, offset, frame, width, height])?;
        let row = [id, context.start, at, offset, frame, width.into(), height.into()];
        self.seals.add_pass(&row, entry.camera.as_str(), entry.at.mono);
        Ok(id)
    }

    fn write_detections(
        &mut self,
        context: WriteContext<'_>,
        pass: i64,
        detections: &[(Detection, Option<VesselId>)],
    ) -> Result<(), Failure> {
        let rows = (pass * PLACES as i64..).zip(detections).map(DetectionRow::new).collect::<Vec<_>>();
        for together in rows.chunks(BOXES_AT_ONCE) {
            let mut statement = context.connection.prepare_cached(&INSERT_BOXES[together.len() - 1])?;
            let values = together.iter().flat_map(DetectionRow::values);
            for (place, value) in (1..).zip(values) {
                statement.raw_bind_parameter(place, value)?;
            }
            statement.raw_execute()?;
            together.iter().for_each(|row| self.seals.add_detection(row.id, row.vessel, &row.values));
        }
        Ok(())
    }

    fn is_due(&self, track: &Track) -> bool {
        let is_old = |written: &MonoTime| track.last_seen.since(*written) >= TRACK_ROW_EVERY;
        track.state == TrackState::Ended || self.tracks.get(&track.vessel).is_none_or(is_old)
    }
}

/// A row of `detection`.
struct DetectionRow {
    id: i64,
    vessel: Option<i64>,
    values: BoxRow,
}

impl DetectionRow {
    fn new((id, (detection, vessel)): (i64, &(Detection, Option<VesselId>))) -> Self {
        let [x, y, width, height] = whole_pixels(&detection.bbox);
        let confidence = (f64::from(detection.confidence.clamp(0.0, 1.0)) * 1000.0).round() as i64;
        let values = [class_number(detection.class), confidence, x, y, width, height];
        Self { id, vessel: vessel.map(|v| integer(v.0)), values }
    }

    /// In the order of the columns in [`INSERT_BOXES`].
    fn values(&self) -> impl Iterator<Item = Option<i64>> {
        [Some(self.id), self.vessel].into_iter().chain(self.values.map(Some))
    }
}

fn write_track(
    context: WriteContext<'_>,
    camera: i64,
    pass: i64,
    entry: &PassEntry,
    track: &Track,
) -> Result<(), Failure> {
    let mut statement = context.connection.prepare_cached(
        "INSERT INTO track (vessel, start, camera, state, first_seen, first_offset, last_seen, last_offset,
           first_pass, last_pass, detections, x, y, width, height)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (vessel) DO UPDATE SET state = excluded.state, last_seen = excluded.last_seen,
           last_offset = excluded.last_offset, last_pass = excluded.last_pass, detections = excluded.detections,
           x = excluded.x, y = excluded.y, width = excluded.width, height = excluded.height
         WHERE track.start = excluded.start",
    )?;
    let state = if track.state == TrackState::Ended { "ended" } else { "open" };
    let wall = |mono: MonoTime| context.local(entry.at.before(entry.at.mono.since(mono)).wall);
    let (first, first_offset) = wall(track.first_seen);
    let (last, last_offset) = wall(track.last_seen);
    let [x, y, width, height] = whole_pixels(&track.bbox);
    let vessel = integer(track.vessel.0);
    let rows = statement.execute(params![
        vessel,
        context.start,
        camera,
        state,
        first,
        first_offset,
        last,
        last_offset,
        pass,
        track.hits,
        x,
        y,
        width,
        height
    ])?;
    if rows == 0 {
        return Err(Failure::Rejected(format!("vessel number {vessel} belongs to an earlier start")));
    }
    Ok(())
}

/// Left, top, width, height.
fn whole_pixels(bbox: &BBox<Px>) -> [i64; 4] {
    let [x0, y0, x1, y1] = [bbox.x0, bbox.y0, bbox.x1, bbox.y1].map(|edge| edge.round() as i64);
    [x0, y0, x1 - x0, y1 - y0]
}
