//! Draws the sample scenes.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use clap::Parser;
use sample_streams::camera_faults;
use sample_streams::output::Output;
use sample_streams::scenes::{SCENES, SMALL, Scene};
use sample_streams::site::Site;
use sample_streams::variants::{Theme, VariantFolder, variants};

/// Draws the sample scenes with their ground truth, and the signals that the demo must raise on them.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder for the clips.
    #[arg(long, default_value = "sample-streams/out")]
    out: PathBuf,
    /// Site file whose zones, lines and rules decide the signals.
    #[arg(long, default_value = "config/demo.toml")]
    site: PathBuf,
    /// Only these scenes.
    #[arg(long)]
    scene: Vec<String>,
    /// Draw two short 640x360 clips for tests instead. They have no signals.
    #[arg(long)]
    small: bool,
    /// Draw this number of random scenes instead, for `havenwacht eval scene`. Each gets a folder below --out with site file,
    /// ground truth and signals.
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["small", "scene"], requires = "out")]
    variants: Option<u32>,
    /// Draw short clips with camera faults instead, and clips that resemble one, each with the cause that must be found.
    #[arg(long, conflicts_with_all = ["small", "scene", "variants"], requires = "out")]
    camera_faults: bool,
    /// Seed of the variants.
    #[arg(long, default_value_t = 1, requires = "variants")]
    seed: u64,
    /// Only variants of these themes, separated by commas: day, dusk, night, fog, rain, glare, wakes, shake, reflections,
    /// fleet, bridge, ribs, crossing, birds.
    #[arg(long, value_name = "THEME", value_delimiter = ',', requires = "variants")]
    only: Vec<String>,
    /// Length of a variant in seconds.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(16..=600), requires = "variants")]
    seconds: u32,
    /// Width and height of a variant in pixels.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1280x720", value_parser = size, requires = "variants")]
    size: (usize, usize),
    /// Folder of the model and its runtime, which the variants' site files name.
    #[arg(long, default_value = "models", requires = "variants")]
    models: PathBuf,
    /// Draw clips again that are up to date.
    #[arg(long)]
    again: bool,
}

fn size(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    match parts {
        Some((w @ 320..=3840, h @ 180..=2160)) if w % 2 == 0 && h % 2 == 0 => Ok((w, h)),
        _ => Err("a size is two even numbers from 320x180 to 3840x2160, for example 1280x720".to_owned()),
    }
}

fn main() -> ExitCode {
    let Err(error) = run() else { return ExitCode::SUCCESS };
    // Without a working standard error there is nothing more to do.
    let _written = writeln!(std::io::stderr(), "sample-scenes: {error:#}");
    ExitCode::FAILURE
}

fn run() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(count) = arguments.variants {
        return draw_variants(count, &arguments);
    }
    if arguments.camera_faults {
        return draw_camera_faults(&arguments);
    }
    let all: &[Scene] = if arguments.small { &SMALL } else { &SCENES };
    if let Some(unknown) = arguments.scene.iter().find(|id| all.iter().all(|s| s.id != id.as_str())) {
        let known: Vec<&str> = all.iter().map(|s| s.id).collect();
        bail!("there is no scene {unknown}; there are {}", known.join(", "));
    }
    let wanted: Vec<&Scene> = all
        .iter()
        .filter(|s| arguments.scene.is_empty() || arguments.scene.iter().any(|id| id == s.id))
        .collect();
    let current = |scene| Output { scene, folder: &arguments.out }.is_current();
    let stale: Vec<&Scene> = wanted.iter().copied().filter(|s| arguments.again || !current(s)).collect();
    draw(&stale, &arguments)?;
    if !arguments.small {
        let site = Site::read(&arguments.site)?;
        for &scene in &wanted {
            let signals = Output { scene, folder: &arguments.out }.write_signals(&site)?;
            report(&format!("{}: {signals} signals must be raised", scene.id))?;
        }
    }
    Ok(())
}

/// Draws the variants that are out of date, one for each processor at a time.
fn draw_variants(count: u32, arguments: &Arguments) -> Result<()> {
    let themes: Vec<Theme> = match arguments.only.as_slice() {
        [] => Theme::ALL.to_vec(),
        names => names.iter().map(|name| Theme::named(name)).collect::<Result<_>>()?,
    };
    let all = variants(count, arguments.seed, &themes, arguments.seconds, arguments.size);
    let folder = |variant| VariantFolder { variant, out: &arguments.out, models: &arguments.models };
    let stale: Vec<_> = all.iter().filter(|v| arguments.again || !folder(v).is_current()).collect();
    report(&format!("{} variants are up to date, drawing {}", all.len() - stale.len(), stale.len()))?;
    let frames: u32 = stale.iter().map(|v| v.frames()).sum();
    let drawn = AtomicU32::new(0);
    draw_each(&stale, processors(), |variant| {
        let signals = folder(variant)
            .draw(&|| {
                drawn.fetch_add(1, Ordering::Relaxed);
            })
            .with_context(|| format!("variant {} failed", variant.id()))?;
        let share = u64::from(drawn.load(Ordering::Relaxed)) * 100 / u64::from(frames.max(1));
        report(&format!("{share:3} %: {}, {signals} signals must be raised", variant.id()))
    })
}

/// Draws the scenes of camera faults that are out of date.
fn draw_camera_faults(arguments: &Arguments) -> Result<()> {
    let stale: Vec<_> =
        camera_faults::SCENES.iter().filter(|s| arguments.again || !s.is_current(&arguments.out)).collect();
    let current = camera_faults::SCENES.len() - stale.len();
    report(&format!("{current} scenes of camera faults are up to date, drawing {}", stale.len()))?;
    draw_each(&stale, processors(), |scene| {
        scene.draw(&arguments.out).with_context(|| format!("scene {} failed", scene.id))
    })
}

/// Calls `draw` for each of `all` in this many threads. Gives the last error.
fn draw_each<T: Sync>(all: &[T], threads: usize, draw: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let (next, failed) = (AtomicU32::new(0), Mutex::new(None));
    let work = || -> Result<()> {
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            draw(one)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                if let Err(e) = work()
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

/// Draws `scenes` at the same time: three scenes end sooner side by side than two and then one.
fn draw(scenes: &[&Scene], arguments: &Arguments) -> Result<()> {
    let frames: u32 = scenes.iter().map(|s| s.frames()).sum();
    let done = AtomicU32::new(0);
    draw_each(scenes, scenes.len(), |&scene| {
        let output = Output { scene, folder: &arguments.out };
        let progress = |_| {
            let n = done.fetch_add(1, Ordering::Relaxed) + 1;
            if n.is_multiple_of(450) || n == frames {
                let _written = report(&format!("drawing the sample scenes: {:3} %", n * 100 / frames));
            }
        };
        output.draw(&progress).with_context(|| format!("scene {} failed", scene.id))
    })
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn report(line: &str) -> Result<()> {
    writeln!(std::io::stderr(), "{line}")?;
    Ok(())
}
