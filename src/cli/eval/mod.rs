//! `havenwacht eval`: rooms tried alone on recorded material.

pub mod average_precision;
pub mod coco;
pub mod detect;
#[cfg(test)]
mod golden;
pub mod report;
pub mod track;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Subcommand;

use crate::clock::SystemClock;

/// Try one room alone on recorded material.
#[derive(Debug, Subcommand)]
pub enum EvalCommand {
    /// Score a detector model on annotated pictures as COCO does, by the path that the daemon's looks take.
    Detect(detect::DetectArgs),
    /// Run the tracker over a MOTChallenge detection file.
    Track(track::TrackArgs),
}

/// Carries out `havenwacht eval`.
pub fn eval(command: &EvalCommand) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    match command {
        EvalCommand::Detect(args) => {
            let report = detect::detect(args, &SystemClock::default())?;
            if args.json {
                serde_json::to_writer_pretty(&mut out, &report)?;
                writeln!(out)?;
            } else {
                write!(out, "{report}")?;
            }
        }
        EvalCommand::Track(track::TrackArgs { detections, output, fps }) => {
            let summary = track::track(detections, output, *fps)?;
            writeln!(out, "{summary}: {}", output.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
