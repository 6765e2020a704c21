"""Draws a run's learning curve as SVG: `curve.py --run runs/NAME --out ../curve.svg --score NAME=DATA/tuning/NAME...`.

The loss comes from the run's log; AP50 of vessels on pictures that were not trained on from the weights that `train.py --keep`
left, each exported and scored by `havenwacht eval detect`. Scores are kept in the run's folder: called again, it scores what is new.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from export import blended, export, load_checkpoint, write_manifest
from network import Network, load_onnx
from views import Mistake

here = Path(__file__).parent
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 50, 50, 30, 40
COLOURS = ("#1b6ca8", "#c4561a", "#3c8d4a", "#7a4fa3")


def scores(options):
    """AP50 by set and samples, {set: [(samples, ap50)]}; those of the weights it began with at 0."""
    file = options.run / "scores.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(r["samples"], r["set"], r["tiles"], r["blend"]) for r in rows}
    sets = dict(one.split("=", 1) for one in options.score)
    kept = {int(p.stem.removeprefix("at-")): p for p in options.run.glob("at-*.pt")}
    for samples in (0, *sorted(kept)):
        wanted = [s for s in sets if (samples, s, options.tiles, options.blend) not in done]
        if not wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "kept.onnx"
            if samples:
                network = load_checkpoint(kept[samples])
                if options.base:
                    network = blended(network, options.base, options.blend)
            else:
                network = Network()
                load_onnx(network, options.start)
            export(network.eval(), 416, model)
            write_manifest(model, 416, "One point of a learning curve.", "kept", "Apache-2.0", 0.45, 0.25)
            for name in wanted:
                row = {"samples": samples, "set": name, "tiles": options.tiles, "blend": options.blend, **score(options, model, Path(sets[name]))}
                rows.append(row)
                with file.open("a") as out:
                    out.write(json.dumps(row) + "\n")
                print(row, flush=True)
    lines = {}
    for r in sorted(rows, key=lambda r: r["samples"]):
        if r["tiles"] == options.tiles and r["blend"] == options.blend and r["set"] in sets:
            lines.setdefault(r["set"], []).append((r["samples"], r["ap50"]))
    return lines


def score(options, model, folder):
    command = [options.havenwacht, "eval", "detect", "--json", "--tiles", options.tiles, "--model", model.with_suffix(".toml")]
    command += ["--images", folder / "images", "--truth", folder / "instances.json", "--runtime", here.parent / "runtime/libonnxruntime.so"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Mistake(f"{options.havenwacht} eval detect: {done.stderr.strip()}")
    vessels = next(c for c in json.loads(done.stdout)["tilings"][0]["classes"] if c["class"] == "vessel")["all"]
    return {"ap50": vessels["ap50"], "recall": vessels["recall"], "precision": vessels["precision"]}


def smooth(points, share=0.12):
    """Each value the mean of those so far, older ones counting ever less."""
    out, mean = [], None
    for x, y in points:
        mean = y if mean is None else mean + share * (y - mean)
        out.append((x, mean))
    return out


def drawn(loss, lines, title):
    """The SVG: loss on the left axis, AP50 on the right."""
    last = max([x for x, _ in loss] + [x for points in lines.values() for x, _ in points])
    most = max(y for _, y in loss) * 1.05
    best = max([0.1] + [y for points in lines.values() for _, y in points]) * 1.15
    x_at = lambda x: LEFT + x / last * (WIDTH - LEFT - RIGHT)
    y_at = lambda share: HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    path = lambda points, full: " ".join(f"{x_at(x):.1f},{y_at(y / full):.1f}" for x, y in points)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="16" font-size="12">{title}</text>',
        f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}V{TOP}" fill="none" stroke="#888"/>',
    ]
    for i in range(5):
        y = y_at(i / 4) + 4
        parts.append(f'<text x="{LEFT - 5}" y="{y:.0f}" text-anchor="end" fill="#555">{most * i / 4:.2f}</text>')
        parts.append(f'<text x="{WIDTH - RIGHT + 5}" y="{y:.0f}">{best * i / 4:.2f}</text>')
        parts.append(f'<text x="{x_at(last * i / 4):.0f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{round(last * i / 4)}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">samples seen</text>')
    parts.append(f'<polyline points="{path(smooth(loss), most)}" fill="none" stroke="#666" stroke-width="1.5"/>')
    legend = [("loss (left)", "#666")]
    for (name, points), colour in zip(lines.items(), COLOURS):
        parts.append(f'<polyline points="{path(points, best)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x_at(x):.1f}" cy="{y_at(y / best):.1f}" r="2.5" fill="{colour}"/>' for x, y in points]
        legend.append((f"AP50 {name} (right)", colour))
    x = WIDTH - RIGHT - 6
    for name, colour in reversed(legend):
        parts.append(f'<text x="{x}" y="{TOP - 4 if len(legend) < 2 else TOP + 6}" text-anchor="end" fill="{colour}">{name}</text>')
        x -= 7 * len(name) + 12
    return "\n".join(parts + ["</svg>"]) + "\n"


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--run", type=Path, required=True, help="the folder that train.py wrote, with --keep")
    a.add_argument("--out", type=Path, required=True, help="the SVG")
    a.add_argument("--score", nargs="*", default=[], metavar="NAME=FOLDER", help="COCO sets that were not trained on")
    a.add_argument("--tiles", default="640")
    a.add_argument("--start", type=Path, default=here.parent / "havenwacht.onnx", help="the weights that the run began with")
    a.add_argument("--base", type=Path, help="ONNX to blend each point with, as export.py does; see --blend")
    a.add_argument("--blend", type=float, default=0.7)
    a.add_argument("--havenwacht", type=Path, default=here.parent.parent / "target/release/havenwacht")
    a.add_argument("--title", default="Learning curve")
    options = a.parse_args()
    # A run that was stopped goes on from its last checkpoint, a few steps back: of steps logged twice the later ones count.
    rows = {r["samples"]: r for r in map(json.loads, (options.run / "log.jsonl").read_text().splitlines())}
    loss = [(x, r["quality"] + 2.0 * r.get("place", 0.0) + 0.35 * r.get("spread", 0.0)) for x, r in sorted(rows.items())]
    options.out.write_text(drawn(loss, scores(options), options.title))
    print(options.out)


if __name__ == "__main__":
    try:
        main()
    except Mistake as mistake:
        sys.exit(f"curve: {mistake}")
