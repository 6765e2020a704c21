#!/usr/bin/env python3
"""Makes what `havenwacht eval detect`'s scoring is tested against: random truth and detections, and their scores by COCO's
own evaluation.

Run from the project's root with numpy and pycocotools (2.0) at hand:
    python tests/data/coco/golden.py

Among the pictures are one without truth, one without detections, one without either, and one with more than a hundred
detections of a class. Scores have two digits, so that many are equal. `threshold` is where hits and false boxes are counted.
"""
import contextlib
import io
import json
import pathlib

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

HERE = pathlib.Path(__file__).parent
THRESHOLD = 0.35
CLASSES = {1: "person", 3: "vessel"}
SIZES = ["all", "small", "medium", "large"]
WIDTH, HEIGHT = 1280, 720

rng = np.random.default_rng(1836)


def any_box():
    """Sides spread evenly over their logarithms: as many small boxes as large ones."""
    w, h = np.exp(rng.uniform(np.log(8), np.log([500, 300])))
    return [rng.uniform(0, WIDTH - w), rng.uniform(0, HEIGHT - h), w, h]


def near(box, off):
    """The box, each edge moved by up to the share `off` of its side."""
    x, y, w, h = box
    left, right = rng.uniform(-off, off, 2) * w
    top, bottom = rng.uniform(-off, off, 2) * h
    return [x + left, y + top, w + right - left, h + bottom - top]


def rounded(box):
    return [round(float(v), 1) for v in box]


images, annotations, detections = [], [], []
for number in range(14):
    # Ids that are not in order in the file: equal scores are told apart by it.
    image = 100 - 7 * number if number % 2 else 100 + 7 * number
    images.append({"id": image, "file_name": f"{image}.jpg", "width": WIDTH, "height": HEIGHT})
    for category in CLASSES:
        boxes = [] if number in (3, 5) else [any_box() for _ in range(rng.integers(0, 7))]
        for box in boxes:
            crowd = int(rng.random() < 0.12)
            # As where an outline was drawn: the area is less than the box's, and decides the size.
            area = box[2] * box[3] * (rng.uniform(0.5, 1.0) if rng.random() < 0.5 else 1.0)
            annotations.append({
                "id": len(annotations) + 1, "image_id": image, "category_id": category, "bbox": rounded(box),
                "area": round(float(area), 1), "iscrowd": crowd,
            })
        if number in (4, 5):
            continue
        found = [near(box, off) for box in boxes for off in (0.05, 0.25) if rng.random() < 0.7]
        found += [any_box() for _ in range(120 if (number, category) == (8, 3) else rng.integers(0, 6))]
        rng.shuffle(found)
        for box in found:
            detections.append({
                "image_id": image, "category_id": category, "bbox": rounded(box),
                "score": round(float(rng.beta(1.2, 1.6)), 2),
            })

truth = {
    "images": images, "annotations": annotations,
    "categories": [{"id": id, "name": name} for id, name in CLASSES.items()],
}


def evaluate(found):
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def average(precision):
    return float(precision.mean()) if (precision > -1).all() else None


golden = {"threshold": THRESHOLD, "classes": {}}
everything, sure = evaluate(detections), evaluate([d for d in detections if d["score"] >= THRESHOLD])
pictures = len(images)
for k, name in enumerate(CLASSES.values()):
    golden["classes"][name] = {}
    for a, size in enumerate(SIZES):
        precision = everything.eval["precision"][:, :, k, a, -1]
        looked_at = [e for e in sure.evalImgs[(k * 4 + a) * pictures:][:pictures] if e is not None]
        on_truth = [(e["dtMatches"][0] > 0)[~e["dtIgnore"][0]] for e in looked_at]
        golden["classes"][name][size] = {
            "ap50": average(precision[0]),
            "ap50_95": average(precision),
            "truth": int(sum(np.count_nonzero(e["gtIgnore"] == 0) for e in looked_at)),
            "hits": int(sum(m.sum() for m in on_truth)),
            "false": int(sum((~m).sum() for m in on_truth)),
        }


def write(name, text):
    (HERE / name).write_text(text + "\n")


def rows(items):
    return "[\n" + ",\n".join(json.dumps(item) for item in items) + "\n]"


write("truth.json", "{" + ",\n".join(f'"{key}": {rows(value)}' for key, value in truth.items()) + "}")
write("detections.json", rows(detections))
write("golden.json", json.dumps(golden, indent=1))
