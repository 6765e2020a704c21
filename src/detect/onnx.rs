//! The detector with ONNX Runtime. No other file uses it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::{Session, SessionOutputs};
use ort::value::TensorRef;

use super::decoder::Decoder;
use super::detection::{DetectError, Detection, DetectionPass, Detector};
use super::heads::{Candidates, Tensor};
use super::load_error::LoadError;
use super::manifest::Manifest;
use super::merge::{Merged, RegionDetection, merge};
use super::nms;
use super::preprocess::{PixelRect, Preprocessor};
use crate::frame::{Frame, Picture};
use crate::geometry::{BBox, Norm};

const RUNTIME_FIX: &str =
    "give `model.runtime` the path of libonnxruntime.so, version 1.23 or newer; `make setup` provides one";

/// A model in ONNX Runtime, warmed up. Its thread owns it.
#[derive(Debug)]
pub struct OnnxDetector {
    session: Session,
    manifest: Manifest,
    decoder: Decoder,
    preprocessor: Preprocessor,
    /// The model's input; filled for each inference, never reallocated.
    tensor: Vec<f32>,
    candidates: Candidates,
}

/// The result of a detection pass before the regions are merged.
#[derive(Clone, Debug, Default)]
pub struct RegionDetections {
    /// Boxes, region by region; within a region by falling confidence.
    pub boxes: Vec<RegionDetection>,
    /// Number of inferences.
    pub inferences: u32,
    /// As in [`DetectionPass::rejected`].
    pub rejected: u32,
}

impl OnnxDetector {
    /// Loads the model of a manifest into the runtime library at `runtime_path`, runs it once and checks its outputs against
    /// the manifest. Each inference uses `threads` threads.
    pub fn load(manifest_path: &Path, runtime_path: &Path, threads: u16) -> Result<Self, LoadError> {
        let (manifest, model) = Manifest::load(manifest_path)?;
        let environment = environment(runtime_path)?;
        let failed = |e: String| LoadError::Model { file: manifest.model_file.clone(), message: e };
        let mut session = session(&environment, &model, threads).map_err(failed)?;
        check_names(&manifest, &session)?;
        let mut tensor = vec![0.0; manifest.input.width * manifest.input.height * 3];
        let shapes = {
            let outputs = infer(&mut session, &manifest, &tensor).map_err(failed)?;
            tensors(&outputs, &manifest).map_err(failed)?.iter().map(|t| t.shape.to_vec()).collect::<Vec<_>>()
        };
        let decoder = Decoder::new(&manifest, &shapes)?;
        tensor.fill(0.0);
        let preprocessor = Preprocessor::new(&manifest.input);
        Ok(Self { session, manifest, decoder, preprocessor, tensor, candidates: Candidates::default() })
    }

    /// The model's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reports boxes from confidence `threshold` up, if that is below the manifest's low threshold. Average precision needs
    /// them. The manifest is not changed.
    pub fn lower_threshold(&mut self, threshold: f32) {
        self.decoder.lower_threshold(threshold);
    }

    /// Inspects `regions` of a picture (as fractions of its size) without merging their results; see [`merge`].
    pub fn detect_regions(
        &mut self,
        picture: &Picture,
        regions: &[BBox<Norm>],
    ) -> Result<RegionDetections, DetectError> {
        let mut found = RegionDetections::default();
        for &region in regions {
            let region = PixelRect::around(region, picture.size);
            found.rejected += self.inspect(picture, region, &mut found.boxes)?;
            found.inferences += 1;
        }
        Ok(found)
    }

    /// One inference on the current input, without pre- and postprocessing. Benchmarks compare the cost of a pass with it.
    pub fn infer_only(&mut self) -> Result<(), DetectError> {
        infer(&mut self.session, &self.manifest, &self.tensor).map(drop).map_err(DetectError)
    }

    /// Inspects one region and adds its boxes to `into`. Returns the number of rejected boxes.
    fn inspect(
        &mut self,
        picture: &Picture,
        region: PixelRect,
        into: &mut Vec<RegionDetection>,
    ) -> Result<u32, DetectError> {
        let placement = self.preprocessor.fill(picture, region, &mut self.tensor);
        let outputs = infer(&mut self.session, &self.manifest, &self.tensor).map_err(DetectError)?;
        self.decoder
            .decode(&tensors(&outputs, &self.manifest).map_err(DetectError)?, &mut self.candidates)?;
        let beyond = nms::suppress(&mut self.candidates.boxes, self.manifest.thresholds.iou);
        let mut rejected = self.candidates.rejected + beyond as u32;
        for candidate in &self.candidates.boxes {
            match placement.to_frame(candidate.bbox) {
                Some(bbox) => {
                    let detection =
                        Detection { class: candidate.class, confidence: candidate.confidence, bbox };
                    into.push(RegionDetection { detection, region: region.bbox() });
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

    fn detect(&mut self, frame: &Frame, regions: &[BBox<Norm>]) -> Result<DetectionPass, DetectError> {
        let RegionDetections { boxes, inferences, rejected } =
            self.detect_regions(&frame.picture, regions)?;
        let Merged { complete, cut } = merge(boxes, frame.picture.size, self.manifest.thresholds.iou);
        Ok(DetectionPass { detections: complete, cut, inferences, rejected })
    }
}

/// The process's ONNX Runtime. A process can load only one; a request for another library is an error.
fn environment(runtime: &Path) -> Result<Environment, LoadError> {
    static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

    let error = |message: String| LoadError::Runtime { file: runtime.to_owned(), message, fix: RUNTIME_FIX };
    // Checked before the dynamic linker is called, because its messages name search paths and not the missing file.
    let path = runtime.canonicalize().map_err(|e| error(e.to_string()))?;
    if !path.is_file() {
        return Err(error("not a file".to_owned()));
    }
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((earlier, environment)) = &*loaded {
        if *earlier == path {
            return Ok(environment.clone());
        }
        return Err(error(format!("another library is already loaded, {}", earlier.display())));
    }
    let environment = ort::init_from(&path)
        .map_err(|e| error(e.to_string()))?
        .with_name("havenwacht")
        .with_telemetry(false)
        .build()
        .map_err(|e| error(e.to_string()))?;
    // By default the binding formats messages of every level.
    environment.set_log_level(LogLevel::Warning);
    *loaded = Some((path, environment.clone()));
    Ok(environment)
}

fn session(environment: &Environment, model: &[u8], threads: u16) -> Result<Session, String> {
    let build = || -> ort::Result<Session> {
        Session::builder(environment)?
            .with_log_level(LogLevel::Warning)?
            .with_intra_threads(usize::from(threads.max(1)))?
            // Threads sleep while they wait, because the box has other work.
            .with_intra_op_spinning(false)?
            .with_parallel_execution(false)?
            // Measured: one block for all buffers costs 6 to 15 MB more and saves no time.
            .with_memory_pattern(false)?
            .commit_from_memory(model)
    };
    build().map_err(|e| e.to_string())
}

/// Checks the model's input and output names against the manifest.
fn check_names(manifest: &Manifest, session: &Session) -> Result<(), LoadError> {
    let names = |outlets: &[ort::value::Outlet]| {
        outlets.iter().map(|o| o.name().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let [input] = session.inputs() else {
        return Err(manifest.key_error(
            "file",
            format!("a model with {} inputs ({})", session.inputs().len(), names(session.inputs())),
            "one input, a picture",
            "export the model for detection only",
        ));
    };
    if input.name() != manifest.input.name {
        return Err(manifest.key_error(
            "input.name",
            format!("{:?}", manifest.input.name),
            format!("{:?}, the model's input", input.name()),
            "write the name that the model has",
        ));
    }
    let wanted = manifest.input.shape();
    let shape = input.dtype().tensor_shape().map(|s| s.to_vec()).unwrap_or_default();
    let fits =
        shape.len() == 4 && shape.iter().zip(&wanted).all(|(found, wanted)| *found < 0 || found == wanted);
    if !fits {
        return Err(manifest.key_error(
            "input",
            format!("{wanted:?} by `layout`, `width` and `height`"),
            format!("{shape:?}, the shape of the model's input"),
            "write the model's layout and size",
        ));
    }
    if input.dtype().tensor_type() != Some(ort::value::TensorElementType::Float32) {
        return Err(manifest.key_error(
            "file",
            format!("a model that takes {}", input.dtype()),
            "an input of 32-bit floating point numbers",
            "export the model with float inputs",
        ));
    }
    for (i, name) in manifest.outputs.iter().enumerate() {
        if !session.outputs().iter().any(|o| o.name() == name) {
            return Err(manifest.key_error(
                "outputs",
                format!("{name:?} (name {})", i + 1),
                format!("names among the model's outputs: {}", names(session.outputs())),
                "write the name that the model has",
            ));
        }
    }
    Ok(())
}

/// One inference.
fn infer<'s>(
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
            let value = outputs.get(name).ok_or_else(|| format!("the model gave no output {name:?}"))?;
            let (shape, data) =
                value.try_extract_tensor::<f32>().map_err(|e| format!("output {name:?}: {e}"))?;
            Ok(Tensor { shape, data })
        })
        .collect()
}
