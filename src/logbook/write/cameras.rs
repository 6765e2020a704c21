//! Cameras: their numbers, and their states.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::camera_state::CameraChange;
use crate::ids::CameraId;
use crate::logbook::context::{Failure, WriteContext, Written};

/// The numbers of cameras. Cleared when a transaction is rolled back: a number may have come with it.
#[derive(Default)]
pub(super) struct CameraNumbers(HashMap<CameraId, i64>);

impl CameraNumbers {
    /// The number of a camera; a new camera gets its row.
    pub(super) fn number(&mut self, connection: &Connection, name: &CameraId) -> rusqlite::Result<i64> {
        if let Some(&number) = self.0.get(name) {
            return Ok(number);
        }
        let known = connection
            .prepare_cached("SELECT id FROM camera WHERE name = ?1")?
            .query_row([name.as_str()], |row| row.get(0))
            .optional()?;
        let number = match known {
            Some(number) => number,
            None => {
                connection.prepare_cached("INSERT INTO camera (name) VALUES (?1)")?.insert([name.as_str()])?
            }
        };
        self.0.insert(name.clone(), number);
        Ok(number)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Writes a change of a camera's state.
pub(super) fn write_state(
    context: WriteContext<'_>,
    camera: i64,
    change: &CameraChange,
) -> Result<Written, Failure> {
    let (at, offset) = context.local(change.at.wall);
    context
        .connection
        .prepare_cached(
            "INSERT INTO camera_state (start, camera, at, utc_offset, state, reason, retries)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            context.start,
            camera,
            at,
            offset,
            change.state.as_str(),
            change.reason,
            change.retries
        ])?;
    Ok(Written::default())
}
