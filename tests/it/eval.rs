//! `havenwacht eval detect` on a real model and a real photograph.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::paths::{havenwacht, root};

/// The photograph with hand-drawn boxes of its vessels, and the same photograph without boxes.
fn truth() -> Value {
    let image = |id: u32| json!({"id": id, "file_name": "nagasaki.jpg", "width": 1024, "height": 819});
    let boat = |id: u32, bbox: [u32; 4]| json!({"id": id, "image_id": 1, "category_id": 5, "bbox": bbox});
    json!({
        "images": [image(1), image(2)],
        "categories": [{"id": 5, "name": "boat"}, {"id": 6, "name": "gull"}],
        "annotations": [
            boat(1, [0, 625, 755, 160]),
            boat(2, [340, 508, 136, 61]),
            boat(3, [440, 125, 315, 455]),
            {"id": 4, "image_id": 1, "category_id": 6, "bbox": [500, 10, 12, 9]},
        ],
    })
}

fn eval(truth: &Value, folder: &Path, arguments: &[&str]) -> Output {
    let file = folder.join("truth.json");
    std::fs::write(&file, truth.to_string()).unwrap();
    Command::new(havenwacht())
        .current_dir(root())
        .args(["eval", "detect", "--images", "sample-streams/material", "--truth"])
        .arg(file)
        .args(if arguments.contains(&"--model") { &[][..] } else { &["--model", "models/havenwacht.toml"] })
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_model_is_scored_for_each_tiling() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = folder.path().join("boxes.json");
    let output = eval(
        &truth(),
        folder.path(),
        &["--tiles", "none,640", "--json", "--detections", boxes.to_str().unwrap()],
    );
    let report: Value = serde_json::from_str(&said(&output)).unwrap();
    assert_eq!((&report["pictures"], &report["left_out"]), (&json!(2), &json!({"gull": 1})), "{report:#}");
    assert_eq!(report["model"]["sha256"].as_str().unwrap().len(), 64);
    let tilings = report["tilings"].as_array().unwrap();
    let runs: Vec<_> = tilings.iter().map(|t| t["inferences_per_picture"].as_f64().unwrap()).collect();
    assert_eq!(runs, [1.0, 5.0], "the whole, and 2 x 2 tiles");
    for tiling in tilings {
        assert!(
            tiling["picture_ms"].as_f64() > Some(0.0) && tiling["inference_ms"].as_f64() > Some(0.0),
            "{tiling:#}"
        );
        let class = &tiling["classes"][0];
        assert_eq!((&class["class"], &class["all"]["truth"]), (&json!("vessel"), &json!(3)));
        assert_eq!((&class["small"]["truth"], &class["small"]["ap50"]), (&json!(0), &Value::Null));
        let share = |key: &str| class["all"][key].as_f64().unwrap();
        assert!(
            share("ap50") > 0.3
                && share("ap30") >= share("ap50")
                && share("ap_waterline") > 0.0
                && share("ap50") >= share("ap50_95")
                && share("ap50_95") > 0.1,
            "{class:#}"
        );
    }
    // The model finds two of the three vessels.
    let whole = &tilings[0]["classes"][0]["all"];
    assert_eq!((&whole["hits"], whole["false"].as_u64() >= Some(1)), (&json!(2), true), "{whole:#}");
    assert_eq!(whole["false_per_100_pictures"].as_f64().unwrap(), 50.0 * whole["false"].as_f64().unwrap());

    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(boxes).unwrap()).unwrap();
    assert!(rows.iter().all(|row| row["category_id"] == 5 && row["bbox"].as_array().unwrap().len() == 4));
    assert!(
        rows.iter().any(|row| row["score"].as_f64() < Some(0.1)),
        "boxes of low confidence count for average precision"
    );
    assert!(rows.iter().any(|row| row["image_id"] == 1) && rows.iter().any(|row| row["image_id"] == 2));
}

#[test]
fn the_table_fits_a_terminal_and_marks_missing_values() {
    let folder = tempfile::tempdir().unwrap();
    let mut nothing = truth();
    nothing["annotations"] = json!([]);
    let table = said(&eval(&nothing, folder.path(), &[]));
    assert!(table.lines().all(|line| line.chars().count() <= 120), "{table}");
    let row = table.lines().find(|line| line.starts_with("vessel")).unwrap();
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(cells[..7], ["vessel", "none", "all", "0", "-", "-", "-"], "{table}");
    assert!(cells[10].parse::<f64>().unwrap() >= 100.0, "false boxes per 100 pictures: {table}");
}

#[test]
fn wrong_input_is_an_error_before_the_first_inference() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |change: &dyn Fn(&mut Value), arguments: &[&str]| {
        let mut truth = truth();
        change(&mut truth);
        let output = eval(&truth, folder.path(), arguments);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let missing = refusal(&|truth| truth["images"][1]["file_name"] = json!("gone.jpg"), &[]);
    assert!(missing.contains("image 2: sample-streams/material/gone.jpg: No such file"), "{missing}");
    let other = refusal(&|truth| truth["images"][0]["height"] = json!(768), &[]);
    assert!(
        other.contains("nagasaki.jpg has 1024x819 pixels, but the boxes were drawn for 1024x768"),
        "{other}"
    );
    let persons = |truth: &mut Value| {
        truth["categories"] = json!([{"id": 5, "name": "person"}, {"id": 6, "name": "gull"}])
    };
    let models = root().join("models");
    let manifest = std::fs::read_to_string(models.join("havenwacht.toml")).unwrap();
    let file = format!("file = {:?}", models.join("havenwacht.onnx"));
    let manifest = manifest.replace("file = \"havenwacht.onnx\"", &file).replace("person = [1]\n", "");
    let path = folder.path().join("vessels.toml");
    std::fs::write(&path, manifest).unwrap();
    let message = refusal(&persons, &["--model", path.to_str().unwrap()]);
    assert!(
        message.contains("has only persons, and ")
            && message.contains("vessels.toml does not detect persons"),
        "{message}"
    );
    let message = refusal(&|_| {}, &["--model", "models/nothing.toml"]);
    assert!(message.contains("models/nothing.toml: No such file"), "{message}");
    let message = refusal(&|_| {}, &["--tiles", "none,12"]);
    assert!(message.contains("64 pixels or more"), "{message}");
}
