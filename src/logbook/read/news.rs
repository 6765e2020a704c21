//! What is new in the logbook, in plain words.

use rusqlite::params;

use super::reader::Reader;
use crate::logbook::error::{LogbookError, sql};

/// How far a follower of the logbook has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewsPosition {
    start: i64,
    step: i64,
    camera_state: i64,
    visit_step: i64,
    acknowledgement: i64,
    clock: i64,
    outage_began: i64,
    outage_ended: i64,
}

/// Something new in the logbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewsItem {
    /// Local time with offset.
    pub local_time: String,
    /// In plain words.
    pub text: String,
}

/// Kind (see [`Reader::news`]), number, local time, text; in order of time.
const NEWS: &str = "
    SELECT 0, start, local_time, 'Havenwacht started (' || mode || ', version ' || version || ')', utc
    FROM v_starts WHERE start > ?1
  UNION ALL
    SELECT 1, id, local_time, upper(severity) || '  ' || camera || '  ' || rule || ': ' ||
      CASE phase WHEN 'updated' THEN 'still: ' WHEN 'closed' THEN 'over: ' ELSE '' END || text ||
      CASE WHEN phase = 'opened' AND NOT notified THEN ' (staff not notified: within the cooldown)' ELSE '' END, utc
    FROM v_signal_steps WHERE id > ?2
  UNION ALL
    SELECT 2, id, local_time, 'camera ' || camera || ' is ' || state ||
      CASE reason WHEN '' THEN '' ELSE ': ' || reason END, utc
    FROM v_camera_state WHERE id > ?3
  UNION ALL
    SELECT 3, id, local_time, camera || '  vessel ' || vessel || CASE event
        WHEN 'arrived' THEN ' arrived at ' WHEN 'found' THEN ' was found at '
        WHEN 'departed' THEN ' departed from '
        WHEN 'replaced' THEN ' left unseen, and another vessel lies in its place, at '
        ELSE ' left unseen from ' END || berth, utc
    FROM v_visit_steps WHERE id > ?4
  UNION ALL
    SELECT 4, id, local_time, by || ': ' || verdict || ', ' || rule || ' (' || text || ')' ||
      CASE note WHEN '' THEN '' ELSE ': ' || note END, utc
    FROM v_acknowledgements WHERE id > ?5
  UNION ALL
    SELECT 5, seq, began, 'camera ' || camera || ' gives no usable picture: ' || text, began_utc
    FROM v_camera_outages WHERE seq > ?6
  UNION ALL
    SELECT 6, end_seq, ended, 'camera ' || camera || CASE ended_by
        WHEN 'recovered' THEN ' gives a usable picture again'
        WHEN 'another cause' THEN ' gives no usable picture for another cause'
        ELSE ' gave no usable picture' END ||
      ' (' || cause || ' for ' || seconds || ' s' || CASE ended_by
        WHEN 'restart' THEN ', until a restart' WHEN 'stop' THEN ', until Havenwacht stopped' ELSE '' END || ')', ended_utc
    FROM v_camera_outages WHERE end_seq > ?7
  UNION ALL
    SELECT 7, id, local_time, CASE
        WHEN reason = 'synchronised' THEN 'a time server has set the clock'
        WHEN reason = 'synchronisation lost' THEN 'the clock is no longer synchronised with a time server'
        WHEN stepped_s > 0 THEN 'the clock was put forward by ' || stepped_s || ' s'
        WHEN stepped_s < 0 THEN 'the clock was put back by ' || -stepped_s || ' s'
        ELSE 'the clock is not set: times are wrong' END, utc
    FROM v_clock WHERE id > ?8 AND (stepped_s <> 0 OR reason <> 'start' OR clock_set = 'no')
  ORDER BY utc, 1, 2";

impl Reader {
    /// The position from which the last `back` rows of each kind are new.
    pub fn position(&self, back: u32) -> Result<NewsPosition, LogbookError> {
        let newest_by = |key: &str, table: &str| {
            let query = format!("SELECT ifnull(max({key}), 0) - ?1 FROM {table}");
            self.connection.query_row(&query, [back], |row| row.get(0)).map_err(sql("read the logbook"))
        };
        let newest = |table: &str| newest_by("id", table);
        Ok(NewsPosition {
            start: newest("start")?,
            step: newest("signal_step")?,
            camera_state: newest("camera_state")?,
            visit_step: newest("visit_step")?,
            acknowledgement: newest("acknowledgement")?,
            clock: newest("clock_reading")?,
            outage_began: newest_by("seq", "camera_outage")?,
            outage_ended: newest_by("end_seq", "camera_outage")?,
        })
    }

    /// What is new after `position`, in order of time; moves `position` forward.
    pub fn news(&self, position: &mut NewsPosition) -> Result<Vec<NewsItem>, LogbookError> {
        let (reached, news) = self.news_after(*position).map_err(sql("read what is new in the logbook"))?;
        *position = reached;
        Ok(news)
    }

    fn news_after(&self, position: NewsPosition) -> rusqlite::Result<(NewsPosition, Vec<NewsItem>)> {
        let mut statement = self.connection.prepare_cached(NEWS)?;
        let mut rows = statement.query(params![
            position.start,
            position.step,
            position.camera_state,
            position.visit_step,
            position.acknowledgement,
            position.outage_began,
            position.outage_ended,
            position.clock
        ])?;
        let (mut reached, mut news) = (position, Vec::new());
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(1)?;
            let newest = match row.get(0)? {
                0 => &mut reached.start,
                1 => &mut reached.step,
                2 => &mut reached.camera_state,
                3 => &mut reached.visit_step,
                4 => &mut reached.acknowledgement,
                5 => &mut reached.outage_began,
                6 => &mut reached.outage_ended,
                _ => &mut reached.clock,
            };
            *newest = number.max(*newest);
            news.push(NewsItem { local_time: row.get(2)?, text: row.get(3)? });
        }
        Ok((reached, news))
    }
}
