-- A logbook of schema version 2 as it was left behind by a watch that was cut off. Frozen: never changed.
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA foreign_keys = OFF;
PRAGMA application_id = 1212241495;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE acknowledgement (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  signal INTEGER NOT NULL REFERENCES signal ON DELETE CASCADE,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  by TEXT NOT NULL,
  answer TEXT NOT NULL CHECK (answer IN ('acknowledged', 'false alarm')),
  note TEXT NOT NULL,
  UNIQUE (signal, by, answer, note)
) STRICT;
INSERT INTO "acknowledgement" VALUES(1,1,7000,8,'desk 2','false alarm','the patrol boat');
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
INSERT INTO "alert" VALUES(1,'a',1,1,'opened',2000,8,'havenwacht/s/alert/quay-east/night-passage','{"severity":"alert"}',NULL,0,NULL,NULL,NULL);
INSERT INTO "alert" VALUES(2,'b',1,2,'opened',2500,8,'havenwacht/s/alert/quay-east/night-passage','not an object',X'FFD8FFD9',0,NULL,NULL,NULL);
CREATE TABLE camera (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "camera" VALUES(1,'quay-east');
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
INSERT INTO "camera_state" VALUES(1,1,1,1000,8,'streaming','',0);
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
INSERT INTO "detection" VALUES(256,7,0,813,1,2,3,4);
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
INSERT INTO "look" VALUES(1,1,1,1500,8,3,1920,1080);
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
, condition TEXT NOT NULL DEFAULT '', margin REAL NOT NULL DEFAULT 0, schedule TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "signal" VALUES(1,'00000000-0000-0000-0000-000000000001',1,1,'night-passage','Night passage','presence','basin','Basin','alert',7,1,1000,8,2000,8,9000,8,'rule',1.5,1.0,'s','vessel 7 entered','',0.0,'');
INSERT INTO "signal" VALUES(2,'00000000-0000-0000-0000-000000000002',1,1,'night-passage','Night passage','presence','basin','Basin','warning',8,1,1000,8,2500,8,NULL,NULL,NULL,1.5,1.0,'s','vessel 8 entered','',0.0,'');
INSERT INTO "signal" VALUES(3,'00000000-0000-0000-0000-000000000003',1,1,'night-passage','Night passage','presence','basin','Basin','info',7,0,9500,8,9900,8,9950,8,'rule',1.5,1.0,'s','vessel 7 entered','a vessel is in Basin for 1s',0.5,'every day');
CREATE TABLE "signal_step" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  signal INTEGER NOT NULL REFERENCES signal ON DELETE CASCADE,
  phase TEXT NOT NULL CHECK (phase IN ('opened', 'updated', 'escalated', 'closed')),
  severity TEXT NOT NULL,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  measured REAL NOT NULL,
  text TEXT NOT NULL,
  x0 REAL NOT NULL,
  y0 REAL NOT NULL,
  x1 REAL NOT NULL,
  y1 REAL NOT NULL
) STRICT;
INSERT INTO "signal_step" VALUES(1,1,'opened','alert',2000,8,1.5,'vessel 7 entered',0.1,0.2,0.3,0.4);
INSERT INTO "signal_step" VALUES(2,2,'opened','warning',2500,8,1.5,'vessel 8 entered',0.1,0.2,0.3,0.4);
INSERT INTO "signal_step" VALUES(4,2,'updated','warning',3000,8,2.5,'vessel 8 entered',0.1,0.2,0.3,0.5);
INSERT INTO "signal_step" VALUES(5,1,'closed','alert',9000,8,2.5,'vessel 7 entered',0.1,0.2,0.3,0.4);
INSERT INTO "signal_step" VALUES(6,3,'opened','info',9900,8,1.5,'vessel 7 entered',0.1,0.2,0.3,0.4);
INSERT INTO "signal_step" VALUES(7,3,'closed','info',9950,8,1.5,'vessel 7 entered',0.1,0.2,0.3,0.4);
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
INSERT INTO "start" VALUES(1,1000,8,'run','0.1.0','c0','f0','Europe/Amsterdam',1,NULL);
CREATE TABLE suppressed (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  rule TEXT NOT NULL,
  vessel INTEGER NOT NULL,
  reason TEXT NOT NULL,
  first INTEGER NOT NULL,
  first_offset INTEGER NOT NULL,
  last INTEGER NOT NULL,
  last_offset INTEGER NOT NULL,
  times INTEGER NOT NULL,
  condition TEXT NOT NULL,
  measured REAL NOT NULL,
  threshold REAL NOT NULL,
  margin REAL NOT NULL,
  unit TEXT NOT NULL,
  schedule TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (start, camera, rule, vessel, reason)
) STRICT;
INSERT INTO "suppressed" VALUES(1,1,1,'night-passage',9,'outside schedule',4000,8,5000,8,4,'a vessel is in Basin for 1s',1.5,1.0,0.0,'s','every day 21:30 to 05:30 the next day','vessel 9 is in Basin; live again at 21:30');
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
CREATE TABLE visit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  berth TEXT NOT NULL,
  vessel INTEGER NOT NULL,
  began INTEGER NOT NULL,
  began_offset INTEGER NOT NULL,
  arrived INTEGER NOT NULL CHECK (arrived IN (0, 1)),
  last_seen INTEGER NOT NULL,
  last_offset INTEGER NOT NULL,
  x0 REAL NOT NULL,
  y0 REAL NOT NULL,
  x1 REAL NOT NULL,
  y1 REAL NOT NULL,
  length_m REAL,
  ended INTEGER,
  ended_offset INTEGER,
  how TEXT CHECK (how IN ('departed', 'replaced', 'vanished')),
  CHECK ((ended IS NULL) = (how IS NULL))
) STRICT;
INSERT INTO "visit" VALUES(1,'00000000-0000-0000-0000-0000000000a1',1,1,'berth-3',11,1500,8,1,6000,8,0.1,0.2,0.3,0.4,12.5,6000,8,'departed');
INSERT INTO "visit" VALUES(2,'00000000-0000-0000-0000-0000000000a2',1,1,'berth-4',12,1600,8,0,6100,8,0.5,0.2,0.7,0.4,NULL,NULL,NULL,NULL);
CREATE TABLE visit_step (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  visit INTEGER NOT NULL REFERENCES visit ON DELETE CASCADE,
  step TEXT NOT NULL CHECK (step IN ('began', 'ended')),
  vessel INTEGER NOT NULL,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL
) STRICT;
INSERT INTO "visit_step" VALUES(1,1,'began',11,1500,8);
INSERT INTO "visit_step" VALUES(2,2,'began',12,1600,8);
INSERT INTO "visit_step" VALUES(3,1,'ended',11,6000,8);
CREATE INDEX track_open ON track (vessel) WHERE state = 'open';
CREATE INDEX signal_open ON signal (seq) WHERE closed IS NULL;
CREATE INDEX signal_vessel ON signal (vessel);
CREATE INDEX alert_undelivered ON alert (seq) WHERE delivered IS NULL AND expired IS NULL;
CREATE INDEX alert_signal ON alert (signal);
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
CREATE VIEW v_camera_state AS
SELECT
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END 
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  camera.name AS camera, state, reason, retries,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, camera_state.id AS id, start
FROM camera_state JOIN camera ON camera.id = camera_state.camera;
CREATE INDEX signal_step_signal ON signal_step (signal);
CREATE INDEX suppressed_vessel ON suppressed (vessel);
CREATE INDEX visit_open ON visit (seq) WHERE ended IS NULL;
CREATE INDEX visit_ended ON visit (ended);
CREATE INDEX visit_vessel ON visit (vessel);
CREATE INDEX visit_step_visit ON visit_step (visit);
CREATE INDEX visit_step_vessel ON visit_step (vessel);
CREATE VIEW v_starts AS
SELECT start.id AS start,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  mode, version, time_zone, config_hash, model_hash,
  CASE WHEN ended IS NOT NULL THEN 'stopped'
       WHEN start.id = (SELECT max(id) FROM start) THEN 'running or cut off' ELSE 'cut off' END AS ending,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended / 1000.0, 'unixepoch') AS ended_utc
FROM start;
CREATE VIEW v_signals AS
SELECT seq,
  strftime('%Y-%m-%d %H:%M:%S', (opened + opened_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN opened_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(opened_offset) / 4, abs(opened_offset) % 4 * 15) AS opened,
  strftime('%Y-%m-%d %H:%M:%S', (closed + closed_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN closed_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(closed_offset) / 4, abs(closed_offset) % 4 * 15) AS closed,
  closed_by, severity, rule_name AS rule, camera.name AS camera, place_name AS place, nullif(vessel, 0) AS vessel, text,
  CASE told WHEN 1 THEN 'yes' ELSE 'no, within the cooldown' END AS told,
  (SELECT answer || ' by ' || by FROM acknowledgement WHERE signal = seq ORDER BY id DESC LIMIT 1) AS answer,
  condition, measured, threshold, margin, unit, schedule, kind, rule AS rule_id, place AS place_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', since / 1000.0, 'unixepoch') AS since_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', opened / 1000.0, 'unixepoch') AS opened_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', closed / 1000.0, 'unixepoch') AS closed_utc, signal.id AS id, start, config_hash
FROM signal JOIN camera ON camera.id = signal.camera JOIN start ON start.id = signal.start;
CREATE VIEW v_signal_steps AS
SELECT signal_step.id AS id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  phase, signal_step.severity AS severity, rule_name AS rule, rule AS rule_id, camera.name AS camera,
  nullif(vessel, 0) AS vessel, signal_step.text AS text, told, signal_step.measured AS measured, unit, x0, y0, x1, y1,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, signal.seq AS signal, start
FROM signal_step JOIN signal ON signal.seq = signal_step.signal JOIN camera ON camera.id = signal.camera;
CREATE VIEW v_alerts AS
SELECT alert.seq AS seq,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  phase, coalesce(payload ->> 'severity', severity) AS severity, rule_name AS rule, rule AS rule_id,
  camera.name AS camera, nullif(vessel, 0) AS vessel, text,
  CASE WHEN delivered IS NOT NULL THEN 'delivered' WHEN expired IS NOT NULL THEN 'expired'
    ELSE 'waiting' END AS delivery,
  strftime('%Y-%m-%d %H:%M:%S', (delivered + delivered_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN delivered_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(delivered_offset) / 4, abs(delivered_offset) % 4 * 15) AS delivered,
  attempts, length(picture) AS picture_bytes, topic,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, alert.id AS id, alert.signal AS signal,
  alert.start AS start
FROM alert JOIN signal ON signal.seq = alert.signal JOIN camera ON camera.id = signal.camera;
CREATE VIEW v_suppressed AS
SELECT suppressed.id AS id,
  strftime('%Y-%m-%d %H:%M:%S', (first + first_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN first_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(first_offset) / 4, abs(first_offset) % 4 * 15) AS first,
  strftime('%Y-%m-%d %H:%M:%S', (last + last_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN last_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(last_offset) / 4, abs(last_offset) % 4 * 15) AS last,
  times, rule, camera.name AS camera, nullif(vessel, 0) AS vessel, reason, text,
  condition, measured, threshold, margin, unit, schedule,
  strftime('%Y-%m-%dT%H:%M:%fZ', first / 1000.0, 'unixepoch') AS first_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', last / 1000.0, 'unixepoch') AS last_utc, start, config_hash
FROM suppressed JOIN camera ON camera.id = suppressed.camera JOIN start ON start.id = suppressed.start;
CREATE VIEW v_visits AS
SELECT seq,
  strftime('%Y-%m-%d %H:%M:%S', (began + began_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN began_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(began_offset) / 4, abs(began_offset) % 4 * 15) AS began,
  strftime('%Y-%m-%d %H:%M:%S', (last_seen + last_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN last_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(last_offset) / 4, abs(last_offset) % 4 * 15) AS last_seen,
  strftime('%Y-%m-%d %H:%M:%S', (ended + ended_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN ended_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(ended_offset) / 4, abs(ended_offset) % 4 * 15) AS ended,
  how, camera.name AS camera, berth, vessel,
  CASE arrived WHEN 1 THEN 'seen to arrive' ELSE 'lay there already' END AS arrival,
  round((ifnull(ended, last_seen) - began) / 3600000.0, 2) AS hours, round(length_m, 1) AS length_m,
  round(x0, 4) AS x0, round(y0, 4) AS y0, round(x1, 4) AS x1, round(y1, 4) AS y1,
  strftime('%Y-%m-%dT%H:%M:%fZ', began / 1000.0, 'unixepoch') AS began_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', last_seen / 1000.0, 'unixepoch') AS last_seen_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended / 1000.0, 'unixepoch') AS ended_utc, visit.id AS id, start
FROM visit JOIN camera ON camera.id = visit.camera;
CREATE VIEW v_visit_steps AS
SELECT visit_step.id AS id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  CASE WHEN step = 'ended' THEN how WHEN arrived THEN 'arrived' ELSE 'found' END AS event,
  camera.name AS camera, berth, visit_step.vessel AS vessel,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, visit_step.visit AS visit
FROM visit_step JOIN visit ON visit.seq = visit_step.visit JOIN camera ON camera.id = visit.camera;
CREATE VIEW v_acknowledgements AS
SELECT acknowledgement.id AS id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  by, answer, note, rule_name AS rule, rule AS rule_id, camera.name AS camera, nullif(vessel, 0) AS vessel, text,
  round((at - opened) / 1000.0, 1) AS seconds_after_opening,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, signal.seq AS signal, signal.id AS signal_id, start
FROM acknowledgement JOIN signal ON signal.seq = acknowledgement.signal JOIN camera ON camera.id = signal.camera;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('signal',3);
INSERT INTO "sqlite_sequence" VALUES('alert',2);
INSERT INTO "sqlite_sequence" VALUES('camera_state',1);
INSERT INTO "sqlite_sequence" VALUES('signal_step',7);
INSERT INTO "sqlite_sequence" VALUES('suppressed',1);
INSERT INTO "sqlite_sequence" VALUES('visit',2);
INSERT INTO "sqlite_sequence" VALUES('visit_step',3);
INSERT INTO "sqlite_sequence" VALUES('acknowledgement',1);
COMMIT;
