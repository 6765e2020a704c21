"""The network: NanoDet-g's backbone and neck as its authors trained them on COCO, with a finer level for small vessels.

Every convolution carries a bias and no normalisation: in the published weights the normalisation
is part of the convolution, and without it small batches train as well as large ones.

Source: RangiLyu/nanodet (Apache-2.0), config nanodet-g; Li et al., Generalized Focal Loss, 2020, for the box distributions.
"""

import torch
from torch import nn
from torch.nn import functional as F

# Each side of a box is predicted as a distribution over 0..BINS-1 strides.
BINS = 11
CLASSES = ("vessel", "person")


def conv(cin, cout, size=3, stride=1, act=True):
    layer = nn.Conv2d(cin, cout, size, stride, size // 2)
    return nn.Sequential(layer, nn.LeakyReLU(0.1)) if act else nn.Sequential(layer)


class TinyCsp(nn.Module):
    """Half of the channels pass two convolutions, all meet again; the way in is kept beside them."""

    def __init__(self, channels, depth, stride):
        super().__init__()
        self.enter = conv(channels, channels, stride=stride)
        half = channels // 2
        self.steps = nn.ModuleList(
            nn.ModuleList([conv(channels, half), conv(half, half)]) for _ in range(depth)
        )
        self.leave = conv(channels, channels)

    def forward(self, x):
        x = first = self.enter(x)
        for squeeze, again in self.steps:
            x = squeeze(x)
            x = torch.cat([again(x), x], 1)
        return torch.cat([self.leave(x), first], 1)


class Backbone(nn.Module):
    """Features at strides 4, 8, 16 and 32 with 64, 128, 256 and 512 channels."""

    def __init__(self):
        super().__init__()
        self.stem = conv(3, 32, stride=2)
        self.stages = nn.ModuleList(
            [TinyCsp(32, 1, 1), TinyCsp(64, 2, 2), TinyCsp(128, 2, 2), TinyCsp(256, 3, 2)]
        )

    def forward(self, x):
        x = F.max_pool2d(self.stem(x), 3, 2, 1)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


def scaled(x, factor):
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


class Eye(nn.Module):
    """Pictures in, for each level a map of class logits and box distributions out.

    Input: float32 [batch, 3, height, width], BGR, normalised, sides multiples of 32.
    Output: per level [batch, cells, classes] logits and [batch, cells, 4 * BINS], cells by row and column.
    """

    def __init__(self, fine=48, classes=len(CLASSES)):
        super().__init__()
        self.strides = (4, 8, 16, 32) if fine else (8, 16, 32)
        self.classes = classes
        self.backbone = Backbone()
        self.laterals = nn.ModuleList([conv(c, 128, 1, act=False) for c in (128, 256, 512)])
        self.towers = nn.ModuleList([conv(128, 128) for _ in range(3)])
        outputs = classes + 4 * BINS
        self.heads = nn.ModuleList([nn.Conv2d(128, outputs, 1) for _ in range(3)])
        self.fine = None
        if fine:
            # Stride 4 has four times the cells of stride 8: few channels, or it costs as much as all the rest.
            self.fine = nn.ModuleDict(
                {
                    "lateral": conv(64, fine, 1, act=False),
                    "from_above": conv(128, fine, 1, act=False),
                    "tower": conv(fine, fine),
                    "head": nn.Conv2d(fine, outputs, 1),
                }
            )
            # A fresh head says "nothing here" at first, else its millions of cells drown what the others know.
            nn.init.normal_(self.fine["head"].weight, std=0.01)
            nn.init.zeros_(self.fine["head"].bias)
            nn.init.constant_(self.fine["head"].bias[:classes], -4.6)

    def forward(self, x):
        c2, *deep = self.backbone(x)
        p3, p4, p5 = (lateral(c) for lateral, c in zip(self.laterals, deep))
        p4 = p4 + scaled(p5, 2.0)
        p3 = p3 + scaled(p4, 2.0)
        n4 = p4 + scaled(p3, 0.5)
        n5 = p5 + scaled(n4, 0.5)
        maps = [head(tower(n)) for head, tower, n in zip(self.heads, self.towers, (p3, n4, n5))]
        if self.fine:
            fine = self.fine["lateral"](c2) + scaled(self.fine["from_above"](p3), 2.0)
            maps.insert(0, self.fine["head"](self.fine["tower"](fine)))
        maps = [m.flatten(2).transpose(1, 2) for m in maps]
        return [m[..., : self.classes] for m in maps], [m[..., self.classes :] for m in maps]


def load_onnx(eye, onnx_path):
    """Fills `eye` with the weights of an ONNX file: one that export.py wrote, or the converted NanoDet-g."""
    import onnx
    from onnx import numpy_helper

    own = {i.name.removeprefix("eye."): numpy_helper.to_array(i) for i in onnx.load(onnx_path).graph.initializer if i.name.startswith("eye.")}
    if own:
        eye.load_state_dict({name: torch.tensor(value) for name, value in own.items()})
    else:
        load_nanodet(eye, onnx_path)


def load_nanodet(eye, onnx_path):
    """Fills `eye` with the weights of the converted NanoDet-g: both list their convolutions in the order of the data flow.

    Of the 80 classes' scores, boat becomes vessel and person stays person.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(onnx_path).graph
    tensors = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    consumers = {}
    for node in graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    weights = []
    for node in graph.node:
        if node.op_type == "Conv":
            add = node.output[0]
            while (node_after := consumers[add][0]).op_type == "Transpose":
                add = node_after.output[0]
            assert node_after.op_type == "Add", node_after.op_type
            bias = next(tensors[i] for i in node_after.input if i in tensors)
            weights.append((tensors[node.input[1]], bias))

    b = eye.backbone
    order = [b.stem[0]]
    for index, stage in enumerate(b.stages):
        order += [stage.enter[0]]
        for squeeze, again in stage.steps:
            order += [squeeze[0], again[0]]
        order += [stage.leave[0]]
        if index > 0:
            order.append(eye.laterals[index - 1][0])
    for tower, head in zip(eye.towers, eye.heads):
        order += [tower[0], head]
    assert len(order) == len(weights), (len(order), len(weights))
    rows = [8, 0][: eye.classes] + list(range(80, 80 + 4 * BINS))
    with torch.no_grad():
        for layer, (weight, bias) in zip(order, weights):
            weight, bias = torch.tensor(weight), torch.tensor(bias)
            if layer in list(eye.heads):
                weight, bias = weight[rows], bias[rows]
            assert layer.weight.shape == weight.shape, (layer, weight.shape)
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
