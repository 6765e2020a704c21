"""Date, time and name as cameras burn them into their pictures: letters of few pixels have taken the eye in."""

import cv2
import numpy as np

FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX_SMALL,
)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def words(rng):
    """A date, a time, a camera's name or a part of them."""
    two = lambda most: f"{rng.integers(0, most):02}"
    date = rng.choice(["-", "/", "."]).join([f"20{two(30)}", two(13), two(32)][:: int(rng.choice([-1, 1]))])
    clock = f"{two(24)}:{two(60)}:{two(60)}" + str(rng.choice(["", " AM", " PM", " UTC"]))
    name = "".join(rng.choice(list(LETTERS), int(rng.integers(2, 8))))
    name = str(rng.choice([name, name.capitalize(), f"CAM {two(20)}", f"{name} {rng.integers(1, 9)}", f"Kamera {two(20)}"]))
    parts = [[date, clock], [date, clock, str(rng.choice(DAYS))], [clock], [name], [name, date]][int(rng.integers(5))]
    return " ".join(parts)


def draw_caption(picture, boxes, rng):
    """Writes somewhere on a BGR uint8 picture, but not over one of `boxes`."""
    text, font = words(rng), int(rng.choice(FONTS))
    high = float(np.exp(rng.uniform(np.log(5), np.log(48))))
    scale = high / cv2.getTextSize("0", font, 1.0, 1)[0][1]
    thick = max(1, round(high * rng.uniform(0.06, 0.18)))
    (wide, tall), below = cv2.getTextSize(text, font, scale, thick)
    side_y, side_x = picture.shape[:2]
    # Longer lines than the cut is wide begin or end outside of it.
    x = int(rng.uniform(min(0, side_x - wide), max(0, side_x - wide) + 1))
    y = int(rng.uniform(tall, max(tall + 1, side_y - below)))
    x0, y0, x1, y1 = x - thick, y - tall - thick, x + wide + thick, y + below + thick
    if any(bx0 < x1 and x0 < bx1 and by0 < y1 and y0 < by1 for bx0, by0, bx1, by1 in boxes):
        return
    light = rng.random() < 0.8
    ink, edge = ((255, 255, 255), (0, 0, 0)) if light else ((0, 0, 0), (255, 255, 255))
    if rng.random() < 0.2:
        ink = tuple(int(v) for v in rng.integers(0, 256, 3))
    way = cv2.LINE_8 if rng.random() < 0.5 else cv2.LINE_AA
    ground = rng.random()
    if ground < 0.2:
        cv2.rectangle(picture, (x0, y0), (x1, y1), edge, -1)
    elif ground < 0.75:
        out = max(1, round(high * rng.uniform(0.03, 0.09)))
        for dy, dx in np.ndindex(3, 3):
            cv2.putText(picture, text, (x + (dx - 1) * out, y + (dy - 1) * out), font, scale, edge, thick, way)
    cv2.putText(picture, text, (x, y), font, scale, ink, thick, way)
