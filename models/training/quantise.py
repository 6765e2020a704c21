"""Eight bits: `quantise.py --model models/havenwacht-fp32.onnx --prepared FILE --name havenwacht`.

Convolutions run on integers, calibrated on tiles of camera views; what the two models see is compared before the new one is
kept.
"""

import argparse
import sys
import tempfile
import tomllib
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from export import write_manifest_of
from train import MEAN, STD
from views import Mistake, load_prepared

# Cells that the full model scores above the high threshold and the small one below the low threshold. With more of them the small model is refused.
MOST_LOST = 0.03


def tiles(pictures, count, side, seed=1):
    """Model inputs [1, 3, side, side] from random squares of camera views."""
    rng = np.random.default_rng(seed)
    views = [p for p in pictures if p.kind == "view"]
    if not views:
        raise Mistake("there is no camera view among the prepared pictures to calibrate on")
    for _ in range(count):
        pixels = views[rng.integers(len(views))].pixels
        size = int(min(*pixels.shape[:2], rng.choice([480, 640, 960])))
        x, y = (int(rng.integers(0, n - size + 1)) for n in pixels.shape[1::-1])
        small = cv2.resize(pixels[y : y + size, x : x + size], (side, side), interpolation=cv2.INTER_AREA)
        yield ((small.astype(np.float32) - MEAN) / STD).transpose(2, 0, 1)[None].astype(np.float32)


class Reader(CalibrationDataReader):
    def __init__(self, inputs):
        self.inputs = iter(inputs)

    def get_next(self):
        picture = next(self.inputs, None)
        return None if picture is None else {"picture": picture}


def quantise(full, small, pictures, side, calibration=120):
    with tempfile.TemporaryDirectory() as folder:
        clean = Path(folder) / "clean.onnx"
        quant_pre_process(str(full), str(clean))
        quantize_static(
            str(clean), str(small), Reader(tiles(pictures, calibration, side)), quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["Conv"],
            calibrate_method=CalibrationMethod.MinMax,
            # Processors without VNNI add products in 16 bits: 7-bit weights cannot overflow them, and all processors agree.
            reduce_range=True,
        )


def compare(full, small, pictures, side, high, low, count=60):
    """Of the cells that the full model is sure of, the share that the small one loses; and how far scores and sides differ."""
    sessions = [onnxruntime.InferenceSession(str(p), providers=["CPUExecutionProvider"]) for p in (full, small)]
    names = [o.name for o in sessions[0].get_outputs()]
    sure = lost = 0
    differences = []
    for picture in tiles(pictures, count, side, seed=2):
        a, b = (dict(zip(names, s.run(names, {"picture": picture}))) for s in sessions)
        for name in names:
            if name.startswith("scores"):
                there = a[name] >= high
                sure += int(there.sum())
                lost += int((b[name][there] < low).sum())
                differences.append(np.abs(a[name] - b[name])[there])
    return lost / max(1, sure), sure, float(np.concatenate(differences).mean())


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--model", type=Path, required=True, help="the full model; its manifest lies beside it")
    a.add_argument("--prepared", type=Path, required=True, help="what prepare.py wrote")
    a.add_argument("--name", required=True, help="of the new files, without ending")
    options = a.parse_args()
    manifest = tomllib.loads(options.model.with_suffix(".toml").read_text())
    side, thresholds = manifest["input"]["width"], manifest["thresholds"]
    pictures = load_prepared(options.prepared)
    small = options.model.with_name(f"{options.name}.onnx")
    fresh = small.with_suffix(".new")
    quantise(options.model, fresh, pictures, side)
    lost, sure, difference = compare(options.model, fresh, pictures, side, thresholds["high"], thresholds["low"])
    print(f"of {sure} cells that the full model is sure of, eight bits lose {lost:.1%}; scores differ by {difference:.3f} on average")
    if lost > MOST_LOST:
        fresh.unlink()
        raise Mistake(f"eight bits lose {lost:.1%} of the full model's sure cells, more than {MOST_LOST:.0%}: the model was not kept")
    fresh.replace(small)
    write_manifest_of(small, options.model.with_suffix(".toml"))
    print(f"{small}: {small.stat().st_size / 1e6:.1f} MB, and its manifest beside it")


if __name__ == "__main__":
    try:
        main()
    except Mistake as mistake:
        sys.exit(f"quantise: {mistake}")
