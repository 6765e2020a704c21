-- One word for one thing: pass (was look), camera outage (blind spell), notified (told), verdict (answer).
--
-- A value that a digest of the chain covers keeps the word with which it was written: causes of camera outages, how they
-- ended, rule kinds, tables in receipts, kinds of links. `views.sql` shows them in today's words. From this version on the
-- views come from that file, so the old ones go.

DROP VIEW v_starts;
DROP VIEW v_detections;
DROP VIEW v_tracks;
DROP VIEW v_signals;
DROP VIEW v_signal_steps;
DROP VIEW v_alerts;
DROP VIEW v_camera_state;
DROP VIEW v_suppressed;
DROP VIEW v_visits;
DROP VIEW v_visit_steps;
DROP VIEW v_acknowledgements;
DROP VIEW v_blind_spells;
DROP VIEW v_clock;
DROP VIEW v_receipts;
DROP VIEW v_chain;
DROP VIEW v_paths;

-- One detection pass over one frame. A pass that saw nothing and changed no track has no row.
ALTER TABLE look RENAME TO pass;
ALTER TABLE detection RENAME COLUMN look TO pass;
ALTER TABLE track RENAME COLUMN first_look TO first_pass;
ALTER TABLE track RENAME COLUMN last_look TO last_pass;
ALTER TABLE seal RENAME COLUMN first_look TO first_pass;
ALTER TABLE seal RENAME COLUMN last_look TO last_pass;
ALTER TABLE seal RENAME COLUMN looks TO passes;

-- notified = 0: the signal opened within the rule's cooldown; it is in the logbook only.
ALTER TABLE signal RENAME COLUMN told TO notified;
ALTER TABLE acknowledgement RENAME COLUMN answer TO verdict;

-- A time in which a camera gave no usable picture. `ended` is empty while it lasts. measured, threshold and unit: what
-- the cause was found by; empty where the camera sent nothing. The columns of the beginning never change; ended,
-- ended_offset, ended_by and end_seq (ends are numbered from 1, in the order in which they were written) are written once.
CREATE TABLE camera_outage (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  cause TEXT NOT NULL,
  began INTEGER NOT NULL,
  began_offset INTEGER NOT NULL,
  measured REAL,
  threshold REAL,
  unit TEXT NOT NULL,
  text TEXT NOT NULL,
  ended INTEGER,
  ended_offset INTEGER,
  ended_by TEXT,
  end_seq INTEGER UNIQUE,
  CHECK ((ended IS NULL) = (ended_by IS NULL)),
  CHECK ((ended IS NULL) = (end_seq IS NULL))
) STRICT;

INSERT INTO camera_outage (seq, id, start, camera, cause, began, began_offset, measured, threshold, unit, text,
  ended, ended_offset, ended_by, end_seq)
SELECT seq, id, start, camera, cause, began, began_offset, measured, threshold, unit, text,
  ended, ended_offset, ended_by, end_seq FROM blind_spell ORDER BY seq;

-- No number is given twice, also when the newest rows are gone.
DELETE FROM sqlite_sequence WHERE name = 'camera_outage';
INSERT INTO sqlite_sequence (name, seq) SELECT 'camera_outage', seq FROM sqlite_sequence WHERE name = 'blind_spell';

DROP TABLE blind_spell;
CREATE INDEX camera_outage_open ON camera_outage (seq) WHERE ended IS NULL;

-- No digest covers suppressed signals.
UPDATE suppressed SET reason = CASE reason WHEN 'not sure' THEN 'low confidence' WHEN 'camera blind' THEN 'camera outage'
  WHEN 'excepted' THEN 'exception' ELSE reason END
WHERE reason IN ('not sure', 'camera blind', 'excepted');
