"""Annotated pictures in memory: COCO sets as `recipe.toml` lists them.

Four kinds: `view` (a camera's whole frame, all vessels and people boxed), `photo` (any picture in which all vessels are boxed;
people are not), `closeup` (one vessel fills it, what lies in the background is not labelled), `empty` (no vessel in it; people
are not labelled).
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from network import CLASSES


class Mistake(Exception):
    """A mistake that a person must correct; printed without a traceback."""


@dataclass
class Picture:
    path: Path
    camera: str
    kind: str
    boxes: np.ndarray  # [n, 4] x0, y0, x1, y1 in pixels
    labels: np.ndarray  # [n] index into CLASSES
    crowd: np.ndarray  # [n] several at once: neither vessel nor water
    weight: float = 1.0  # of its camera among the cameras
    _pixels: np.ndarray | None = field(default=None, repr=False)

    def as_row(self):
        lists = {name: getattr(self, name).tolist() for name in ("boxes", "labels", "crowd")}
        return {"path": str(self.path.resolve()), "camera": self.camera, "kind": self.kind, "weight": self.weight, **lists}

    @classmethod
    def from_row(cls, row):
        boxes, labels, crowd = (np.array(row[name], kind) for name, kind in (("boxes", np.float32), ("labels", int), ("crowd", bool)))
        return cls(Path(row["path"]), row["camera"], row["kind"], boxes.reshape(-1, 4), labels, crowd, row["weight"])

    @property
    def pixels(self):
        """BGR, uint8; decoded once and kept: a few hundred frames fit into memory, decoding them again each time takes too long."""
        if self._pixels is None:
            self._pixels = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
            if self._pixels is None:
                raise Mistake(f"{self.path}: missing, or not a picture that OpenCV reads; put it there or remove it from the json")
        return self._pixels


NAMES = {"boat": "vessel", "ship": "vessel", "people": "person", "pedestrian": "person"}


def read_set(folder, kind, weight=1.0, truth="instances.json"):
    """The pictures of one COCO set: `truth` beside the folder `images`."""
    file = Path(folder) / truth
    try:
        data = json.loads(file.read_text())
    except FileNotFoundError:
        raise Mistake(f"{file}: there is no such file; a set is a folder with images/ and {truth}") from None
    except json.JSONDecodeError as e:
        raise Mistake(f"{file}: line {e.lineno}, column {e.colno}: {e.msg}") from None
    names = {c["id"]: NAMES.get(c["name"].lower(), c["name"].lower()) for c in data["categories"]}
    if not any(name in CLASSES for name in names.values()):
        raise Mistake(f"{file}: categories are {sorted(names.values())}, and none of them is {' or '.join(CLASSES)}")
    found = {i["id"]: [] for i in data["images"]}
    for a in data["annotations"]:
        if names.get(a["category_id"]) not in CLASSES:
            continue
        if a["image_id"] not in found:
            raise Mistake(f"{file}: annotation {a['id']} is of image {a['image_id']}, which is not listed")
        x, y, w, h = a["bbox"]
        if w > 0 and h > 0:
            crowd = bool(a.get("iscrowd") or a.get("ignore"))
            found[a["image_id"]].append((x, y, x + w, y + h, CLASSES.index(names[a["category_id"]]), crowd))
    pictures = []
    for i in data["images"]:
        rows = np.array(found[i["id"]], np.float32).reshape(-1, 6)
        pictures.append(
            Picture(
                Path(folder) / "images" / i["file_name"],
                str(i.get("camera") or Path(folder).name),
                kind,
                rows[:, :4],
                rows[:, 4].astype(int),
                rows[:, 5].astype(bool),
                weight,
            )
        )
    return pictures


def load_prepared(file):
    """What `prepare.py` wrote."""
    try:
        rows = json.loads(Path(file).read_text())
    except FileNotFoundError:
        raise Mistake(f"{file}: there is no such file; prepare.py writes it") from None
    return [Picture.from_row(row) for row in rows]
