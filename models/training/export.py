"""Writes a checkpoint as ONNX with its manifest: `export.py --checkpoint runs/NAME/last.pt --name havenwacht`."""

import argparse
import hashlib
import re
import sys
from pathlib import Path

import onnx
import torch
from torch import nn

from eye import CLASSES, Eye, load_onnx
from train import MEAN, STD
from views import Mistake

here = Path(__file__).parent

MANIFEST = """\
# {title}
name = "{name}"
file = "{file}"
sha256 = "{sha256}"
licence = "{licence}"
source = "models/training; see models/CARD.md"
head = "nanodet"

[input]
name = "picture"
layout = "nchw"
width = {side}
height = {side}
colour = "bgr"
resize = "stretch"
mean = [{mean}] # in the order of `colour`
std = [{std}]

[outputs] # one map each for strides {strides}
scores = [{scores}] # [1, cells, {classes}], after the sigmoid
boxes = [{boxes}] # [1, cells, 44], 4 sides of 11 bins

[classes]
vessel = [{vessel}]
person = [{person}]

[thresholds]
high = {high} # boxes at or above this confidence can start a track
low = {low}  # boxes between `low` and `high` can only continue a confirmed vessel
iou = 0.5
"""


class Exported(nn.Module):
    """The eye as the daemon reads it: scores past the sigmoid."""

    def __init__(self, eye):
        super().__init__()
        self.eye = eye

    def forward(self, picture):
        logits, distributions = self.eye(picture)
        return (*[v.sigmoid() for v in logits], *distributions)


def load_checkpoint(path):
    try:
        saved = torch.load(path, weights_only=True)
    except FileNotFoundError:
        raise Mistake(f"{path}: there is no such checkpoint; train.py writes last.pt into its --out folder") from None
    eye = Eye(saved["fine"])
    eye.load_state_dict(saved["average"])
    return eye.eval()


def mean_of(eyes):
    """One network with the mean of the weights of several that began with the same ones: surer than each (Wortsman et al., Model
    soups, 2022)."""
    states = [eye.state_dict() for eye in eyes]
    eyes[0].load_state_dict({k: sum(state[k] for state in states) / len(states) for k in states[0]})
    return eyes[0]


def blended(eye, base, share):
    """`share` of the trained weights, the rest of those that training began with. What a few cameras taught is kept in part, and
    what the base knew of others is not lost (Wortsman et al., Robust fine-tuning of zero-shot models, 2022). The level at
    stride 4 is new and stays whole."""
    start = Eye(eye.fine is not None and eye.fine["head"].in_channels)
    load_onnx(start, base)
    old = start.state_dict()
    eye.load_state_dict({k: v if k.startswith("fine") else old[k].lerp(v, share) for k, v in eye.state_dict().items()})
    return eye


def output_names(eye):
    return [f"scores_{s}" for s in eye.strides], [f"boxes_{s}" for s in eye.strides]


def export(eye, side, path):
    scores, boxes = output_names(eye)
    torch.onnx.export(
        Exported(eye), (torch.zeros(1, 3, side, side),), str(path),
        input_names=["picture"], output_names=scores + boxes, opset_version=17, dynamo=False,
    )
    onnx.checker.check_model(str(path))


def write_manifest(model, eye, side, title, name, licence, high, low):
    """Beside the model, with its hash."""
    scores, boxes = output_names(eye)
    quoted = lambda names: ", ".join(f'"{n}"' for n in names)
    numbers = lambda values: ", ".join(str(v) for v in values)
    model.with_suffix(".toml").write_text(
        MANIFEST.format(
            title=title, name=name, file=model.name, sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
            licence=licence, side=side, mean=numbers(MEAN), std=numbers(STD), strides=numbers(eye.strides),
            scores=quoted(scores), boxes=quoted(boxes), classes=len(CLASSES), vessel=CLASSES.index("vessel"),
            person=CLASSES.index("person"), high=high, low=low,
        )
    )


def write_manifest_of(model, other):
    """The manifest of a model that differs from another in its numbers alone."""
    text = other.read_text()
    for key, value in (("name", model.stem), ("file", model.name), ("sha256", hashlib.sha256(model.read_bytes()).hexdigest())):
        text = re.sub(rf'^{key} = ".*"$', f'{key} = "{value}"', text, count=1, flags=re.M)
    model.with_suffix(".toml").write_text(text)


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--checkpoint", type=Path, nargs="+", required=True, help="of several runs: the mean of their weights")
    a.add_argument("--out", type=Path, default=here.parent, help="folder for the model and its manifest")
    a.add_argument("--name", required=True, help="of the files, without ending")
    a.add_argument("--title", default="Vessels and people as a camera at the quay sees them.")
    a.add_argument("--licence", default="Apache-2.0")
    a.add_argument("--side", type=int, default=416, help="pixels of the input, a multiple of 32")
    a.add_argument("--high", type=float, default=0.45)
    a.add_argument("--low", type=float, default=0.25)
    a.add_argument("--base", type=Path, help="ONNX that training began with, to blend with; see --blend")
    a.add_argument("--blend", type=float, default=0.7, help="share of the trained weights where --base is given")
    options = a.parse_args()
    if options.side % 32:
        raise Mistake(f"--side {options.side}: give a multiple of 32, such as 416")
    eye = mean_of([load_checkpoint(path) for path in options.checkpoint])
    if options.base:
        eye = blended(eye, options.base, options.blend)
    model = options.out / f"{options.name}.onnx"
    export(eye, options.side, model)
    write_manifest(model, eye, options.side, options.title, options.name, options.licence, options.high, options.low)
    print(f"{model}: {model.stat().st_size / 1e6:.1f} MB, and its manifest beside it")


if __name__ == "__main__":
    try:
        main()
    except Mistake as mistake:
        sys.exit(f"export: {mistake}")
