//! The detections of a replay, frame by frame: to join them with the pictures of the recording.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::reader::Reader;
use crate::detect::Detection;
use crate::geometry::{BBox, FrameSize};
use crate::logbook::error::{LogbookError, sql};
use crate::logbook::values::{class_of, timestamp};

/// A replay that wrote a logbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayRun {
    /// When the recording began, in whole milliseconds.
    pub began: Timestamp,
    /// Whether it reached the end of the recording.
    pub complete: bool,
    /// Hash of its site file.
    pub config_hash: String,
    start: i64,
}

/// The detections of one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayFrame {
    /// When the frame was taken; whole milliseconds.
    pub at: Timestamp,
    /// Frame width and height in pixels.
    pub size: FrameSize,
    /// At least one. Edges are rounded to whole pixels and confidence to a thousandth, as they are stored.
    pub detections: Vec<Detection>,
}

impl Reader {
    /// The newest replay; `None` when no start of this logbook was a replay.
    pub fn newest_replay(&self) -> Result<Option<ReplayRun>, LogbookError> {
        let query = "SELECT id, at, ended IS NOT NULL, config_hash FROM start WHERE mode = 'replay'
                     ORDER BY id DESC LIMIT 1";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(ReplayRun {
                start: row.get(0)?,
                began: timestamp(row.get(1)?)?,
                complete: row.get(2)?,
                config_hash: row.get(3)?,
            })
        };
        self.connection.query_row(query, [], read).optional().map_err(sql("read the logbook"))
    }

    /// The frames of `camera` with detections, by the frame's number in the recording (from 0). Boxes that are less than a
    /// pixel wide or high are left out.
    pub fn replay_frames(
        &self,
        replay: &ReplayRun,
        camera: &str,
    ) -> Result<BTreeMap<u64, ReplayFrame>, LogbookError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT frame, at, frame_width, frame_height, class, confidence / 1000.0, x, y, width, height
                 FROM detection JOIN pass ON pass.id = detection.id >> 8 JOIN camera ON camera.id = pass.camera
                 WHERE pass.start = ?1 AND camera.name = ?2 AND width > 0 AND height > 0 ORDER BY detection.id",
            )?;
            let mut rows = statement.query(params![replay.start, camera])?;
            let mut frames = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let Some(class) = class_of(row.get(4)?) else { continue };
                let frame = row.get::<_, i64>(0)?.cast_unsigned();
                let bbox = BBox::from_xywh(row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?);
                let (at, size) =
                    (timestamp(row.get(1)?)?, FrameSize { width: row.get(2)?, height: row.get(3)? });
                // A pass with many detections has several rows.
                let found =
                    frames.entry(frame).or_insert_with(|| ReplayFrame { at, size, detections: Vec::new() });
                found.detections.push(Detection { class, confidence: row.get(5)?, bbox });
            }
            Ok(frames)
        };
        read().map_err(sql("read detections from the logbook"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Class;
    use crate::logbook::testing::{SOON, at, open, options, pass, start, track, vessel_at};
    use crate::logbook::{StartEntry, Writer};
    use crate::track::TrackState;

    #[test]
    fn a_replay_returns_its_frames_and_a_live_run_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live.sqlite");
        let (writer, _sender) = open(&path);
        writer.close(at(1.0).wall, SOON).unwrap();
        assert_eq!(Reader::open(&path).unwrap().newest_replay().unwrap(), None);

        let path = folder.path().join("replay.sqlite");
        let (writer, sender) =
            Writer::open(&path, &StartEntry { mode: "replay", ..start() }, options()).unwrap();
        let crowd = (0..300u16).map(|i| vessel_at(f32::from(i) + 1.4, None)).collect();
        sender.send(pass(1.0, crowd, Vec::new())).unwrap();
        sender.send(pass(2.0, vec![vessel_at(900.0, Some(7))], Vec::new())).unwrap();
        // Has a row because of its track, and no detection.
        sender.send(pass(3.0, Vec::new(), vec![track(7, TrackState::Ended, 2.0)])).unwrap();
        let unfinished = Reader::open(&path).unwrap().newest_replay().unwrap().unwrap();
        writer.close(at(3.0).wall, SOON).unwrap();

        let reader = Reader::open(&path).unwrap();
        let replay = reader.newest_replay().unwrap().unwrap();
        assert_eq!((unfinished.complete, replay.complete), (false, true));
        assert_eq!((replay.began, replay.config_hash.as_str()), (at(0.0).wall, "c0"));
        let frames = reader.replay_frames(&replay, "quay-east").unwrap();
        assert_eq!(frames.keys().copied().collect::<Vec<_>>(), [25, 50]);
        assert_eq!(frames[&25].detections.len(), 300);
        let ReplayFrame { at: when, size, detections } = &frames[&50];
        assert_eq!((*when, size.width, size.height), (at(2.0).wall, 1920, 1080));
        let [Detection { class, confidence, bbox }] = detections.as_slice() else { panic!("{detections:?}") };
        assert_eq!((*class, *bbox), (Class::Vessel, BBox::new(900.0, 500.0, 1020.0, 560.0)));
        assert!((confidence - 0.813).abs() < 1e-6, "{confidence}");
        assert!(reader.replay_frames(&replay, "elsewhere").unwrap().is_empty());
    }
}
