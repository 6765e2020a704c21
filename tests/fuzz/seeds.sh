#!/usr/bin/env bash
# Writes the first inputs of a target into a folder: seeds.sh TARGET FOLDER
set -eu
cd "$(dirname "$0")/../.."
target=$1 folder=$2
mkdir -p "$folder"
case $target in
site_file)
    cp config/*.toml tests/data/broken.toml "$folder" ;;
model_heads)
    cp models/*.toml "$folder" ;;
payloads)
    # The messages in the integration guide, and the alert of the unit tests.
    awk -v RS='```json\n' -v FS='\n```' -v folder="$folder" 'NR > 1 { print $1 > (folder "/example-" NR ".json") }' docs/integration.md
    tail -n +5 src/alerts/snapshots/*alert_says*.snap > "$folder/alert.json" ;;
cli_filters)
    # The logbook commands in the guides, one word a line, without the path of the logbook.
    grep -hoE 'havenwacht logbook (list|show|export|why) [^`#|]*' docs/*.md config/*.md |
        sed -E 's/^havenwacht logbook //; s/ --(config|logbook) [^ ]+//; s/ +$//' | sort -u |
        awk -v folder="$folder" '{ gsub(/ /, "\n"); printf "%s", $0 > (folder "/line-" NR) }'
    for kind in detections tracks signals alerts camera-states suppressed visits clock outages; do
        printf 'list\n%s\n--since\n90m\n--camera\nquay-east\n--limit\n7' $kind > "$folder/list-$kind"
        printf 'export\n%s\n--since=2026-06-01T20:13:02Z\n--rule\nnight-passage' $kind > "$folder/export-$kind"
    done
    printf 'show\nvessel:7' > "$folder/vessel" ;;
*)
    echo "seeds.sh: no target $target" >&2
    exit 1 ;;
esac
