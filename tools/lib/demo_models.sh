# The second part of ./run: two speech models that together exceed one GPU, answered from it in turn
# by a daemon of its own; then the same two without estiva. Sourced by ./run after demo.sh.

MODELS_PID=""

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { printf '%s' "$port"; return; }
  done
}

# write_models XTTS F5TTS: the configuration, with what each needs.
write_models() {
  local engine
  engine=$(dirname "$ESTIVA")/estiva-sim-engine
  for model in "xtts $1" "f5tts $2"; do
    cat <<TOML
[models.${model% *}]
engine = "process"
command = ["$engine", "--port", "\${PORT}", "--vram", "${model#* }", "--load-time", "300", "--exit-on-oom"]
ready = "http://127.0.0.1:\${PORT}/health"
vram = "${model#* }"
TOML
  done
}

stop_models_daemon() {
  [ -n "$MODELS_PID" ] || return 0
  kill -TERM "$MODELS_PID" 2>/dev/null
  wait "$MODELS_PID" 2>/dev/null
  MODELS_PID=""
}

# without_estiva DIR XTTS F5TTS: both engines at once, nobody making room.
without_estiva() {
  local engine pids=() size
  engine=$(dirname "$ESTIVA")/estiva-sim-engine
  for size in "$2" "$3"; do
    ESTIVA_SIM_DIR=$1 "$engine" --port "$(free_port)" --vram "$size" >/dev/null 2>&1 &
    pids+=($!)
  done
  sleep 1
  kill "${pids[@]}" 2>/dev/null
  wait "${pids[@]}" 2>/dev/null
}

ooms() { "$(dirname "$ESTIVA")/estiva-sim" ctl "$1" ooms | head -n 1; }

# On simulated GPUs one card of 4 GB; on real ones what is free of the largest.
demonstrate_models() {
  local options=() xtts=3500MiB f5tts=2GiB free log waited=0 sim=""
  local ESTIVA_STATE_DIR=$RUN_DIR/models ESTIVA_RUNTIME_DIR=$RUN_DIR/m
  export ESTIVA_STATE_DIR ESTIVA_RUNTIME_DIR
  options=(--listen off --gateway "127.0.0.1:$(free_port)" --config "$RUN_DIR/models.toml")
  if [ "$SIMULATE" = 1 ]; then
    printf 'scenario "one card of 4 GB"\ndriver 550.163.01\ncuda 12.4\ngpu gtx1050ti-4g\n' >"$RUN_DIR/four"
    options+=(--simulate "$RUN_DIR/four")
    sim=$RUN_DIR/m/sim
  else
    free=$(largest_mib free_bytes)
    [ "${free:-0}" -ge 1024 ] || return 0
    xtts=$((free * 80 / 100))MiB f5tts=$((free * 50 / 100))MiB
  fi
  write_models "$xtts" "$f5tts" >"$RUN_DIR/models.toml"
  say ""
  say "Two models, $xtts and $f5tts, on one GPU that can't hold both:"
  log=$(mktemp "$LOGS/models.XXXXXX.log")
  "$ESTIVA" daemon "${options[@]}" >"$log" 2>&1 </dev/null &
  MODELS_PID=$!
  until "$ESTIVA" models >/dev/null 2>&1; do
    kill -0 "$MODELS_PID" 2>/dev/null || { tail -n 20 "$log" >&2; die "the daemon for the models ended at once"; }
    waited=$((waited + 1))
    [ "$waited" -lt 200 ] || die "the daemon for the models did not answer within 20 s"
    sleep 0.1
  done
  type_and_run stress xtts f5tts --seconds 5s --path /v1/audio/speech --body '{"model":"{model}","input":"hello"}'
  type_and_run load xtts
  type_and_run models
  type_and_run events --limit 6
  if [ -n "$sim" ]; then
    say ""
    say "out of memory with estiva: $(ooms "$sim")"
    type_and_run unload --all
    without_estiva "$sim" "$xtts" "$f5tts"
    say "out of memory when both start without it: $(ooms "$sim")"
  fi
  stop_models_daemon
}
