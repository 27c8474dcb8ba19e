# What ./run, ./test and the tools share: progress lines, Debian packages, running a step with its
# log kept. Sourced by bash, never run. Everything written goes under build/.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$ROOT/build
LOGS=$BUILD/log

# Debian's own python3: another one first in PATH may lack what we need.
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3

# The compiler cache lives in the build folder, so that nothing of ours is left elsewhere.
export CCACHE_DIR=${CCACHE_DIR:-$BUILD/ccache}

say() { printf '%s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# A build job of ours needs up to 1.2 GB: on a small machine memory decides, not cores.
build_jobs() {
  local cores free_kb by_memory
  cores=$(nproc)
  free_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  by_memory=$((free_kb / 1200000))
  [ "$by_memory" -ge 1 ] || by_memory=1
  if [ "$cores" -lt "$by_memory" ]; then echo "$cores"; else echo "$by_memory"; fi
}

# with_progress LOG COMMAND...: runs it with all output in LOG. Every 10 s of silence on our side it
# prints how far ninja is, so that a long build is never a silent one. Returns the command's status.
with_progress() {
  local log=$1 pid waited=0 at status=0
  shift
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.5
    waited=$((waited + 1))
    [ $((waited % 20)) -eq 0 ] || continue
    at=$(tail -c 4000 "$log" | tr '\r' '\n' | grep -aoE '^ *\[?[0-9]+/[0-9]+\]?' | tail -n 1 | tr -d ' []') || true
    say "    ... $((waited / 2)) s${at:+, step $at}"
  done
  wait "$pid" || status=$?
  return "$status"
}

# show_log LOG: the part of a log that says what went wrong, bounded to 60 lines.
show_log() {
  local errors
  errors=$(grep -aE -A6 'FAILED:|error:|Error|ERROR' "$1" | head -n 40) || true
  printf -- '--- %s\n' "${1#"$ROOT"/}"
  [ -z "$errors" ] || printf '%s\n--- end of the log:\n' "$errors"
  tail -n 20 "$1"
  printf -- '---\n'
}

package_names() { sed -e 's/#.*//' "$@" | awk 'NF {print $1}' | sort -u; }

missing_packages() {
  local name
  package_names "$@" | while read -r name; do
    [ "$(dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null | head -n 1)" = installed ] ||
      echo "$name"
  done
}

# install_packages WHY LIST...: installs what the lists name and the machine lacks; says once what
# and why. As root it calls apt-get, as another user sudo apt-get. Nothing missing: touches nothing.
install_packages() {
  local why=$1 as_root=() missing log=$LOGS/packages.log
  shift
  command -v dpkg-query >/dev/null ||
    die "this script installs packages by apt-get and needs Debian 12. Elsewhere install what $* name and build with cmake --preset release"
  missing=$(missing_packages "$@" | tr '\n' ' ')
  [ -n "$missing" ] || { say "packages: all present"; return 0; }
  say "packages: installing with apt-get, $why:"
  say "    $missing"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing and there is no sudo here. As root: apt-get install $missing"
    say "    (sudo may ask for your password)"
    sudo -v || die "sudo refused. Ask an administrator to run: apt-get install $missing"
    as_root=(sudo)
  fi
  with_progress "$log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=300 update || say "    apt-get update had problems (build/log/packages.log); trying with what it has"
  # shellcheck disable=SC2086
  with_progress "$log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install -y --no-install-recommends $missing || {
    show_log "$log"
    die "apt-get could not install them. Check the network and the apt sources (Debian 12), then try again"
  }
}
