//! Havenwacht ("harbour watch") is a daemon on a box at the quay. It pulls camera streams, finds and follows vessels,
//! flags movements that the harbour's own rules call suspicious, writes down everything it saw, and tells the staff.
//! It runs unattended, on two processor cores, without internet. This page is its architecture.
//!
//! # The way through the house
//!
//! ```text
//! camera --> ingest --> detect --> track --> rules --> logbook --> alerts --> broker
//!            frames     boxes      tracks    signals   (commit)    (outbox)
//!                                                         |
//!                                                         +--> review (page, metrics), cli, plain SQL
//! ```
//!
//! Data moves one way. Frames may be dropped, on purpose and counted; events may not. The logbook is the commit point:
//! nothing is told to anyone before it is on disk.
//!
//! # Rooms
//!
//! | room | holds | crates that live only there |
//! |---|---|---|
//! | [`cli`] | one file a subcommand: run, check, explain, demo, replay, eval, logbook | clap, indicatif |
//! | [`config`] | site file -> checked [`config::Site`]; diagnostics with file, line, key, help; places of secrets | toml, miette |
//! | [`clock`] | [`clock::Clock`]: boot-time monotonic and wall; real and simulated | nix |
//! | [`ids`] | identifiers with an alphabet that fits topics, files and SQL | |
//! | [`geometry`] | points, boxes, polygons, segments; pixel and normalised units | geo |
//! | [`frame`] | a decoded picture with its stamps; cheap to clone | |
//! | [`backoff`] | waits between tries; used by ingest and alerts | |
//! | [`ingest`] | a camera session: pipeline, states, stall watch, latest-wins slot; clips | gstreamer |
//! | [`regions`] | which parts of a frame are looked at next: the sweep, what is followed, the budget of runs | |
//! | [`detect`] | model manifest, preprocessing, one file a model head, NMS, merging of regions, motion cue, fair turns | ort, ndarray |
//! | [`track`] | motion model, association, life of a track | pathfinding |
//! | [`rules`] | schedules and the sun, conditions, life of a signal, the engine step | |
//! | [`camera_health`] | whether a camera sees: blind spells and their causes, from the small luma picture | |
//! | [`evidence`] | the picture of an event: crop, privacy masks, box, JPEG; whole pictures to label; stills read from files | image |
//! | [`logbook`] | schema, migrations, the writer, readers, outbox, retention | rusqlite |
//! | [`alerts`] | outbox relay, one MQTT session, topics, payloads, presence | rumqttc |
//! | [`web`] | the state of the watch as page, JSON and metrics | axum |
//! | [`daemon`] | wires the rooms: threads, shutdown order, heartbeats, systemd | sd-notify |
//! | [`telemetry`] | log lines to journal or stderr; metrics in Prometheus' form | tracing-subscriber, metrics |
//!
//! Which room may use which is written down, and held, in `tests/it/architecture.rs`. There are four traits, each at a
//! seam that tests replace: [`ingest::FrameSource`], [`detect::Detector`], [`alerts::Transport`], [`clock::Clock`].
//!
//! # Threads
//!
//! A camera thread takes decoded frames, unconverted, from its pipeline and puts each in the camera's slot, where a
//! newer frame replaces an older one. **One** detector thread takes frames in fair turns and owns the model; tracking
//! and rules run right behind detection, with no queue in between ([`daemon::Watch`]). **One** logbook thread commits
//! in groups. tokio carries alerts, the health page and signals.
//!
//! Only frames that are looked at are converted: crop, scale, colour and normalisation are one pass from the decoder's
//! planes to the tensor. What is not looked at costs its decode and nothing more.
//!
//! # Invariants
//!
//! 1. **`geometry`, `attention`, `sight`, `track` and `rules` do no I/O and read no clock.** The same recording and site file
//!    give the same logbook, row for row.
//! 2. **An event and its outbox row are one transaction, `synchronous=FULL`.** Committed before published, always.
//! 3. **An outbox row is delivered when its own PubAck arrived, and not before.** A repeat carries the same alert id.
//! 4. **One thread writes the logbook.** Readers open read-only and keep transactions short.
//! 5. **Every dropped frame, rejected box, suppressed signal and failed delivery is counted with a reason.**
//! 6. **A camera or broker that is away is an expected state,** shown and logged, never a crash.
//! 7. **UTC and a start id in storage;** IANA time zones only in rules and on screens; durations from the monotonic clock.
//! 8. **No secret in the site file, in argv, in a log line, in `Debug` output or in the logbook.**
//! 9. **No picture leaves memory before it passed the camera's privacy masks.**
//! 10. **Crates stay in their room and arrows point one way.**
//!
//! # Words
//!
//! **camera** a configured source. **session** one connection to it. **frame** one decoded picture. **look** one frame
//! taken through the detector, in one or more **runs** on crops that attention chooses. **sweep** the turns by which all
//! water is looked at. **water** where vessels can be. **detection** a box with class and
//! confidence in one frame. **track** detections of one vessel over time; tentative, confirmed, lost, ended.
//! **vessel** the number of a confirmed track, unique in a logbook. **waterline point** where a vessel meets the water:
//! the anchor for zones and lines. **zone**, **line** drawn by the technician in normalised picture coordinates.
//! **rule** a condition on tracks, a schedule when it is live, a severity. **schedule** the **shifts** in which a rule is
//! live, and those in which it never is. **blind spell** time in which a camera gives no usable picture, with its cause;
//! its rules are suspended. **signal** a rule that holds for a vessel; it
//! opens, updates and closes. **alert** a signal told to staff. **logbook** the SQLite file. **outbox** alerts that the
//! broker has not confirmed.

pub mod alerts;
pub mod backoff;
pub mod camera_health;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod detect;
pub mod evidence;
pub mod frame;
pub mod geometry;
pub mod ids;
pub mod ingest;
pub mod logbook;
pub mod regions;
pub mod rules;
pub mod telemetry;
pub mod track;
pub mod web;
