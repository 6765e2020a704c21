-- The views of the logbook: what people, exports and other programs read. A column is added or changed here and nowhere
-- else: Havenwacht creates the views anew when it opens a logbook whose views differ from this file.
--
-- Two macros are replaced by plain SQL before the text is executed (views.rs), so that any sqlite3 can read the views:
--   LOCAL_TIME(at, utc_offset)  2026-06-01 22:13:00 +02:00
--   UTC_TIME(at)                2026-06-01T20:13:00.000Z

-- Starts of the daemon, of replays and of other writers, oldest first. ending: whether it stopped in order.
CREATE VIEW v_starts AS
SELECT start.id AS start, LOCAL_TIME(at, utc_offset) AS local_time, mode, version, time_zone, config_hash, model_hash,
  CASE WHEN ended IS NOT NULL THEN 'stopped'
       WHEN start.id = (SELECT max(id) FROM start) THEN 'running or cut off' ELSE 'cut off' END AS ending,
  UTC_TIME(at) AS utc, UTC_TIME(ended) AS ended_utc
FROM start;

-- Every detection: when, where, what, with which confidence, as which vessel (empty: not yet a track).
CREATE VIEW v_detections AS
SELECT LOCAL_TIME(pass.at, utc_offset) AS local_time, camera.name AS camera, vessel,
  CASE class WHEN 0 THEN 'vessel' WHEN 1 THEN 'person' ELSE 'class ' || class END AS class,
  confidence / 1000.0 AS confidence, x, y, width, height, frame, frame_width, frame_height,
  UTC_TIME(pass.at) AS utc, pass.start AS start, pass.id AS pass, detection.id AS detection
FROM detection JOIN pass ON pass.id = detection.id >> 8 JOIN camera ON camera.id = pass.camera;

-- Every track of a vessel. Box: where the vessel was seen last.
CREATE VIEW v_tracks AS
SELECT vessel, camera.name AS camera, LOCAL_TIME(first_seen, first_offset) AS first_seen,
  LOCAL_TIME(last_seen, last_offset) AS last_seen, (last_seen - first_seen) / 1000.0 AS seconds, detections, state,
  x, y, width, height, UTC_TIME(first_seen) AS first_seen_utc, UTC_TIME(last_seen) AS last_seen_utc, start
FROM track JOIN camera ON camera.id = track.camera;

-- The path of each vessel: every box of its track. Ask for one vessel (WHERE vessel = 7).
CREATE VIEW v_paths AS
SELECT track.vessel AS vessel, LOCAL_TIME(pass.at, pass.utc_offset) AS local_time, camera.name AS camera,
  confidence / 1000.0 AS confidence,
  detection.x AS x, detection.y AS y, detection.width AS width, detection.height AS height,
  frame, frame_width, frame_height, UTC_TIME(pass.at) AS utc, detection.id AS detection
FROM track
  CROSS JOIN detection ON detection.id BETWEEN track.first_pass << 8
    AND iif(track.state = 'open', 9223372036854775807, (track.last_pass << 8) + 255)
    AND detection.vessel = track.vessel
  CROSS JOIN pass ON pass.id = detection.id >> 8
  JOIN camera ON camera.id = pass.camera;

-- Every signal, as it stands. notified: whether it was sent to staff. acknowledged: the last verdict, and who gave it.
CREATE VIEW v_signals AS
SELECT seq, LOCAL_TIME(opened, opened_offset) AS opened, LOCAL_TIME(closed, closed_offset) AS closed,
  closed_by, severity, rule_name AS rule, camera.name AS camera, place_name AS place, nullif(vessel, 0) AS vessel, text,
  CASE notified WHEN 1 THEN 'yes' ELSE 'no, within the cooldown' END AS notified,
  (SELECT verdict || ' by ' || by FROM acknowledgement WHERE signal = seq ORDER BY id DESC LIMIT 1) AS acknowledged,
  condition, measured, threshold, margin, unit, schedule,
  CASE kind WHEN 'silence' THEN 'inactivity' ELSE kind END AS kind, rule AS rule_id, place AS place_id,
  UTC_TIME(since) AS since_utc, UTC_TIME(opened) AS opened_utc, UTC_TIME(closed) AS closed_utc,
  signal.id AS id, start, config_hash
FROM signal JOIN camera ON camera.id = signal.camera JOIN start ON start.id = signal.start;

-- Every step in the life of every signal.
CREATE VIEW v_signal_steps AS
SELECT signal_step.id AS id, LOCAL_TIME(at, utc_offset) AS local_time,
  phase, signal_step.severity AS severity, rule_name AS rule, rule AS rule_id, camera.name AS camera,
  nullif(vessel, 0) AS vessel, signal_step.text AS text, notified, signal_step.measured AS measured, unit,
  x0, y0, x1, y1, UTC_TIME(at) AS utc, signal.seq AS signal, start
FROM signal_step JOIN signal ON signal.seq = signal_step.signal JOIN camera ON camera.id = signal.camera;

-- Every alert, and whether the broker confirmed it. severity: as it was sent.
CREATE VIEW v_alerts AS
SELECT alert.seq AS seq, LOCAL_TIME(at, utc_offset) AS local_time,
  phase, coalesce(iif(json_valid(payload), payload ->> 'severity', NULL), severity) AS severity, rule_name AS rule, rule AS rule_id,
  camera.name AS camera, nullif(vessel, 0) AS vessel, text,
  CASE WHEN delivered IS NOT NULL THEN 'delivered' WHEN expired IS NOT NULL THEN 'expired'
    ELSE 'waiting' END AS delivery,
  LOCAL_TIME(delivered, delivered_offset) AS delivered, attempts, length(picture) AS picture_bytes, topic,
  UTC_TIME(at) AS utc, alert.id AS id, alert.signal AS signal, alert.start AS start
FROM alert JOIN signal ON signal.seq = alert.signal JOIN camera ON camera.id = signal.camera;

-- Every acknowledgement of a signal by staff.
CREATE VIEW v_acknowledgements AS
SELECT acknowledgement.id AS id, LOCAL_TIME(at, utc_offset) AS local_time,
  by, verdict, note, rule_name AS rule, rule AS rule_id, camera.name AS camera, nullif(vessel, 0) AS vessel, text,
  round((at - opened) / 1000.0, 1) AS seconds_after_opening,
  UTC_TIME(at) AS utc, signal.seq AS signal, signal.id AS signal_id, start
FROM acknowledgement JOIN signal ON signal.seq = acknowledgement.signal JOIN camera ON camera.id = signal.camera;

-- Every rule whose condition held and that sent nothing, and why. times: detection passes from first to last.
CREATE VIEW v_suppressed AS
SELECT suppressed.id AS id, LOCAL_TIME(first, first_offset) AS first, LOCAL_TIME(last, last_offset) AS last,
  times, rule, camera.name AS camera, nullif(vessel, 0) AS vessel, reason, text,
  condition, measured, threshold, margin, unit, schedule,
  UTC_TIME(first) AS first_utc, UTC_TIME(last) AS last_utc, start, config_hash
FROM suppressed JOIN camera ON camera.id = suppressed.camera JOIN start ON start.id = suppressed.start;

-- Every stay at a berth. ended: empty while it lasts, also over restarts.
CREATE VIEW v_visits AS
SELECT seq, LOCAL_TIME(began, began_offset) AS began, LOCAL_TIME(last_seen, last_offset) AS last_seen,
  LOCAL_TIME(ended, ended_offset) AS ended, how, camera.name AS camera, berth, vessel,
  CASE arrived WHEN 1 THEN 'seen to arrive' ELSE 'lay there already' END AS arrival,
  round((ifnull(ended, last_seen) - began) / 3600000.0, 2) AS hours, round(length_m, 1) AS length_m,
  round(x0, 4) AS x0, round(y0, 4) AS y0, round(x1, 4) AS x1, round(y1, 4) AS y1,
  UTC_TIME(began) AS began_utc, UTC_TIME(last_seen) AS last_seen_utc, UTC_TIME(ended) AS ended_utc,
  visit.id AS id, start
FROM visit JOIN camera ON camera.id = visit.camera;

-- Arrivals and departures. event: arrived, found (already there when it was first seen), departed, replaced (another
-- vessel lies in its place), vanished (its place was seen empty for long).
CREATE VIEW v_visit_steps AS
SELECT visit_step.id AS id, LOCAL_TIME(at, utc_offset) AS local_time,
  CASE WHEN step = 'ended' THEN how WHEN arrived THEN 'arrived' ELSE 'found' END AS event,
  camera.name AS camera, berth, visit_step.vessel AS vessel, UTC_TIME(at) AS utc, visit_step.visit AS visit
FROM visit_step JOIN visit ON visit.seq = visit_step.visit JOIN camera ON camera.id = visit.camera;

-- Every change of every camera's state. A camera gives no pictures from any other state until the next 'streaming'.
CREATE VIEW v_camera_state AS
SELECT LOCAL_TIME(at, utc_offset) AS local_time, camera.name AS camera, state, reason, retries,
  UTC_TIME(at) AS utc, camera_state.id AS id, start
FROM camera_state JOIN camera ON camera.id = camera_state.camera;

-- Every time in which a camera gave no usable picture. ended: empty while it lasts. Words of earlier versions are shown
-- as today's.
CREATE VIEW v_camera_outages AS
SELECT seq, LOCAL_TIME(began, began_offset) AS began, LOCAL_TIME(ended, ended_offset) AS ended, camera.name AS camera,
  CASE cause WHEN 'away' THEN 'signal loss' WHEN 'washed out' THEN 'overexposed' WHEN 'fog' THEN 'low contrast'
    WHEN 'out of focus' THEN 'defocused' WHEN 'moved' THEN 'scene change' WHEN 'slow' THEN 'low frame rate'
    ELSE cause END AS cause,
  CASE ended_by WHEN 'seen' THEN 'recovered' ELSE ended_by END AS ended_by,
  text, round((ended - began) / 1000.0, 1) AS seconds, measured, threshold, unit,
  UTC_TIME(began) AS began_utc, UTC_TIME(ended) AS ended_utc, camera_outage.id AS id, start, end_seq
FROM camera_outage JOIN camera ON camera.id = camera_outage.camera;

-- What the machine's clocks said at each start and at each change. later_steps_s: how far the wall clock was put forward
-- after this reading, up to the next boot; the sum of a row's time and this is what the corrected clock would have said.
-- true_utc: that sum, for this reading.
CREATE VIEW v_clock AS
SELECT id, LOCAL_TIME(at, utc_offset) AS local_time, reason, iif(at < 1735689600000, 'no', 'yes') AS clock_set,
  CASE synchronised WHEN 1 THEN 'yes' WHEN 0 THEN 'no' ELSE 'unknown' END AS synchronised,
  stepped_ms / 1000.0 AS stepped_s, later_ms / 1000.0 AS later_steps_s, round(boot_ms / 1000.0, 3) AS seconds_since_boot,
  boot, UTC_TIME(at) AS utc, strftime('%Y-%m-%dT%H:%M:%fZ', (at + later_ms) / 1000.0, 'unixepoch') AS true_utc, start
FROM (
  SELECT *, ifnull(sum(stepped_ms) OVER (PARTITION BY iif(boot = '', start, boot) ORDER BY id
    ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0) AS later_ms
  FROM clock_reading
);

-- What was removed from the logbook on purpose, or lost by damage: which rows of which table, and why.
CREATE VIEW v_receipts AS
SELECT id, LOCAL_TIME(at, utc_offset) AS local_time, act,
  CASE kind WHEN 'look' THEN 'pass' WHEN 'blind_spell' THEN 'camera_outage' ELSE kind END AS kind, rows, why,
  CASE WHEN done IS NULL THEN 'going' ELSE 'gone' END AS state, ids, UTC_TIME(at) AS utc, start
FROM receipt;

-- The hash chain, in hexadecimal. kind: as it was hashed; links of earlier versions say blind_spell for camera_outage.
CREATE VIEW v_chain AS
SELECT seq, kind, subject, lower(hex(digest)) AS digest, lower(hex(hash)) AS hash, lower(hex(signature)) AS signature
FROM link;
