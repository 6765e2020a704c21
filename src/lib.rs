//! Havenwacht ("harbour watch") is a daemon for a small computer at a harbour quay. It reads camera streams, detects and tracks
//! vessels, evaluates the harbour's own rules, writes everything into a logbook, and alerts the staff over MQTT. It runs
//! unattended, on two processor cores, without internet.
//!
//! This page is the architecture in short; `docs/design.md` has it with diagrams.
//!
//! # Data flow
//!
//! ```text
//! camera -> ingest -> detect -> track -> rules -> logbook -> alerts -> broker
//!           frames    boxes     tracks   signals  (commit)   (outbox)
//!                                                    |
//!                                                    +-> web (page, metrics), cli, plain SQL
//! ```
//!
//! Data moves in one direction. Frames may be dropped, deliberately and counted; events may not. The logbook is the commit
//! point: nothing is published before it is on disk.
//!
//! # Modules
//!
//! | module | purpose | crates used only there |
//! |---|---|---|
//! | [`cli`] | one file per subcommand: run, check, explain, calibrate, clutter, demo, replay, eval, logbook, acknowledge | clap, indicatif |
//! | [`config`] | site file to checked [`config::Site`]; diagnostics with file, line, key, help; places of secrets | toml, miette |
//! | [`clock`] | [`clock::Clock`]: monotonic and wall clock, real and simulated | nix |
//! | [`ids`] | identifiers whose alphabet is safe in topics, files and SQL | |
//! | [`geometry`] | points, boxes, polygons, segments; pixel and normalised units; camera calibration | geo |
//! | [`frame`] | a decoded picture and its timestamps; cheap to clone | |
//! | [`backoff`] | delays between retries | |
//! | [`codec`] | one table of video codecs and how each is decoded | |
//! | [`camera_state`] | the states of a camera, shared by all who report them | |
//! | [`ingest`] | camera session: pipeline, states, stall detection, latest-frame slot; recordings | gstreamer |
//! | [`regions`] | which regions of a frame go to the model: sweep, tracks, budget of inferences | |
//! | [`detect`] | model manifest, preprocessing, one file per model head, NMS, merging, motion, fair order | ort |
//! | [`track`] | motion model, assignment, life of a track | pathfinding |
//! | [`rules`] | schedules and the sun, one file per rule kind, life of a signal, berth visits | |
//! | [`camera_health`] | camera outages and their causes, from a small grey picture | |
//! | [`evidence`] | the picture of an event: crop, privacy masks, box, JPEG; whole pictures for labelling | image |
//! | [`logbook`] | schema, migrations, writer, readers, outbox, hash chain, retention | rusqlite |
//! | [`alerts`] | MQTT sessions, topics, payloads, outbox relay, acknowledgements, retained states | rumqttc |
//! | [`web`] | state of the daemon as page, JSON and metrics | axum |
//! | [`daemon`] | wires the modules: threads, order of start and stop, heartbeats, systemd | tokio, sd-notify |
//! | [`telemetry`] | log lines to journal or stderr; metrics in Prometheus' format | tracing-subscriber, metrics |
//!
//! Which module may use which is fixed and tested in `tests/it/architecture.rs`. There are four traits, each where tests
//! replace the real thing: [`ingest::FrameSource`], [`detect::Detector`], [`alerts::Transport`], [`clock::Clock`].
//!
//! # Threads
//!
//! A camera thread takes decoded frames, not converted, from its GStreamer session and puts each into the camera's slot, where a
//! newer frame replaces an older one. **One** detector thread takes frames in fair order and owns the model; tracking and
//! rules run right behind it, without a queue. **One** logbook thread commits in groups. tokio carries alerts, the health page
//! and signals.
//!
//! Only frames that are inspected are converted: crop, scale, colour and normalisation are one pass from the decoder's planes
//! to the tensor. Any other frame costs its decoding and nothing more.
//!
//! # Invariants
//!
//! 1. **`geometry`, `regions`, `camera_health`, `track` and `rules` do no I/O and read no clock.** The same recording and site
//!    file give the same logbook, row for row.
//! 2. **An event and its outbox row are one transaction, `synchronous=FULL`.** Committed before published, always.
//! 3. **An outbox row is delivered when its own PubAck arrived, and not before.** A repeat has the same alert id.
//! 4. **One thread writes the logbook.** Readers open read-only and keep transactions short.
//! 5. **Every dropped frame, rejected box, suppressed signal and failed delivery is counted with a reason.**
//! 6. **A camera or broker that cannot be reached is an expected state,** shown and logged, never a crash.
//! 7. **UTC and a start id in storage;** IANA time zones only in rules and on screens; durations from the monotonic clock.
//! 8. **No secret in the site file, in arguments, in a log line, in `Debug` output or in the logbook.**
//! 9. **No picture leaves memory before the camera's privacy masks are applied.**
//! 10. **Crates stay in their module, and dependencies between modules point in one direction.**
//!
//! # Words
//!
//! **camera** a configured source. **session** one connection to it. **frame** one decoded picture. **detection pass** one
//! frame taken through the detector, in one or more **inferences**, one for each **region**. **sweep** the rotation of regions
//! that covers all water. **water** where vessels can be. **detection** a box with class and confidence in one frame. **track**
//! detections of one vessel over time; tentative, confirmed, lost, ended. **vessel** the number of a confirmed track, unique in
//! a logbook. **waterline point** where a vessel meets the water: it decides about zones and lines. **zone**, **line** drawn by
//! the technician in normalised picture coordinates. **rule** a condition, a schedule when it is active, a severity.
//! **schedule** the **shifts** in which a rule is active, and those in which it is not. **camera outage** time in which a
//! camera gave no usable picture, with its cause; its rules are suspended. **signal** a rule that holds for a vessel or place;
//! it opens, updates and closes. **alert** a signal sent to staff. **suppressed** a rule that held without an alert, with the
//! reason. **logbook** the SQLite file. **outbox** alerts that the broker has not confirmed.

pub mod alerts;
pub mod backoff;
pub mod camera_health;
pub mod camera_state;
pub mod cli;
pub mod clock;
pub mod codec;
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
