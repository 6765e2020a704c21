//! The detector over ONNX Runtime: the only file that knows of it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::{Session, SessionOutputs};
use ort::value::TensorRef;

use super::heads::{Candidates, Head, Tensor};
use super::manifest::Manifest;
use super::merge::{Merged, Sighting, merge};
use super::preprocess::{PixelRect, Preprocessor};
use super::refusal::LoadError;
use super::{DetectError, Detection, Detector, Look, nms};
use crate::frame::{Frame, Picture};
use crate::geometry::{BBox, Norm};

const RUNTIME_FIX: &str =
    "give `model.runtime` the path of libonnxruntime.so, version 1.23 or newer; `make setup` provides one";

/// A model in ONNX Runtime, warmed up. Its thread owns it.
#[derive(Debug)]
pub struct OnnxDetector {
    session: Session,
    manifest: Manifest,
    head: Head,
    preprocessor: Preprocessor,
    /// The model's input, filled anew for each run, never reallocated.
    tensor: Vec<f32>,
    candidates: Candidates,
}

/// What the runs of one look saw, before the regions are put together.
#[derive(Clone, Debug, Default)]
pub struct Sightings {
    /// Boxes, region by region; within a region the surest first.
    pub boxes: Vec<Sighting>,
    /// Detector runs spent.
    pub runs: u32,
    /// As in [`Look::rejected`].
    pub rejected: u32,
}

impl OnnxDetector {
    /// Loads the model that a manifest describes into the runtime library at `runtime_path`, checks the two against each
    /// other and runs the model once. One run uses `threads` threads.
    pub fn load(manifest_path: &Path, runtime_path: &Path, threads: u16) -> Result<Self, LoadError> {
        let (manifest, model) = Manifest::load(manifest_path)?;
        let environment = environment(runtime_path)?;
        let refused = |e: String| LoadError::Model { file: manifest.model_file.clone(), message: e };
        let mut session = session(&environment, &model, threads).map_err(refused)?;
        check_names(&manifest, &session)?;
        let mut tensor = vec![0.0; manifest.input.width * manifest.input.height * 3];
        let shapes = {
            let outputs = run(&mut session, &manifest, &tensor).map_err(refused)?;
            tensors(&outputs, &manifest)
                .map_err(refused)?
                .iter()
                .map(|t| t.shape.to_vec())
                .collect::<Vec<_>>()
        };
        let head = Head::new(&manifest, &shapes)?;
        tensor.fill(0.0);
        let preprocessor = Preprocessor::new(&manifest.input);
        Ok(Self { session, manifest, head, preprocessor, tensor, candidates: Candidates::default() })
    }

    /// The manifest the model was loaded by.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Boxes are reported from `floor` up from now on, if the manifest's own floor is higher: average precision is about
    /// the faint ones too. The manifest still says what the daemon believes.
    pub fn see_down_to(&mut self, floor: f32) {
        self.head.lower_floor(floor);
    }

    /// Looks at `regions` of a picture (fractions of its width and height), and leaves what each of them shows as it is;
    /// [`merge`] makes detections of it.
    pub fn sightings(&mut self, picture: &Picture, regions: &[BBox<Norm>]) -> Result<Sightings, DetectError> {
        let mut seen = Sightings::default();
        for &region in regions {
            let region = PixelRect::around(region, picture.size);
            seen.rejected += self.look_at(picture, region, &mut seen.boxes)?;
            seen.runs += 1;
        }
        Ok(seen)
    }

    /// One run over the input as it stands: the floor that replay's cost is measured against.
    pub fn run_only(&mut self) -> Result<(), DetectError> {
        run(&mut self.session, &self.manifest, &self.tensor).map(drop).map_err(DetectError)
    }

    /// One run over one region: fills the input, runs the model, and adds what it saw to `sightings`.
    /// Returns how many boxes were rejected.
    fn look_at(
        &mut self,
        picture: &Picture,
        region: PixelRect,
        sightings: &mut Vec<Sighting>,
    ) -> Result<u32, DetectError> {
        let placement = self.preprocessor.fill(picture, region, &mut self.tensor);
        let outputs = run(&mut self.session, &self.manifest, &self.tensor).map_err(DetectError)?;
        self.head.decode(&tensors(&outputs, &self.manifest).map_err(DetectError)?, &mut self.candidates)?;
        let beyond = nms::suppress(&mut self.candidates.boxes, self.manifest.thresholds.iou);
        let mut rejected = self.candidates.rejected + beyond as u32;
        for candidate in &self.candidates.boxes {
            match placement.to_frame(candidate.bbox) {
                Some(bbox) => {
                    let detection =
                        Detection { class: candidate.class, confidence: candidate.confidence, bbox };
                    sightings.push(Sighting { detection, region: region.bbox() });
                }
                None => rejected += 1,
            }
        }
        Ok(rejected)
    }
}

impl Detector for OnnxDetector {
    fn input_px(&self) -> u32 {
        self.manifest.input.width.min(self.manifest.input.height) as u32
    }

    fn look(&mut self, frame: &Frame, regions: &[BBox<Norm>]) -> Result<Look, DetectError> {
        let Sightings { boxes, runs, rejected } = self.sightings(&frame.picture, regions)?;
        let Merged { whole, cut } = merge(boxes, frame.picture.size, self.manifest.thresholds.iou);
        Ok(Look { detections: whole, cut, runs, rejected })
    }
}

/// The process's ONNX Runtime. It can be loaded once; who asks for another library later is told so.
fn environment(runtime: &Path) -> Result<Environment, LoadError> {
    static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

    let refuse = |message: String| LoadError::Runtime { file: runtime.to_owned(), message, fix: RUNTIME_FIX };
    // Looked at before the dynamic linker does: its complaints name search paths, not what is missing.
    let path = runtime.canonicalize().map_err(|e| refuse(e.to_string()))?;
    if !path.is_file() {
        return Err(refuse("not a file".to_owned()));
    }
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((earlier, environment)) = &*loaded {
        if *earlier == path {
            return Ok(environment.clone());
        }
        return Err(refuse(format!("another runtime is loaded already, {}", earlier.display())));
    }
    let environment = ort::init_from(&path)
        .map_err(|e| refuse(e.to_string()))?
        .with_name("havenwacht")
        .with_telemetry(false)
        .build()
        .map_err(|e| refuse(e.to_string()))?;
    // The binding asks for every message by default, and formats each.
    environment.set_log_level(LogLevel::Warning);
    *loaded = Some((path, environment.clone()));
    Ok(environment)
}

fn session(environment: &Environment, model: &[u8], threads: u16) -> Result<Session, String> {
    let build = || -> ort::Result<Session> {
        Session::builder(environment)?
            .with_log_level(LogLevel::Warning)?
            .with_intra_threads(usize::from(threads.max(1)))?
            // Waiting threads sleep: the box has other work, and is idle most of the time.
            .with_intra_op_spinning(false)?
            .with_parallel_execution(false)?
            // Measured: planning all buffers as one block costs 6 to 15 MB and saves no time that shows.
            .with_memory_pattern(false)?
            .commit_from_memory(model)
    };
    build().map_err(|e| e.to_string())
}

/// Checks what the model says of itself against the manifest.
fn check_names(manifest: &Manifest, session: &Session) -> Result<(), LoadError> {
    let names = |outlets: &[ort::value::Outlet]| {
        outlets.iter().map(|o| o.name().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let [input] = session.inputs() else {
        return Err(manifest.refuse(
            "file",
            format!("a model with {} inputs ({})", session.inputs().len(), names(session.inputs())),
            "one input, a picture",
            "export the model for detection alone",
        ));
    };
    if input.name() != manifest.input.name {
        return Err(manifest.refuse(
            "input.name",
            format!("{:?}", manifest.input.name),
            &format!("{:?}, the model's input", input.name()),
            "write the model's name for it",
        ));
    }
    let wanted = manifest.input.shape();
    let shape = input.dtype().tensor_shape().map(|s| s.to_vec()).unwrap_or_default();
    let fits =
        shape.len() == 4 && shape.iter().zip(&wanted).all(|(found, wanted)| *found < 0 || found == wanted);
    if !fits {
        return Err(manifest.refuse(
            "input",
            format!("{wanted:?} by `layout`, `width` and `height`"),
            &format!("{shape:?}, the shape of the model's input"),
            "write the model's layout and size",
        ));
    }
    if input.dtype().tensor_type() != Some(ort::value::TensorElementType::Float32) {
        return Err(manifest.refuse(
            "file",
            format!("a model that takes {}", input.dtype()),
            "an input of 32-bit floating point numbers",
            "export the model with float inputs",
        ));
    }
    for (i, name) in manifest.outputs.iter().enumerate() {
        if !session.outputs().iter().any(|o| o.name() == name) {
            return Err(manifest.refuse(
                "outputs",
                format!("{name:?} (name {})", i + 1),
                &format!("names among the model's outputs: {}", names(session.outputs())),
                "write the model's name for it",
            ));
        }
    }
    Ok(())
}

fn run<'s>(
    session: &'s mut Session,
    manifest: &Manifest,
    tensor: &[f32],
) -> Result<SessionOutputs<'s>, String> {
    let view = TensorRef::from_array_view((manifest.input.shape(), tensor)).map_err(|e| e.to_string())?;
    session.run(ort::inputs![view]).map_err(|e| e.to_string())
}

/// The outputs in the manifest's order.
fn tensors<'a>(outputs: &'a SessionOutputs, manifest: &Manifest) -> Result<Vec<Tensor<'a>>, String> {
    manifest
        .outputs
        .iter()
        .map(|name| {
            let value = outputs.get(name).ok_or_else(|| format!("a run gave no output {name:?}"))?;
            let (shape, data) =
                value.try_extract_tensor::<f32>().map_err(|e| format!("output {name:?}: {e}"))?;
            Ok(Tensor { shape, data })
        })
        .collect()
}
