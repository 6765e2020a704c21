"""Training samples: what a tile of a camera's frame may show.

A sample is a square cut out of a camera view at a random scale, with vessels of other moments, other cameras and of close-ups
set onto its water, in other weather.
"""

import cv2
import numpy as np

from captions import draw_caption
from decoys import draw_decoy
from network import CLASSES
from weather import compression, weathered

VESSEL, PERSON = 0, 1
# A box is left out below this many pixels of the sample, or when less than this share of it is visible.
SMALLEST, LEAST_VISIBLE = 3.0, 0.35


class Sampler:
    def __init__(self, pictures, recipe, seed):
        self.recipe, self.side, self.rng = recipe, recipe["side"], np.random.default_rng(seed)
        self.views = [p for p in pictures if p.kind == "view"]
        self.closeups = [p for p in pictures if p.kind == "closeup" and (p.labels == VESSEL).any()]
        self.photos = [p for p in pictures if p.kind == "photo"]
        self.empties = [p for p in pictures if p.kind == "empty"]
        # Each camera its share, however many frames it gave.
        self.cameras = sorted({p.camera for p in self.views})
        weights = np.array([next(p.weight for p in self.views if p.camera == c) for c in self.cameras])
        self.chances = weights / weights.sum()
        self.of_camera = {c: [p for p in self.views if p.camera == c] for c in self.cameras}
        # A fixed camera shows where its water is: where vessels have been seen at any time.
        self.berths = {
            c: [(p, b) for p in ps for b, l, crowd in zip(p.boxes, p.labels, p.crowd) if l == VESSEL and not crowd]
            for c, ps in self.of_camera.items()
        }

    def sample(self):
        """BGR uint8 [side, side, 3], boxes [n, 4] in its pixels, labels [n], and unknowns [m, 5]: x0, y0, x1, y1 and the class of
        which it is unknown whether it is there."""
        shares = self.recipe["shares"]
        kinds = list(shares)
        kind = self.rng.choice(kinds, p=np.array([shares[k] for k in kinds]) / sum(shares[k] for k in kinds))
        picture, boxes, labels, unknown = getattr(self, kind)()
        if self.rng.random() < 0.5:
            picture = picture[:, ::-1]
            boxes, unknown = mirrored(boxes, self.side), mirrored(unknown, self.side)
        picture = weathered(picture, self.recipe["weather"], self.rng)
        if self.rng.random() < self.recipe["captions"]["chance"]:
            picture = np.ascontiguousarray(picture)
            for _ in range(self.rng.integers(1, self.recipe["captions"]["most"] + 1)):
                draw_caption(picture, boxes, self.rng)
            # The camera codes its captions with the rest.
            picture = np.clip(compression(picture, self.rng), 0, 255).astype(np.uint8)
        return picture, boxes, labels, unknown

    # ------------------------------------------------------------------ kinds

    def view(self):
        rng = self.rng
        camera = self.cameras[rng.choice(len(self.cameras), p=self.chances)]
        source = self.of_camera[camera][rng.integers(len(self.of_camera[camera]))]
        scale = np.exp(rng.uniform(*np.log(self.recipe["scale"])))
        squeeze = rng.uniform(0.55, 1.0) if rng.random() < self.recipe["squeeze"] else 1.0
        sx, sy = scale * squeeze, scale
        around = self._target(source, camera)
        picture, origin = cut(source.pixels, around, sx, sy, self.side, rng)
        found = placed(source, origin, sx, sy, self.side)
        if rng.random() < self.recipe["paste"]["chance"]:
            picture = picture.copy()
            for _ in range(rng.integers(1, self.recipe["paste"]["most"] + 1)):
                found = self._paste(picture, found, camera, origin, sx, sy)
        if rng.random() < self.recipe["decoys"]["chance"] and self.berths[camera]:
            picture = picture.copy()
            for _ in range(rng.integers(1, self.recipe["decoys"]["most"] + 1)):
                self._decoy(picture, found[0], camera, origin, sx, sy)
        return (picture, *found)

    def photo(self):
        """A part of a photograph, or parts of four side by side, which show their vessels smaller."""
        if self.rng.random() < 0.6:
            return self._photo(self.side)
        half = self.side // 2
        canvas = np.empty((self.side, self.side, 3), np.uint8)
        parts = []
        for y, x in ((0, 0), (0, half), (half, 0), (half, half)):
            canvas[y : y + half, x : x + half], boxes, labels, unknown = self._photo(half)
            moved = np.array([x, y, x, y], np.float32)
            unknown[:, :4] += moved
            parts.append((boxes + moved, labels, unknown))
        return canvas, *(np.concatenate(column) for column in zip(*parts))

    def _photo(self, side):
        """A square of `side` pixels that shows one vessel, of any size that the picture allows."""
        rng, source = self.rng, self.photos[self.rng.integers(len(self.photos))]
        height, width = source.pixels.shape[:2]
        least = side / max(height, width)
        good = source.boxes[~source.crowd & (source.labels == VESSEL)]
        around, scale = rng.uniform(0, 1, 2) * (width, height), rng.uniform(least, max(1.0, least))
        if len(good):
            x0, y0, x1, y1 = good[rng.integers(len(good))]
            around = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
            length = np.exp(rng.uniform(np.log(10), np.log(side)))
            scale = float(np.clip(length / max(x1 - x0, y1 - y0), least, max(1.3, least)))
        picture, origin = cut(source.pixels, around, scale, scale, side, rng)
        boxes, labels, unknown = placed(source, origin, scale, scale, side)
        anybody = np.array([[0, 0, side, side, PERSON]], np.float32)
        return picture, boxes, labels, np.concatenate([unknown, anybody])

    def closeup(self):
        """A close-up by itself, shrunk, on its own blurred colours."""
        source = self.closeups[self.rng.integers(len(self.closeups))]
        side, rng = self.side, self.rng
        height, width = source.pixels.shape[:2]
        scale = np.exp(rng.uniform(np.log(0.2), np.log(1.0))) * side / max(height, width)
        small = cv2.resize(source.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        canvas = cv2.resize(cv2.resize(small, (5, 5), interpolation=cv2.INTER_AREA), (side, side))
        y, x = (int(rng.integers(0, side - small.shape[a] + 1)) for a in (0, 1))
        canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
        boxes = source.boxes * scale + np.array([x, y, x, y], np.float32)
        area = np.array([[x, y, x + small.shape[1], y + small.shape[0]]], np.float32)
        return canvas, boxes, source.labels, everywhere(area)

    def mosaic(self):
        """Close-ups side by side, 2 x 2 to 4 x 4."""
        rng, n = self.rng, int(self.rng.integers(2, 5))
        cell = self.side // n
        canvas = np.full((self.side, self.side, 3), 114, np.uint8)
        boxes, unknown = [], []
        for row in range(n):
            for column in range(n):
                source = self.closeups[rng.integers(len(self.closeups))]
                height, width = source.pixels.shape[:2]
                scale = cell / max(height, width)
                small = cv2.resize(source.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:cell, :cell]
                x, y = column * cell, row * cell
                canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
                boxes.append(source.boxes * scale + np.array([x, y, x, y], np.float32))
                unknown.append([x, y, x + cell, y + cell])
        boxes = np.concatenate(boxes)
        return canvas, boxes, np.full(len(boxes), VESSEL), everywhere(np.array(unknown, np.float32))

    def empty(self):
        rng = self.rng
        source = self.empties[rng.integers(len(self.empties))]
        pixels = source.pixels
        least = self.side / min(pixels.shape[:2])
        scale = least * np.exp(rng.uniform(0, np.log(max(1.6, 1.0 / least))))
        around = rng.uniform(0, 1, 2) * pixels.shape[1::-1]
        picture, _ = cut(pixels, around, scale, scale, self.side, rng)
        none = np.zeros((0, 4), np.float32)
        everyone = np.array([[0, 0, self.side, self.side, PERSON]], np.float32)
        return picture, none, np.zeros(0, int), everyone

    # ------------------------------------------------------------------ parts

    def _target(self, source, camera):
        """The point of the frame that the sample is to show: a vessel, a person, water, or anything."""
        rng, draw = self.rng, self.rng.random()
        choice = source.boxes[source.labels == (VESSEL if draw < 0.6 else PERSON)] if draw < 0.7 else ()
        if draw < 0.85 and len(choice) == 0 and self.berths[camera]:
            choice = [self.berths[camera][rng.integers(len(self.berths[camera]))][1]]
        if len(choice):
            x0, y0, x1, y1 = choice[rng.integers(len(choice))]
            return np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        return rng.uniform(0, 1, 2) * source.pixels.shape[1::-1]

    def _paste(self, picture, found, camera, origin, sx, sy):
        """Sets one more vessel where this camera has seen vessels."""
        boxes, labels, unknown = found
        rng, side = self.rng, self.side
        spot = self.berths[camera][rng.integers(len(self.berths[camera]))] if self.berths[camera] else None
        if spot is None:
            return found
        from_closeup = self.closeups and rng.random() < self.recipe["paste"]["closeups"]
        if from_closeup:
            source = self.closeups[rng.integers(len(self.closeups))]
            box = source.boxes[rng.integers(len(source.boxes))]
        else:
            other = self.cameras[rng.integers(len(self.cameras))] if rng.random() < 0.4 else camera
            if not self.berths[other]:
                return found
            source, box = self.berths[other][rng.integers(len(self.berths[other]))]
        (px0, py0), (px1, py1) = (spot[1].reshape(2, 2) - origin) * [sx, sy]
        if not (0 < px1 and px0 < side and 0 < py1 and py0 < side):
            return found
        if from_closeup and rng.random() < self.recipe["paste"]["near"]:
            # One that passes close by: of any size, anywhere below what is far.
            width = np.exp(rng.uniform(np.log(24), np.log(0.9 * side)))
            zoom = min(1.3, width / (box[2] - box[0]))
            x, bottom = rng.uniform(0, side), rng.uniform(np.clip(py1, 0, side), side)
        else:
            # As large as vessels are there, give or take; seen at most as sharply as it was taken.
            ratios = (px1 - px0) / max(1.0, box[2] - box[0]) * (py1 - py0) / max(1.0, box[3] - box[1])
            zoom = float(np.clip(np.sqrt(ratios) * np.exp(rng.normal(0, 0.35)), 0.02, 1.3))
            x, bottom = (px0 + px1) / 2 + rng.normal(0, 0.7) * (px1 - px0), py1 + rng.normal(0, 0.15) * (py1 - py0)
        w, h = zoom * (box[2] - box[0]) * sx / sy, zoom * (box[3] - box[1])
        if min(w, h) < SMALLEST or max(w, h) > side:
            return found
        target = np.array([x - w / 2, bottom - h, x + w / 2, bottom], np.float32)
        if not blend(picture, source.pixels, box, target, from_closeup):
            return found
        keep = covered(boxes, target) < 0.5
        hidden = boxes[~keep]
        target_in = np.clip(target, 0, side)
        shown = (target_in[2] - target_in[0]) * (target_in[3] - target_in[1]) / (w * h)
        rows = np.array([[*b, l] for b, l in zip(hidden, labels[~keep])], np.float32).reshape(-1, 5)
        unknown = np.concatenate([unknown, rows])
        if shown < LEAST_VISIBLE:
            return boxes[keep], labels[keep], np.concatenate([unknown, [[*target_in, VESSEL]]])
        return np.concatenate([boxes[keep], [target_in]]), np.append(labels[keep], VESSEL), unknown


    def _decoy(self, picture, boxes, camera, origin, sx, sy):
        """Sets something that is no vessel near where vessels have been seen, but not onto one."""
        rng = self.rng
        _, spot = self.berths[camera][rng.integers(len(self.berths[camera]))]
        (x0, y0), (x1, y1) = (spot.reshape(2, 2) - origin) * [sx, sy]
        size = float(np.clip((y1 - y0) * np.exp(rng.normal(-0.4, 0.5)), 2, 40))
        x, y = (x0 + x1) / 2 + rng.normal(0, 2) * (x1 - x0), y1 + rng.normal(0, 0.6) * (y1 - y0)
        around = np.array([x - 3 * size, y - 2 * size, x + 3 * size, y + 2 * size])
        if 0 < x < self.side and 0 < y < self.side and not covered(boxes, around).any():
            draw_decoy(picture, x, y, size, rng)


def cut(pixels, around, sx, sy, side, rng):
    """A square of `side` pixels that shows the frame scaled by sx, sy with `around` somewhere in it, and the frame's point at its
    top left. Beyond the frame the last pixels go on."""
    size = np.array([side / sx, side / sy])
    frame = np.array(pixels.shape[1::-1], float)
    origin = np.array(around) - size * rng.uniform(0.12, 0.88, 2)
    origin = np.clip(origin, np.minimum(0, frame - size), np.maximum(0, frame - size))
    (x0, y0), (x1, y1) = np.floor(origin).astype(int), np.ceil(origin + size).astype(int)
    crop = pixels[max(y0, 0) : max(y1, 1), max(x0, 0) : max(x1, 1)]
    over = max(0, -y0), max(0, y1 - pixels.shape[0]), max(0, -x0), max(0, x1 - pixels.shape[1])
    if any(over):
        crop = cv2.copyMakeBorder(crop, *over, cv2.BORDER_REPLICATE)
    way = cv2.INTER_AREA if min(size) >= side else cv2.INTER_LINEAR
    scaled = cv2.resize(crop, (side, side), interpolation=way)
    return scaled, np.array([x0, y0], float)


def placed(source, origin, sx, sy, side):
    """A picture's boxes in a cut: seen well enough, and the rest as unknown."""
    moved = (source.boxes - np.tile(origin, 2)) * np.array([sx, sy, sx, sy])
    inside = np.clip(moved, 0, side).astype(np.float32)
    w, h = (inside[:, 2] - inside[:, 0]), (inside[:, 3] - inside[:, 1])
    shown = w * h / np.maximum(1e-6, (moved[:, 2] - moved[:, 0]) * (moved[:, 3] - moved[:, 1]))
    touched = (w > 0) & (h > 0)
    good = touched & (shown >= LEAST_VISIBLE) & (np.minimum(w, h) >= SMALLEST) & ~source.crowd
    vague = touched & ~good
    unknown = np.concatenate([inside[vague], source.labels[vague, None]], 1).astype(np.float32)
    return inside[good], source.labels[good], unknown


def blend(picture, pixels, box, target, from_closeup):
    """Draws `box` of `pixels` over `target` of `picture`, fading out around it; from a close-up, in the colours of the place."""
    margin = 0.12 if from_closeup else 0.25
    bw, bh = box[2] - box[0], box[3] - box[1]
    tw, th = target[2] - target[0], target[3] - target[1]
    sx0, sy0 = max(0, int(box[0] - margin * bw)), max(0, int(box[1] - margin * bh))
    sx1, sy1 = min(pixels.shape[1], int(box[2] + margin * bw) + 1), min(pixels.shape[0], int(box[3] + margin * bh) + 1)
    fx, fy = tw / bw, th / bh
    x0, y0 = round(target[0] - (box[0] - sx0) * fx), round(target[1] - (box[1] - sy0) * fy)
    width, height = round((sx1 - sx0) * fx), round((sy1 - sy0) * fy)
    if width < 3 or height < 3:
        return False
    patch = cv2.resize(pixels[sy0:sy1, sx0:sx1], (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    # 1 over the vessel, falling to 0 at the patch's edge.
    ax = np.clip(np.minimum(np.arange(width) + 0.5, width - np.arange(width) - 0.5) / max(1.0, margin * tw), 0, 1)
    ay = np.clip(np.minimum(np.arange(height) + 0.5, height - np.arange(height) - 0.5) / max(1.0, margin * th), 0, 1)
    alpha = (ay[:, None] * ax[None, :]).astype(np.float32)[..., None]
    top, left = max(0, y0), max(0, x0)
    end_y, end_x = min(picture.shape[0], y0 + height), min(picture.shape[1], x0 + width)
    if end_y - top < 2 or end_x - left < 2:
        return False
    part = np.s_[top - y0 : end_y - y0, left - x0 : end_x - x0]
    patch, alpha = patch[part], alpha[part]
    there = picture[top:end_y, left:end_x].astype(np.float32)
    if from_closeup:
        edge = alpha[..., 0] < 0.5
        if edge.any():
            patch = patch + 0.6 * (there[edge].mean(0) - patch[edge].mean(0))
    picture[top:end_y, left:end_x] = np.clip(there * (1 - alpha) + patch * alpha, 0, 255).astype(np.uint8)
    return True


def covered(boxes, by):
    """The share of each box that lies under `by`."""
    if len(boxes) == 0:
        return np.zeros(0)
    w = np.clip(np.minimum(boxes[:, 2], by[2]) - np.maximum(boxes[:, 0], by[0]), 0, None)
    h = np.clip(np.minimum(boxes[:, 3], by[3]) - np.maximum(boxes[:, 1], by[1]), 0, None)
    return w * h / ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


def everywhere(areas):
    """Unknown of every class."""
    return np.concatenate([np.concatenate([areas, np.full((len(areas), 1), c, np.float32)], 1) for c in range(len(CLASSES))])


def mirrored(boxes, side):
    boxes = boxes.copy()
    boxes[:, [0, 2]] = side - boxes[:, [2, 0]]
    return boxes
