"""What a look costs other trackers, on the boxes of `cargo bench --bench track`, before and after ours in one run.

    python3 -m venv target/peers
    target/peers/bin/pip install trackers==2.6.1
    target/peers/bin/python tests/bench/peers.py
"""

import subprocess
import time

import numpy as np
import supervision as sv
from trackers import BoTSORTTracker, ByteTrackTracker, CBIoUTracker, OCSORTTracker, SORTTracker

PEERS = [SORTTracker, ByteTrackTracker, CBIoUTracker, BoTSORTTracker, OCSORTTracker]
LOOKS_PER_SECOND = 4.0


def harbour(vessels: int, look: int) -> sv.Detections:
    """The same as `harbour` in track.rs."""
    boxes, confidences = [], []
    for vessel in range(vessels):
        if (vessel + look) % 5 == 0:
            continue
        row, column = divmod(vessel, 10)
        sailed = look % 400 if vessel % 2 == 0 else 0
        x = 80.0 * column + sailed + (vessel * 7 + look * 13) % 11 * 0.3
        boxes.append([x, 60.0 * row, x + 100.0, 60.0 * row + 70.0])
        confidences.append(0.3 if (vessel + look) % 7 == 0 else 0.8)
    return sv.Detections(np.array(boxes), confidence=np.array(confidences), class_id=np.zeros(len(boxes), int))


def median_ms(peer: type, vessels: int) -> float:
    without_pictures = {"enable_cmc": False} if peer is BoTSORTTracker else {}
    tracker = peer(frame_rate=LOOKS_PER_SECOND, **without_pictures)
    times = []
    for look in range(1, 301):
        detections = harbour(vessels, look)
        begun = time.perf_counter()
        tracker.update(detections)
        times.append(1000 * (time.perf_counter() - begun))
    return float(np.median(times))


def main() -> None:
    ours = ["cargo", "bench", "--locked", "--bench", "track"]
    subprocess.run(ours, check=True)
    for vessels in (10, 50):
        for peer in PEERS:
            print(f"{vessels} vessels, {peer.__name__}: {median_ms(peer, vessels):.2f} ms", flush=True)
    subprocess.run(ours, check=True)


if __name__ == "__main__":
    main()
