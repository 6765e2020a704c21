#!/usr/bin/env python3
"""Turn a TensorFlow.js graph model into ONNX, with nothing but numpy and onnx.

    convert.py model.json out.onnx --input NAME=1,300,300,3 --output NAME...

--input may name an inner node: what lies before it is cut off and the node becomes the float32 input. The batch size is fixed.
Covers the operators that the detectors of this project use; an unknown one is an error that names it.
The same input gives the same bytes on every processor: only exactly rounded arithmetic is done here.
"""

import argparse
import base64
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8
LITTLE_ENDIAN = {"float32": "<f4", "float16": "<f2", "int32": "<i4", "uint16": "<u2", "uint8": "u1", "bool": "?"}

# ---------------------------------------------------------------- reading TensorFlow.js


class Node:
    """One operation of the source graph, its attributes decoded on demand."""

    def __init__(self, entry):
        self.name = entry["name"]
        self.op = entry["op"]
        # A leading ^ marks an ordering constraint: it carries no value.
        self.inputs = [i for i in entry.get("input", []) if not i.startswith("^")]
        self._attributes = entry.get("attr", {})

    def attribute(self, key, default=None):
        entry = self._attributes.get(key)
        if not entry:
            return default
        kind, value = next(iter(entry.items()))
        if kind == "list":
            items = next(((k, v) for k, v in value.items() if v), None)
            return [self._decode(items[0], v) for v in items[1]] if items else default
        return self._decode(kind, value)

    @staticmethod
    def _decode(kind, value):
        if kind == "i":
            return int(value)  # written as a string, to survive JavaScript's numbers
        if kind == "s":
            return bytes(value).decode() if isinstance(value, list) else base64.b64decode(value).decode()
        return value


def read_weights(folder, manifest):
    """All constants by name. Weights stored in half precision or as quantised integers come out as float32."""
    constants = {}
    for group in manifest:
        raw = b"".join((folder / path).read_bytes() for path in group["paths"])
        offset = 0
        for weight in group["weights"]:
            packing = weight.get("quantization")
            dtype = np.dtype(LITTLE_ENDIAN[packing["dtype"] if packing else weight["dtype"]])
            count = int(np.prod(weight["shape"], dtype=np.int64))
            array = np.frombuffer(raw, dtype, count, offset).reshape(weight["shape"])
            offset += count * dtype.itemsize
            if packing:
                array = array.astype(np.float32)
                if "scale" in packing:
                    array = array * np.float32(packing["scale"]) + np.float32(packing["min"])
            constants[weight["name"]] = array
        if offset != len(raw):
            raise SystemExit(f"{', '.join(group['paths'])}: {len(raw)} bytes of weights, the model describes {offset}")
    return constants


# ---------------------------------------------------------------- building ONNX


class ShapeOf:
    """The shape of a tensor, of which only the batch size is known here (and only that is ever asked for)."""


def is_constant(value):
    return isinstance(value, (np.ndarray, np.generic))


class Converter:
    """Walks the source graph back from its outputs. A value is a numpy array (constant), the name of an ONNX tensor, a
    list of either (several outputs) or a `ShapeOf`."""

    def __init__(self, nodes, constants, input_name, input_shape):
        self.source = nodes
        self.constants = constants
        self.batch = input_shape[0]
        self.values = {input_name: input_name}
        self.nodes = []
        self.initializers = {}
        self.counter = 0

    # -- values

    def value(self, reference):
        """The value of `node` or `node:output`, converting what it depends on first."""
        name, _, index = reference.partition(":")
        if name not in self.values:
            self.values[name] = self.convert(name)
        value = self.values[name]
        return value[int(index or 0)] if isinstance(value, list) else value

    def convert(self, name):
        node = self.source[name]
        if node.op == "Const":
            return self.constants[name]
        inputs = [self.value(i) for i in node.inputs]
        if inputs and all(is_constant(i) for i in inputs) and node.op in FOLDED:
            return FOLDED[node.op](node, *inputs)
        if node.op not in OPERATORS:
            raise SystemExit(f"{name}: operator {node.op} is not known to this converter")
        return OPERATORS[node.op](self, node, *inputs)

    def tensor(self, value):
        """The ONNX name of a value; shapes and indices become int64, as ONNX wants them."""
        if not is_constant(value):
            return value
        return self.constant(value.astype(np.int64) if value.dtype == np.int32 else value)

    def constant(self, array):
        array = np.ascontiguousarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.initializers:
            self.initializers[key] = numpy_helper.from_array(array, f"c{len(self.initializers)}")
        return self.initializers[key].name

    def integers(self, *numbers):
        return self.constant(np.array(numbers, np.int64))

    # -- nodes

    def emit_all(self, outputs, op, inputs, **attributes):
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], **attributes))
        return outputs

    def emit(self, op, *inputs, **attributes):
        self.counter += 1
        return self.emit_all([f"{op}_{self.counter}"], op, inputs, **attributes)[0]

    def emit_list(self, count, op, *inputs, **attributes):
        self.counter += 1
        return self.emit_all([f"{op}_{self.counter}_{i}" for i in range(count)], op, inputs, **attributes)

    def nchw(self, value):
        return self.emit("Transpose", self.tensor(value), perm=[0, 3, 1, 2])

    def nhwc(self, name):
        return self.emit("Transpose", name, perm=[0, 2, 3, 1])

    def activation(self, kind, name, node):
        if kind == "Relu6":
            return self.emit("Clip", name, self.constant(np.float32(0)), self.constant(np.float32(6)))
        if kind == "LeakyRelu":
            return self.emit("LeakyRelu", name, alpha=float(node.attribute("leakyrelu_alpha", node.attribute("alpha", 0.2))))
        return self.emit(kind, name)

    # -- the model

    def model(self, input_name, input_shape, outputs):
        names = []
        for output in outputs:
            name = "out_" + output.rpartition("/")[2].replace(":", "_")
            names += self.emit_all([name], "Identity", [self.tensor(self.value(output))])

        def declared(name, shape):
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        def assemble(shapes):
            graph = helper.make_graph(
                self.nodes,
                "detector",
                [declared(input_name, input_shape)],
                [declared(name, shape) for name, shape in zip(names, shapes)],
                list(self.initializers.values()),
            )
            return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)

        inferred = onnx.shape_inference.infer_shapes(assemble([None] * len(names)), strict_mode=True, data_prop=True)
        shapes = [[d.dim_value for d in o.type.tensor_type.shape.dim] for o in inferred.graph.output]
        if any(not shape or 0 in shape for shape in shapes):
            raise SystemExit(f"the shapes of the outputs do not follow from the input's: {dict(zip(names, shapes))}")
        model = assemble(shapes)
        onnx.checker.check_model(model, full_check=True)
        return model, dict(zip(names, shapes))


# ---------------------------------------------------------------- operators on constants: computed now


def fold_sparse_to_dense(_, indices, shape, values, default):
    dense = np.full(shape, default)
    for k, index in enumerate(indices.reshape(-1, len(shape))):
        dense[tuple(index)] = values if values.ndim == 0 else values[k]
    return dense


FOLDED = {
    "Add": lambda _, a, b: a + b,
    "AddV2": lambda _, a, b: a + b,
    "Sub": lambda _, a, b: a - b,
    "Mul": lambda _, a, b: a * b,
    "Identity": lambda _, a: a,
    "Reshape": lambda _, a, shape: a.reshape(shape),
    "Transpose": lambda _, a, order: a.transpose(order),
    "ExpandDims": lambda _, a, axis: np.expand_dims(a, int(axis)),
    "Tile": lambda _, a, repeats: np.tile(a, repeats),
    "Pack": lambda node, *parts: np.stack(parts, node.attribute("axis", 0)),
    "Unpack": lambda node, a: list(np.moveaxis(a, node.attribute("axis", 0), 0)),
    "SparseToDense": fold_sparse_to_dense,
}

# ---------------------------------------------------------------- operators on tensors: one ONNX node or a few

OPERATORS = {}


def operator(*names):
    def register(function):
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return register


def same_in_onnx(target, *names):
    """Operators that mean in ONNX what they mean in TensorFlow."""

    @operator(*names)
    def _(c, node, *inputs):
        return c.emit(target, *map(c.tensor, inputs))


for _name in ("Add", "Mul", "Sub", "Exp", "Sigmoid", "Identity", "Relu", "Tile", "Reshape"):
    same_in_onnx(_name, _name)
same_in_onnx("Add", "AddV2", "BiasAdd")
same_in_onnx("Sum", "AddN")


@operator("Conv2D", "_FusedConv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative")
def convolution(c, node, x, weights, *extra):
    if node.attribute("data_format", "NHWC") not in ("NHWC", ""):
        raise SystemExit(f"{node.name}: only convolutions in NHWC order are known")
    height, width, channels, filters = weights.shape
    if "Depthwise" in node.op:  # every channel has its own filters
        groups, weights = channels, weights.transpose(2, 3, 0, 1).reshape(channels * filters, 1, height, width)
    else:
        groups, weights = 1, weights.transpose(3, 2, 0, 1)
    attributes = {
        "kernel_shape": [height, width],
        "strides": node.attribute("strides")[1:3],
        "dilations": node.attribute("dilations", [1, 1, 1, 1])[1:3],
        "group": groups,
    }
    match node.attribute("padding"):
        case "SAME":
            attributes["auto_pad"] = "SAME_UPPER"
        case "EXPLICIT":
            _, _, top, bottom, left, right, _, _ = node.attribute("explicit_paddings")
            attributes["pads"] = [top, left, bottom, right]
    fused = node.attribute("fused_ops", [])
    bias = [c.constant(extra[0])] if "BiasAdd" in fused else []
    y = c.emit("Conv", c.nchw(x), c.constant(weights), *bias, **attributes)
    for kind in fused:
        if kind != "BiasAdd":
            y = c.activation(kind, y, node)
    return c.nhwc(y)


@operator("Relu6", "LeakyRelu")
def activation(c, node, x):
    return c.activation(node.op, c.tensor(x), node)


@operator("FusedBatchNorm", "FusedBatchNormV3")
def batch_norm(c, node, x, scale, offset, mean, variance):
    factor = (scale / np.sqrt(variance + np.float32(node.attribute("epsilon", 1e-3)))).astype(np.float32)
    shift = (offset - mean * factor).astype(np.float32)
    return c.emit("Add", c.emit("Mul", c.tensor(x), c.constant(factor)), c.constant(shift))


@operator("MaxPool")
def max_pool(c, node, x):
    padding = "SAME_UPPER" if node.attribute("padding") == "SAME" else "VALID"
    size, strides = node.attribute("ksize")[1:3], node.attribute("strides")[1:3]
    return c.nhwc(c.emit("MaxPool", c.nchw(x), kernel_shape=size, strides=strides, auto_pad=padding))


@operator("ResizeBilinear")
def resize_bilinear(c, node, x, size):
    if node.attribute("align_corners", False):
        mode = "align_corners"
    else:
        mode = "half_pixel" if node.attribute("half_pixel_centers", False) else "asymmetric"
    x = c.nchw(x)
    batch_and_channels = c.emit("Slice", c.emit("Shape", x), c.integers(0), c.integers(2))
    shape = c.emit("Concat", batch_and_channels, c.constant(size.astype(np.int64)), axis=0)
    return c.nhwc(c.emit("Resize", x, "", "", shape, mode="linear", coordinate_transformation_mode=mode))


@operator("Pad", "PadV2")
def pad(c, node, x, amounts, value=np.float32(0)):
    # TensorFlow: (before, after) for each axis; ONNX: all befores, then all afters.
    return c.emit("Pad", c.tensor(x), c.constant(amounts.astype(np.int64).T.ravel()), c.constant(np.float32(value)))


@operator("Transpose")
def transpose(c, node, x, order):
    return c.emit("Transpose", c.tensor(x), perm=[int(axis) for axis in order])


@operator("ExpandDims")
def expand_dims(c, node, x, axis):
    return c.emit("Unsqueeze", c.tensor(x), c.integers(*np.atleast_1d(axis)))


@operator("Squeeze")
def squeeze(c, node, x):
    return c.emit("Squeeze", c.tensor(x), c.integers(*(node.attribute("squeeze_dims") or node.attribute("axis"))))


@operator("ConcatV2")
def concat(c, node, *inputs):
    *parts, axis = inputs
    return c.emit("Concat", *map(c.tensor, parts), axis=int(axis))


@operator("SplitV")
def split(c, node, x, sizes, axis):
    return c.emit_list(len(sizes), "Split", c.tensor(x), c.integers(*sizes), axis=int(axis))


@operator("Slice")
def slice_(c, node, x, begin, size):
    begin, size = begin.astype(np.int64), size.astype(np.int64)
    end = np.where(size < 0, np.iinfo(np.int64).max, begin + size)
    return c.emit("Slice", c.tensor(x), c.constant(begin), c.constant(end))


@operator("Pack")
def pack(c, node, *parts):
    axis = node.attribute("axis", 0)
    return c.emit("Concat", *(c.emit("Unsqueeze", c.tensor(p), c.integers(axis)) for p in parts), axis=axis)


@operator("Unpack")
def unpack(c, node, x):
    axis = node.attribute("axis", 0)
    parts = c.emit_list(node.attribute("num"), "Split", c.tensor(x), axis=axis)
    return [c.emit("Squeeze", part, c.integers(axis)) for part in parts]


@operator("Shape")
def shape(c, node, x):
    return ShapeOf()


@operator("StridedSlice")
def strided_slice(c, node, x, begin, end, strides):
    if not (isinstance(x, ShapeOf) and begin.tolist() == [0] and node.attribute("shrink_axis_mask", 0) == 1):
        raise SystemExit(f"{node.name}: a strided slice is only known as the question for the batch size")
    return np.array(c.batch, np.int32)


# ---------------------------------------------------------------- command line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--input", required=True, metavar="NAME=SHAPE")
    parser.add_argument("--output", required=True, nargs="+", metavar="NAME")
    arguments = parser.parse_args()
    input_name, _, dimensions = arguments.input.partition("=")
    input_shape = [int(d) for d in dimensions.split(",")]

    source = json.loads(arguments.source.read_text())
    nodes = {node.name: node for node in map(Node, source["modelTopology"]["node"])}
    constants = read_weights(arguments.source.parent, source["weightsManifest"])
    sys.setrecursionlimit(10 * len(nodes) + 1000)  # a chain of layers is as deep as the network
    model, outputs = Converter(nodes, constants, input_name, input_shape).model(input_name, input_shape, arguments.output)
    arguments.target.write_bytes(model.SerializeToString(deterministic=True))
    for name, dimensions in outputs.items():
        print(f"  {name} {dimensions}")


if __name__ == "__main__":
    main()
