//! Annotated pictures in COCO's form (<https://cocodataset.org/#format-data>, object detection): what is read of it.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use super::average_precision::{TruthBox, XyWh};
use crate::detect::Class;
use crate::geometry::FrameSize;

/// Annotated pictures.
#[derive(Debug)]
pub struct Truth {
    /// By id.
    pub images: Vec<Image>,
    /// Classes that were annotated, and the id of the first category of each.
    pub categories: BTreeMap<Class, i64>,
    /// Categories that are no class of ours, and their boxes: not scored.
    pub left_out: BTreeMap<String, usize>,
}

/// One picture and what is in it.
#[derive(Debug)]
pub struct Image {
    /// The file's own number of it.
    pub id: i64,
    /// Below the folder of pictures.
    pub file_name: String,
    /// Extent that the boxes were drawn for.
    pub size: FrameSize,
    /// In the order of the file.
    pub boxes: Vec<(Class, TruthBox)>,
}

/// One row of a COCO result file.
#[derive(Debug, Serialize, Deserialize)]
pub struct ResultRow {
    /// As in the truth.
    pub image_id: i64,
    /// As in the truth; the first one where several categories mean the same class.
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
    /// Looked into later, so that what is wrong with it can be told with the annotation's id.
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
    Truth(bool),
}

impl Default for Flag {
    fn default() -> Self {
        Self::Truth(false)
    }
}

impl Flag {
    fn is_set(self) -> bool {
        matches!(self, Self::Truth(true) | Self::Number(1..))
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

/// Reads annotations. Fields beyond those of [`Truth`] are nobody's business here, and may be there.
pub fn read(path: &Path) -> anyhow::Result<Truth> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("in {}", path.display()))
}

fn parse(text: &str) -> anyhow::Result<Truth> {
    // serde_json tells line and column.
    let raw: RawTruth = serde_json::from_str(text).context("not COCO annotations")?;
    let mut images = raw.images;
    ensure!(!images.is_empty(), "`images` is empty: there is nothing to look at");
    images.sort_by_key(|image| image.id);
    let mut images: Vec<Image> = images
        .into_iter()
        .map(|RawImage { id, file_name, width, height }| Image {
            id,
            file_name,
            size: FrameSize { width, height },
            boxes: Vec::new(),
        })
        .collect();
    if let Some(pair) = images.windows(2).find(|pair| pair[0].id == pair[1].id) {
        bail!("image {} is there twice, as {} and as {}", pair[0].id, pair[0].file_name, pair[1].file_name);
    }
    let places: HashMap<i64, usize> = images.iter().enumerate().map(|(at, image)| (image.id, at)).collect();

    let mut truth = Truth { images: Vec::new(), categories: BTreeMap::new(), left_out: BTreeMap::new() };
    for category in &raw.categories {
        match class(&category.name) {
            Some(class) => _ = truth.categories.entry(class).or_insert(category.id),
            None => _ = truth.left_out.insert(category.name.clone(), 0),
        }
    }
    if truth.categories.is_empty() {
        let names: Vec<_> = raw.categories.iter().map(|c| c.name.as_str()).collect();
        bail!(
            "no category is known among `categories` ({}): name one vessel, boat or ship, or person, people or pedestrian",
            names.join(", ")
        );
    }
    let names: HashMap<i64, &str> = raw.categories.iter().map(|c| (c.id, c.name.as_str())).collect();
    for annotation in raw.annotations {
        let RawAnnotation { id, image_id, category_id, bbox, area, iscrowd, ignore } = annotation;
        let Some(&name) = names.get(&category_id) else {
            bail!("annotation {id}: `categories` has no category {category_id}");
        };
        let Some(&place) = places.get(&image_id) else {
            bail!("annotation {id}: `images` has no image {image_id}");
        };
        let Some(class) = class(name) else {
            *truth.left_out.entry(name.to_owned()).or_default() += 1;
            continue;
        };
        let Some(bbox) = xywh(&bbox) else {
            bail!(
                "annotation {id}: bbox is {bbox}, expected [x, y, width, height] in pixels, width and height above zero"
            );
        };
        let area_px = area.unwrap_or(bbox[2] * bbox[3]);
        let drawn = TruthBox { bbox, area_px, crowd: iscrowd.is_set(), ignore: ignore.is_set() };
        images[place].boxes.push((class, drawn));
    }
    truth.images = images;
    Ok(truth)
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

    fn refusal(good: &str, bad: &str) -> String {
        assert!(GOOD.contains(good), "{good}");
        format!("{:#}", parse(&GOOD.replacen(good, bad, 1)).unwrap_err())
    }

    #[test]
    fn pictures_come_by_id_with_their_boxes_and_other_categories_are_counted_apart() {
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
    fn a_mistake_is_told_with_the_place_where_it_stands() {
        for (good, bad, wanted) in [
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
            ("\"id\": 2, \"file", "\"id\": 7, \"file", "image 7 is there twice, as b.jpg and as a/a.png"),
            ("\"width\": 640, ", "", "missing field `width` at line 2 column"),
            ("\"annotations\": [", "\"annotations\": ", "at line 4 column"),
            ("2026}", "NaN}", "expected value at line 1 column 19"),
        ] {
            let error = refusal(good, bad);
            assert!(error.contains(wanted), "{bad}: {error}");
        }
        let unknown = GOOD.replace("Ship", "yacht").replace("pedestrian", "gull").replace("boat", "buoy2");
        let error = format!("{:#}", parse(&unknown).unwrap_err());
        assert!(error.contains("(yacht, gull, buoy, buoy2): name one vessel, boat or ship"), "{error}");
        let none = r#"{"images": [], "annotations": [], "categories": []}"#;
        assert!(format!("{:#}", parse(none).unwrap_err()).contains("`images` is empty"));
        let gone = format!("{:#}", read(Path::new("/nowhere/coco.json")).unwrap_err());
        assert!(gone.contains("cannot read /nowhere/coco.json: No such file"), "{gone}");
    }
}
