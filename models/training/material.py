"""Makes the two sets that need no one's permission: `material.py --out DATA`.

`scenes`: every 30th frame of the project's drawn scenes, with their boxes. `empty`: photographs without a vessel that Debian
packages carry, listed in `empty.txt` as package/path.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from samples import LEAST_VISIBLE
from views import Mistake

here = Path(__file__).parent
project = here.parent.parent
CATEGORIES = [{"id": 1, "name": "vessel"}, {"id": 2, "name": "person"}]
LONGEST_PX = 1600


class Set:
    def __init__(self, folder):
        self.folder, self.images, self.annotations = folder, [], []
        (folder / "images").mkdir(parents=True, exist_ok=True)

    def add(self, name, picture, camera, boxes=()):
        cv2.imwrite(str(self.folder / "images" / name), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
        number = len(self.images) + 1
        self.images.append({"id": number, "file_name": name, "width": picture.shape[1], "height": picture.shape[0], "camera": camera})
        for x, y, w, h, visibility in boxes:
            row = {"id": len(self.annotations) + 1, "image_id": number, "category_id": 1, "bbox": [x, y, w, h], "area": w * h}
            self.annotations.append({**row, "iscrowd": 0, "ignore": int(visibility < LEAST_VISIBLE)})

    def close(self):
        data = {"images": self.images, "annotations": self.annotations, "categories": CATEGORIES}
        (self.folder / "instances.json").write_text(json.dumps(data))
        print(f"{self.folder}: {len(self.images)} pictures, {len(self.annotations)} vessels")


def scenes(folder):
    made = Set(folder)
    for scene in ("inner-harbour", "quay-east", "roads"):
        command = ["cargo", "run", "--quiet", "--release", "--locked", "-p", "sample-streams", "--example", "stills", scene, "30"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=project) as stills:
            while head := stills.stdout.readline().split():
                planes = np.frombuffer(stills.stdout.read(1920 * 1080 * 3 // 2), np.uint8).reshape(1620, 1920)
                numbers = [float(v) for v in head[2:]]
                boxes = [numbers[i + 1 : i + 6] for i in range(0, len(numbers), 6)]
                made.add(f"{scene}-{int(head[0]):05}.jpg", cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420), f"drawn-{scene}", boxes)
        if stills.returncode:
            raise Mistake(f"drawing {scene} failed; `make setup` brings what it needs")
    made.close()


def empty(folder):
    made = Set(folder)
    wanted = (here / "empty.txt").read_text().split()
    with tempfile.TemporaryDirectory() as temporary:
        for package in sorted({w.split("/")[0] for w in wanted}):
            subprocess.run(["apt-get", "download", "--quiet", package], cwd=temporary, check=True)
            (deb,) = Path(temporary).glob(f"{package}_*.deb")
            subprocess.run(["dpkg-deb", "-x", deb, Path(temporary) / package], check=True)
        for number, path in enumerate(wanted):
            picture = cv2.imread(str(Path(temporary) / path))
            if picture is None:
                print(f"left out {path}: this release's package has no such picture")
                continue
            scale = min(1.0, LONGEST_PX / max(picture.shape[:2]))
            made.add(f"{number:03}.jpg", cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), "empty")
    made.close()


if __name__ == "__main__":
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--out", type=Path, required=True)
    options = a.parse_args()
    try:
        scenes(options.out / "scenes")
        empty(options.out / "empty")
    except Mistake as mistake:
        sys.exit(f"material: {mistake}")
