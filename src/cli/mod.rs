//! Subcommands, one file each. Only this module writes to the terminal.

pub mod acknowledge;
pub mod calibrate;
pub mod check;
pub mod clutter;
pub mod coco_export;
pub mod demo;
pub mod eval;
pub mod explain;
pub mod logbook;
mod recording;
mod reexec;
pub mod replay;
pub mod run;
mod site;
#[cfg(test)]
mod testing;
mod week;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

pub use self::site::PermanentError;
use self::site::{camera_index, load_site};
use crate::clock::{Clock as _, SystemClock};

/// Finds vessels in camera streams, flags suspicious movements, keeps a logbook and alerts the harbour staff.
#[derive(Debug, Parser)]
#[command(name = "havenwacht", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    /// Check a site file: print every mistake, or what the daemon would do. Changes nothing.
    Check {
        /// Site file.
        #[arg(long)]
        config: PathBuf,
    },
    Explain(explain::ExplainArgs),
    Calibrate(calibrate::CalibrateArgs),
    Clutter(clutter::ClutterArgs),
    Demo(demo::DemoArgs),
    Replay(replay::ReplayArgs),
    #[command(subcommand)]
    Eval(eval::EvalCommand),
    /// Read, export, verify, check and back up the logbook.
    #[command(subcommand)]
    Logbook(logbook::LogbookCommand),
    Acknowledge(acknowledge::AcknowledgeArgs),
}

/// Runs one command line.
pub fn execute(arguments: Arguments) -> anyhow::Result<ExitCode> {
    reexec::restart_with_library_settings()
        .context("the program cannot restart itself with ONNX Runtime's usage reports switched off")?;
    match arguments.command {
        Command::Run(args) => run::run(&args),
        Command::Check { config } => Ok(check(&config)),
        Command::Explain(args) => explain::explain(&args, now(), &mut std::io::stdout().lock()),
        Command::Calibrate(args) => calibrate::calibrate(&args, &mut std::io::stdout().lock()),
        Command::Clutter(args) => clutter::clutter(&args, &mut std::io::stdout().lock()),
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
    let style = if terminal {
        check::OutputStyle::Annotated { colour: std::env::var_os("NO_COLOR").is_none() }
    } else {
        check::OutputStyle::Plain
    };
    ExitCode::from(check::check(config, style, now(), &mut out.lock(), &mut err.lock()))
}

/// Prints an error with its chain of causes on one line. Returns the exit status: [`check::BAD_CONFIG`] for a
/// [`PermanentError`], 1 for others.
pub fn report(error: &anyhow::Error) -> ExitCode {
    // Standard error may be closed. Then nobody reads the message.
    let _closed = writeln!(std::io::stderr(), "havenwacht: {error:#}");
    let permanent = error.chain().any(|cause| cause.is::<PermanentError>());
    ExitCode::from(if permanent { check::BAD_CONFIG } else { 1 })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The help of `command` and of each subcommand below it.
    fn help(command: &mut clap::Command, path: &str, pages: &mut String) {
        let path = format!("{path} {}", command.get_name()).trim().to_owned();
        pages.push_str(&format!("$ {path} --help\n{}\n", command.render_long_help()));
        for subcommand in command.get_subcommands_mut().filter(|command| command.get_name() != "help") {
            help(subcommand, &path, pages);
        }
    }

    #[test]
    fn help_of_every_command_is_as_reviewed() {
        let mut pages = String::new();
        let mut command = Arguments::command().term_width(100);
        command.build();
        help(&mut command, "", &mut pages);
        insta::assert_snapshot!(pages);
    }

    #[test]
    fn arguments_have_no_conflicts() {
        Arguments::command().debug_assert();
    }
}
