"""Times other trackers on the boxes of `cargo bench --bench track`, before and after ours in one run.

    python3 -m venv target/other-trackers
    target/other-trackers/bin/pip install trackers==2.6.1
    target/other-trackers/bin/python tests/bench/other_trackers.py
"""

import subprocess
import time

import numpy as np
import supervision as sv
from trackers import BoTSORTTracker, ByteTrackTracker, CBIoUTracker, OCSORTTracker, SORTTracker

TRACKERS = [SORTTracker, ByteTrackTracker, CBIoUTracker, BoTSORTTracker, OCSORTTracker]
PASSES_PER_SECOND = 4.0


def detections_of(vessels: int, number: int) -> sv.Detections:
    """The same as `detections` in track.rs."""
    boxes, confidences = [], []
    for vessel in range(vessels):
        if (vessel + number) % 5 == 0:
            continue
        row, column = divmod(vessel, 10)
        sailed = number % 400 if vessel % 2 == 0 else 0
        x = 80.0 * column + sailed + (vessel * 7 + number * 13) % 11 * 0.3
        boxes.append([x, 60.0 * row, x + 100.0, 60.0 * row + 70.0])
        confidences.append(0.3 if (vessel + number) % 7 == 0 else 0.8)
    return sv.Detections(np.array(boxes), confidence=np.array(confidences), class_id=np.zeros(len(boxes), int))


def median_ms(kind: type, vessels: int) -> float:
    without_pictures = {"enable_cmc": False} if kind is BoTSORTTracker else {}
    tracker = kind(frame_rate=PASSES_PER_SECOND, **without_pictures)
    times = []
    for number in range(1, 301):
        detections = detections_of(vessels, number)
        begun = time.perf_counter()
        tracker.update(detections)
        times.append(1000 * (time.perf_counter() - begun))
    return float(np.median(times))


def main() -> None:
    ours = ["cargo", "bench", "--locked", "--bench", "track"]
    subprocess.run(ours, check=True)
    for vessels in (10, 50):
        for kind in TRACKERS:
            print(f"{vessels} vessels, {kind.__name__}: {median_ms(kind, vessels):.2f} ms", flush=True)
    subprocess.run(ours, check=True)


if __name__ == "__main__":
    main()
