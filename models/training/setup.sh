#!/usr/bin/env bash
# What training runs on, in an environment of its own (6 GB on disk).
set -eu -o pipefail
cd "$(dirname "$0")/../.."
/usr/bin/python3 -m venv models/training/venv
echo "set-up: fetching the training libraries (3 GB)"
models/training/venv/bin/python -m pip install --quiet --only-binary=:all: --require-hashes --requirement models/requirements/training.txt
