//! The heads on recorded outputs (tests/data/heads, see record.py there) and on invalid outputs.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::detect::heads::format::Example;
use crate::detect::{Class, Decoder, Manifest};
use crate::geometry::BBox;

struct RecordedOutputs {
    shapes: Vec<Vec<i64>>,
    data: Vec<Vec<f32>>,
    expected: Vec<Candidate>,
}

impl RecordedOutputs {
    fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/heads").join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut recording = Self { shapes: Vec::new(), data: Vec::new(), expected: Vec::new() };
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let numbers = |from: usize| words[from..].iter().map(|w| w.parse::<f32>().unwrap());
            match words[0] {
                "output" => {
                    let shape: Vec<i64> = words[2..].iter().map(|w| w.parse().unwrap()).collect();
                    recording.data.push(vec![0.0; shape.iter().product::<i64>() as usize]);
                    recording.shapes.push(shape);
                }
                "box" => {
                    assert_eq!(words[1], "vessel");
                    let [confidence, x0, y0, x1, y1] = numbers(2).collect::<Vec<_>>().try_into().unwrap();
                    let bbox = BBox::new(x0, y0, x1, y1);
                    recording.expected.push(Candidate { class: Class::Vessel, confidence, bbox });
                }
                at => {
                    let (at, values): (usize, Vec<f32>) = (at.parse().unwrap(), numbers(1).collect());
                    recording.data.last_mut().unwrap()[at..at + values.len()].copy_from_slice(&values);
                }
            }
        }
        recording
    }
}

/// A manifest with the outputs of an example.
fn manifest(head: &dyn HeadFormat, example: &Example, side: usize) -> Manifest {
    let (head, outputs) = (head.name(), example.outputs);
    let text = format!(
        "name = 'm'\nfile = 'm.onnx'\nsha256 = '{:064}'\nlicence = 'MIT'\nsource = 'here'\nhead = '{head}'\n\
         [input]\nname = 'i'\nlayout = 'nchw'\nwidth = {side}\nheight = {side}\ncolour = 'rgb'\nresize = 'stretch'\n\
         mean = [0.0, 0.0, 0.0]\nstd = [1.0, 1.0, 1.0]\n[outputs]\n{outputs}\n[classes]\nvessel = [8]\nperson = [0]\n\
         [thresholds]\nhigh = 0.15\niou = 0.5\n",
        0
    );
    Manifest::parse(Path::new("m.toml"), &text).unwrap_or_else(|e| panic!("{e}"))
}

/// All examples of all heads, each with its manifest.
fn examples() -> Vec<(Manifest, Vec<Vec<i64>>)> {
    let of = |head: &'static dyn HeadFormat| {
        head.examples().into_iter().map(move |example| (manifest(head, &example, 64), example.shapes))
    };
    HEADS.iter().copied().flat_map(of).collect()
}

/// Tensors of these shapes, all of one value.
fn filled(shapes: &[Vec<i64>], value: f32) -> Vec<Vec<f32>> {
    shapes.iter().map(|s| vec![value; s.iter().product::<i64>() as usize]).collect()
}

fn decode(decoder: &Decoder, shapes: &[Vec<i64>], data: &[Vec<f32>]) -> Candidates {
    let tensors: Vec<_> = shapes.iter().zip(data).map(|(shape, data)| Tensor { shape, data }).collect();
    let mut candidates = Candidates::default();
    decoder.decode(&tensors, &mut candidates).unwrap();
    candidates
}

#[test]
fn boxes_match_the_recorded_outputs() {
    for &head in HEADS {
        let recording = RecordedOutputs::read(&format!("{}.txt", head.name()));
        let manifest = manifest(head, &head.examples()[0], head.recorded_side());
        let decoder = Decoder::new(&manifest, &recording.shapes).unwrap_or_else(|e| panic!("{e}"));
        let found = decode(&decoder, &recording.shapes, &recording.data);
        assert_eq!(found.rejected, 0);
        assert_eq!(found.boxes.len(), recording.expected.len());
        for (found, expected) in found.boxes.iter().zip(&recording.expected) {
            assert_eq!(found.class, expected.class);
            assert!(
                (found.confidence - expected.confidence).abs() < 1e-4,
                "{found:?}, expected {expected:?}"
            );
            let (f, e) = (found.bbox, expected.bbox);
            let off = [f.x0 - e.x0, f.y0 - e.y0, f.x1 - e.x1, f.y1 - e.y1];
            // The recording has four digits.
            assert!(off.iter().all(|d| d.abs() < 0.2), "{found:?}, expected {expected:?}");
        }
    }
}

#[test]
fn the_first_of_four_nanodet_levels_is_the_finest() {
    let head = HEADS.iter().find(|head| head.name() == "nanodet").unwrap();
    let example = &head.examples()[1];
    let decoder = Decoder::new(&manifest(*head, example, 64), &example.shapes).unwrap();
    let mut data = filled(&example.shapes, 0.0);
    // Column 3 of row 2 has a vessel, each side one stride away.
    let cell = 2 * 16 + 3;
    data[0][cell * 10 + 8] = 0.9;
    for side in 0..4 {
        data[4][cell * 44 + side * 11 + 1] = 100.0;
    }
    let found = decode(&decoder, &example.shapes, &data);
    let bbox = BBox::new(10.0, 6.0, 18.0, 14.0);
    assert_eq!(found.boxes, [Candidate { class: Class::Vessel, confidence: 0.9, bbox }]);
}

#[test]
fn invalid_boxes_are_counted_and_left_out() {
    for (manifest, shapes) in examples() {
        let decoder = Decoder::new(&manifest, &shapes).unwrap();
        let found = decode(&decoder, &shapes, &filled(&shapes, f32::NAN));
        assert_eq!(found.boxes, [], "{:?}", manifest.head);
        assert!(found.rejected > 0, "{:?}", manifest.head);
    }
    // High scores and empty boxes.
    let ssd = HEADS[0];
    let example = &ssd.examples()[0];
    let decoder = Decoder::new(&manifest(ssd, example, 64), &example.shapes).unwrap();
    let found = decode(&decoder, &example.shapes, &[vec![0.9; 500], vec![0.5; 200]]);
    assert_eq!((found.boxes.len(), found.rejected), (0, 100));
}

#[test]
fn a_wrong_shape_is_an_error_that_shows_both_shapes() {
    for (manifest, mut wrong) in examples() {
        wrong[0].insert(0, 7);
        let message = Decoder::new(&manifest, &wrong).unwrap_err().to_string();
        for part in ["m.toml", "[7, 1, ", "expected ["] {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn a_wrong_number_of_outputs_is_an_error() {
    for (manifest, shapes) in examples() {
        let more = [shapes.as_slice(), &[vec![1, 4]]].concat();
        for wrong in [&shapes[1..], &more] {
            let message = Decoder::new(&manifest, wrong).unwrap_err().to_string();
            assert!(message.contains(&format!("names for {} outputs", wrong.len())), "{message}");
        }
    }
}

/// A model with free extents can give other shapes in a later inference. An empty output once made the daemon panic.
#[test]
fn another_shape_in_a_later_inference_is_an_error() {
    for (manifest, checked) in examples() {
        let decoder = Decoder::new(&manifest, &checked).unwrap();
        for which in 0..checked.len() {
            let mut shapes = checked.clone();
            shapes[which][1] = 0;
            let data = filled(&shapes, 0.9);
            let outputs: Vec<_> =
                shapes.iter().zip(&data).map(|(shape, data)| Tensor { shape, data }).collect();
            let mut candidates = Candidates::default();
            let message = decoder.decode(&outputs, &mut candidates).unwrap_err().to_string();
            assert!(message.contains("expected [[1, "), "{message}");
            assert_eq!(candidates, Candidates::default(), "{:?}", manifest.head);
        }
    }
}

#[test]
fn a_class_index_beyond_the_scores_is_an_error() {
    let ssd = HEADS[0];
    let manifest = manifest(ssd, &ssd.examples()[0], 64);
    let message = Decoder::new(&manifest, &[vec![1, 50, 5], vec![1, 50, 4]]).unwrap_err().to_string();
    assert!(message.contains("`classes.vessel` is index 8, expected below 5"), "{message}");
}

fn any_value() -> impl Strategy<Value = f32> {
    prop_oneof![8 => -2.0..2.0f32, 1 => -1e30..1e30f32, 1 => any::<f32>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_outputs_give_valid_boxes(
        which in 0..examples().len(), values in proptest::collection::vec(any_value(), 200),
    ) {
        let (manifest, shapes) = examples().swap_remove(which);
        let decoder = Decoder::new(&manifest, &shapes).unwrap();
        let mut values = values.iter().copied().cycle();
        let data: Vec<Vec<f32>> =
            shapes.iter().map(|s| values.by_ref().take(s.iter().product::<i64>() as usize).collect()).collect();
        for candidate in decode(&decoder, &shapes, &data).boxes {
            prop_assert!((0.15..=1.0).contains(&candidate.confidence));
            prop_assert!(candidate.bbox.is_finite() && candidate.bbox.width() > 0.0 && candidate.bbox.height() > 0.0);
        }
    }
}
