//! `havenwacht eval`: rooms tried alone on recorded material.

pub mod average_precision;
pub mod coco;
pub mod detect;
#[cfg(test)]
mod golden;
pub mod report;
pub mod scene;
pub mod track;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::clock::SystemClock;

/// Try one room alone on recorded material.
#[derive(Debug, Subcommand)]
pub enum EvalCommand {
    /// Score a detector model on annotated pictures as COCO does, by the path that the daemon's looks take.
    Detect(detect::DetectArgs),
    /// Score the watch on annotated clips: detections, tracks, and the signals that must be raised.
    Scene(scene::SceneArgs),
    /// Run the tracker over MOTChallenge detections; write its tracks, or score them as TrackEval does.
    Track(track::TrackArgs),
}

/// Carries out `havenwacht eval`.
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
