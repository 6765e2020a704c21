//! Draws every n-th frame of a scene as I420 to standard output, without coding: `stills SCENE N`.
//!
//! For looking at a scene, and for scoring a detector on it, while it is being changed.

use std::io::Write as _;

use anyhow::{Context, Result};
use sample_streams::material::Material;
use sample_streams::scenes::{FPS, SCENES};
use sample_streams::stage::Stage;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let id = arguments.next().context("which scene?")?;
    let step: u32 = arguments.next().context("every how many frames?")?.parse()?;
    let scene = SCENES.iter().find(|s| s.id == id).context("no such scene")?;
    let material = Material::find("sample-streams/material".as_ref())?;
    let setting = (scene.setting)(Some(&material))?;
    let mut stage = Stage::new(setting, Some(&material), scene.seconds as f32, FPS as f32)?;
    let mut out = std::io::stdout().lock();
    for index in (0..scene.frames()).step_by(step as usize) {
        let (picture, seen) = stage.draw(index);
        let mut text = format!("{index} {}", seen.len());
        for s in &seen {
            text += &format!(" {} {} {} {} {} {:.2}", s.id, s.left, s.top, s.width, s.height, s.visibility);
        }
        writeln!(out, "{text}")?;
        out.write_all(&picture.data)?;
    }
    Ok(())
}
