//! `havenwacht calibrate`: what a camera's surveyed points come to, in figures and as a grid on its picture.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;

use super::Unfit;
use super::reel::Reel;
use crate::clock::{MonoTime, Stamp};
use crate::config::{Camera, Stream};
use crate::evidence::{grid, still};
use crate::frame::Picture;
use crate::geometry::{BBox, Calibration, Metre, Origin, Point, Survey};
use crate::rules::MotionEstimator;

/// Of a box's lower edge, in pixels of a picture of 1920: what detectors do.
const JITTER_PX: f32 = 2.0;
/// The vessel whose speed is told.
const KNOTS: f32 = 6.0;

/// Fit a camera's surveyed points: how far each is off, how sure positions and speeds are, and a metre grid on a picture.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// Site file.
    #[arg(long)]
    config: PathBuf,
    /// Camera of the site file.
    #[arg(long, value_name = "ID")]
    camera: String,
    /// Picture of the camera (JPEG or PNG) to draw on; without one a recording's first, and grey for a live camera.
    #[arg(long, value_name = "FILE")]
    frame: Option<PathBuf>,
    /// Picture to write.
    #[arg(long, value_name = "PNG")]
    out: PathBuf,
}

/// Runs the fit.
pub fn calibrate(args: &CalibrateArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let site = super::load_site(&args.config)?;
    let camera = &site.cameras[super::camera_index(&site, &args.camera)?];
    let Some(calibration) = &camera.calibration else {
        let missing = format!(
            "{}: camera `{}` has no surveyed points: add [camera.calibration] below it, with points = [{{ image = [x, y], wgs84 = [latitude, longitude] }}, ...]",
            args.config.display(),
            camera.id
        );
        return Err(Unfit(missing).into());
    };
    let picture = picture(args, camera)?;
    let zones: Vec<_> = camera.zones.iter().map(|zone| &zone.area).collect();
    let lines: Vec<_> = camera.lines.iter().map(|line| &line.segment).collect();
    let marks = grid::Marks { zones: &zones, lines: &lines, masks: &camera.privacy_masks };
    let png = grid::draw(picture.as_ref(), calibration, &marks)?;
    std::fs::write(&args.out, png).with_context(|| format!("cannot write {}", args.out.display()))?;
    writeln!(out, "{} ({})\n", camera.name, camera.id)?;
    tell(calibration, out)?;
    let step = grid::spacing(calibration);
    writeln!(
        out,
        "\n{}: a line every {step} m, a bold one every {} m, metres east and north of points[0]; crosses where you clicked, rings where the calibration puts them; no positions where it is dark",
        args.out.display(),
        step * 5.0
    )?;
    Ok(ExitCode::SUCCESS)
}

fn picture(args: &CalibrateArgs, camera: &Camera) -> anyhow::Result<Option<Picture>> {
    match (&args.frame, &camera.stream) {
        (Some(file), _) => {
            still::read(file).map(Some).with_context(|| format!("cannot draw on {}", file.display()))
        }
        (None, Stream::Clip(clip)) => {
            let start = Stamp { mono: MonoTime::default(), wall: Timestamp::UNIX_EPOCH };
            Ok(Reel::open(camera, clip, start)?.next_due()?.map(|frame| frame.picture))
        }
        (None, Stream::Rtsp { .. }) => Ok(None),
    }
}

/// The tables.
fn tell(calibration: &Calibration, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>6} {:>10} {:>10} {:>24} {:>8} {:>8}",
        "point",
        "east m",
        "north m",
        place_head(calibration.origin()),
        "off px",
        "off m"
    )?;
    for (index, point) in calibration.residuals().iter().enumerate() {
        writeln!(
            out,
            "{index:>6} {:>10.2} {:>10.2} {:>24} {:>8.1} {:>8.2}",
            point.ground.x,
            point.ground.y,
            place(calibration.origin(), point.ground),
            point.px,
            point.metres
        )?;
    }
    let n = calibration.residuals().len();
    let error = calibration.error_px();
    if n == 4 {
        writeln!(
            out,
            "four points fit whatever they are: add a fifth to see how good they are; error {error:.1} px as stated"
        )?;
    } else {
        writeln!(
            out,
            "a point is good to {error:.1} px of a picture of 1920, by the stated error and what {n} points are off"
        )?;
    }

    writeln!(
        out,
        "\nstandard uncertainties (twice as much holds 95 times in 100) for boxes that jitter {JITTER_PX} px, the vessel sailing {KNOTS} knots away from the camera:"
    )?;
    writeln!(
        out,
        "{:>8} {:>14} {:>10} {:>12} {:>12} {:>12} {:>12}",
        "", "picture", "m a pixel", "position m", "knots at 2/s", "at 3/s", "at 5/s"
    )?;
    let Some([near, far]) = ends(calibration) else { return Ok(()) };
    let away = unit(near, far);
    for (name, share) in [("near", 0.0), ("middle", 0.5), ("far", 1.0), ("beyond", 1.5)] {
        let at = Point::new(near.x + share * (far.x - near.x), near.y + share * (far.y - near.y));
        let Some((image, fix)) =
            calibration.image(at).and_then(|image| Some((image, calibration.ground(image)?)))
        else {
            writeln!(out, "{name:>8} too far to tell positions")?;
            continue;
        };
        let shared = fix.uncertainty([0.0; 2]);
        let pixel = (fix.uncertainty([1.0; 2]).powi(2) - shared.powi(2)).max(0.0).sqrt();
        let speed = |looks| {
            speed_uncertainty(calibration, at, away, looks).map_or("-".to_owned(), |u| format!("{u:.2}"))
        };
        writeln!(
            out,
            "{name:>8} {:>14} {pixel:>10.2} {:>12.2} {:>12} {:>12} {:>12}",
            format!("{:.2}, {:.2}", image.x, image.y),
            fix.uncertainty([f64::from(JITTER_PX); 2]),
            speed(2.0),
            speed(3.0),
            speed(5.0)
        )?;
    }
    Ok(())
}

fn place_head(origin: &Origin) -> &'static str {
    match origin.survey() {
        Survey::Metres => "as surveyed, m",
        Survey::Wgs84 => "latitude, longitude",
    }
}

fn place(origin: &Origin, at: Point<Metre>) -> String {
    let [a, b] = origin.place_of(at);
    match origin.survey() {
        Survey::Metres => format!("{a:.2}, {b:.2}"),
        Survey::Wgs84 => format!("{a:.6}, {b:.6}"),
    }
}

/// The ground below the middle of the points in the picture, as near and as far as they reach.
fn ends(calibration: &Calibration) -> Option<[Point<Metre>; 2]> {
    let images = calibration.residuals().iter().map(|point| point.image);
    let x = images.clone().map(|p| p.x).sum::<f32>() / calibration.residuals().len() as f32;
    let low = images.clone().map(|p| p.y).fold(f32::MIN, f32::max);
    let high = images.map(|p| p.y).fold(f32::MAX, f32::min);
    Some([calibration.ground(Point::new(x, low))?.at, calibration.ground(Point::new(x, high))?.at])
}

fn unit(from: Point<Metre>, to: Point<Metre>) -> [f32; 2] {
    let length = from.distance(to).max(1e-3);
    [(to.x - from.x) / length, (to.y - from.y) / length]
}

/// The standard uncertainty in knots that [`MotionEstimator`] tells of a vessel that sails past `at` in direction `away`.
fn speed_uncertainty(
    calibration: &Calibration,
    at: Point<Metre>,
    away: [f32; 2],
    detect_fps: f32,
) -> Option<f32> {
    const SECONDS: f32 = 6.0;
    let mut course = MotionEstimator::default();
    for look in 0..=(SECONDS * detect_fps) as u16 {
        let time = f32::from(look) / detect_fps;
        let sailed = KNOTS * 0.5144 * (time - SECONDS / 2.0);
        let image = calibration.image(Point::new(at.x + away[0] * sailed, at.y + away[1] * sailed))?;
        // Up and down by one standard deviation, so that neither place nor speed is shifted by it.
        let off = |high: bool, size: f32| (if high { JITTER_PX } else { -JITTER_PX }) / size;
        let (x, y) = (image.x + off(look % 2 == 0, 1920.0), image.y + off(look / 2 % 2 == 0, 1080.0));
        let when = MonoTime::from_boot(Duration::from_secs_f32(1.0 + time));
        course.observe(calibration, BBox::new(x - 0.001, y - 0.01, x + 0.001, y), when);
    }
    course.motion().map(|motion| motion.speed.uncertainty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::site;

    fn run(points: &str, out: &std::path::Path) -> anyhow::Result<String> {
        let (_folder, config) = site(|text| {
            let calibration = format!("\n[camera.calibration]\npoints = [{points}]\n");
            text.replace("\n# An area on the water", &format!("{calibration}\n# An area on the water"))
        });
        let args = CalibrateArgs { config, camera: "quay-east".into(), frame: None, out: out.into() };
        let mut told = Vec::new();
        calibrate(&args, &mut told)?;
        Ok(String::from_utf8(told)?)
    }

    #[test]
    fn points_come_to_a_table_and_a_grid_and_too_few_of_them_to_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("grid.png");
        // A mast of 12 m, 6 degrees down; the last point is off by a metre.
        let points = "{ image = [0.1875, 0.7993], metres = [-15.0, 40.0] }, { image = [0.8125, 0.7993], metres = [15.0, 40.0] }, \
                      { image = [0.1653, 0.4621], metres = [-60.0, 150.0] }, { image = [0.8347, 0.4621], metres = [60.0, 150.0] }, \
                      { image = [0.5, 0.5670], metres = [1.0, 80.0] }";
        let told = run(points, &out).unwrap();
        for words in ["Quay east (quay-east)", "off px", "near", "far", "knots at 2/s", "a bold one every"] {
            assert!(told.contains(words), "no {words:?} in\n{told}");
        }
        let picture = still::read(&out).unwrap();
        assert_eq!((picture.size.width, picture.size.height), (1920, 1080));
        let bright = (0..1080).flat_map(|y| picture.row(0, y)).filter(|&&luma| luma > 150).count();
        assert!(bright > 1000, "lines of a grid: {bright} bright pixels");
        let few = run("{ image = [0.2, 0.8], metres = [0.0, 0.0] }", &out).unwrap_err().to_string();
        assert!(few.contains("at least 4 points, this has 1"), "{few}");
    }
}
