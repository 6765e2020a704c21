//! `havenwacht eval`: scores single modules on recorded material.

pub mod average_precision;
pub mod coco;
pub mod detect;
pub mod detect_report;
#[cfg(test)]
mod golden;
pub mod matching;
pub mod scene;
pub mod track;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::clock::SystemClock;

/// Score single modules on recorded material.
#[derive(Debug, Subcommand)]
pub enum EvalCommand {
    /// Score a detector model on annotated pictures, as COCO does.
    Detect(detect::DetectArgs),
    /// Score detections, tracks and signals on annotated clips.
    Scene(scene::SceneArgs),
    /// Run the tracker on MOTChallenge detections; write its tracks, or score them as TrackEval does.
    Track(track::TrackArgs),
}

/// Runs `havenwacht eval`.
pub fn eval(command: &EvalCommand) -> anyhow::Result<ExitCode> {
    match command {
        EvalCommand::Detect(args) => print(&detect::detect(args, &SystemClock::default())?, args.json)?,
        EvalCommand::Scene(args) => print(&scene::scene(args)?, args.json)?,
        EvalCommand::Track(args) => print(&track::track(args)?, args.json)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print(report: &(impl Display + Serialize), json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, report)?;
        writeln!(out)?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(())
}
