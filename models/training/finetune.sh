#!/usr/bin/env bash
# Teaches the detector one's own camera: models/training/finetune.sh SET [KEY=VALUE...]
# SET is a folder with images/ and instances.json, as `havenwacht logbook coco` writes it, its boxes corrected.
# Leaves models/own.onnx and models/own.toml; an evening on two cores. Started again, it goes on where it stopped.
set -eu -o pipefail
set=$(realpath "${1:?which folder? one with images/ and instances.json}"); shift
cd "$(dirname "$0")/../.."
python=models/training/venv/bin/python runs=models/training/runs/own
[ -x "$python" ] || models/training/setup.sh
mkdir -p "$runs"
changes=(); for change in "$@"; do changes+=(--set "$change"); done
sed "s|SET|$set|" models/training/finetune.toml > "$runs/recipe.toml"
"$python" models/training/prepare.py --data / --recipe "$runs/recipe.toml" --out "$runs/prepared.json"
"$python" models/training/train.py --prepared "$runs/prepared.json" --recipe "$runs/recipe.toml" "${changes[@]}" \
  --start models/havenwacht.onnx --out "$runs"
"$python" models/training/export.py --checkpoint "$runs/last.pt" --base models/havenwacht.onnx --name own
echo "Done. Let [model] manifest in the site file name models/own.toml. Compare the two on pictures that were not trained on:"
echo "  havenwacht eval detect --images DIR --truth coco.json --tiles none,640 --model models/own.toml"
