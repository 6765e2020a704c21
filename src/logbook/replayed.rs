//! What a replay saw, frame by frame: for putting a recording's pictures and their boxes together again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::error::{LogbookError, sql};
use super::reader::Reader;
use super::store::{class_of, moment};
use crate::detect::Detection;
use crate::geometry::{BBox, FrameSize};

/// A replay in the logbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// When the recording began, as the replay was told; whole milliseconds.
    pub began: Timestamp,
    /// Whether it came to the recording's end.
    pub complete: bool,
    /// Hash of the site file it was made with.
    pub config_hash: String,
    start: i64,
}

/// What was seen in one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// When the frame was taken; whole milliseconds.
    pub at: Timestamp,
    /// Frame width and height in pixels.
    pub size: FrameSize,
    /// At least one; edges in whole pixels of the frame, confidence per mille, as the logbook keeps them.
    pub detections: Vec<Detection>,
}

impl Reader {
    /// The newest replay; `None` when no start of this logbook was one.
    pub fn replay(&self) -> Result<Option<Replay>, LogbookError> {
        let query = "SELECT id, at, ended IS NOT NULL, config_hash FROM start WHERE mode = 'replay'
                     ORDER BY id DESC LIMIT 1";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Replay {
                start: row.get(0)?,
                began: moment(row.get(1)?)?,
                complete: row.get(2)?,
                config_hash: row.get(3)?,
            })
        };
        self.connection.query_row(query, [], read).optional().map_err(sql("read the logbook"))
    }

    /// What `replay` saw at `camera`, by the frame's number in the recording (from 0). A look that saw nothing has no row,
    /// and is not here; neither is a box that is less than a pixel wide or high.
    pub fn sights(&self, replay: &Replay, camera: &str) -> Result<BTreeMap<u64, Sight>, LogbookError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT frame, at, frame_width, frame_height, class, confidence / 1000.0, x, y, width, height
                 FROM detection JOIN look ON look.id = detection.id >> 8 JOIN camera ON camera.id = look.camera
                 WHERE look.start = ?1 AND camera.name = ?2 AND width > 0 AND height > 0 ORDER BY detection.id",
            )?;
            let mut rows = statement.query(params![replay.start, camera])?;
            let mut sights = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let Some(class) = class_of(row.get(4)?) else { continue };
                let frame = row.get::<_, i64>(0)?.cast_unsigned();
                let bbox = BBox::from_xywh(row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?);
                let (at, size) =
                    (moment(row.get(1)?)?, FrameSize { width: row.get(2)?, height: row.get(3)? });
                // A crowded look has several rows of the same frame.
                let sight = sights.entry(frame).or_insert_with(|| Sight { at, size, detections: Vec::new() });
                sight.detections.push(Detection { class, confidence: row.get(5)?, bbox });
            }
            Ok(sights)
        };
        read().map_err(sql("read detections from the logbook"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Class;
    use crate::logbook::testing::{SOON, at, look, open, options, start, track, vessel_at};
    use crate::logbook::{StartEntry, Writer};
    use crate::track::TrackState;

    #[test]
    fn a_replay_gives_back_each_frame_that_showed_something_and_a_live_watch_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live.sqlite");
        let (writer, _sender) = open(&path);
        writer.close(at(1.0).wall, SOON).unwrap();
        assert_eq!(Reader::open(&path).unwrap().replay().unwrap(), None);

        let path = folder.path().join("replay.sqlite");
        let (writer, sender) =
            Writer::open(&path, &StartEntry { mode: "replay", ..start() }, options()).unwrap();
        let crowd = (0..300u16).map(|i| vessel_at(f32::from(i) + 1.4, None)).collect();
        sender.send(look(1.0, crowd, Vec::new())).unwrap();
        sender.send(look(2.0, vec![vessel_at(900.0, Some(7))], Vec::new())).unwrap();
        // Has a row, for its track's sake, and saw nothing.
        sender.send(look(3.0, Vec::new(), vec![track(7, TrackState::Ended, 2.0)])).unwrap();
        let unfinished = Reader::open(&path).unwrap().replay().unwrap().unwrap();
        writer.close(at(3.0).wall, SOON).unwrap();

        let reader = Reader::open(&path).unwrap();
        let replay = reader.replay().unwrap().unwrap();
        assert_eq!((unfinished.complete, replay.complete), (false, true));
        assert_eq!((replay.began, replay.config_hash.as_str()), (at(0.0).wall, "c0"));
        let sights = reader.sights(&replay, "quay-east").unwrap();
        assert_eq!(sights.keys().copied().collect::<Vec<_>>(), [25, 50]);
        assert_eq!(sights[&25].detections.len(), 300);
        let Sight { at: when, size, detections } = &sights[&50];
        assert_eq!((*when, size.width, size.height), (at(2.0).wall, 1920, 1080));
        let [Detection { class, confidence, bbox }] = detections.as_slice() else { panic!("{detections:?}") };
        assert_eq!((*class, *bbox), (Class::Vessel, BBox::new(900.0, 500.0, 1020.0, 560.0)));
        assert!((confidence - 0.813).abs() < 1e-6, "{confidence}");
        assert!(reader.sights(&replay, "elsewhere").unwrap().is_empty());
    }
}
