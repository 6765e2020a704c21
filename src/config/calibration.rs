//! `[camera.calibration]`: surveyed points.

use super::reader::{TableReader, ValueReader};
use super::shapes;
use crate::geometry::{Calibration, CalibrationError, Norm, Point, Survey};

/// Standard error of a point that a person clicks in a picture.
const ERROR_PX: f64 = 2.0;
const EXAMPLE: &str = "[{ image = [0.12, 0.55], metres = [0.0, 0.0] }, ...], four or more of them";

/// A point in the picture and on the ground.
type Surveyed = (Point<Norm>, [f64; 2]);

pub(super) fn read(table: &TableReader<'_>) -> Option<Calibration> {
    let error_px = table.optional("error_px", |item| {
        item.number(0.1..=50.0, "standard error of a point, in pixels of a picture 1920 px wide")
    });
    let list = table.get("points");
    let points = table.required("points", EXAMPLE, points);
    let (list, (survey, points)) = (list?, points?);
    let error_px = error_px.unwrap_or(ERROR_PX) as f32;
    match Calibration::fit(survey, &points, error_px) {
        Ok(calibration) => {
            warn_of_a_stray(&list, &calibration, error_px);
            Some(calibration)
        }
        Err(error) => {
            let culprit = match error {
                CalibrationError::Apart(index, _) | CalibrationError::Twins(_, index, _) => Some(index),
                _ => None,
            };
            let items = list.list()?;
            let at = culprit.and_then(|index| items.get(index)).unwrap_or(&list);
            at.error(error.to_string(), help(&error, survey));
            None
        }
    }
}

fn points(item: &ValueReader<'_>) -> Option<(Survey, Vec<Surveyed>)> {
    let read: Vec<_> = item.list()?.iter().map(|item| Some((item.clone(), point(item)?))).collect();
    let read = read.into_iter().collect::<Option<Vec<_>>>()?;
    let survey = read.first().map_or(Survey::Metres, |(_, (survey, _))| *survey);
    if let Some((other, _)) = read.iter().find(|(_, (other, _))| *other != survey) {
        other.error("metres and wgs84 are mixed", "write all points of a camera in one of the two");
        return None;
    }
    Some((survey, read.into_iter().map(|(_, (_, point))| point).collect()))
}

fn point(item: &ValueReader<'_>) -> Option<(Survey, Surveyed)> {
    let table = item.table("point")?;
    let image = table.required("image", "[0.12, 0.55]", shapes::point);
    let metres = table.optional("metres", |item| shapes::numbers(item, "metres eastward and northward"));
    let wgs84 = table.optional("wgs84", latitude_longitude);
    match (table.get("metres").is_some(), table.get("wgs84").is_some()) {
        (true, true) => item.error("has both metres and wgs84", "keep one of the two"),
        (false, false) => item.error(
            "has no position on the ground",
            "add metres = [12.5, -3.0] (eastward, northward) or wgs84 = [52.0987, 4.2601] (latitude, longitude)",
        ),
        _ => {}
    }
    match (metres, wgs84) {
        (Some(place), None) => Some((Survey::Metres, (image?, place))),
        (None, Some(place)) => Some((Survey::Wgs84, (image?, place))),
        _ => None,
    }
}

fn latitude_longitude(item: &ValueReader<'_>) -> Option<[f64; 2]> {
    let place = shapes::numbers::<2>(item, "latitude and longitude in degrees")?;
    if place[0].abs() > 85.0 || place[1].abs() > 180.0 {
        item.error(
            format!("{}, {} is not a latitude and longitude", place[0], place[1]),
            "degrees with a fraction, latitude first: wgs84 = [52.0987, 4.2601]",
        );
        return None;
    }
    Some(place)
}

fn help(error: &CalibrationError, survey: Survey) -> String {
    let order = match survey {
        Survey::Metres => "metres are [eastward, northward]",
        Survey::Wgs84 => "wgs84 is [latitude, longitude]",
    };
    match error {
        CalibrationError::TooFew(_) => format!("points = {EXAMPLE}"),
        CalibrationError::Apart(..) => format!("{order}; is a digit wrong?"),
        CalibrationError::Twins(..) => "leave one of them out, or correct it".to_owned(),
        CalibrationError::OnOneLine(..) | CalibrationError::IllConditioned(_) => {
            "choose points near and far, left and right: the corners of the largest four-sided part of a quay or pontoon"
                .to_owned()
        }
        CalibrationError::Folded => {
            format!("{order}; are two points swapped? all lie below the horizon")
        }
        CalibrationError::Mirrored => format!("{order}, and image is [rightward, downward]: one may be the other way"),
        CalibrationError::NoFit(_) => {
            format!("{order}; every point lies at the height of the water, or all as high above it; is one mistyped?")
        }
    }
}

/// Warns of a point that contradicts the others.
fn warn_of_a_stray(list: &ValueReader<'_>, calibration: &Calibration, error_px: f32) {
    let Some((index, stray)) = calibration.stray(error_px) else { return };
    let Some(items) = list.list() else { return };
    let Some(item) = items.get(index) else { return };
    item.warning(
        format!(
            "deviates from the other points by {:.0} px in a picture 1920 px wide, {:.1} m on the ground",
            stray.px, stray.metres
        ),
        "is it mistyped, or does it name another corner? `havenwacht calibrate` draws the points",
    );
}
