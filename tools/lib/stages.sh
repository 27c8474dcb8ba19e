# The stages of ./test, one function each. Sourced by ./test after common.sh. A stage notes its own
# results with `note`, or leaves a JUnit file in build/log; it never ends the run, so that one
# failure does not hide the next.

# Rooms whose unit tests the ordinary suite runs under ASan+UBSan, and only there: to build them twice
# would take minutes. --long runs all tests in every build. CMakeLists.txt has the same list.
PURE_ROOMS="base model format decide decide_readiness net store"
PURE_TESTS="^unit_(${PURE_ROOMS// /|})"
# How long each fuzz target runs: a smoke test that finds shallow crashes, not a campaign.
FUZZ_SECONDS=3
FUZZ_SECONDS_LONG=60
# After how many seconds one test case counts as hung; the big counts of --long take longer.
CASE_LIMIT=300
# Whether a file that clang-format would change fails the suite.
FORMAT_STRICT=1

# note STAGE NAME passed|failed|skipped SECONDS [DETAIL]
note() { printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "${5:-}" >>"$LOGS/results.tsv"; }

# stage NAME SECONDS FUNCTION: runs it if wanted, prints one line before and after, keeps its time.
stage() {
  local name=$1 limit=$2 function=$3 from=$SECONDS took
  wanted "$name" || return 0
  STAGE_LIMIT=$limit
  say "==> $name"
  "$function"
  took=$((SECONDS - from))
  say "    $name took $took s"
  printf '  %-12s %5s s\n' "$name" "$took" >>"$LOGS/stages.txt"
}

# build PRESET STAGE [TARGET...]: configures and builds; a failure is noted and shown.
build() {
  local preset=$1 stage=$2 from=$SECONDS
  shift 2
  if ! with_progress "$LOGS/$preset-configure.log" cmake --preset "$preset" "-DESTIVA_TEST_TIMEOUT=$CASE_LIMIT"; then
    note "$stage" "configure" failed $((SECONDS - from)) "see build/log/$preset-configure.log"
    show_log "$LOGS/$preset-configure.log"
    return 1
  fi
  if ! with_progress "$LOGS/$preset-build.log" ninja -C "build/$preset" -j "$JOBS" -k 20 "$@"; then
    note "$stage" "build" failed $((SECONDS - from)) "see build/log/$preset-build.log"
    show_log "$LOGS/$preset-build.log"
    return 1
  fi
  say "    built in $((SECONDS - from)) s"
}

# targets_of PRESET PATTERN: the targets of a configured build whose names match (without CMake's own).
targets_of() { ninja -C "build/$1" -t targets all | sed -n 's/^\([a-z0-9_]*\): .*/\1/p' | grep -v '^cmake_' | grep -E "$2" | sort -u; }

# run_ctest PRESET STAGE PREFIX... -- ARG...: CTest with a JUnit file; the tally prints what failed.
run_ctest() {
  local preset=$1 stage=$2 prefix=()
  shift 2
  while [ "$1" != -- ]; do prefix+=("$1"); shift; done
  shift
  with_progress "$LOGS/$stage-ctest.log" timeout --kill-after=20 "$STAGE_LIMIT" "${prefix[@]}" \
    ctest --test-dir "build/$preset" -j "$(($(nproc) + 1))" --timeout "$CASE_LIMIT" --output-on-failure --no-tests=error \
    --output-junit "$LOGS/$stage.junit.xml" "$@"
  local status=$?
  # Without a JUnit file (a time-out, nothing to run) the stage itself is the failure.
  [ -f "$LOGS/$stage.junit.xml" ] && return 0
  note "$stage" "ctest" failed 0 "ctest ended with $status and no report; see build/log/$stage-ctest.log"
  show_log "$LOGS/$stage-ctest.log"
}

# Fetched into build/peers and not installed: Prometheus, which reads our /metrics, llama-server, and the real NVIDIA
# clients (nvidia-smi, nvtop, nvitop, gpustat), whose figures sim.clients compares with ours. The latter
# need chroot, so root.
stage_peers() {
  local from=$SECONDS names="prometheus promtool llama-server"
  if [ "$(id -u)" -eq 0 ]; then
    names="$names nvidia-smi nvtop nvitop gpustat dockerd docker docker-compose busybox podman dockerd-28 docker-28"
  else
    say "    not root: the real NVIDIA clients and Docker are left out"
  fi
  # shellcheck disable=SC2086
  if with_progress "$LOGS/peers.log" timeout --kill-after=20 "$STAGE_LIMIT" "$ROOT/bench/peers" $names; then
    note peers "fetch the real clients" passed $((SECONDS - from))
  else
    note peers "fetch the real clients" failed $((SECONDS - from)) "see build/log/peers.log"
    show_log "$LOGS/peers.log"
  fi
}

# With --long the tests run their big counts (ESTIVA_LONG), here only: under a sanitizer they take hours.
stage_dev() {
  if [ "$LONG" = 1 ]; then
    export ESTIVA_LONG=1
    CASE_LIMIT=2400
    build dev dev all && run_ctest dev dev --
    unset ESTIVA_LONG
    CASE_LIMIT=300
    return
  fi
  build dev dev all_but_pure_tests && run_ctest dev dev -- -E "$PURE_TESTS(\\.|_NOT_BUILT)"
}

# 200 kills at random instants and at every record boundary; the ordinary suite has 20 of them in CTest.
stage_crash() {
  local from=$SECONDS
  if with_progress "$LOGS/crash.log" timeout --kill-after=20 "$STAGE_LIMIT" \
    "$ROOT/tests/crash" --daemon "$BUILD/dev/estivad" --kills 200 --seed "$(date -u +%Y%m%d)"; then
    note crash "200 kills" passed $((SECONDS - from))
  else
    note crash "200 kills" failed $((SECONDS - from)) "see build/log/crash.log"
    show_log "$LOGS/crash.log"
  fi
  tail -n 1 "$LOGS/crash.log" | sed 's/^/    /'
}

# Sanitizers want address randomisation off at some kernel settings; a container may forbid that.
NO_ASLR=()
! setarch -R true 2>/dev/null || NO_ASLR=(setarch -R)

sanitizer_options() {
  export ASAN_OPTIONS=detect_stack_use_after_return=1:check_initialization_order=1:strict_string_checks=1
  export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
  export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
}

stage_asan() {
  local targets
  sanitizer_options
  if [ "$LONG" = 1 ]; then
    build asan asan all && run_ctest asan asan "${NO_ASLR[@]}" -- -LE 'no-sanitizer|tidy'
    return
  fi
  with_progress "$LOGS/asan-configure.log" cmake --preset asan || { note asan configure failed 0 "see build/log/asan-configure.log"; show_log "$LOGS/asan-configure.log"; return; }
  targets=$(targets_of asan "$PURE_TESTS\$")
  [ -n "$targets" ] || { note asan "targets" failed 0 "no test program of the pure rooms was configured"; return; }
  # shellcheck disable=SC2086
  build asan asan $targets && run_ctest asan asan "${NO_ASLR[@]}" -- -R "$PURE_TESTS\\." -LE no-sanitizer
}

# ThreadSanitizer needs address randomisation off at some kernel settings, and a limit: it may hang.
stage_tsan() {
  sanitizer_options
  build tsan tsan all && run_ctest tsan tsan "${NO_ASLR[@]}" -- -LE 'no-sanitizer|tidy'
}

# The ordinary suite fuzzes blindly, with the programs of the ASan build; --long by coverage, which needs clang's build.
stage_fuzz() {
  local targets target preset=asan seconds=$FUZZ_SECONDS
  [ "$LONG" = 0 ] || { preset=fuzz; seconds=$FUZZ_SECONDS_LONG; }
  with_progress "$LOGS/fuzz-configure.log" cmake --preset "$preset" || { note fuzz configure failed 0 "see build/log/fuzz-configure.log"; show_log "$LOGS/fuzz-configure.log"; return; }
  targets=$(targets_of "$preset" '_fuzz$')
  [ -n "$targets" ] || { note fuzz targets failed 0 "no fuzz target was configured"; return; }
  # shellcheck disable=SC2086
  build "$preset" fuzz $targets || return
  for target in $targets; do
    echo "$target"
  done | xargs -P "$(nproc)" -I{} "$ROOT/tools/fuzz-one" "$preset" {} "$seconds"
}

# Changed files only in the ordinary suite: a full run takes minutes a room.
stage_clang_tidy() {
  local from=$SECONDS
  if [ "$LONG" = 1 ]; then
    "$ROOT/tools/clang-tidy" --all >"$LOGS/clang-tidy.log" 2>&1
  else
    "$ROOT/tools/clang-tidy" >"$LOGS/clang-tidy.log" 2>&1
  fi
  if [ $? -eq 0 ]; then
    note clang-tidy clang-tidy passed $((SECONDS - from))
  else
    note clang-tidy clang-tidy failed $((SECONDS - from)) "see build/log/clang-tidy.log"
    show_log "$LOGS/clang-tidy.log"
  fi
  tail -n 1 "$LOGS/clang-tidy.log" | sed 's/^/    /'
}

# After the tests, because docs/coverage.md may not name a test that was skipped just now.
stage_tidy() {
  local check from
  # Formatting differences are shown, and fail only where FORMAT_STRICT says so.
  for check in report format coverage; do
    from=$SECONDS
    if [ "$check" = format ] && [ "$FORMAT_STRICT" = 0 ]; then
      "$PYTHON" "$ROOT/tools/tidy" format 2>&1 | tail -n 1 | sed 's/^/    /'
    elif "$PYTHON" "$ROOT/tools/tidy" "$check" --build build/dev >"$LOGS/tidy-$check.log" 2>&1; then
      note tidy "tidy.$check" passed $((SECONDS - from))
    else
      note tidy "tidy.$check" failed $((SECONDS - from)) "see build/log/tidy-$check.log"
      show_log "$LOGS/tidy-$check.log"
    fi
  done
  sed 's/^/    /' "$LOGS/tidy-report.log"
}

# Appends one dated line a long run to docs/benchmarks.md, under its heading at the end of the file.
record_long_run() {
  local commit
  commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
  printf '| %s | %s | %s cores, load %s | %s min | %s |\n' "$(date -u +%F)" "$commit" "$(nproc)" \
    "$(cut -d' ' -f1 /proc/loadavg)" "$((SECONDS / 60))" "$(tail -n 1 "$LOGS/tally.txt")" >>docs/benchmarks.md
}
