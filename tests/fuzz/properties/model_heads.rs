//! For any manifest and any output of a model, a head rejects it or gives valid boxes: with a confidence from the low
//! threshold to 1, not more than the model has cells, and inside the region.

use std::path::Path;

use havenwacht::detect::heads::{Candidates, HEADS, Tensor};
use havenwacht::detect::preprocess::{PixelRect, Placement};
use havenwacht::detect::{Decoder, Manifest, nms};

use super::bytes::Bytes;

/// Larger outputs are left out: they only take time.
const MOST_VALUES: usize = 200_000;

/// Checks an input twice: as the text of a manifest, and as a manifest with the outputs of a model.
pub(crate) fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(manifest) = Manifest::parse(Path::new("m.toml"), text)
    {
        check_manifest(&manifest);
    }
    let mut bytes = Bytes(data);
    let Ok(manifest) = Manifest::parse(Path::new("m.toml"), &text(&mut bytes)) else { return };
    check_manifest(&manifest);
    let shapes = shapes(&manifest, &mut bytes);
    match Decoder::new(&manifest, &shapes) {
        Ok(head) => check_decoding(&manifest, &head, &shapes, &mut bytes),
        Err(error) => assert!(error.to_string().starts_with("m.toml: "), "{error}"),
    }
}

fn check_manifest(manifest: &Manifest) {
    let Manifest { input, outputs, classes, thresholds, sha256, .. } = manifest;
    assert!([input.width, input.height].iter().all(|side| (64..=2048).contains(side)), "{input:?}");
    assert!(0.0 < thresholds.low && thresholds.low <= thresholds.high, "{thresholds:?}");
    assert!(thresholds.high < 1.0 && 0.0 < thresholds.iou && thresholds.iou < 1.0, "{thresholds:?}");
    assert!(!outputs.is_empty() && !classes.is_empty() && sha256.len() == 64);
}

/// The text of a manifest, mostly valid.
fn text(bytes: &mut Bytes<'_>) -> String {
    let kind = bytes.u8();
    let head = HEADS[usize::from(kind) % HEADS.len()].name();
    let names =
        |prefix: &str, count: u8| (0..count).map(|i| format!("'{prefix}{i}'")).collect::<Vec<_>>().join(", ");
    let (scores, boxes, predictions) = match head {
        "ssd" => (1, 1, 0),
        // Three levels or four, and sometimes more boxes than scores.
        "nanodet" => (3 + kind / 4 % 2, 3 + kind / 4 % 2 + u8::from(kind > 250), 0),
        _ => (0, 0, 1),
    };
    let mut side = || match bytes.u8() {
        byte if byte > 200 => usize::from(byte),
        byte => 32 * (2 + usize::from(byte % 4)),
    };
    let (width, height) = (side(), side());
    let [vessel, more, person, floor, confidence, iou] = bytes.array();
    let share = |byte: u8| f32::from(byte) / 254.0;
    let classes = match person {
        0..100 => String::new(),
        _ => format!("person = [{}]", person % 12),
    };
    format!(
        "name = 'm'\nfile = 'm.onnx'\nsha256 = '{:064}'\nlicence = 'MIT'\nsource = 'here'\nhead = '{head}'\n\
         [input]\nname = 'i'\nlayout = 'nchw'\nwidth = {width}\nheight = {height}\ncolour = 'rgb'\nresize = 'stretch'\n\
         mean = [0.0, 0.0, 0.0]\nstd = [1.0, 1.0, 1.0]\n\
         [outputs]\nscores = [{}]\nboxes = [{}]\npredictions = [{}]\n\
         [classes]\nvessel = [{}, {}]\n{classes}\n[thresholds]\nhigh = {}\nlow = {}\niou = {}\n",
        0,
        names("s", scores),
        names("b", boxes),
        names("p", predictions),
        vessel % 12,
        more % 12,
        share(confidence.max(floor)),
        share(floor),
        share(iou),
    )
}

/// The shapes of a model's outputs, mostly as the head needs them.
fn shapes(manifest: &Manifest, bytes: &mut Bytes<'_>) -> Vec<Vec<i64>> {
    let [scores, extent, how, at, other] = bytes.array();
    let (scores, extent) = (i64::from(scores % 16), 1 + i64::from(extent));
    let cells = |stride: usize| (manifest.input.width / stride * (manifest.input.height / stride)) as i64;
    let mut shapes = match manifest.head.name() {
        "ssd" if extent % 2 == 0 => vec![vec![1, extent, scores], vec![1, extent, 1, 4]],
        "ssd" => vec![vec![1, extent, scores], vec![1, extent, 4]],
        "nanodet" => {
            let strides = &[4, 8, 16, 32][4 - (manifest.outputs.len() / 2).clamp(3, 4)..];
            let maps = |values: i64| strides.iter().map(move |&stride| vec![1, cells(stride), values]);
            maps(scores).chain(maps(4 * (extent % 10))).collect()
        }
        "yolox" => vec![vec![1, [8, 16, 32].map(cells).iter().sum(), 5 + scores]],
        "yolov8" => vec![vec![1, 4 + scores, extent]],
        other => panic!("add the shapes of head `{other}` here"),
    };
    let which = usize::from(at) % shapes.len();
    match how {
        0..200 => {}
        200..240 => {
            let extents = &mut shapes[which];
            let axis = usize::from(at / 16) % extents.len();
            extents[axis] = i64::from(other as i8);
        }
        240..245 => shapes[which].push(1),
        245..250 => drop(shapes.remove(which)),
        _ => shapes.push(vec![1, i64::from(other)]),
    }
    shapes
}

/// Mostly scores, and values that no model should give.
fn value(byte: u8) -> f32 {
    const INVALID: [f32; 16] = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN,
        f32::MIN_POSITIVE,
        1e30,
        -1e30,
        1.0005,
        1.01,
        -0.5,
        4.0,
        40.0,
        89.0,
        300.0,
        -0.0,
    ];
    match byte {
        0..200 => f32::from(byte) / 199.0,
        200..240 => (f32::from(byte) - 220.0) / 2.0,
        _ => INVALID[usize::from(byte - 240)],
    }
}

/// Decodes outputs twice: of the checked shapes, and of other shapes.
fn check_decoding(manifest: &Manifest, head: &Decoder, shapes: &[Vec<i64>], bytes: &mut Bytes<'_>) {
    let count = |shape: &[i64]| shape.iter().try_fold(1_usize, |n, &e| n.checked_mul(e.try_into().ok()?));
    let Some(counts) = shapes.iter().map(|shape| count(shape)).collect::<Option<Vec<_>>>() else { return };
    if counts.iter().sum::<usize>() > MOST_VALUES {
        return;
    }
    let [region, which, change, to] = bytes.array();
    let mut values = bytes.0.iter().copied().chain([0]).cycle().map(value);
    let data: Vec<Vec<f32>> = counts.iter().map(|&n| values.by_ref().take(n).collect()).collect();
    let mut outputs: Vec<_> = shapes.iter().zip(&data).map(|(shape, data)| Tensor { shape, data }).collect();
    let mut candidates = Candidates::default();
    head.decode(&outputs, &mut candidates).expect("the shapes were checked");
    let most = counts.iter().max().copied().unwrap_or(0) * manifest.classes.len();
    assert!(candidates.boxes.len() <= most, "{} boxes, {most} at most", candidates.boxes.len());
    check_boxes(manifest, candidates, region);

    let which = usize::from(which) % outputs.len();
    let mut other = shapes[which].clone();
    let axis = usize::from(change) % other.len();
    other[axis] = i64::from(to);
    if change < 128 {
        outputs[which].data = &data[which][..usize::from(to).min(data[which].len().saturating_sub(1))];
    }
    if change >= 64 {
        outputs[which].shape = &other;
    }
    let same = outputs[which].shape == shapes[which] && outputs[which].data.len() == counts[which];
    let mut candidates = Candidates::default();
    let decoded = head.decode(&outputs, &mut candidates);
    assert_eq!(decoded.is_ok(), same, "{:?} for {:?}", outputs[which].shape, shapes[which]);
    assert!(same || candidates.boxes.is_empty());
}

fn check_boxes(manifest: &Manifest, mut candidates: Candidates, region: u8) {
    for candidate in &candidates.boxes {
        assert!((manifest.thresholds.low..=1.0).contains(&candidate.confidence), "{candidate:?}");
        let b = candidate.bbox;
        assert!(b.is_finite() && b.x0 < b.x1 && b.y0 < b.y1, "{candidate:?}");
        assert!(manifest.classes.iter().any(|(class, _)| *class == candidate.class), "{candidate:?}");
    }
    nms::suppress(&mut candidates.boxes, manifest.thresholds.iou);
    assert!(candidates.boxes.len() <= 2000);
    assert!(
        candidates.boxes.is_sorted_by(|a, b| a.confidence >= b.confidence),
        "the highest confidence first"
    );
    let offset = usize::from(region);
    let region = PixelRect { x: 5 * offset, y: offset, width: 1 + 2 * offset, height: 40 + offset };
    let (width, height) = (manifest.input.width, manifest.input.height - offset.min(30));
    let placement = Placement { region, left: 0, top: offset.min(30) / 2, width, height };
    let whole = region.bbox();
    for bbox in candidates.boxes.iter().filter_map(|candidate| placement.to_frame(candidate.bbox)) {
        assert!(bbox.is_finite() && bbox.intersection(&whole) == Some(bbox), "{bbox:?} beyond {whole:?}");
    }
}
