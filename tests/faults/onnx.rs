//! A small ONNX model that tests write themselves: ONNX is protobuf, and a dozen nodes are a few hundred bytes.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A protobuf message that is being written.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    fn number(self, field: u64, value: u64) -> Self {
        self.varint(field << 3).varint(value)
    }

    fn bytes(self, field: u64, value: &[u8]) -> Self {
        let mut this = self.varint(field << 3 | 2).varint(value.len() as u64);
        this.0.extend_from_slice(value);
        this
    }

    fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    fn texts(self, field: u64, values: &[&str]) -> Self {
        values.iter().fold(self, |this, value| this.text(field, value))
    }

    fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    fn messages(self, field: u64, values: &[Self]) -> Self {
        values.iter().fold(self, |this, value| this.message(field, value))
    }
}

// Field numbers and types are from onnx.proto.
const FLOAT: u64 = 1;
const INT64: u64 = 7;
const BOOL: u64 = 9;

fn value(name: &str, kind: u64, shape: &[u64]) -> Message {
    let dims: Vec<_> = shape.iter().map(|&extent| Message::default().number(1, extent)).collect();
    let tensor = Message::default().number(1, kind).message(2, &Message::default().messages(1, &dims));
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}

fn constant(name: &str, shape: &[u64], values: &[f32]) -> Message {
    let raw: Vec<_> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let tensor = shape.iter().fold(Message::default(), |this, &extent| this.number(1, extent));
    tensor.number(2, FLOAT).text(8, name).bytes(9, &raw)
}

fn node(kind: &str, inputs: &[&str], outputs: &[&str]) -> Message {
    Message::default().texts(1, inputs).texts(2, outputs).text(4, kind)
}

/// Adds an integer attribute.
fn with_number(node: Message, name: &str, number: u64) -> Message {
    node.message(5, &Message::default().text(1, name).number(3, number).number(20, 2))
}

/// Adds a graph attribute.
fn with_graph(node: Message, name: &str, graph: &Message) -> Message {
    node.message(5, &Message::default().text(1, name).message(6, graph).number(20, 5))
}

/// A detector that finds nothing in a black picture, and runs without end on any other picture.
fn never_ends() -> Vec<u8> {
    let body = Message::default()
        .messages(
            1,
            &[node("Identity", &["going"], &["continue"]), node("Add", &["sum", "nothing"], &["more"])],
        )
        .text(2, "body")
        .messages(11, &[value("number", INT64, &[]), value("going", BOOL, &[]), value("sum", FLOAT, &[])])
        .messages(12, &[value("continue", BOOL, &[]), value("more", FLOAT, &[])]);
    let graph = Message::default()
        .messages(
            1,
            &[
                with_number(node("ReduceMax", &["image"], &["brightest"]), "keepdims", 0),
                node("Greater", &["brightest", "half"], &["bright"]),
                with_graph(node("Loop", &["", "bright", "nothing"], &["total"]), "body", &body),
                node("Add", &["no scores", "total"], &["scores"]),
                node("Add", &["no boxes", "total"], &["boxes"]),
            ],
        )
        .text(2, "never-ends")
        .messages(
            5,
            &[
                constant("half", &[], &[0.5]),
                constant("nothing", &[], &[0.0]),
                constant("no scores", &[1, 2, 1], &[0.0; 2]),
                constant("no boxes", &[1, 2, 4], &[0.0; 8]),
            ],
        )
        .message(11, &value("image", FLOAT, &[1, 64, 64, 3]))
        .messages(12, &[value("scores", FLOAT, &[1, 2, 1]), value("boxes", FLOAT, &[1, 2, 4])]);
    let opset = Message::default().text(1, "").number(2, 13);
    Message::default().number(1, 8).message(7, &graph).message(8, &opset).0
}

/// Writes a model into `folder` that runs without end on the first picture that is not black. Gives its manifest.
pub(crate) fn write_never_ending(folder: &Path) -> PathBuf {
    write(folder, &never_ends(), [64, 64])
}

/// Writes `model` with the manifest of [`write_never_ending`], except for the size of its input.
pub(crate) fn write(folder: &Path, model: &[u8], [width, height]: [u32; 2]) -> PathBuf {
    std::fs::write(folder.join("toy.onnx"), model).unwrap();
    let hash: String = Sha256::digest(model).iter().map(|byte| format!("{byte:02x}")).collect();
    let manifest = format!(
        "name = \"toy\"\nfile = \"toy.onnx\"\nsha256 = \"{hash}\"\nlicence = \"MIT\"\nsource = \"a test\"\nhead = \"ssd\"\n\
         [input]\nname = \"image\"\nlayout = \"nhwc\"\nwidth = {width}\nheight = {height}\ncolour = \"rgb\"\n\
         resize = \"stretch\"\nmean = [0.0, 0.0, 0.0]\nstd = [1.0, 1.0, 1.0]\n\
         [outputs]\nscores = [\"scores\"]\nboxes = [\"boxes\"]\n[classes]\nvessel = [0]\n\
         [thresholds]\nhigh = 0.5\niou = 0.5\n"
    );
    let path = folder.join("toy.toml");
    std::fs::write(&path, manifest).unwrap();
    path
}

/// A valid model with an input of 64 by 64 pixels.
pub(crate) fn toy() -> Vec<u8> {
    never_ends()
}
