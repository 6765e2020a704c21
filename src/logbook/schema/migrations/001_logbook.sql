-- The logbook. Read it through the views (v_*); the tables are laid out for size.
--
-- Times are milliseconds since 1970-01-01 UTC. Beside each stands the site's offset from UTC in force at that moment,
-- in quarters of an hour (Amsterdam: 4 in winter, 8 in summer), because SQLite knows no time zones.

-- The daemon's (or a replay's) starts. `ended` is empty while it runs, and for ever when it was cut off.
CREATE TABLE start (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  mode TEXT NOT NULL,
  version TEXT NOT NULL,
  config_hash TEXT NOT NULL,
  model_hash TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  first_vessel INTEGER NOT NULL,
  ended INTEGER
) STRICT;

CREATE TABLE camera (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- One look at one frame; looks that saw nothing and changed no track have no row.
CREATE TABLE look (
  id INTEGER PRIMARY KEY,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  frame INTEGER NOT NULL,
  frame_width INTEGER NOT NULL,
  frame_height INTEGER NOT NULL
) STRICT;

-- id = look's id * 256 + place within the look: saves a column and an index in the table that grows most.
-- class: see v_detections. confidence: per mille. Box: whole pixels of the frame.
CREATE TABLE detection (
  id INTEGER PRIMARY KEY,
  vessel INTEGER,
  class INTEGER NOT NULL,
  confidence INTEGER NOT NULL CHECK (confidence BETWEEN 0 AND 1000),
  x INTEGER NOT NULL,
  y INTEGER NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  look INTEGER GENERATED ALWAYS AS (id >> 8) VIRTUAL
) STRICT;

-- state: open, ended, cut (the watch stopped before the track ended). Box: where the vessel was last.
CREATE TABLE track (
  vessel INTEGER PRIMARY KEY,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  state TEXT NOT NULL CHECK (state IN ('open', 'ended', 'cut')),
  first_seen INTEGER NOT NULL,
  first_offset INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  last_offset INTEGER NOT NULL,
  first_look INTEGER NOT NULL,
  last_look INTEGER NOT NULL,
  detections INTEGER NOT NULL,
  x INTEGER NOT NULL,
  y INTEGER NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL
) STRICT;

CREATE INDEX track_open ON track (vessel) WHERE state = 'open';

-- A signal as it stands. told = 0: opened within the rule's cooldown, in the logbook only.
CREATE TABLE signal (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  rule TEXT NOT NULL,
  rule_name TEXT NOT NULL,
  kind TEXT NOT NULL,
  place TEXT NOT NULL,
  place_name TEXT NOT NULL,
  severity TEXT NOT NULL,
  vessel INTEGER NOT NULL,
  told INTEGER NOT NULL CHECK (told IN (0, 1)),
  since INTEGER NOT NULL,
  since_offset INTEGER NOT NULL,
  opened INTEGER NOT NULL,
  opened_offset INTEGER NOT NULL,
  closed INTEGER,
  closed_offset INTEGER,
  closed_by TEXT CHECK (closed_by IN ('rule', 'restart')),
  measured REAL NOT NULL,
  threshold REAL NOT NULL,
  unit TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;

CREATE INDEX signal_open ON signal (seq) WHERE closed IS NULL;
CREATE INDEX signal_vessel ON signal (vessel);

-- Every step in a signal's life, in order. Box: fractions of the frame.
CREATE TABLE signal_step (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  signal INTEGER NOT NULL REFERENCES signal ON DELETE CASCADE,
  phase TEXT NOT NULL CHECK (phase IN ('opened', 'updated', 'closed')),
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  measured REAL NOT NULL,
  text TEXT NOT NULL,
  x0 REAL NOT NULL,
  y0 REAL NOT NULL,
  x1 REAL NOT NULL,
  y1 REAL NOT NULL
) STRICT;

CREATE INDEX signal_step_signal ON signal_step (signal);

-- The outbox: what staff are told, in order of seq. Undelivered while both `delivered` and `expired` are empty.
CREATE TABLE alert (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  start INTEGER NOT NULL REFERENCES start,
  signal INTEGER NOT NULL REFERENCES signal,
  phase TEXT NOT NULL,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  topic TEXT NOT NULL,
  payload TEXT NOT NULL,
  picture BLOB,
  attempts INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER,
  delivered_offset INTEGER,
  expired INTEGER
) STRICT;

CREATE INDEX alert_undelivered ON alert (seq) WHERE delivered IS NULL AND expired IS NULL;
CREATE INDEX alert_signal ON alert (signal);

CREATE TABLE camera_state (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  retries INTEGER NOT NULL
) STRICT;

-- Starts, oldest first; `end` tells a clean stop from a cut.
CREATE VIEW v_starts AS
SELECT start.id AS start,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END 
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  mode, version, time_zone, config_hash, model_hash,
  CASE WHEN ended IS NOT NULL THEN 'stopped'
       WHEN start.id = (SELECT max(id) FROM start) THEN 'running or cut off' ELSE 'cut off' END AS ending,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc
FROM start;

-- Every detection: when, where, what, how sure, as which vessel (empty: not yet followed).
CREATE VIEW v_detections AS
SELECT
  strftime('%Y-%m-%d %H:%M:%S', (look.at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END 
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  camera.name AS camera, vessel,
  CASE class WHEN 0 THEN 'vessel' WHEN 1 THEN 'person' ELSE 'class ' || class END AS class,
  confidence / 1000.0 AS confidence, x, y, width, height, frame, frame_width, frame_height,
  strftime('%Y-%m-%dT%H:%M:%fZ', look.at / 1000.0, 'unixepoch') AS utc,
  look.start AS start, look.id AS look, detection.id AS detection
FROM detection JOIN look ON look.id = detection.id >> 8 JOIN camera ON camera.id = look.camera;

-- Every vessel that was followed.
CREATE VIEW v_tracks AS
SELECT vessel, camera.name AS camera,
  strftime('%Y-%m-%d %H:%M:%S', (first_seen + first_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN first_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(first_offset) / 4, abs(first_offset) % 4 * 15) AS first_seen,
  strftime('%Y-%m-%d %H:%M:%S', (last_seen + last_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN last_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(last_offset) / 4, abs(last_offset) % 4 * 15) AS last_seen,
  (last_seen - first_seen) / 1000.0 AS seconds, detections, state, x, y, width, height,
  strftime('%Y-%m-%dT%H:%M:%fZ', first_seen / 1000.0, 'unixepoch') AS first_seen_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', last_seen / 1000.0, 'unixepoch') AS last_seen_utc, start
FROM track JOIN camera ON camera.id = track.camera;

-- Every signal, told to staff or not.
CREATE VIEW v_signals AS
SELECT seq,
  strftime('%Y-%m-%d %H:%M:%S', (opened + opened_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN opened_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(opened_offset) / 4, abs(opened_offset) % 4 * 15) AS opened,
  strftime('%Y-%m-%d %H:%M:%S', (closed + closed_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN closed_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(closed_offset) / 4, abs(closed_offset) % 4 * 15) AS closed,
  closed_by, severity, rule_name AS rule, camera.name AS camera, place_name AS place, vessel, text,
  CASE told WHEN 1 THEN 'yes' ELSE 'no, within the cooldown' END AS told,
  measured, threshold, unit, kind, rule AS rule_id, place AS place_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', since / 1000.0, 'unixepoch') AS since_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', opened / 1000.0, 'unixepoch') AS opened_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', closed / 1000.0, 'unixepoch') AS closed_utc, signal.id AS id, start
FROM signal JOIN camera ON camera.id = signal.camera;

-- Every step in the life of every signal.
CREATE VIEW v_signal_steps AS
SELECT signal_step.id AS id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  phase, severity, rule_name AS rule, rule AS rule_id, camera.name AS camera, vessel, signal_step.text AS text, told,
  signal_step.measured AS measured, unit, x0, y0, x1, y1,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, signal.seq AS signal, start
FROM signal_step JOIN signal ON signal.seq = signal_step.signal JOIN camera ON camera.id = signal.camera;

-- Everything staff were told, and whether the broker confirmed it.
CREATE VIEW v_alerts AS
SELECT alert.seq AS seq,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END 
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  phase, severity, rule_name AS rule, rule AS rule_id, camera.name AS camera, vessel, text,
  CASE WHEN delivered IS NOT NULL THEN 'delivered' WHEN expired IS NOT NULL THEN 'expired'
    ELSE 'waiting' END AS delivery,
  strftime('%Y-%m-%d %H:%M:%S', (delivered + delivered_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN delivered_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(delivered_offset) / 4, abs(delivered_offset) % 4 * 15) AS delivered,
  attempts, length(picture) AS picture_bytes, topic,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, alert.id AS id, alert.signal AS signal,
  alert.start AS start
FROM alert JOIN signal ON signal.seq = alert.signal JOIN camera ON camera.id = signal.camera;

-- Every change of every camera's state. A camera is blind from any other state until the next 'streaming'.
CREATE VIEW v_camera_state AS
SELECT
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END 
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  camera.name AS camera, state, reason, retries,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, camera_state.id AS id, start
FROM camera_state JOIN camera ON camera.id = camera_state.camera;
