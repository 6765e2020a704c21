//! Subcommands, one file each. Only this room writes to the terminal.

pub mod acknowledge;
pub mod calibrate;
pub mod check;
pub mod demo;
mod environment;
mod erase;
pub mod eval;
pub mod explain;
pub mod logbook;
pub mod proposals;
mod reel;
pub mod replay;
pub mod run;
#[cfg(test)]
mod testing;
mod upkeep;
mod verify;
mod week;
pub mod why;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::clock::{Clock as _, SystemClock};

/// Harbour watch: finds vessels in camera streams, flags suspicious movements, keeps the logbook, alerts the staff.
#[derive(Debug, Parser)]
#[command(name = "havenwacht", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    /// Check a site file: every mistake at once, or what the watch would do with it; touches nothing.
    Check {
        /// Site file.
        #[arg(long)]
        config: PathBuf,
    },
    Explain(explain::ExplainArgs),
    Calibrate(calibrate::CalibrateArgs),
    Demo(demo::DemoArgs),
    Replay(replay::ReplayArgs),
    #[command(subcommand)]
    Eval(eval::EvalCommand),
    /// The logbook: follow it, list it, look one thing up, export it; check it, back it up, salvage it.
    #[command(subcommand)]
    Logbook(logbook::LogbookCommand),
    Acknowledge(acknowledge::AcknowledgeArgs),
}

/// Carries out one command line.
pub fn execute(arguments: Arguments) -> anyhow::Result<ExitCode> {
    environment::is_set().context(
        "the program cannot start itself anew with ONNX Runtime's reports to its maker switched off",
    )?;
    match arguments.command {
        Command::Run(args) => run::run(&args),
        Command::Check { config } => Ok(check(&config)),
        Command::Explain(args) => explain::explain(&args, now(), &mut std::io::stdout().lock()),
        Command::Calibrate(args) => calibrate::calibrate(&args, &mut std::io::stdout().lock()),
        Command::Demo(args) => demo::demo(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Eval(command) => eval::eval(&command),
        Command::Acknowledge(args) => {
            acknowledge::acknowledge(&args, &mut std::io::stdout().lock()).map(|()| ExitCode::SUCCESS)
        }
        Command::Logbook(command) => logbook::logbook(&command, std::io::stdout().lock()),
    }
}

fn now() -> jiff::Timestamp {
    SystemClock::default().now().wall
}

fn check(config: &Path) -> ExitCode {
    let (out, err) = (std::io::stdout(), std::io::stderr());
    let terminal = std::io::IsTerminal::is_terminal(&err);
    let look = if terminal {
        check::Look::Drawn { colour: std::env::var_os("NO_COLOR").is_none() }
    } else {
        check::Look::Plain
    };
    ExitCode::from(check::check(config, look, now(), &mut out.lock(), &mut err.lock()))
}

/// Says what went wrong, the whole chain of causes on one line, and gives the exit status that fits.
pub fn report(error: &anyhow::Error) -> ExitCode {
    // Standard error may be closed; then there is nobody to tell.
    let _unheard = writeln!(std::io::stderr(), "havenwacht: {error:#}");
    let must_be_mended = error.chain().any(|cause| cause.is::<Unfit>());
    ExitCode::from(if must_be_mended { check::BAD_CONFIG } else { 1 })
}

/// Marks an error that a restart cannot mend: site file, model, logbook of another version.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(String);

/// Reads a site file; warnings go to standard error, mistakes end the command with [`check::BAD_CONFIG`].
fn load_site(path: &Path) -> anyhow::Result<crate::config::Site> {
    let (site, warnings) = crate::config::load(path).map_err(|mistakes| Unfit(mistakes.to_string()))?;
    for warning in warnings {
        let _unheard = writeln!(std::io::stderr(), "{warning}");
    }
    Ok(site)
}

/// The place of camera `id` in the site file.
fn camera_index(site: &crate::config::Site, id: &str) -> anyhow::Result<usize> {
    site.cameras.iter().position(|camera| camera.id.as_str() == id).with_context(|| {
        let known: Vec<_> = site.cameras.iter().map(|camera| camera.id.as_str()).collect();
        format!("the site file has no camera `{id}`, but {}", known.join(", "))
    })
}
