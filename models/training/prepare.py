"""Puts the pictures together that a recipe names: `prepare.py --data FOLDER --score FOLDER... --out runs/prepared.json`.

Checks every set, drops pictures that are nearly the same as another or as one that the score is taken from, and refuses a
camera that would stand on both sides.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from network import CLASSES
from recipe import add_recipe, read_recipe
from views import Mistake, read_set

# Of the 256 bits of a difference hash, this many may differ in two copies of one picture.
SAME_BITS = 12


def difference_hash(path):
    """256 bits: is a point brighter than its right neighbour, on a 17 x 16 picture."""
    grey = cv2.imread(str(path), cv2.IMREAD_REDUCED_GRAYSCALE_2)
    if grey is None:
        raise Mistake(f"{path}: missing, or not a picture that OpenCV reads; put it there or remove it from the json")
    small = cv2.resize(grey, (17, 16), interpolation=cv2.INTER_AREA).astype(int)
    return (small[:, 1:] > small[:, :-1]).ravel()


def near(hashes, one):
    """Index of a picture that is the same but for coding and small changes, or None; mirrored ones too."""
    if not hashes:
        return None
    table = np.array(hashes)
    mirrored = ~one.reshape(16, 16)[:, ::-1].ravel()
    distance = np.minimum((table != one).sum(1), (table != mirrored).sum(1))
    return int(distance.argmin()) if distance.min() <= SAME_BITS else None


def prepare(recipe, data, scored):
    """The pictures to train on, and a line for each that was left out."""
    score_pictures = [p for folder in scored for p in read_set(folder, "view")]
    score_hashes = [difference_hash(p.path) for p in score_pictures]
    score_cameras = {p.camera for p in score_pictures}
    kept, hashes, dropped = [], [], []
    for s in recipe["set"]:
        pictures = read_set(data / s["folder"], s["kind"], s.get("weight", 1.0))
        cameras = {p.camera for p in pictures}
        if unknown := set(s.get("without", [])) - cameras:
            raise Mistake(f"recipe: set {s['folder']} has no camera {', '.join(sorted(unknown))}; it has {', '.join(sorted(cameras))}")
        pictures = [p for p in pictures if p.camera not in s.get("without", [])]
        if both := {p.camera for p in pictures} & score_cameras:
            raise Mistake(f"recipe: camera {', '.join(sorted(both))} is in {s['folder']} and in a set that is scored; keep it on one side with `without`")
        taken = []
        for p in pictures:
            one = difference_hash(p.path)
            # A fixed camera's frames resemble one another by nature: only pictures of other cameras can be copies of them.
            if (i := near(score_hashes, one)) is not None:
                dropped.append(f"{p.path}: nearly the same as {score_pictures[i].path}, which is scored")
            elif s["kind"] != "view" and (i := near(hashes, one)) is not None:
                dropped.append(f"{p.path}: nearly the same as {kept[i].path}")
            else:
                taken.append(p)
                kept.append(p)
                hashes.append(one)
        boxes = Counter(CLASSES[label] for p in taken for label in p.labels)
        print(f"{s['folder']} ({s['kind']}): {len(taken)} of {len(pictures)} pictures, {boxes['vessel']} vessels, {boxes['person']} people", flush=True)
    return kept, dropped


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--data", type=Path, required=True, help="folder that the recipe's sets lie in")
    a.add_argument("--score", type=Path, nargs="*", default=[], help="COCO sets that the score is taken from")
    a.add_argument("--out", type=Path, required=True)
    add_recipe(a)
    options = a.parse_args()
    pictures, dropped = prepare(read_recipe(options.recipe, options.set), options.data, options.score)
    for line in dropped:
        print("left out", line)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([p.as_row() for p in pictures]))
    print(f"{options.out}: {len(pictures)} pictures; {len(dropped)} left out")


if __name__ == "__main__":
    try:
        main()
    except Mistake as mistake:
        sys.exit(f"prepare: {mistake}")
