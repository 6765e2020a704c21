//! Serves clips as RTSP cameras.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use gstreamer::glib;
use sample_streams::cameras::{Cameras, credentials};
use sample_streams::clip::Clip;
use sample_streams::corruption::Corruption;

/// Serves MP4 clips as RTSP cameras on loopback. Clips are looped without end and not encoded again.
///
/// Prints one line of JSON with the port when it listens. Ends on SIGTERM, and when its standard input is closed, so that
/// it ends with the program that started it: give it a pipe.
#[derive(Debug, Parser)]
struct Arguments {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 8554)]
    port: u16,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    address: std::net::IpAddr,
    /// Corrupt this percentage of the packets: truncated, random, with a wrong timestamp, lost.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(0..=100))]
    corrupt: Option<u64>,
    /// Seed of the random corruption.
    #[arg(long, default_value_t = 1, requires = "corrupt")]
    seed: u64,
    /// File with name:password on its first line. Clients must then log in with them.
    #[arg(long)]
    credentials: Option<PathBuf>,
    /// Cameras, each as MOUNT=FILE. MOUNT=FILE,FILE plays the files in sequence.
    #[arg(required = true, value_name = "MOUNT=FILE")]
    cameras: Vec<String>,
}

fn main() -> ExitCode {
    let Err(error) = run() else { return ExitCode::SUCCESS };
    // Without a working standard error there is nothing more to do.
    let _written = writeln!(std::io::stderr(), "sample-cameras: {error:#}");
    ExitCode::FAILURE
}

fn run() -> Result<()> {
    let arguments = Arguments::parse();
    gstreamer::init()?;
    let mut clips = Vec::new();
    for camera in &arguments.cameras {
        let (mount, file) =
            camera.split_once('=').with_context(|| format!("{camera}: MOUNT=FILE expected"))?;
        let mount = mount.trim_start_matches('/');
        ensure!(!mount.is_empty(), "{camera}: the mount is empty");
        let mut parts = file.split(',').map(|file| Clip::read(file.as_ref()));
        let first = parts.next().with_context(|| format!("{camera}: the file is missing"))??;
        clips.push((mount.to_owned(), parts.try_fold(first, |clip, next| clip.then(next?))?));
    }
    let viewer = arguments.credentials.as_deref().map(credentials).transpose()?;
    let viewer = viewer.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
    let corruption = arguments.corrupt.map(|percent| Corruption { seed: arguments.seed, percent });
    let address = arguments.address.to_string();
    let cameras = Cameras::serve((&address, arguments.port), clips, viewer, corruption)?;

    // There is nothing to clean up: SIGTERM may end the process at any point.
    let main = glib::MainLoop::new(None, false);
    let ended = main.clone();
    std::thread::spawn(move || {
        // The content is ignored; only the end of the input counts.
        let mut bytes = [0u8; 256];
        while matches!(std::io::stdin().read(&mut bytes), Ok(n) if n > 0) {}
        ended.quit();
    });
    let mut out = std::io::stdout();
    writeln!(out, "{{\"port\":{}}}", cameras.port)?;
    out.flush()?;
    main.run();
    Ok(())
}
