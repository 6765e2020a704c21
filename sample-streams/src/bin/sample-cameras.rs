//! Serves clips as RTSP cameras.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use gstreamer::glib;
use sample_streams::cameras::{Cameras, credentials};
use sample_streams::clip::Clip;
use sample_streams::damage::Damage;

/// Serves MP4 clips as RTSP cameras on loopback, looped without end and without coding them anew.
///
/// Prints one line of JSON with the port when it listens. Ends on SIGTERM, and when its standard input is closed,
/// so that it never outlives who started it: give it a pipe.
#[derive(Debug, Parser)]
struct Arguments {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 8554)]
    port: u16,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    address: std::net::IpAddr,
    /// Spoil so many of a hundred packets: truncated, random, from another time, lost.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(0..=100))]
    damage: Option<u64>,
    /// What chance begins with where packets are spoiled.
    #[arg(long, default_value_t = 1, requires = "damage")]
    seed: u64,
    /// File with name:password on its first line, which viewers must then give.
    #[arg(long)]
    credentials: Option<PathBuf>,
    /// Cameras, each as MOUNT=FILE; MOUNT=FILE,FILE plays one after the other, without end.
    #[arg(required = true, value_name = "MOUNT=FILE")]
    cameras: Vec<String>,
}

fn main() -> ExitCode {
    let Err(error) = run() else { return ExitCode::SUCCESS };
    // Nothing is left to do when even this cannot be written.
    let _told = writeln!(std::io::stderr(), "sample-cameras: {error:#}");
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
    let damage = arguments.damage.map(|percent| Damage { seed: arguments.seed, percent });
    let address = arguments.address.to_string();
    let cameras = Cameras::serve((&address, arguments.port), clips, viewer, damage)?;

    // There is nothing to put away: SIGTERM may end the process where it stands.
    let main = glib::MainLoop::new(None, false);
    let ended = main.clone();
    std::thread::spawn(move || {
        // Whatever comes is not for us; that it ends is.
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
