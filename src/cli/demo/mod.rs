//! `havenwacht demo`: serves the sample streams as RTSP cameras, starts a private broker and the daemon, receives the alerts
//! as staff would, and compares them with the ground truth of the streams.

mod ground_truth;
mod output;
pub mod programs;
mod run;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use crate::alerts::StaffClient;
use crate::config;
use crate::telemetry::counted;
use ground_truth::{DemoResult, DemoVerdict};
use output::DemoOutput;
pub use output::read_health;
use programs::{DemoPorts, Program};
use run::{DemoEnd, DemoRun};

/// The demo's wall clock: a June night, 43 minutes after the curfew of the sample site.
const WALL_CLOCK: &str = "2026-06-01T22:13:00[Europe/Amsterdam]";

/// Time after the last expected signal, for its confirm time and its delivery.
const AFTER_LAST: Duration = Duration::from_secs(8);

/// Run the daemon on the sample streams and check its alerts.
///
/// Exit code 0: every expected alert was received. 1: alerts were missed although the box kept up. 75: alerts were missed
/// and the box was too slow, below 75 % of a camera's detect_fps.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Site file of the demo.
    #[arg(long, default_value = "config/demo.toml")]
    config: PathBuf,
    /// Folder with the sample streams.
    #[arg(long, default_value = "sample-streams/out")]
    streams: PathBuf,
    /// Folder for the logbook, the logs and the site file of this run.
    #[arg(long, default_value = "demo-run")]
    work: PathBuf,
    /// Run until Ctrl-C, without a verdict.
    #[arg(long)]
    keep: bool,
}

/// Runs the demo.
pub fn demo(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let stop = stop_on_signal()?;
    fs::create_dir_all(&args.work).with_context(|| format!("cannot create {}", args.work.display()))?;
    let work = &fs::canonicalize(&args.work)?;
    // The site file is read here for its cameras, and by the daemon in a copy with the demo's ports.
    let site = super::load_site(&args.config)?;
    let expected = ground_truth::read(&args.streams, &site)?;
    let clips = clips(&args.streams, &site)?;
    remove_old_files(work)?;
    let mut demo = Demo::start(args, work, &clips)?;
    let length = (!args.keep).then(|| ground_truth::last_opening(&expected) + AFTER_LAST);
    let mut run = demo.start_daemon(work, &site, length)?;
    let end = run.run(length, &stop);
    run.output.end();
    let daemon_log = work.join("daemon.log");
    let daemon_log = daemon_log.display();
    match end {
        DemoEnd::DaemonEnded => bail!("the daemon ended: see {daemon_log}"),
        DemoEnd::NotStreaming => bail!("not every camera streamed within a minute: see {daemon_log}"),
        DemoEnd::Finished | DemoEnd::Interrupted => {}
    }
    let rates = run.pass_rates();
    let orderly = run.daemon.stop(Duration::from_secs(15));
    while run.receive(Duration::from_millis(300)) {}
    demo.cameras.stop(Duration::from_secs(5));
    if let Some(health) = &run.health {
        let delivered = |camera: &str| run.received.iter().filter(|alert| alert.camera == camera).count();
        run.output.print(&format!("\n{}", output::summary(health, delivered)));
    }
    let verdict = (end == DemoEnd::Finished).then(|| {
        let result = DemoResult::new(&expected, &run.received, &rates);
        run.output.print(&result.to_string());
        result.verdict()
    });
    run.output.print(&next_steps(work, &demo.ports.logbook));
    if !orderly {
        bail!("the daemon did not stop in order: see {daemon_log}");
    }
    Ok(verdict.unwrap_or(DemoVerdict::Complete).exit_code())
}

/// The programs around the daemon. Dropping it ends them.
struct Demo {
    _broker: Program,
    cameras: Program,
    ports: DemoPorts,
    site_file: PathBuf,
}

impl Demo {
    fn start(args: &DemoArgs, work: &Path, clips: &[(String, PathBuf)]) -> anyhow::Result<Self> {
        let broker_port = programs::free_port()?;
        let broker = programs::start_broker(work, broker_port)?;
        let (cameras, rtsp_port) = programs::start_cameras(work, 0, clips)?;
        let (health_port, logbook) = (programs::free_port()?, work.join("logbook.sqlite"));
        let ports = DemoPorts { rtsp_port, broker_port, health_port, logbook };
        let site_file = work.join("site.toml");
        programs::write_site(&args.config, &site_file, &ports)?;
        Ok(Self { _broker: broker, cameras, ports, site_file })
    }

    /// Subscribes, then starts the daemon: no alert is missed.
    fn start_daemon(
        &self,
        work: &Path,
        site: &config::Site,
        length: Option<Duration>,
    ) -> anyhow::Result<DemoRun> {
        let DemoPorts { rtsp_port, broker_port, health_port, .. } = self.ports;
        let mut staff = StaffClient::new(broker_port, &site.id, "harbour-staff")?;
        if !staff.subscribe(Duration::from_secs(5)) {
            bail!("the broker did not accept the subscription: see {}", work.join("broker.log").display());
        }
        let program = std::env::current_exe()?;
        let daemon = programs::start_daemon(&program, work, &self.site_file, Some(WALL_CLOCK))?;
        let output = DemoOutput::new(length.map(|length| length.as_secs()));
        output.print(&format!(
            "Havenwacht runs on {} of {} (rtsp://127.0.0.1:{rtsp_port}/...), broker on port {broker_port}, \
             health page http://127.0.0.1:{health_port}/",
            counted(site.cameras.len() as u64, "camera"),
            site.name
        ));
        output.print(
            "The demo's clock starts at 22:13; the harbour's curfew began at 21:30. Alerts as staff get them:",
        );
        Ok(DemoRun::new(staff, daemon, health_port, output))
    }
}

fn next_steps(work: &Path, logbook: &Path) -> String {
    let (logbook, work) = (logbook.display(), work.display());
    format!(
        "The logbook is {logbook}; the logs are beside it in {work}. Next:\n\
         \x20 sqlite3 {logbook} 'select * from v_signals'   the signals, in plain SQL\n\
         \x20 make demo KEEP=1                             keep it running and open its health page\n\
         \x20 README.md, \"Your first camera\"               your camera in ten minutes"
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

/// Removes the logbook and the logs of the last demo.
fn remove_old_files(work: &Path) -> anyhow::Result<()> {
    let logbook = ["logbook.sqlite", "logbook.sqlite-wal", "logbook.sqlite-shm"];
    for name in logbook.into_iter().chain(["daemon.log", "cameras.log", "broker.log"]) {
        match fs::remove_file(work.join(name)) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(cause).with_context(|| format!("cannot remove {}", work.join(name).display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A flag that becomes true at Ctrl-C or SIGTERM.
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
