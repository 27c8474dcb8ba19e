# The demonstration of ./run: a daemon of its own with its state in build/run, real CLI calls shown
# as one would type them, and the live report. Sourced by ./run after common.sh.
# Uses LIMIT, INTERVAL, SIMULATE and END of ./run.

ESTIVA=$BUILD/release/estiva
DAEMON_LOG=""
DAEMON_PID=""
RUN_DIR=""
END=0

# PCI class 03xx (display) of vendor 10de: then no simulation unless it was asked for.
has_nvidia_device() {
  local device
  for device in /sys/bus/pci/devices/*; do
    [ "$(cat "$device/vendor" 2>/dev/null)" = 0x10de ] || continue
    case $(cat "$device/class" 2>/dev/null) in 0x03*) return 0 ;; esac
  done
  return 1
}

# A Unix socket's path holds 107 bytes: a deep source folder gets a short one elsewhere, removed at the end.
choose_run_dir() {
  local parent=$BUILD/run
  [ "${#parent}" -le 70 ] || parent=${TMPDIR:-/tmp}
  mkdir -p "$parent"
  RUN_DIR=$(mktemp -d "$parent/estiva-run.XXXXXX") || die "cannot make a folder in $parent"
  export ESTIVA_STATE_DIR=$RUN_DIR/state ESTIVA_RUNTIME_DIR=$RUN_DIR/runtime
  # No configuration of this machine may change what the demonstration shows.
  export XDG_CONFIG_HOME=$RUN_DIR/config
  mkdir -p "$ESTIVA_STATE_DIR" "$ESTIVA_RUNTIME_DIR" "$XDG_CONFIG_HOME"
  # Two demonstrations at once write two logs.
  DAEMON_LOG=$(mktemp "$LOGS/daemon.XXXXXX.log")
}

daemon_failed() {
  printf 'error: %s; the end of %s:\n' "$1" "${DAEMON_LOG#"$ROOT"/}" >&2
  tail -n 20 "$DAEMON_LOG" >&2
  exit 1
}

start_daemon() {
  local options=(--listen 127.0.0.1:0) waited=0
  choose_run_dir
  [ -x "$ESTIVA" ] || die "there is no program $ESTIVA; build it first"
  has_nvidia_device || SIMULATE=1
  if [ "$SIMULATE" = 1 ]; then
    options+=(--simulate)
    say ""
    say "SIMULATED: the GPUs below are simulated; memory, disks and processors are this machine's."
  fi
  "$ESTIVA" daemon "${options[@]}" >"$DAEMON_LOG" 2>&1 </dev/null &
  DAEMON_PID=$!
  # `leases` needs the daemon; `status` would answer without one.
  until "$ESTIVA" leases >/dev/null 2>&1; do
    kill -0 "$DAEMON_PID" 2>/dev/null || daemon_failed "the daemon ended at once"
    waited=$((waited + 1))
    [ "$waited" -lt 200 ] || daemon_failed "the daemon did not answer within 20 s"
    sleep 0.1
  done
  say "daemon: running (process $DAEMON_PID), log in ${DAEMON_LOG#"$ROOT"/}"
}

stop_daemon() {
  local waited=0
  trap '' INT TERM
  if [ -n "$DAEMON_PID" ]; then
    kill -TERM "$DAEMON_PID" 2>/dev/null
    while kill -0 "$DAEMON_PID" 2>/dev/null && [ "$waited" -lt 100 ]; do
      sleep 0.1
      waited=$((waited + 1))
    done
    kill -KILL "$DAEMON_PID" 2>/dev/null && say "daemon: did not stop within 10 s and was killed"
    wait "$DAEMON_PID" 2>/dev/null
    DAEMON_PID=""
    say "daemon: stopped"
  fi
  [ -z "$RUN_DIR" ] || rm -rf -- "$RUN_DIR"
  RUN_DIR=""
}

# type_and_run ARG...: shows the command and what it prints, as on a user's own terminal. A refusal
# (exit 1) is part of the demonstration; anything else unexpected ends it.
type_and_run() {
  local status=0
  say ""
  say "\$ estiva $*"
  "$ESTIVA" "$@" 2>&1 || status=$?
  case $status in 0 | 1 | 3) return 0 ;; esac
  die "estiva $1 ended with $status; the daemon's log is ${DAEMON_LOG#"$ROOT"/}"
}

# Free and total MiB of the roomiest GPU, from `estiva gpu --json`.
largest_mib() {
  "$ESTIVA" gpu --json 2>/dev/null | grep -o "\"$1\":[0-9]*" | cut -d: -f2 | sort -n | tail -n 1 |
    awk '{printf "%d", $1 / 1048576}'
}

# The seed's demonstration: models of different sizes, one that is already placed, one too big for
# any GPU, then all released. Sizes follow the largest GPU found, so that it works on any machine.
demonstrate() {
  local free total model
  type_and_run gpu
  free=$(largest_mib free_bytes) total=$(largest_mib total_bytes)
  if [ "${free:-0}" -lt 64 ]; then
    say ""
    say "No GPU with free memory: an assignment is refused with the reason."
    "$ESTIVA" assign xtts --vram 512MiB 2>&1
    return 0
  fi
  type_and_run assign xtts --vram "$((free * 40 / 100))MiB"
  type_and_run assign whisper --vram "$((free * 15 / 100))MiB"
  type_and_run assign llama --vram "$((free * 60 / 100))MiB"
  type_and_run assign xtts --vram "$((free * 40 / 100))MiB"
  type_and_run assign too-big --vram "$((total + 1024))MiB"
  type_and_run leases
  # On a machine with one GPU the third does not fit beside the others.
  local placed
  placed=$("$ESTIVA" leases --json 2>/dev/null | grep -o '"model":"[^"]*"' | cut -d'"' -f4)
  for model in $placed; do type_and_run release "$model"; done
  type_and_run leases
}

# A report each INTERVAL seconds until END (never, when no --seconds was given). At least one.
live_report() {
  local options=(--watch --interval "${INTERVAL}s") left
  if [ "$LIMIT" != 0 ]; then
    left=$((END - SECONDS))
    [ "$left" -ge 1 ] || left=1
    options+=(--seconds "$left")
  fi
  say ""
  say "live report every $INTERVAL s$([ "$LIMIT" = 0 ] && echo "; Ctrl-C stops")"
  type_and_run status "${options[@]}"
  kill -0 "$DAEMON_PID" 2>/dev/null || daemon_failed "the daemon ended by itself"
}
