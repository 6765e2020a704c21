//! Writes every n-th frame of a scene to standard output as I420, without encoding: `stills SCENE N`.
//!
//! Use it to view a scene, or to score a detector on it, while you change the scene.

use std::io::Write as _;

use anyhow::{Context, Result};
use sample_streams::renderer::Renderer;
use sample_streams::scenes::{FPS, SCENES};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let id = arguments.next().context("usage: stills SCENE N, but SCENE is missing")?;
    let step: u32 = arguments.next().context("usage: stills SCENE N, but N is missing")?.parse()?;
    let scene = SCENES.iter().find(|s| s.id == id).context("no such scene")?;
    let composition = (scene.composition)()?;
    let mut renderer = Renderer::new(composition, scene.seconds as f32, FPS as f32)?;
    let mut out = std::io::stdout().lock();
    for index in (0..scene.frames()).step_by(step as usize) {
        let (picture, boxes) = renderer.draw(index);
        let mut text = format!("{index} {}", boxes.len());
        for b in &boxes {
            text += &format!(" {} {} {} {} {} {:.2}", b.id, b.left, b.top, b.width, b.height, b.visibility);
        }
        writeln!(out, "{text}")?;
        out.write_all(&picture.data)?;
    }
    Ok(())
}
