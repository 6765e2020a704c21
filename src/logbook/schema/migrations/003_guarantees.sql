-- Blind spells, clock readings, and what makes the logbook provable: links, seals, receipts.

-- Time in which a camera gave no usable picture. ended is empty while it lasts. measured, threshold and unit: what the
-- cause was found by, empty where the camera sent nothing. What is written at its beginning never changes; ended,
-- ended_offset, ended_by and end_seq (ends count on from 1 in the order in which they were written) are written once.
CREATE TABLE blind_spell (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  start INTEGER NOT NULL REFERENCES start,
  camera INTEGER NOT NULL REFERENCES camera,
  cause TEXT NOT NULL
    CHECK (cause IN ('away', 'frozen', 'black', 'washed out', 'fog', 'out of focus', 'moved', 'slow')),
  began INTEGER NOT NULL,
  began_offset INTEGER NOT NULL,
  measured REAL,
  threshold REAL,
  unit TEXT NOT NULL,
  text TEXT NOT NULL,
  ended INTEGER,
  ended_offset INTEGER,
  ended_by TEXT CHECK (ended_by IN ('seen', 'another cause', 'restart', 'stop')),
  end_seq INTEGER UNIQUE,
  CHECK ((ended IS NULL) = (ended_by IS NULL)),
  CHECK ((ended IS NULL) = (end_seq IS NULL))
) STRICT;

CREATE INDEX blind_spell_open ON blind_spell (seq) WHERE ended IS NULL;

-- What the machine's clocks said at each start and when they no longer ran together. boot: which boot it was (empty: not
-- known). boot_ms: time since boot, which never steps. synchronised: whether the system says a time server set the clock
-- (empty: it does not say). stepped_ms: by how much the wall clock has been put forward since the reading before of this
-- boot.
CREATE TABLE clock_reading (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  start INTEGER NOT NULL REFERENCES start,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  boot TEXT NOT NULL,
  boot_ms INTEGER NOT NULL,
  synchronised INTEGER CHECK (synchronised IN (0, 1)),
  stepped_ms INTEGER NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('start', 'stepped', 'synchronised', 'synchronisation lost'))
) STRICT;

-- The digest of a picture stays when the picture goes.
ALTER TABLE alert ADD COLUMN picture_digest BLOB;
CREATE INDEX alert_picture ON alert (seq) WHERE picture IS NOT NULL;

-- Detections are sealed by the stretch: SHA-256 over every look of first_look to last_look and its detections.
CREATE TABLE seal (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  start INTEGER NOT NULL REFERENCES start,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  first_look INTEGER NOT NULL,
  last_look INTEGER NOT NULL,
  looks INTEGER NOT NULL,
  detections INTEGER NOT NULL,
  digest BLOB NOT NULL
) STRICT;

-- Rows that are going or gone, on purpose: written before the first of them goes. ids: ranges, such as 1-40,42. done is
-- empty while some may still be there. kind: the table; picture: only the pictures of these alerts. act 'damaged': the file
-- was damaged and these rows could not be read; kind 'logbook' says that another file took its place.
CREATE TABLE receipt (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  start INTEGER NOT NULL REFERENCES start,
  at INTEGER NOT NULL,
  utc_offset INTEGER NOT NULL,
  act TEXT NOT NULL CHECK (act IN ('age', 'size', 'disk full', 'erased', 'damaged')),
  kind TEXT NOT NULL,
  ids TEXT NOT NULL,
  rows INTEGER NOT NULL,
  why TEXT NOT NULL,
  done INTEGER
) STRICT;

CREATE INDEX receipt_open ON receipt (id) WHERE done IS NULL;

-- The chain: one link an event, in order of commit. digest: SHA-256 of the row's contents that never change.
-- hash: SHA-256 of the hash before, seq, kind, subject and digest. signature: Ed25519 over the hash, where there is a key.
CREATE TABLE link (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  subject INTEGER NOT NULL,
  digest BLOB NOT NULL,
  hash BLOB NOT NULL,
  signature BLOB,
  UNIQUE (kind, subject)
) STRICT;

-- Every stretch of time in which a camera gave no usable picture. ended is empty while it lasts.
CREATE VIEW v_blind_spells AS
SELECT seq,
  strftime('%Y-%m-%d %H:%M:%S', (began + began_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN began_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(began_offset) / 4, abs(began_offset) % 4 * 15) AS began,
  strftime('%Y-%m-%d %H:%M:%S', (ended + ended_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN ended_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(ended_offset) / 4, abs(ended_offset) % 4 * 15) AS ended,
  camera.name AS camera, cause, ended_by, text, round((ended - began) / 1000.0, 1) AS seconds, measured, threshold, unit,
  strftime('%Y-%m-%dT%H:%M:%fZ', began / 1000.0, 'unixepoch') AS began_utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended / 1000.0, 'unixepoch') AS ended_utc, blind_spell.id AS id, start, end_seq
FROM blind_spell JOIN camera ON camera.id = blind_spell.camera;

-- What the clocks said, at each start and when something was wrong with them. later_steps_s: what the wall clock was put
-- forward by after this reading and before the next boot; add it to the times of rows from here to the next reading, and
-- they are what the clock that was set last would have said. true_utc: that, for this reading.
CREATE VIEW v_clock AS
SELECT id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  reason, iif(at < 1735689600000, 'no', 'yes') AS clock_set,
  CASE synchronised WHEN 1 THEN 'yes' WHEN 0 THEN 'no' ELSE 'unknown' END AS synchronised,
  stepped_ms / 1000.0 AS stepped_s, later_ms / 1000.0 AS later_steps_s, round(boot_ms / 1000.0, 3) AS seconds_since_boot,
  boot, strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc,
  strftime('%Y-%m-%dT%H:%M:%fZ', (at + later_ms) / 1000.0, 'unixepoch') AS true_utc, start
FROM (
  SELECT *, ifnull(sum(stepped_ms) OVER (PARTITION BY iif(boot = '', start, boot) ORDER BY id
    ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0) AS later_ms
  FROM clock_reading
);

-- What was taken out of the logbook on purpose: how much of what, and why.
CREATE VIEW v_receipts AS
SELECT id,
  strftime('%Y-%m-%d %H:%M:%S', (at + utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(utc_offset) / 4, abs(utc_offset) % 4 * 15) AS local_time,
  act, kind, rows, why, CASE WHEN done IS NULL THEN 'going' ELSE 'gone' END AS state, ids,
  strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS utc, start
FROM receipt;

-- The chain, as text.
CREATE VIEW v_chain AS
SELECT seq, kind, subject, lower(hex(digest)) AS digest, lower(hex(hash)) AS hash, lower(hex(signature)) AS signature
FROM link;

-- The way of each vessel: every box that was taken for it. Ask for one vessel (where vessel = 7).
CREATE VIEW v_paths AS
SELECT track.vessel AS vessel,
  strftime('%Y-%m-%d %H:%M:%S', (look.at + look.utc_offset * 900000) / 1000.0, 'unixepoch')
    || CASE WHEN look.utc_offset < 0 THEN ' -' ELSE ' +' END
    || printf('%02d:%02d', abs(look.utc_offset) / 4, abs(look.utc_offset) % 4 * 15) AS local_time,
  camera.name AS camera, confidence / 1000.0 AS confidence,
  detection.x AS x, detection.y AS y, detection.width AS width, detection.height AS height,
  frame, frame_width, frame_height,
  strftime('%Y-%m-%dT%H:%M:%fZ', look.at / 1000.0, 'unixepoch') AS utc, detection.id AS detection
FROM track
  CROSS JOIN detection ON detection.id BETWEEN track.first_look << 8
    AND iif(track.state = 'open', 9223372036854775807, (track.last_look << 8) + 255)
    AND detection.vessel = track.vessel
  CROSS JOIN look ON look.id = detection.id >> 8
  JOIN camera ON camera.id = look.camera;

-- What v_signals calls opened_utc, so that a day is found among the signals of years.
CREATE INDEX signal_opened_utc ON signal (strftime('%Y-%m-%dT%H:%M:%fZ', opened / 1000.0, 'unixepoch'));
