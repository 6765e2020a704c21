#!/usr/bin/env python3
"""Makes what `havenwacht eval track`'s scoring is tested against: random truth and tracks, and their scores by TrackEval.

Run from the project's root with numpy and trackeval (1.3.0) at hand:
    python tests/data/mot/golden.py

`crossing`: identities that swap, break off and come back under others, boxes moved, missed and made up, rows that do not
count, frames with neither. `sparse`: few boxes, frames with truth or tracks alone. `unseen` has no tracks, `empty` no truth.
"""
import json
import pathlib

import numpy as np
from trackeval.datasets._base_dataset import _BaseDataset
from trackeval.metrics import CLEAR, HOTA, Identity

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(1836)


def sequence(frames, vessels, seen, moved, false, swap):
    """Rows of truth (frame, id, x, y, w, h, flag) and of tracks (the same with a confidence)."""
    truth, tracks = [], []
    place = rng.uniform([0, 100], [600, 200], (vessels, 2))
    speed = rng.uniform(-14, 14, (vessels, 2)) * [1, 0.2]
    size = rng.uniform([40, 20], [120, 60], (vessels, 2))
    begins, names, last = rng.integers(0, frames // 3, vessels), list(range(1, vessels + 1)), vessels
    for frame in range(1, frames + 1):
        place = place + speed
        for v in range(vessels):
            if rng.random() < swap:
                other = rng.integers(0, vessels)
                names[v], names[other] = names[other], names[v]
            if rng.random() < swap:
                last += 1
                names[v] = last
        for v in range(vessels):
            if frame <= begins[v] or 20 <= frame < 22:
                continue
            # Ids of the truth begin at 0, as some data sets have them.
            truth.append([frame, v, *place[v], *size[v], int(rng.random() > 0.05)])
            if rng.random() < seen:
                off = rng.normal(0, moved, 4) * [*size[v], *size[v]]
                tracks.append([frame, names[v], *(place[v] + off[:2]), *(size[v] * np.exp(off[2:] / size[v])), 0.9])
        for _ in range(rng.poisson(false)):
            last += 1
            tracks.append([frame, last, *rng.uniform(0, 500, 2), *rng.uniform(20, 90, 2), 0.5])
    rng.shuffle(truth)
    return truth, tracks


SEQUENCES = {
    "crossing": sequence(60, 9, 0.85, 0.08, 0.4, 0.02),
    "sparse": sequence(45, 2, 0.5, 0.15, 0.2, 0.05),
    "unseen": (sequence(8, 2, 0, 0, 0, 0)[0], []),
    "empty": ([], sequence(8, 0, 0, 0, 1, 0)[1]),
}


def rounded(rows):
    return [[*row[:2], *(round(float(v), 2) for v in row[2:6]), row[6]] for row in rows]


def data(truth, tracks):
    """As TrackEval's data sets hand it to its metrics: ids from 0, without the rows that do not count."""
    truth = [row for row in truth if row[6]]
    found = {"num_timesteps": max((row[0] for row in truth + tracks), default=0), "similarity_scores": []}
    for kind, rows in ("gt", truth), ("tracker", tracks):
        names = {name: i for i, name in enumerate(sorted({row[1] for row in rows}))}
        found[f"num_{kind}_ids"], found[f"num_{kind}_dets"] = len(names), len(rows)
        by_frame = [[row for row in rows if row[0] == f + 1] for f in range(found["num_timesteps"])]
        found[f"{kind}_ids"] = [np.array([names[row[1]] for row in frame], int) for frame in by_frame]
        found[kind] = [np.array([row[2:6] for row in frame], float).reshape(-1, 4) for frame in by_frame]
    for a, b in zip(found["gt"], found["tracker"]):
        found["similarity_scores"].append(_BaseDataset._calculate_box_ious(a, b, box_format="xywh"))
    return found


def scores(hota, clear, identity):
    return {
        "hota": float(np.mean(hota["HOTA"])),
        "det_a": float(np.mean(hota["DetA"])),
        "ass_a": float(np.mean(hota["AssA"])),
        "mota": float(clear["MOTA"]),
        "idf1": float(identity["IDF1"]),
        "id_switches": int(clear["IDSW"]),
        "hits": int(clear["CLR_TP"]),
        "missed": int(clear["CLR_FN"]),
        "false": int(clear["CLR_FP"]),
    }


metrics = [HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False})]
golden, results = {}, [{} for _ in metrics]
for name, (truth, tracks) in SEQUENCES.items():
    truth, tracks = rounded(truth), rounded(tracks)
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    for file, rows in ("gt.txt", truth), ("tracks.txt", tracks):
        (folder / file).write_text("".join(",".join(map(str, row)) + ",-1,-1,-1\n" for row in rows))
    for metric, result in zip(metrics, results):
        result[name] = metric.eval_sequence(data(truth, tracks))
    golden[name] = scores(*(result[name] for result in results))
golden["combined"] = scores(*(m.combine_sequences(r) for m, r in zip(metrics, results)))
(HERE / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
