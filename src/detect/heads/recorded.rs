//! The heads against recorded outputs (tests/data/heads, see record.py there) and against nonsense.

use std::path::Path;

use proptest::prelude::*;

use super::*;

struct Recording {
    shapes: Vec<Vec<i64>>,
    data: Vec<Vec<f32>>,
    expected: Vec<Candidate>,
}

impl Recording {
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

/// A manifest for a head with as many outputs as it wants.
fn manifest(head: &str, side: usize) -> Manifest {
    let outputs = match head {
        "ssd" => "scores = ['s']\nboxes = ['b']",
        "nanodet" => "scores = ['s', 't', 'u']\nboxes = ['a', 'b', 'c']",
        "nanodet of four levels" => "scores = ['r', 's', 't', 'u']\nboxes = ['z', 'a', 'b', 'c']",
        _ => "predictions = ['p']",
    };
    let head = head.trim_end_matches(" of four levels");
    let text = format!(
        "name = 'm'\nfile = 'm.onnx'\nsha256 = '{:064}'\nlicence = 'MIT'\nsource = 'here'\nhead = '{head}'\n\
         [input]\nname = 'i'\nlayout = 'nchw'\nwidth = {side}\nheight = {side}\ncolour = 'rgb'\nresize = 'stretch'\n\
         mean = [0.0, 0.0, 0.0]\nstd = [1.0, 1.0, 1.0]\n[outputs]\n{outputs}\n[classes]\nvessel = [8]\nperson = [0]\n\
         [thresholds]\nconfidence = 0.15\niou = 0.5\n",
        0
    );
    Manifest::parse(Path::new("m.toml"), &text).unwrap_or_else(|e| panic!("{e}"))
}

fn decode(head: &Head, shapes: &[Vec<i64>], data: &[Vec<f32>]) -> Candidates {
    let tensors: Vec<_> = shapes.iter().zip(data).map(|(shape, data)| Tensor { shape, data }).collect();
    let mut candidates = Candidates::default();
    head.decode(&tensors, &mut candidates).unwrap();
    candidates
}

fn reads_what_numpy_reads(name: &str, side: usize) {
    let recording = Recording::read(&format!("{name}.txt"));
    let head = Head::new(&manifest(name, side), &recording.shapes).unwrap_or_else(|e| panic!("{e}"));
    let found = decode(&head, &recording.shapes, &recording.data);
    assert_eq!(found.rejected, 0);
    assert_eq!(found.boxes.len(), recording.expected.len());
    for (found, expected) in found.boxes.iter().zip(&recording.expected) {
        assert_eq!(found.class, expected.class);
        assert!((found.confidence - expected.confidence).abs() < 1e-4, "{found:?}, expected {expected:?}");
        let (f, e) = (found.bbox, expected.bbox);
        let off = [f.x0 - e.x0, f.y0 - e.y0, f.x1 - e.x1, f.y1 - e.y1];
        // Values are recorded with four digits: a hundredth of a pixel is what they can tell.
        assert!(off.iter().all(|d| d.abs() < 0.2), "{found:?}, expected {expected:?}");
    }
}

#[test]
fn ssd_boxes_are_those_of_the_recorded_run() {
    reads_what_numpy_reads("ssd", 300);
}

#[test]
fn nanodet_boxes_are_those_of_the_recorded_run() {
    reads_what_numpy_reads("nanodet", 416);
}

#[test]
fn yolox_boxes_are_those_that_were_encoded() {
    reads_what_numpy_reads("yolox", 416);
}

#[test]
fn yolov8_boxes_are_those_that_were_encoded() {
    reads_what_numpy_reads("yolov8", 416);
}

/// Shapes as the heads want them, for a model of 64 x 64 pixels and 10 scores.
fn shapes(head: &str) -> Vec<Vec<i64>> {
    let grids = [64, 16, 4];
    match head {
        "ssd" => vec![vec![1, 50, 10], vec![1, 50, 4]],
        "nanodet" => [10, 44].iter().flat_map(|&n| grids.map(|cells| vec![1, cells, n])).collect(),
        "nanodet of four levels" => {
            [10, 44].iter().flat_map(|&n| [256, 64, 16, 4].map(|cells| vec![1, cells, n])).collect()
        }
        "yolox" => vec![vec![1, 84, 15]],
        _ => vec![vec![1, 14, 84]],
    }
}

const HEADS: [&str; 5] = ["ssd", "nanodet", "nanodet of four levels", "yolox", "yolov8"];

#[test]
fn a_fourth_level_of_nanodet_is_the_finest() {
    let head = "nanodet of four levels";
    let shapes = shapes(head);
    let checked = Head::new(&manifest(head, 64), &shapes).unwrap();
    let mut data: Vec<_> = shapes.iter().map(|s| vec![0.0; s.iter().product::<i64>() as usize]).collect();
    // Cell 3 of row 2 is sure of a vessel; each of its sides is surely one stride away.
    let cell = 2 * 16 + 3;
    data[0][cell * 10 + 8] = 0.9;
    for side in 0..4 {
        data[4][cell * 44 + side * 11 + 1] = 100.0;
    }
    let found = decode(&checked, &shapes, &data);
    let bbox = BBox::new(10.0, 6.0, 18.0, 14.0);
    assert_eq!(found.boxes, [Candidate { class: Class::Vessel, confidence: 0.9, bbox }]);
}

#[test]
fn boxes_that_are_none_are_counted_and_left_out() {
    for head in HEADS {
        let shapes = shapes(head);
        let checked = Head::new(&manifest(head, 64), &shapes).unwrap();
        let data: Vec<_> =
            shapes.iter().map(|s| vec![f32::NAN; s.iter().product::<i64>() as usize]).collect();
        let found = decode(&checked, &shapes, &data);
        assert_eq!(found.boxes, [], "{head}");
        assert!(found.rejected > 0, "{head}");
    }
    // All scores sure, all boxes empty.
    let shapes = shapes("ssd");
    let head = Head::new(&manifest("ssd", 64), &shapes).unwrap();
    let found = decode(&head, &shapes, &[vec![0.9; 500], vec![0.5; 200]]);
    assert_eq!((found.boxes.len(), found.rejected), (0, 100));
}

#[test]
fn outputs_of_another_shape_are_refused_with_both_shapes() {
    for head in HEADS {
        let mut wrong = shapes(head);
        wrong[0].insert(0, 7);
        let refusal = Head::new(&manifest(head, 64), &wrong).unwrap_err().to_string();
        assert!(
            refusal.contains("m.toml") && refusal.contains("[7, 1, ") && refusal.contains("expected ["),
            "{refusal}"
        );
    }
}

#[test]
fn a_model_of_fewer_or_more_outputs_than_its_manifest_names_is_refused() {
    for head in HEADS {
        let shapes = shapes(head);
        let more = [shapes.as_slice(), &[vec![1, 4]]].concat();
        for wrong in [&shapes[1..], &more] {
            let refusal = Head::new(&manifest(head, 64), wrong).unwrap_err().to_string();
            assert!(refusal.contains(&format!("names for {} outputs", wrong.len())), "{refusal}");
        }
    }
}

/// A model whose extents are free; one that put out nothing for NanoDet's boxes used to end the watch.
#[test]
fn a_run_of_another_shape_than_the_first_is_an_error_and_gives_no_boxes() {
    for head in HEADS {
        let checked_shapes = shapes(head);
        let checked = Head::new(&manifest(head, 64), &checked_shapes).unwrap();
        for which in 0..checked_shapes.len() {
            let mut shapes = checked_shapes.clone();
            shapes[which][1] = 0;
            let data: Vec<_> = shapes.iter().map(|s| vec![0.9; s.iter().product::<i64>() as usize]).collect();
            let outputs: Vec<_> =
                shapes.iter().zip(&data).map(|(shape, data)| Tensor { shape, data }).collect();
            let mut candidates = Candidates::default();
            let failed = checked.decode(&outputs, &mut candidates).unwrap_err().to_string();
            assert!(failed.contains("at the start [[1, "), "{failed}");
            assert_eq!(candidates, Candidates::default(), "{head}");
        }
    }
}

#[test]
fn a_class_beyond_the_scores_is_refused() {
    let refusal = Head::new(&manifest("ssd", 64), &[vec![1, 50, 5], vec![1, 50, 4]]).unwrap_err().to_string();
    assert!(refusal.contains("`classes.vessel` is index 8, expected below 5"), "{refusal}");
}

fn any_value() -> impl Strategy<Value = f32> {
    prop_oneof![8 => -2.0..2.0f32, 1 => -1e30..1e30f32, 1 => any::<f32>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_tensor_makes_a_head_panic_or_let_nonsense_through(
        which in 0..HEADS.len(), values in proptest::collection::vec(any_value(), 200),
    ) {
        let shapes = shapes(HEADS[which]);
        let head = Head::new(&manifest(HEADS[which], 64), &shapes).unwrap();
        let mut values = values.iter().copied().cycle();
        let data: Vec<Vec<f32>> =
            shapes.iter().map(|s| values.by_ref().take(s.iter().product::<i64>() as usize).collect()).collect();
        for candidate in decode(&head, &shapes, &data).boxes {
            prop_assert!((0.15..=1.0).contains(&candidate.confidence));
            prop_assert!(candidate.bbox.is_finite() && candidate.bbox.width() > 0.0 && candidate.bbox.height() > 0.0);
        }
    }
}
