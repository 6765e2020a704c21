//! Reads annotated pictures in COCO's format (<https://cocodataset.org/#format-data>, object detection).

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use super::matching::{TruthBox, XyWh};
use crate::detect::Class;
use crate::geometry::FrameSize;

/// Annotated pictures.
#[derive(Debug)]
pub struct Annotations {
    /// By id.
    pub images: Vec<AnnotatedPicture>,
    /// The annotated classes, and the id of the first category of each.
    pub categories: BTreeMap<Class, i64>,
    /// Categories that are not scored, and their number of boxes.
    pub left_out: BTreeMap<String, usize>,
}

/// One picture and its boxes.
#[derive(Debug)]
pub struct AnnotatedPicture {
    /// Its id in the file.
    pub id: i64,
    /// Path below the folder of pictures.
    pub file_name: String,
    /// Size of the picture for which the boxes were drawn.
    pub size: FrameSize,
    /// In the order of the file.
    pub boxes: Vec<(Class, TruthBox)>,
}

/// One row of a COCO results file.
#[derive(Debug, Serialize, Deserialize)]
pub struct ResultRow {
    /// As in the annotations.
    pub image_id: i64,
    /// As in the annotations; the first one when several categories mean the same class.
    pub category_id: i64,
    /// Pixels.
    pub bbox: XyWh,
    /// 0 to 1.
    pub score: f64,
}

#[derive(Deserialize)]
struct RawTruth {
    images: Vec<RawImage>,
    annotations: Vec<RawAnnotation>,
    categories: Vec<RawCategory>,
}

#[derive(Deserialize)]
struct RawImage {
    id: i64,
    file_name: String,
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
struct RawAnnotation {
    id: i64,
    image_id: i64,
    category_id: i64,
    /// Checked later, so that the error can name the annotation's id.
    #[serde(default)]
    bbox: serde_json::Value,
    area: Option<f64>,
    #[serde(default)]
    iscrowd: Flag,
    #[serde(default)]
    ignore: Flag,
}

/// COCO writes 0 and 1, others true and false.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Flag {
    Number(u8),
    Bool(bool),
}

impl Default for Flag {
    fn default() -> Self {
        Self::Bool(false)
    }
}

impl Flag {
    fn is_set(self) -> bool {
        matches!(self, Self::Bool(true) | Self::Number(1..))
    }
}

#[derive(Deserialize)]
struct RawCategory {
    id: i64,
    name: String,
}

/// The class that a category means, by the names that data sets use.
fn class(name: &str) -> Option<Class> {
    match name.to_lowercase().as_str() {
        "vessel" | "boat" | "ship" => Some(Class::Vessel),
        "person" | "people" | "pedestrian" => Some(Class::Person),
        _ => None,
    }
}

/// Reads annotations. Unknown fields are ignored.
pub fn read(path: &Path) -> anyhow::Result<Annotations> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("in {}", path.display()))
}

fn parse(text: &str) -> anyhow::Result<Annotations> {
    // The error of serde_json names line and column.
    let raw: RawTruth = serde_json::from_str(text).context("not COCO annotations")?;
    let mut images = pictures(raw.images)?;
    let indices: HashMap<i64, usize> = images.iter().enumerate().map(|(at, image)| (image.id, at)).collect();
    let (categories, mut left_out) = categories(&raw.categories)?;
    let names: HashMap<i64, &str> = raw.categories.iter().map(|c| (c.id, c.name.as_str())).collect();
    for annotation in raw.annotations {
        let RawAnnotation { id, image_id, category_id, bbox, area, iscrowd, ignore } = annotation;
        let Some(&name) = names.get(&category_id) else {
            bail!("annotation {id}: `categories` has no category {category_id}");
        };
        let Some(&index) = indices.get(&image_id) else {
            bail!("annotation {id}: `images` has no image {image_id}");
        };
        let Some(class) = class(name) else {
            *left_out.entry(name.to_owned()).or_default() += 1;
            continue;
        };
        let Some(bbox) = xywh(&bbox) else {
            bail!(
                "annotation {id}: bbox is {bbox}, expected [x, y, width, height] in pixels, width and height above zero"
            );
        };
        let area_px = area.unwrap_or(bbox[2] * bbox[3]);
        let drawn = TruthBox { bbox, area_px, crowd: iscrowd.is_set(), ignore: ignore.is_set() };
        images[index].boxes.push((class, drawn));
    }
    Ok(Annotations { images, categories, left_out })
}

/// The pictures by id, without their boxes.
fn pictures(mut raw: Vec<RawImage>) -> anyhow::Result<Vec<AnnotatedPicture>> {
    ensure!(!raw.is_empty(), "`images` is empty: there is nothing to score");
    raw.sort_by_key(|image| image.id);
    if let Some(pair) = raw.windows(2).find(|pair| pair[0].id == pair[1].id) {
        let [first, second] = [&pair[0], &pair[1]];
        bail!("image id {} occurs twice, for {} and for {}", first.id, first.file_name, second.file_name);
    }
    let picture = |RawImage { id, file_name, width, height }| {
        let size = FrameSize { width, height };
        AnnotatedPicture { id, file_name, size, boxes: Vec::new() }
    };
    Ok(raw.into_iter().map(picture).collect())
}

/// The classes with their category ids, and the categories that are left out.
fn categories(raw: &[RawCategory]) -> anyhow::Result<(BTreeMap<Class, i64>, BTreeMap<String, usize>)> {
    let (mut categories, mut left_out) = (BTreeMap::new(), BTreeMap::new());
    for category in raw {
        match class(&category.name) {
            Some(class) => _ = categories.entry(class).or_insert(category.id),
            None => _ = left_out.insert(category.name.clone(), 0),
        }
    }
    if categories.is_empty() {
        let names: Vec<_> = raw.iter().map(|c| c.name.as_str()).collect();
        bail!(
            "`categories` has no known category ({}): expected vessel, boat or ship, or person, people or pedestrian",
            names.join(", ")
        );
    }
    Ok((categories, left_out))
}

fn xywh(value: &serde_json::Value) -> Option<XyWh> {
    let numbers: Option<Vec<f64>> = value.as_array()?.iter().map(serde_json::Value::as_f64).collect();
    let bbox: XyWh = numbers?.try_into().ok()?;
    (bbox[2] > 0.0 && bbox[3] > 0.0).then_some(bbox)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"info": {"year": 2026},
 "images": [{"id": 7, "file_name": "b.jpg", "width": 640, "height": 480, "licence": 3},
            {"id": 2, "file_name": "a/a.png", "width": 320, "height": 200}],
 "annotations": [{"id": 1, "image_id": 7, "category_id": 9, "bbox": [1, 2, 30, 40], "iscrowd": 1},
                 {"id": 2, "image_id": 7, "category_id": 4, "bbox": [1, 2, 3, 4], "ignore": true, "area": 5.5},
                 {"id": 3, "image_id": 2, "category_id": 3, "bbox": [0, 0, 9, 9]}],
 "categories": [{"id": 9, "name": "Ship"}, {"id": 4, "name": "pedestrian"}, {"id": 3, "name": "buoy"}, {"id": 8, "name": "boat"}]}"#;

    fn error(good: &str, bad: &str) -> String {
        assert!(GOOD.contains(good), "{good}");
        format!("{:#}", parse(&GOOD.replacen(good, bad, 1)).unwrap_err())
    }

    #[test]
    fn pictures_are_sorted_by_id_and_other_categories_counted() {
        let truth = parse(GOOD).unwrap();
        let ids: Vec<_> = truth.images.iter().map(|i| (i.id, i.file_name.as_str(), i.boxes.len())).collect();
        assert_eq!(ids, [(2, "a/a.png", 0), (7, "b.jpg", 2)]);
        assert_eq!(truth.categories, [(Class::Vessel, 9), (Class::Person, 4)].into());
        assert_eq!(truth.left_out, [("buoy".to_owned(), 1)].into());
        let (class, crowd) = &truth.images[1].boxes[0];
        assert_eq!((*class, crowd.area_px, crowd.crowd, crowd.ignore), (Class::Vessel, 1200.0, true, false));
        let (class, drawn) = &truth.images[1].boxes[1];
        assert_eq!((*class, drawn.area_px, drawn.crowd, drawn.ignore), (Class::Person, 5.5, false, true));
    }

    #[test]
    fn errors_name_the_annotation_or_line() {
        for (good, bad, expected) in [
            (
                "[1, 2, 30, 40]",
                "[1, 2, 30]",
                "annotation 1: bbox is [1,2,30], expected [x, y, width, height]",
            ),
            ("[1, 2, 30, 40]", "[1, 2, 0, 40]", "annotation 1: bbox is [1,2,0,40], expected"),
            ("[1, 2, 30, 40]", "[1, \"2\", 30, 40]", "annotation 1: bbox is [1,\"2\",30,40], expected"),
            ("\"bbox\": [1, 2, 30, 40],", "", "annotation 1: bbox is null, expected"),
            ("\"image_id\": 7", "\"image_id\": 8", "annotation 1: `images` has no image 8"),
            ("\"category_id\": 9", "\"category_id\": 5", "annotation 1: `categories` has no category 5"),
            ("\"id\": 2, \"file", "\"id\": 7, \"file", "image id 7 occurs twice, for b.jpg and for a/a.png"),
            ("\"width\": 640, ", "", "missing field `width` at line 2 column"),
            ("\"annotations\": [", "\"annotations\": ", "at line 4 column"),
            ("2026}", "NaN}", "expected value at line 1 column 19"),
        ] {
            let message = error(good, bad);
            assert!(message.contains(expected), "{bad}: {message}");
        }
        let unknown = GOOD.replace("Ship", "yacht").replace("pedestrian", "gull").replace("boat", "buoy2");
        let error = format!("{:#}", parse(&unknown).unwrap_err());
        assert!(error.contains("(yacht, gull, buoy, buoy2): expected vessel, boat or ship"), "{error}");
        let none = r#"{"images": [], "annotations": [], "categories": []}"#;
        assert!(format!("{:#}", parse(none).unwrap_err()).contains("`images` is empty"));
        let gone = format!("{:#}", read(Path::new("/nowhere/coco.json")).unwrap_err());
        assert!(gone.contains("cannot read /nowhere/coco.json: No such file"), "{gone}");
    }
}
