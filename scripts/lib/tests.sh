# shellcheck shell=bash
# The rounds of scripts/test: what each builds and runs, and what is told of it at the end. The caller sets `compiler`, which
# may be empty, and sources build.sh, services.sh, libpqxx7.sh and pgvector.sh as well.

# A stack at random places leaves GCC 12's sanitizers no room for their shadow on kernels with much of it.
fixed_addresses=()
if setarch "$(uname -m)" -R true 2>/dev/null; then fixed_addresses=(setarch "$(uname -m)" -R); fi

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:external_symbolizer_path=$(command -v addr2line || true)}
# binutils came with g++; clang's own symbolizer would be another hundred megabytes.
export ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-$(command -v addr2line || true)}
export TSAN_OPTIONS=${TSAN_OPTIONS:-second_deadlock_stack=1:external_symbolizer_path=$ASAN_SYMBOLIZER_PATH}

summary=()
declare -A why_skipped=() # by the name of the test
command -v clang-format-14 >/dev/null ||
  why_skipped[law.layout]="this system has no clang-format 14, and other versions lay out differently"
failed=0

# names_in LOG HOW: the tests that ctest lists at its end as HOW: Skipped, or Failed and its kind. Newer ones add the labels.
names_in() { sed -nE "s/^[[:blank:]]*[0-9]+ - (.*) \(($2)\)([[:blank:]].*)?$/\1/p" "$1"; }

# A judge that does not speak is no judge: a test may be skipped in CI only if docs/judges.md names it, with its reason.
note_skipped() {
  local log=$1 preset=$2 name
  while read -r name; do
    summary+=("$preset: $name was SKIPPED${why_skipped[$name]:+: ${why_skipped[$name]}}")
    if [ -n "${CI:-}" ] && ! grep -qF "\`$name\`" docs/judges.md; then
      summary+=("$preset: $name may not be skipped in CI: docs/judges.md does not list it")
      failed=1
    fi
  done < <(names_in "$log" Skipped)
}

# An optimised build runs against real clocks and neighbours: what fails there is run once more, alone. What passes then is
# told as flaky, and has to be listed in tests/flaky.txt, where law.flaky lets it stand for one landing.
run_again() {
  local log=$1 preset=$2 again=build/$2.again.log name
  local names
  mapfile -t names < <(names_in "$log" 'Failed|Timeout|SEGFAULT|Subprocess aborted|Exit code.*')
  [ ${#names[@]} -gt 0 ] || return 1
  say "running what failed once more: ${names[*]}"
  ctest --test-dir "build/$preset" -j 1 --output-on-failure --timeout 600 --rerun-failed --output-log "$again" || return 1
  for name in "${names[@]}"; do
    summary+=("$preset: $name is FLAKY: it failed, then passed alone (log: $log)")
    grep -qE "^$name[[:blank:]]" tests/flaky.txt ||
      summary+=("$preset: mend $name, or add \"$name $(date -u +%F) why\" to tests/flaky.txt until the next landing")
  done
}

# run_round ROUND [arguments of ctest]
run_round() {
  local round=$1 preset=$1 targets=() chosen=() runner=() started=$SECONDS status=0 outcome options=()
  shift
  case $round in
    asan) targets=(sanitized_tests) chosen=(-LE optimised) runner=("${fixed_addresses[@]}") ;;
    tsan) targets=(concurrent_tests) chosen=(-L concurrent) runner=("${fixed_addresses[@]}") ;;
    release) targets=(optimised_tests) chosen=(-L 'optimised|example') ;;
    judges)
      export CORBEL_TEST_EFFORT=5
      preset=release targets=(sanitized_tests optimised_tests) chosen=(-L judged) options=(--timeout 3600)
      ;;
    soak)
      export CORBEL_TEST_EFFORT=20 CORBEL_STRESS=1000000
      preset=release targets=(sanitized_tests optimised_tests) chosen=(-L soaked) options=(--timeout 7200)
      ;;
  esac
  [ $# -gt 0 ] || chosen+=(--no-tests=error)
  local build=$preset${compiler:+-$compiler}
  configure "$preset" "$compiler" "$build"
  preset=$build
  build "$preset" "${targets[@]}"
  if [ -z "$services_dir" ]; then
    start_services
    bring_pgvector
    bring_libpqxx7
  fi
  say "running the tests of build/$preset"
  "${runner[@]}" ctest --test-dir "build/$preset" -j "$(nproc)" --output-on-failure --timeout 600 "${options[@]}" \
    --output-log "build/$preset.test.log" "${chosen[@]}" "$@" || status=$?
  outcome=$(grep -aE 'tests passed|No tests were found' "build/$preset.test.log" | tail -n 1)
  summary+=("$round: ${outcome:-the tests did not run}, $((SECONDS - started)) s with the build (log: build/$preset.test.log)")
  note_skipped "build/$preset.test.log" "$round"
  [ "$status" -eq 0 ] || { [ "$round" = release ] && run_again "build/$preset.test.log" "$preset"; } || failed=1
}

# Prints what the rounds came to, and ends the script with it.
conclude() {
  local line
  echo
  for line in "${summary[@]}"; do say "$line"; done
  [ "$failed" -eq 0 ] || die "some tests failed; scripts/test with the same options and -R NAME runs one again."
  say "all good"
}
