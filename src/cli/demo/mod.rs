//! `havenwacht demo`: the sample streams as RTSP cameras, a private broker, the daemon, and somebody who listens.

mod ground_truth;
mod output;
pub mod programs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use crate::alerts::StaffClient;
use crate::camera_state::CameraState;
use crate::clock::{Clock, SystemClock};
use crate::config;
use output::DemoOutput;
pub use output::read_health;
use programs::DemoPorts;

/// The demo's wall clock: a June night, 43 minutes after the sample site's curfew.
const WALL_CLOCK: &str = "2026-06-01T22:13:00[Europe/Amsterdam]";
/// Time after the last signal of the ground truth, for its confirm time and the way to the subscriber.
const AFTER_LAST: Duration = Duration::from_secs(8);

/// Show the watch at work on the sample streams.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Site file of the demo.
    #[arg(long, default_value = "config/demo.toml")]
    config: PathBuf,
    /// Folder of the sample streams.
    #[arg(long, default_value = "sample-streams/out")]
    streams: PathBuf,
    /// Folder for what the demo leaves: logbook, logs, the site file it used.
    #[arg(long, default_value = "demo-run")]
    work: PathBuf,
    /// Keep the watch running until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

/// Runs the demo. Fails when no alert was delivered.
pub fn demo(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let clock = SystemClock::default();
    let stop = stop_on_signal()?;
    let work = &args.work;
    fs::create_dir_all(work).with_context(|| format!("cannot make {}", work.display()))?;
    // The site is read twice: here for its cameras and names, and by the daemon in the copy with the demo's ports.
    let site = super::load_site(&args.config)?;
    let truth = ground_truth::read(&args.streams, &site)?;
    let clips = clips(&args.streams, &site)?;
    let work = &fs::canonicalize(work)?;
    clear(work)?;
    let broker_port = programs::free_port()?;
    let _broker = programs::start_broker(work, broker_port)?;
    let (mut cameras, rtsp_port) = programs::start_cameras(work, 0, &clips)?;
    let health_port = programs::free_port()?;
    let logbook = work.join("logbook.sqlite");
    let site_file = work.join("site.toml");
    programs::write_site(
        &args.config,
        &site_file,
        &DemoPorts { rtsp_port, broker_port, health_port, logbook: logbook.clone() },
    )?;
    let mut listener = StaffClient::new(broker_port, &site.id, "harbour-staff")?;
    if !listener.subscribe(Duration::from_secs(5)) {
        anyhow::bail!("the broker took no subscription: see {}", work.join("broker.log").display());
    }
    let mut watch = programs::start_daemon(&std::env::current_exe()?, work, &site_file, Some(WALL_CLOCK))?;

    let lasts = truth.last_opens() + AFTER_LAST;
    let mut teller = DemoOutput::new((!args.keep).then_some(lasts.as_secs()));
    teller.say(&format!(
        "Havenwacht watches {} cameras of {} (rtsp://127.0.0.1:{rtsp_port}/...), broker on port {broker_port}, \
         health page http://127.0.0.1:{health_port}/",
        site.cameras.len(),
        site.name
    ));
    teller.say(
        "The demo's clock starts at 22:13; the harbour's curfew began at 21:30. Alerts as staff get them:",
    );

    let began = clock.mono();
    let mut streaming_from = None;
    let mut health = None;
    let mut last_read = began;
    let mut ticks = 0_u64;
    let mut heard = ground_truth::Heard::default();
    while !stop.load(Ordering::Relaxed) {
        if let Some(message) = listener.next(Duration::from_millis(200))
            && let Some(alert) = message.alert()
        {
            if let Some(words) = output::in_words(&alert) {
                teller.say(&words);
            }
            heard.note(&alert);
        }
        if !watch.is_running() {
            teller.end();
            anyhow::bail!("the watch went off: see {}", work.join("daemon.log").display());
        }
        let now = clock.mono();
        if now.since(last_read) >= Duration::from_secs(1) {
            last_read = now;
            ticks += 1;
            health = output::read_health(health_port).or(health);
            let all_up =
                health.as_ref().is_some_and(|h| h.cameras.iter().all(|c| c.state == CameraState::Streaming));
            if all_up && streaming_from.is_none() {
                streaming_from = Some(now);
            }
            let line = health.as_ref().map_or("starting".to_owned(), crate::web::Health::summary);
            let elapsed = now.since(streaming_from.unwrap_or(now)).as_secs();
            teller.state(elapsed, line, ticks.is_multiple_of(10));
        }
        let over = streaming_from.is_some_and(|from| now.since(from) >= lasts);
        let never_began = streaming_from.is_none() && now.since(began) > Duration::from_secs(60);
        if !args.keep && (over || never_began) {
            break;
        }
    }
    health = output::read_health(health_port).or(health);
    teller.end();
    let in_order = watch.stop(Duration::from_secs(15));
    // What the watch said on its way out.
    while let Some(message) = listener.next(Duration::from_millis(300)) {
        message.alert().inspect(|alert| heard.note(alert));
    }
    cameras.stop(Duration::from_secs(5));

    if let Some(health) = &health {
        teller.say(&format!("\n{}", output::summary(health, |camera| heard.openings_of(camera))));
    }
    // Kept running, the streams are stopped anywhere, perhaps in a later round: nothing to hold them against.
    if !args.keep {
        teller.say(&truth.verdict(&heard));
    }
    teller.say(&next_steps(work, &logbook));
    if !in_order {
        anyhow::bail!("the watch did not go off in order: see {}", work.join("daemon.log").display());
    }
    if heard.is_empty() {
        anyhow::bail!("no alert was delivered: see {}", work.join("daemon.log").display());
    }
    Ok(ExitCode::SUCCESS)
}

fn next_steps(work: &Path, logbook: &Path) -> String {
    let (logbook, work) = (logbook.display(), work.display());
    format!(
        "The logbook lies in {logbook}, logs beside it in {work}. Next:\n\
         \x20 sqlite3 {logbook} 'select * from v_signals'   what was signalled, in plain SQL\n\
         \x20 make demo KEEP=1                             keep it running and look at its health page\n\
         \x20 README.md                                    your first camera in ten minutes"
    )
}

fn clips(streams: &Path, site: &config::Site) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let clip = |camera: &config::Camera| {
        let path = streams.join(format!("{}.mp4", camera.id));
        let path = fs::canonicalize(&path)
            .with_context(|| format!("{} is missing: `make streams` draws it", path.display()))?;
        Ok((camera.id.to_string(), path))
    };
    site.cameras.iter().map(clip).collect()
}

/// A fresh stage: the last demo's logbook and logs go.
fn clear(work: &Path) -> anyhow::Result<()> {
    for name in [
        "logbook.sqlite",
        "logbook.sqlite-wal",
        "logbook.sqlite-shm",
        "daemon.log",
        "cameras.log",
        "broker.log",
    ] {
        match fs::remove_file(work.join(name)) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(cause).with_context(|| format!("cannot clear {}", work.join(name).display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn stop_on_signal() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            flag.store(true, Ordering::Relaxed);
        });
    })?;
    Ok(stop)
}
