#!/usr/bin/env python3
"""Records what the heads are tested against: output tensors, and the boxes in them as numpy reads them.

Run from the project's root after `make setup`, with onnxruntime, numpy and pillow at hand:
    python tests/data/heads/record.py

ssd, nanodet: the real models' outputs for the photograph of Nagasaki. Most cells are sure of nothing: only rows whose
vessel score is above 0.12 are kept, the rest are taken to be zero (a zero score decodes to no box).
yolox, yolov8: no weights that may be shipped were found, so vessels of known boxes are encoded into the layouts that these
models put out, by the formulas of their papers, among cells of low-scored noise. What is tested is the reading alone.

A fixture is text: one line `output <index> <shape...>`, below it lines `<at> <values...>`: a run of values that are not
zero, and where in the flattened tensor it begins. Expected boxes, before suppression: lines `box <class> <confidence> <x0> <y0> <x1> <y1>`, in pixels of
the input, in the order of the cells.
"""
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
FLOOR = 0.15


def write(name, outputs, boxes):
    lines = []
    for index, tensor in enumerate(outputs):
        lines.append(f"output {index} " + " ".join(map(str, tensor.shape)))
        flat = tensor.ravel()
        places = np.flatnonzero(flat)
        for run_of in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1):
            lines.append(f"{run_of[0]} " + " ".join(f"{v:.4g}" for v in flat[run_of]))
    lines += [f"box {c} {s:.5f} " + " ".join(f"{v:.3f}" for v in b) for c, s, b in boxes]
    path = HERE / f"{name}.txt"
    path.write_text("\n".join(lines) + "\n")
    print(name, len(boxes), "boxes,", path.stat().st_size, "bytes")


def rounded(tensor):
    """As the fixture's text will give it back, so that expectation and test start from the same numbers."""
    return np.array([float(f"{v:.4g}") for v in tensor.ravel()]).reshape(tensor.shape)


def photo(width, height):
    from PIL import Image
    picture = Image.open("sample-streams/material/nagasaki.jpg").convert("RGB")
    return np.asarray(picture.resize((width, height), Image.BOX), np.float32)


def run(model, feed):
    import onnxruntime
    session = onnxruntime.InferenceSession(f"models/{model}.onnx")
    return session, {session.get_inputs()[0].name: feed}


def ssd():
    session, feed = run("ssdlite", photo(300, 300)[None])
    scores, boxes = session.run(["out_Slice", "out_ExpandDims_1"], feed)
    keep = scores[0, :, 8] > 0.12
    kept_scores, kept_boxes = np.zeros_like(scores), np.zeros_like(boxes)
    kept_scores[0, keep, 8], kept_boxes[0, keep] = scores[0, keep, 8], boxes[0, keep]
    kept_scores, kept_boxes = rounded(kept_scores), rounded(kept_boxes)
    expected = []
    for score, (top, left, bottom, right) in zip(kept_scores[0, :, 8], kept_boxes[0, :, 0]):
        if score >= FLOOR:
            expected.append(("vessel", score, np.array([left, top, right, bottom]) * 300))
    write("ssd", [kept_scores, kept_boxes], expected)


def nanodet():
    feed = (photo(416, 416)[:, :, ::-1] - [103.53, 116.28, 123.675]) / [57.375, 57.12, 58.395]
    names = ["out_Identity"] + [f"out_Identity_{i}" for i in range(1, 6)]
    session, feed = run("nanodet", feed.transpose(2, 0, 1)[None].astype(np.float32))
    outputs = session.run(names, feed)
    kept, expected = [None] * 6, []
    for level, stride in enumerate([8, 16, 32]):
        scores, sides = outputs[level], outputs[level + 3]
        keep = scores[0, :, 8] > 0.12
        kept[level], kept[level + 3] = np.zeros_like(scores), np.zeros_like(sides)
        kept[level][0, keep, 8] = scores[0, keep, 8]
        kept[level + 3][0, keep] = sides[0, keep]
        kept[level], kept[level + 3] = rounded(kept[level]), rounded(kept[level + 3])
        side = 416 // stride
        for cell in np.flatnonzero(kept[level][0, :, 8] >= FLOOR):
            bins = kept[level + 3][0, cell].reshape(4, 11)
            p = np.exp(bins) / np.exp(bins).sum(axis=1, keepdims=True)
            left, top, right, bottom = p @ np.arange(11) * stride
            x, y = (cell % side + 0.5) * stride, (cell // side + 0.5) * stride
            expected.append(("vessel", kept[level][0, cell, 8], [x - left, y - top, x + right, y + bottom]))
    write("nanodet", kept, expected)


# Vessels that are encoded: confidence, box in a 416 x 416 input, and the stride a model would answer at.
VESSELS = [(0.91, [20.0, 200.0, 300.0, 330.0], 32), (0.62, [250.5, 100.25, 330.5, 141.0], 16),
           (0.33, [5.0, 60.0, 26.0, 68.5], 8), (0.12, [200.0, 20.0, 240.0, 40.0], 8)]
NOISE = np.random.default_rng(7)


def yolox():
    grids = [(416 // s, s) for s in (8, 16, 32)]
    tensor = np.zeros((1, sum(n * n for n, _ in grids), 85))
    noisy = NOISE.choice(tensor.shape[1], 10, replace=False)
    tensor[0, noisy] = NOISE.uniform(0, 0.3, (10, 85))
    encoded, start = [], 0
    for n, stride in grids:
        for score, (x0, y0, x1, y1), at in VESSELS:
            if at != stride:
                continue
            x, y = (x0 + x1) / 2 / stride, (y0 + y1) / 2 / stride
            row = tensor[0, start + int(y) * n + int(x)]
            row[:] = 0
            row[:4] = x - int(x), y - int(y), np.log((x1 - x0) / stride), np.log((y1 - y0) / stride)
            row[4], row[5 + 8], row[5 + 2] = 0.96, score / 0.96, 0.5
            if score >= FLOOR:
                encoded.append((start + int(y) * n + int(x), ("vessel", score, [x0, y0, x1, y1])))
        start += n * n
    write("yolox", [rounded(tensor)], [box for _, box in sorted(encoded, key=lambda e: e[0])])


def yolov8():
    cells = 52 * 52 + 26 * 26 + 13 * 13
    tensor = np.zeros((1, 84, cells))
    noisy = NOISE.choice(cells, 10, replace=False)
    tensor[0, :4, noisy] = NOISE.uniform(0, 400, (10, 4))
    tensor[0, 4:, noisy] = NOISE.uniform(0, 0.14, (10, 80))
    places = np.sort(NOISE.choice(np.setdiff1d(np.arange(cells), noisy), len(VESSELS), replace=False))
    expected = []
    for place, (score, (x0, y0, x1, y1), _) in zip(places, VESSELS):
        tensor[0, :4, place] = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0
        tensor[0, 4 + 8, place], tensor[0, 4 + 2, place] = score, 0.5
        if score >= FLOOR:
            expected.append(("vessel", score, [x0, y0, x1, y1]))
    write("yolov8", [rounded(tensor)], expected)


if __name__ == "__main__":
    ssd()
    nanodet()
    yolox()
    yolov8()
