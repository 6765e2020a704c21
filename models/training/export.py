"""Writes a checkpoint as ONNX with its manifest: `export.py --checkpoint runs/NAME/last.pt --name havenwacht`."""

import argparse
import hashlib
import re
import sys
from pathlib import Path

import onnx
import torch
from torch import nn

from network import CLASSES, Network, load_onnx
from views import Mistake

here = Path(__file__).parent

MANIFEST = """\
# {title}
name = "{name}"
file = "{file}"
sha256 = "{sha256}"
licence = "{licence}"
source = "models/training; see models/CARD.md"
head = "yolox"

[input]
name = "picture"
layout = "nchw"
width = {side}
height = {side}
colour = "bgr"
resize = "stretch"
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]

[outputs] # [1, cells of strides 8, 16 and 32, 5 + classes]: box, objectness and scores after the sigmoid
predictions = ["predictions"]

[classes]
vessel = [{vessel}]
person = [{person}]

[thresholds]
high = {high} # boxes at or above this confidence are matched with the tracks first
low = {low}  # boxes below this confidence are dropped
iou = 0.5

[confidence] # how much a box says; docs/measurements.md has how it was chosen
sides_px = [12.0, 60.0] # longer side of a small and of a large box in the model's input
neutral = [0.1, 0.25]   # confidence at which such a box is as likely on a vessel as on anything else
weight = 1.5
"""


class Exported(nn.Module):
    """The network as the daemon reads it: objectness and scores past the sigmoid."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, picture):
        predictions = self.network(picture)
        return torch.cat([predictions[..., :4], predictions[..., 4:].sigmoid()], -1)


def load_checkpoint(path):
    try:
        saved = torch.load(path, weights_only=True)
    except FileNotFoundError:
        raise Mistake(f"{path}: there is no such checkpoint; train.py writes last.pt into its --out folder") from None
    network = Network()
    network.load_state_dict(saved["average"])
    return network.eval()


def mean_of(networks):
    """One network with the mean of the weights of several that began with the same ones: surer than each (Wortsman et al., Model
    soups, 2022)."""
    states = [network.state_dict() for network in networks]
    networks[0].load_state_dict({k: sum(state[k] for state in states) / len(states) for k in states[0]})
    return networks[0]


def blended(network, base, share):
    """`share` of the trained weights, the rest of those that training began with. What a few cameras taught is kept in part, and
    what the base knew of others is not lost (Wortsman et al., Robust fine-tuning of zero-shot models, 2022)."""
    start = Network()
    load_onnx(start, base)
    old = start.state_dict()
    network.load_state_dict({k: old[k].lerp(v, share) for k, v in network.state_dict().items()})
    return network


def export(network, side, path):
    torch.onnx.export(
        Exported(network), (torch.zeros(1, 3, side, side),), str(path),
        input_names=["picture"], output_names=["predictions"], opset_version=17, dynamo=False,
    )
    onnx.checker.check_model(str(path))


def write_manifest(model, side, title, name, licence, high, low):
    """Beside the model, with its hash."""
    model.with_suffix(".toml").write_text(
        MANIFEST.format(
            title=title, name=name, file=model.name, sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
            licence=licence, side=side, vessel=CLASSES.index("vessel"), person=CLASSES.index("person"), high=high, low=low,
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
    a.add_argument("--title", default="Detects vessels and persons in the picture of a camera at the quay.")
    a.add_argument("--licence", default="Apache-2.0")
    a.add_argument("--side", type=int, default=416, help="pixels of the input, a multiple of 32")
    a.add_argument("--high", type=float, default=0.25)
    a.add_argument("--low", type=float, default=0.1)
    a.add_argument("--base", type=Path, help="ONNX that training began with, to blend with; see --blend")
    a.add_argument("--blend", type=float, default=0.7, help="share of the trained weights where --base is given")
    options = a.parse_args()
    if options.side % 32:
        raise Mistake(f"--side {options.side}: give a multiple of 32, such as 416")
    network = mean_of([load_checkpoint(path) for path in options.checkpoint])
    if options.base:
        network = blended(network, options.base, options.blend)
    model = options.out / f"{options.name}.onnx"
    export(network, options.side, model)
    write_manifest(model, options.side, options.title, options.name, options.licence, options.high, options.low)
    print(f"{model}: {model.stat().st_size / 1e6:.1f} MB, and its manifest beside it")


if __name__ == "__main__":
    try:
        main()
    except Mistake as mistake:
        sys.exit(f"export: {mistake}")
