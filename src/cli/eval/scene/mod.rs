//! `havenwacht eval scene`: annotated clips through the watch, its detections, tracks and signals scored.
//!
//! What is scored is what runs at night: the looks of a replay, the detector, the tracker and the rules of the daemon.

mod boxes;
mod causes;
mod chart;
mod html;
mod identities;
mod material;
mod outcome;
mod playback;
mod report;
mod signals;

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::regions::FixedPlan;
use html::Section;
use material::Scene;
use outcome::Outcome;
pub use report::Report;

/// What is scored.
#[derive(Debug, Args)]
pub struct SceneArgs {
    /// Folders, each with clip.mp4, truth.txt (MOTChallenge: frame,id,x,y,w,h,1,1,visibility), site.toml, signals.json (what
    /// must be raised: rule, place, vessel, opens_s) and scene.json (camera, start, frames_per_second, conditions).
    #[arg(required = true, value_name = "SCENE")]
    scenes: Vec<PathBuf>,
    /// Model manifest, in place of the ones that the site files name.
    #[arg(long, value_name = "MANIFEST")]
    model: Option<PathBuf>,
    /// Where each look goes: where attention would send it, or, to compare, the whole frame or that and tiles of 640 px.
    #[arg(long, value_enum, default_value_t = Strategy::Attention)]
    look: Strategy,
    /// Print everything as JSON.
    #[arg(long)]
    pub json: bool,
    /// Also write a page with curves and pictures of what went wrong.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Where looks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Strategy {
    /// As in the watch.
    Attention,
    /// Each at the whole frame.
    Whole,
    /// Each at the whole frame and at tiles that cover it.
    Everywhere,
}

impl Strategy {
    fn fixed(self) -> Option<FixedPlan> {
        match self {
            Self::Attention => None,
            Self::Whole => Some(FixedPlan::WholeFrame),
            Self::Everywhere => Some(FixedPlan::AllTiles),
        }
    }
}

/// Plays and scores the scenes; progress is shown on standard error if that is a terminal.
pub fn scene(args: &SceneArgs) -> anyhow::Result<Report> {
    // All of them before the first is played, so that an hour is not lost to a file that is missing.
    let scenes: Vec<Scene> =
        args.scenes.iter().map(|folder| Scene::open(folder)).collect::<anyhow::Result<_>>()?;
    material::different(&scenes)?;
    if let Some(path) = &args.html {
        fs::write(path, "").with_context(|| format!("cannot write {}", path.display()))?;
    }
    let bar = progress(scenes.len());
    let (mut scored, mut sections) = (Vec::new(), Vec::new());
    for scene in &scenes {
        let which = || scene.clip.display().to_string();
        let told = |at_s: f64| bar.set_message(format!("{}, {at_s:.0} s", scene.name));
        let played =
            playback::play(scene, args.model.as_deref(), args.look.fixed(), &told).with_context(which)?;
        let outcome = Outcome::new(scene, &played);
        let failures = causes::failures(scene, &played, &outcome);
        if args.html.is_some() {
            sections.push(Section::new(scene, &played, &outcome, &failures).with_context(which)?);
        }
        scored.push((scene.name.clone(), scene.about.conditions.clone(), outcome.counts, failures));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let report = Report::new(args.model.clone(), args.look, scored);
    if let Some(path) = &args.html {
        fs::write(path, html::page(&report, &sections))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(report)
}

fn progress(scenes: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} scenes, {eta} to go: {msg}");
    ProgressBar::new(scenes as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
