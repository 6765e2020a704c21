"""The network: YOLOX-nano as its authors trained it on COCO, with two classes.

Every convolution carries a bias and no normalisation: in the published weights the normalisation is part of the convolution,
and without it small batches train as well as large ones.

Source: Megvii YOLOX (Apache-2.0); Ge et al., YOLOX: Exceeding YOLO Series in 2021.
"""

import torch
from torch import nn
from torch.nn import functional as F

CLASSES = ("vessel", "person")
STRIDES = (8, 16, 32)
# Rows of the published class scores: boat and person of COCO's 80 classes.
COCO_ROWS = (8, 0)


class Conv(nn.Module):
    """A convolution and its activation; `depthwise` gives each channel a filter of its own."""

    def __init__(self, cin, cout, size=1, stride=1, depthwise=False):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, size, stride, size // 2, groups=cin if depthwise else 1)

    def forward(self, x):
        return F.silu(self.conv(x))


def separable(cin, cout, stride=1):
    """A depthwise 3 x 3 convolution, then one across channels."""
    return nn.Sequential(Conv(cin, cin, 3, stride, depthwise=True), Conv(cin, cout))


class Bottleneck(nn.Module):
    def __init__(self, channels, shortcut):
        super().__init__()
        self.squeeze, self.spread, self.shortcut = Conv(channels, channels), separable(channels, channels), shortcut

    def forward(self, x):
        y = self.spread(self.squeeze(x))
        return x + y if self.shortcut else y


class Csp(nn.Module):
    """Half of the channels pass the bottlenecks, the other half passes by (Wang et al., CSPNet, 2019)."""

    def __init__(self, cin, cout, depth=1, shortcut=True):
        super().__init__()
        half = cout // 2
        self.through, self.past = Conv(cin, half), Conv(cin, half)
        self.steps = nn.Sequential(*(Bottleneck(half, shortcut) for _ in range(depth)))
        self.leave = Conv(cout, cout)

    def forward(self, x):
        through, past = self.through(x), self.past(x)
        return self.leave(torch.cat([self.steps(through), past], 1))


class Pyramid(nn.Module):
    """Maxima over windows of several sizes, beside the input."""

    def __init__(self, channels):
        super().__init__()
        self.enter, self.leave = Conv(channels, channels // 2), Conv(channels * 2, channels)

    def forward(self, x):
        x = self.enter(x)
        return self.leave(torch.cat([x, *(F.max_pool2d(x, size, 1, size // 2) for size in (5, 9, 13))], 1))


class Backbone(nn.Module):
    """Features at strides 8, 16 and 32 with 64, 128 and 256 channels."""

    def __init__(self):
        super().__init__()
        self.stem = Conv(12, 16, 3)
        self.stage4 = nn.Sequential(separable(16, 32, 2), Csp(32, 32))
        self.stage8 = nn.Sequential(separable(32, 64, 2), Csp(64, 64, 3))
        self.stage16 = nn.Sequential(separable(64, 128, 2), Csp(128, 128, 3))
        self.stage32 = nn.Sequential(separable(128, 256, 2), Pyramid(256), Csp(256, 256, shortcut=False))

    def forward(self, x):
        # Each square of 2 x 2 pixels becomes one cell of 12 channels, in YOLOX's order.
        x = torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)
        c8 = self.stage8(self.stage4(self.stem(x)))
        c16 = self.stage16(c8)
        return c8, c16, self.stage32(c16)


class Neck(nn.Module):
    """Features of 64, 128 and 256 channels in which each stride knows of the others."""

    def __init__(self):
        super().__init__()
        self.lateral32 = Conv(256, 128)
        self.down16 = Csp(256, 128, shortcut=False)
        self.lateral16 = Conv(128, 64)
        self.down8 = Csp(128, 64, shortcut=False)
        self.to16 = separable(64, 64, 2)
        self.up16 = Csp(128, 128, shortcut=False)
        self.to32 = separable(128, 128, 2)
        self.up32 = Csp(256, 256, shortcut=False)

    def forward(self, c8, c16, c32):
        double = lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest")
        top = self.lateral32(c32)
        middle = self.lateral16(self.down16(torch.cat([double(top), c16], 1)))
        p8 = self.down8(torch.cat([double(middle), c8], 1))
        p16 = self.up16(torch.cat([self.to16(p8), middle], 1))
        return p8, p16, self.up32(torch.cat([self.to32(p16), top], 1))


class Head(nn.Module):
    def __init__(self, cin, classes):
        super().__init__()
        self.stem = Conv(cin, 64)
        self.class_tower = nn.Sequential(separable(64, 64), separable(64, 64))
        self.classes = nn.Conv2d(64, classes, 1)
        self.box_tower = nn.Sequential(separable(64, 64), separable(64, 64))
        self.box = nn.Conv2d(64, 4, 1)
        self.object = nn.Conv2d(64, 1, 1)

    def forward(self, x):
        x = self.stem(x)
        classes = self.classes(self.class_tower(x))
        box = self.box_tower(x)
        return torch.cat([self.box(box), self.object(box), classes], 1)


class Network(nn.Module):
    """Pictures in, one row per cell out.

    Input: float32 [batch, 3, height, width], BGR 0 to 255, sides multiples of 32.
    Output: [batch, cells, 5 + classes], cells of strides 8, 16 and 32, each by row and column: box centre from the cell's corner
    and logarithm of its size, in strides; logits that there is an object, and of each class.
    """

    def __init__(self):
        super().__init__()
        self.backbone, self.neck = Backbone(), Neck()
        self.heads = nn.ModuleList(Head(channels, len(CLASSES)) for channels in (64, 128, 256))

    def forward(self, x):
        maps = [head(p) for head, p in zip(self.heads, self.neck(*self.backbone(x)))]
        return torch.cat([m.flatten(2) for m in maps], 2).transpose(1, 2)


def log_scores(predictions):
    """Logarithms of the score and of its complement, [batch, cells, classes] each: object and class must both hold."""
    present, classes = F.logsigmoid(predictions[..., 4:5]), F.logsigmoid(predictions[..., 5:])
    log = (present + classes).clamp(max=-1e-6)
    return log, torch.log(-torch.expm1(log))


def load_onnx(network, path):
    """Fills `network` with the weights of an ONNX file that export.py wrote, or of the published YOLOX-nano.

    Both list their convolutions in the order of the data flow. Of 80 classes, boat and person are kept.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    tensors = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    found = [[torch.tensor(tensors[name]) for name in node.input[1:3]] for node in graph.node if node.op_type == "Conv"]
    order = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(order) == len(found), (len(order), len(found))
    with torch.no_grad():
        for layer, (weight, bias) in zip(order, found):
            if weight.shape[0] == 80 and layer.weight.shape[0] == len(CLASSES):
                weight, bias = weight[list(COCO_ROWS)], bias[list(COCO_ROWS)]
            assert layer.weight.shape == weight.shape, (layer, weight.shape)
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
