"""What stands or drifts on water, or beside it, and is no vessel, drawn small: buoys, posts, poles, fences, birds, wakes, lights.

Each draws onto a BGR uint8 picture at a point, about `size` pixels large. Their colours and shapes only hint at the real ones:
enough that a spot on the water is no longer a reason.
"""

import cv2
import numpy as np

COLOURS = ((40, 40, 200), (40, 160, 40), (40, 200, 220), (230, 230, 230), (30, 30, 30), (60, 90, 120))


def _colour(rng):
    return tuple(int(c) for c in np.clip(np.array(COLOURS[rng.integers(len(COLOURS))]) * rng.uniform(0.5, 1.1), 0, 255))


def buoy(picture, x, y, size, rng):
    colour, wide = _colour(rng), max(1, round(size * rng.uniform(0.2, 0.5)))
    cv2.ellipse(picture, (x, y), (wide, max(1, wide // 2)), 0, 0, 360, colour, -1, cv2.LINE_AA)
    cv2.line(picture, (x, y), (x, y - round(size)), colour, max(1, wide // 2), cv2.LINE_AA)


def post(picture, x, y, size, rng):
    shade = int(rng.integers(20, 110))
    for step in range(int(rng.integers(1, 5))):
        at = x + round(step * size * rng.uniform(0.4, 1.2))
        cv2.line(picture, (at, y), (at + int(rng.integers(-1, 2)), y - round(size)), (shade,) * 3, max(1, round(size * 0.12)), cv2.LINE_AA)


def bird(picture, x, y, size, rng):
    shade, span = (int(rng.integers(20, 250)),) * 3, max(2, round(size * 0.4))
    lift = round(span * rng.uniform(-0.5, 0.7))
    cv2.polylines(picture, [np.array([[x - span, y - lift], [x, y], [x + span, y - lift]])], False, shade, 1, cv2.LINE_AA)


def wake(picture, x, y, size, rng):
    """Foam without a boat: it has gone on, or it is a wave that breaks."""
    layer = np.zeros(picture.shape[:2], np.float32)
    length = round(size * rng.uniform(2, 6))
    cv2.ellipse(layer, (x, y), (max(2, length), max(1, round(size * 0.15))), rng.uniform(-12, 12), 0, 360, 1.0, -1, cv2.LINE_AA)
    layer *= rng.random(layer.shape, np.float32)
    picture[:] = np.clip(picture + layer[..., None] * rng.uniform(40, 120), 0, 255).astype(np.uint8)


def glint(picture, x, y, size, rng):
    """A lamp's or the sun's reflection: a bright streak toward the camera."""
    layer = np.zeros(picture.shape[:2], np.float32)
    cv2.line(layer, (x, y), (x, y + round(size * rng.uniform(1, 4))), 1.0, max(1, round(size * 0.25)), cv2.LINE_AA)
    layer = cv2.GaussianBlur(layer, (0, 0), max(0.6, size * 0.1)) * rng.uniform(60, 230)
    picture[:] = np.clip(picture + layer[..., None] * rng.uniform(0.7, 1.0, 3), 0, 255).astype(np.uint8)


def pole(picture, x, y, size, rng):
    """A flagpole, a lamp post, a pile with a sign: tall and thin, like a mast, with no hull below."""
    tall, shade = round(size * rng.uniform(1.5, 5)), int(rng.integers(20, 240))
    cv2.line(picture, (x, y), (x + int(rng.integers(-1, 2)), y - tall), (shade,) * 3, max(1, round(size * rng.uniform(0.05, 0.2))), cv2.LINE_AA)
    wide, high = max(2, round(size * rng.uniform(0.2, 0.9))), max(1, round(size * rng.uniform(0.08, 0.5)))
    left = x - rng.integers(0, 2) * wide
    if rng.random() < 0.7:
        cv2.rectangle(picture, (int(left), y - tall), (int(left) + wide, y - tall + high), _colour(rng), -1, cv2.LINE_AA)


def fence(picture, x, y, size, rng):
    """Railings along a quay: uprights under one or two bars."""
    shade, step, count = (int(rng.integers(20, 240)),) * 3, max(2, round(size * rng.uniform(0.2, 0.7))), int(rng.integers(4, 16))
    thick, slope = max(1, round(size * 0.06)), rng.uniform(-0.15, 0.15)
    high = max(2, round(size * rng.uniform(0.4, 1.2)))
    ends = [(x + round((i - count / 2) * step), y + round((i - count / 2) * step * slope)) for i in range(count)]
    for at, foot in ends:
        cv2.line(picture, (at, foot), (at, foot - high), shade, thick, cv2.LINE_AA)
    for level in (1.0, 0.5)[: int(rng.integers(1, 3))]:
        (x0, y0), (x1, y1) = ends[0], ends[-1]
        cv2.line(picture, (x0, y0 - round(high * level)), (x1, y1 - round(high * level)), shade, thick, cv2.LINE_AA)


KINDS = (buoy, post, pole, fence, bird, wake, glint)


def draw_decoy(picture, x, y, size, rng):
    KINDS[rng.integers(len(KINDS))](picture, round(x), round(y), size, rng)
