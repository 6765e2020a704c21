//! `havenwacht eval scene`: scores detections, tracks and signals on annotated clips.
//!
//! The clips pass through the same code as in the daemon: region planner, detector, tracker and rules.

mod annotated_scene;
mod chart;
mod failures;
mod html;
mod identities;
mod markup;
mod playback;
mod report;
mod scores;
mod signals;
mod strategy;
mod vessels;

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use annotated_scene::AnnotatedScene;
use html::Section;
pub use report::SceneReport;
use scores::ScoredScene;
use strategy::RegionStrategy;

/// Arguments of `havenwacht eval scene`.
#[derive(Debug, Args)]
pub struct SceneArgs {
    /// Folders, each with clip.mp4, truth.txt (MOTChallenge: frame,id,x,y,w,h,1,1,visibility), site.toml, signals.json (the
    /// expected signals: rule, place, vessel, opens_s) and scene.json (camera, start, frames_per_second, conditions).
    #[arg(required = true, value_name = "SCENE")]
    scenes: Vec<PathBuf>,
    /// Model manifest; without it, the one of each site file.
    #[arg(long, value_name = "MANIFEST")]
    model: Option<PathBuf>,
    /// Regions of each pass: those that the region planner chooses; or, to compare, the whole frame, alone or with tiles of 640 px.
    #[arg(long, value_enum, default_value_t = RegionStrategy::Planned)]
    regions: RegionStrategy,
    /// Print everything as JSON.
    #[arg(long)]
    pub json: bool,
    /// Also write an HTML page with charts, and with pictures of failures.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Plays and scores the scenes. Progress is shown on standard error if that is a terminal.
pub fn scene(args: &SceneArgs) -> anyhow::Result<SceneReport> {
    // Opens all scenes before it plays the first, so that a missing file is found at once.
    let scenes: Vec<AnnotatedScene> =
        args.scenes.iter().map(|folder| AnnotatedScene::open(folder)).collect::<anyhow::Result<_>>()?;
    annotated_scene::check_names(&scenes)?;
    if let Some(path) = &args.html {
        fs::write(path, "").with_context(|| format!("cannot write {}", path.display()))?;
    }
    let bar = progress(scenes.len());
    let (mut results, mut sections) = (Vec::new(), Vec::new());
    for scene in &scenes {
        let which = || scene.clip.display().to_string();
        let progress = |at_s: f64| bar.set_message(format!("{}, {at_s:.0} s", scene.name));
        let fixed = args.regions.fixed_plan();
        let played = playback::play(scene, args.model.as_deref(), fixed, &progress).with_context(which)?;
        let scored = ScoredScene::new(scene, &played);
        let failures = failures::failures(scene, &played, &scored);
        if args.html.is_some() {
            sections.push(Section::new(scene, &played, &scored, &failures).with_context(which)?);
        }
        results.push((scene.name.clone(), scene.description.conditions.clone(), scored.counts, failures));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let report = SceneReport::new(args.model.clone(), args.regions, results);
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
