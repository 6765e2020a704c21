//! `havenwacht calibrate`: fits a camera's surveyed points and prints the accuracy; draws a metre grid on a picture.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;

use super::PermanentError;
use super::recording::Recording;
use crate::clock::{MonoTime, Stamp};
use crate::config::{Camera, Stream};
use crate::evidence::{calibration_grid, still_image};
use crate::frame::Picture;
use crate::geometry::{BBox, Calibration, Metre, Origin, Point, Survey};
use crate::rules::MotionEstimator;

/// Jitter of a box's lower edge, in pixels of a picture 1920 wide, as detectors show it.
const JITTER_PX: f32 = 2.0;
/// Speed of the vessel for which the uncertainty is printed.
const KNOTS: f32 = 6.0;

/// Fit a camera's surveyed points: print the error of each point and the accuracy, draw a metre grid.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// Site file.
    #[arg(long)]
    config: PathBuf,
    /// Camera of the site file.
    #[arg(long, value_name = "ID")]
    camera: String,
    /// Picture of the camera (JPEG or PNG) to draw on. Default: the first frame of a recording, grey for a live camera.
    #[arg(long, value_name = "FILE")]
    frame: Option<PathBuf>,
    /// PNG file to write.
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
        return Err(PermanentError(missing).into());
    };
    let picture = picture(args, camera)?;
    let zones: Vec<_> = camera.zones.iter().map(|zone| &zone.area).collect();
    let lines: Vec<_> = camera.lines.iter().map(|line| &line.segment).collect();
    let marks = calibration_grid::Marks { zones: &zones, lines: &lines, masks: &camera.privacy_masks };
    let png = calibration_grid::draw(picture.as_ref(), calibration, &marks)?;
    std::fs::write(&args.out, png).with_context(|| format!("cannot write {}", args.out.display()))?;
    writeln!(out, "{} ({})\n", camera.name, camera.id)?;
    print_tables(calibration, out)?;
    let step = calibration_grid::spacing(calibration);
    writeln!(
        out,
        "\n{}: grid lines every {step} m, bold every {} m, labels in metres east and north of points[0]; a cross is a point as given, a ring the same point by the calibration; dark parts have no position",
        args.out.display(),
        step * 5.0
    )?;
    Ok(ExitCode::SUCCESS)
}

fn picture(args: &CalibrateArgs, camera: &Camera) -> anyhow::Result<Option<Picture>> {
    match (&args.frame, &camera.stream) {
        (Some(file), _) => {
            still_image::read(file).map(Some).with_context(|| format!("cannot draw on {}", file.display()))
        }
        (None, Stream::Clip(clip)) => {
            let start = Stamp { mono: MonoTime::default(), wall: Timestamp::UNIX_EPOCH };
            Ok(Recording::open(camera, clip, start)?.next_due()?.map(|frame| frame.picture))
        }
        (None, Stream::Rtsp { .. }) => Ok(None),
    }
}

/// Prints the points with their errors, then the accuracy from near to far.
fn print_tables(calibration: &Calibration, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>6} {:>10} {:>10} {:>24} {:>8} {:>8}",
        "point",
        "east m",
        "north m",
        place_head(calibration.origin()),
        "error px",
        "error m"
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
            "four points always fit exactly: add a fifth to see their error; {error:.1} px is the error given in the site file"
        )?;
    } else {
        writeln!(
            out,
            "error of a point: {error:.1} px in a picture 1920 px wide, from the given error and the deviations of {n} points"
        )?;
    }

    writeln!(
        out,
        "\nstandard uncertainty (double it for 95 % confidence) with boxes that jitter by {JITTER_PX} px, for a vessel that sails away from the camera at {KNOTS} knots:"
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
            writeln!(out, "{name:>8} too far for positions")?;
            continue;
        };
        let shared = fix.uncertainty([0.0; 2]);
        let pixel = (fix.uncertainty([1.0; 2]).powi(2) - shared.powi(2)).max(0.0).sqrt();
        let speed = |detect_fps| {
            speed_uncertainty(calibration, at, away, detect_fps).map_or("-".to_owned(), |u| format!("{u:.2}"))
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

/// The nearest and the farthest ground on the vertical line through the middle of the points.
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

/// The standard uncertainty in knots that [`MotionEstimator`] reports for a vessel that sails past `at` in direction `away`.
fn speed_uncertainty(
    calibration: &Calibration,
    at: Point<Metre>,
    away: [f32; 2],
    detect_fps: f32,
) -> Option<f32> {
    const SECONDS: f32 = 6.0;
    let mut course = MotionEstimator::default();
    for pass in 0..=(SECONDS * detect_fps) as u16 {
        let time = f32::from(pass) / detect_fps;
        let sailed = KNOTS * 0.5144 * (time - SECONDS / 2.0);
        let image = calibration.image(Point::new(at.x + away[0] * sailed, at.y + away[1] * sailed))?;
        // Alternates by one standard deviation, so that the mean of position and speed does not shift.
        let off = |high: bool, size: f32| (if high { JITTER_PX } else { -JITTER_PX }) / size;
        let (x, y) = (image.x + off(pass % 2 == 0, 1920.0), image.y + off(pass / 2 % 2 == 0, 1080.0));
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
        let mut printed = Vec::new();
        calibrate(&args, &mut printed)?;
        Ok(String::from_utf8(printed)?)
    }

    #[test]
    fn points_give_a_table_and_a_grid_or_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("grid.png");
        // A mast of 12 m that looks 6 degrees down. The last point is wrong by a metre.
        let points = "{ image = [0.1875, 0.7993], metres = [-15.0, 40.0] }, { image = [0.8125, 0.7993], metres = [15.0, 40.0] }, \
                      { image = [0.1653, 0.4621], metres = [-60.0, 150.0] }, { image = [0.8347, 0.4621], metres = [60.0, 150.0] }, \
                      { image = [0.5, 0.5670], metres = [1.0, 80.0] }";
        let printed = run(points, &out).unwrap();
        for words in ["Quay east (quay-east)", "error px", "near", "far", "knots at 2/s", "bold every"] {
            assert!(printed.contains(words), "no {words:?} in\n{printed}");
        }
        let picture = still_image::read(&out).unwrap();
        assert_eq!((picture.size.width, picture.size.height), (1920, 1080));
        let bright = (0..1080).flat_map(|y| picture.row(0, y)).filter(|&&luma| luma > 150).count();
        assert!(bright > 1000, "lines of a grid: {bright} bright pixels");
        let few = run("{ image = [0.2, 0.8], metres = [0.0, 0.0] }", &out).unwrap_err().to_string();
        assert!(few.contains("at least 4 points, this has 1"), "{few}");
    }
}
