//! Draws the sample scenes.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use clap::Parser;
use sample_streams::material::Material;
use sample_streams::output::Output;
use sample_streams::scenes::{SCENES, SMALL, Scene};
use sample_streams::site::Site;

/// Draws the sample scenes with their ground truth, and the signals that the demo must raise on them.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder for the clips.
    #[arg(long, default_value = "sample-streams/out")]
    out: PathBuf,
    /// Folder with nagasaki.jpg; also looked in for boat.jpg and stamps/sail_boat1.svg before Debian's folders.
    #[arg(long, default_value = "sample-streams/material")]
    material: PathBuf,
    /// Site file whose zones, lines and rules decide the signals.
    #[arg(long, default_value = "config/demo.toml")]
    site: PathBuf,
    /// Only these scenes.
    #[arg(long)]
    scene: Vec<String>,
    /// Two short 640x360 clips for tests instead, which need no material and have no signals.
    #[arg(long)]
    small: bool,
    /// Draw again what is up to date.
    #[arg(long)]
    again: bool,
}

fn main() -> ExitCode {
    let Err(error) = run() else { return ExitCode::SUCCESS };
    // Nothing is left to do when even this cannot be written.
    let _told = writeln!(std::io::stderr(), "sample-scenes: {error:#}");
    ExitCode::FAILURE
}

fn run() -> Result<()> {
    let arguments = Arguments::parse();
    let all: &[Scene] = if arguments.small { &SMALL } else { &SCENES };
    if let Some(unknown) = arguments.scene.iter().find(|id| all.iter().all(|s| s.id != id.as_str())) {
        let known: Vec<&str> = all.iter().map(|s| s.id).collect();
        bail!("there is no scene {unknown}; there are {}", known.join(", "));
    }
    let wanted: Vec<&Scene> = all
        .iter()
        .filter(|s| arguments.scene.is_empty() || arguments.scene.iter().any(|id| id == s.id))
        .collect();
    let material = if arguments.small { None } else { Some(Material::find(&arguments.material)?) };
    let material = material.as_ref();
    let mut stale = Vec::new();
    for &scene in &wanted {
        let output = Output { scene, folder: &arguments.out };
        if arguments.again || !output.is_current(material)? {
            stale.push(scene);
        }
    }
    draw(&stale, material, &arguments)?;
    if !arguments.small {
        let site = Site::read(&arguments.site)?;
        for &scene in &wanted {
            let signals = Output { scene, folder: &arguments.out }.write_signals(&site)?;
            tell(&format!("{}: {signals} signals to be raised", scene.id))?;
        }
    }
    Ok(())
}

/// Draws `scenes` side by side, each on a thread of its own.
fn draw(scenes: &[&Scene], material: Option<&Material>, arguments: &Arguments) -> Result<()> {
    let frames: u32 = scenes.iter().map(|s| s.frames()).sum();
    let done = AtomicU32::new(0);
    let failed = Mutex::new(None);
    std::thread::scope(|threads| {
        for &scene in scenes {
            let (done, failed) = (&done, &failed);
            threads.spawn(move || {
                let output = Output { scene, folder: &arguments.out };
                let result = output.draw(material, &|_| {
                    let n = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if n % 450 == 0 || n == frames {
                        let _told = tell(&format!("drawing the sample scenes: {:3} %", n * 100 / frames));
                    }
                });
                if let Err(e) = result.with_context(|| format!("scene {} could not be made", scene.id))
                    && let Ok(mut failed) = failed.lock()
                {
                    *failed = Some(e);
                }
            });
        }
    });
    match failed.into_inner() {
        Ok(Some(e)) => Err(e),
        Ok(None) => Ok(()),
        Err(_) => bail!("drawing panicked"),
    }
}

fn tell(line: &str) -> Result<()> {
    writeln!(std::io::stderr(), "{line}")?;
    Ok(())
}
