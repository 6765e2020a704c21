"""What stands between a harbour and its picture: light, weather, lens, sensor, compression.

Each takes and gives a BGR float32 picture of 0..255. None moves anything: boxes stay true.
"""

import cv2
import numpy as np


def exposure(picture, rng):
    gamma = rng.uniform(0.65, 1.5)
    gains = rng.uniform(0.7, 1.3) * rng.uniform(0.92, 1.08, 3)
    levels = np.clip(np.arange(256)[:, None] * gains, 0, 255) / 255
    table = (255 * levels**gamma).astype(np.uint8)[None]
    return cv2.LUT(picture.astype(np.uint8), table).astype(np.float32)


def night(picture, rng):
    """Little light, much noise, lamps; infrared cameras show it in grey."""
    if rng.random() < 0.5:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[..., None], 3, 2)
    dark = 255 * (picture / 255) ** rng.uniform(1.3, 2.2) * rng.uniform(0.25, 0.7)
    for _ in range(rng.integers(0, 6)):
        dark = dark + light(picture.shape, rng, rng.uniform(1.5, 9), rng.uniform(80, 255))
    return dark + rng.uniform(2, 9) * rng.standard_normal((*picture.shape[:2], 1), np.float32)


def light(shape, rng, radius, strength):
    across, down = (np.exp(-((np.arange(n) - rng.uniform(0, n)) ** 2) / (2 * radius**2)) for n in (shape[1], shape[0]))
    glow = strength * down[:, None] * across
    return (glow[..., None] * rng.uniform(0.7, 1.0, 3)).astype(np.float32)


def infrared(picture, rng):
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return np.repeat(np.clip((grey - 128) * rng.uniform(0.7, 1.3) + 128, 0, 255)[..., None], 3, 2)


def fog(picture, rng):
    """Thicker with distance, that is, upward."""
    height = picture.shape[0]
    thick = np.linspace(rng.uniform(0.2, 0.75), rng.uniform(0.0, 0.4), height)[:, None, None]
    return picture * (1 - thick) + rng.uniform(130, 225) * thick


def glare(picture, rng):
    return picture + light(picture.shape, rng, rng.uniform(0.1, 0.5) * picture.shape[0], rng.uniform(60, 200))


def glitter(picture, rng):
    """The low sun on waves: short bright dashes."""
    height, width = picture.shape[:2]
    dots = (rng.random((height, width)) > 0.995).astype(np.float32)
    dots = cv2.blur(dots, (5, 1)) * rng.uniform(200, 900)
    y0 = rng.integers(0, height)
    dots[:y0] = 0
    return picture + dots[..., None]


def rain(picture, rng):
    height, width = picture.shape[:2]
    drops = (rng.random((height, width)) > 0.996).astype(np.float32)
    length = int(rng.integers(5, 15))
    streak = np.zeros((length, length), np.float32)
    cv2.line(streak, (int(rng.integers(0, length)), 0), (length // 2, length - 1), 1.0)
    return (picture - 128) * 0.8 + 132 + (cv2.filter2D(drops, -1, streak) * rng.uniform(25, 70))[..., None]


def blur(picture, rng):
    """Out of focus, or moved while the shutter was open."""
    if rng.random() < 0.5:
        return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.3))
    size = int(rng.choice([3, 5]))
    kernel = np.zeros((size, size), np.float32)
    kernel[size // 2] = 1 / size
    return cv2.filter2D(picture, -1, kernel if rng.random() < 0.7 else kernel.T)


def noise(picture, rng):
    return picture + rng.uniform(2, 10) * rng.standard_normal(picture.shape, np.float32)


def compression(picture, rng):
    quality = int(rng.integers(18, 75))
    _, jpeg = cv2.imencode(".jpg", np.clip(picture, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(jpeg, cv2.IMREAD_COLOR).astype(np.float32)


# In the order in which the world does it: light and weather, lens, sensor, encoder.
ORDER = (exposure, infrared, night, fog, glare, glitter, rain, blur, noise, compression)


def weathered(picture, chances, rng):
    """`picture` (uint8) as it may come on another day; `chances` names the probability of each effect."""
    out = picture.astype(np.float32)
    for effect in ORDER:
        if rng.random() < chances.get(effect.__name__, 0.0):
            out = effect(out, rng).astype(np.float32)
    return np.clip(out, 0, 255).astype(np.uint8)
