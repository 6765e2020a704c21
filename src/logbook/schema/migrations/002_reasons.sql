-- Reasons, silences, visits and answers.

-- Built anew below, with the new columns.
DROP VIEW v_starts;
DROP VIEW v_signals;
DROP VIEW v_signal_steps;
DROP VIEW v_alerts;

-- Why the rule decided as it did; the hash of the site file is in `start`. Empty in signals of an earlier version.
-- severity: as it stands, so that of the last step. vessel: 0 where the rule is about a place.
ALTER TABLE signal ADD COLUMN condition TEXT NOT NULL DEFAULT '';
ALTER TABLE signal ADD COLUMN margin REAL NOT NULL DEFAULT 0;
ALTER TABLE signal ADD COLUMN schedule TEXT NOT NULL DEFAULT '';

-- Every step in a signal's life, in order. Box: fractions of the frame.
CREATE TABLE signal_step_new (
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

INSERT INTO signal_step_new (id, signal, phase, severity, at, utc_offset, measured, text, x0, y0, x1, y1)
SELECT signal_step.id, signal, phase, severity, at, utc_offset, signal_step.measured, signal_step.text, x0, y0, x1, y1
FROM signal_step JOIN signal ON signal.seq = signal_step.signal ORDER BY signal_step.id;

DROP TABLE signal_step;
ALTER TABLE signal_step_new RENAME TO signal_step;
CREATE INDEX signal_step_signal ON signal_step (signal);

-- A rule that held and kept silent: one row per start, camera, rule, vessel and reason. `times` looks from first to last;
-- the facts and the text are those of the last. vessel: 0 where the rule is about a place.
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

CREATE INDEX suppressed_vessel ON suppressed (vessel);

-- A vessel's stay at a berth, as it stands; it outlives starts. vessel: the number under which it was last followed.
-- arrived = 0: it lay there when it was first seen. Box: fractions of the frame.
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

CREATE INDEX visit_open ON visit (seq) WHERE ended IS NULL;
CREATE INDEX visit_ended ON visit (ended);
CREATE INDEX visit_vessel ON visit (vessel);

-- Beginnings and ends of visits, in the order in which they became known.
CREATE TABLE visit_step (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  visit INTEGER NOT NULL REFERENCES visit ON DELETE CASCADE,
  step TEXT NOT NULL CHECK (step IN ('began', 'ended')),
  vessel INTEGER NOT NULL,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL
) STRICT;

CREATE INDEX visit_step_visit ON visit_step (visit);
CREATE INDEX visit_step_vessel ON visit_step (vessel);

-- What staff answered to a signal. The broker may bring an answer twice; it is kept once.
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

-- Starts, oldest first; `ending` tells a clean stop from a cut.
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

-- Every signal, told to staff or not, as it stands.
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

-- Every step in the life of every signal.
CREATE VIEW v_signal_steps AS
SELECT signal_step.id AS id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  phase, signal_step.severity AS severity, rule_name AS rule, rule AS rule_id, camera.name AS camera,
  nullif(vessel, 0) AS vessel, signal_step.text AS text, told, signal_step.measured AS measured, unit, x0, y0, x1, y1,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, signal.seq AS signal, start
FROM signal_step JOIN signal ON signal.seq = signal_step.signal JOIN camera ON camera.id = signal.camera;

-- Everything staff were told, and whether the broker confirmed it. severity: as they were told it.
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

-- Every silence: a rule that held and was not told, and why. times: so many looks from first to last.
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

-- Every stay at a berth. ended is empty while it lasts, also over restarts.
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

-- Arrivals and departures. event: arrived, found (it lay there when it was first seen), departed, replaced (another lies
-- in its place), vanished (its place was seen empty for long).
CREATE VIEW v_visit_steps AS
SELECT visit_step.id AS id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  CASE WHEN step = 'ended' THEN how WHEN arrived THEN 'arrived' ELSE 'found' END AS event,
  camera.name AS camera, berth, visit_step.vessel AS vessel,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, visit_step.visit AS visit
FROM visit_step JOIN visit ON visit.seq = visit_step.visit JOIN camera ON camera.id = visit.camera;

-- Every answer of the staff to a signal.
CREATE VIEW v_acknowledgements AS
SELECT acknowledgement.id AS id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  by, answer, note, rule_name AS rule, rule AS rule_id, camera.name AS camera, nullif(vessel, 0) AS vessel, text,
  round((at - opened) / 1000.0, 1) AS seconds_after_opening,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, signal.seq AS signal, signal.id AS signal_id, start
FROM acknowledgement JOIN signal ON signal.seq = acknowledgement.signal JOIN camera ON camera.id = signal.camera;
