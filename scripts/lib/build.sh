# shellcheck shell=bash
# Configuring and building by the presets of CMakePresets.json, each in build/PRESET.

# Every clone and worktree finds what another one has compiled: paths count from its top.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

# How many compilers at once: one a core, as far as 1.5 GiB each are free.
jobs_that_fit() {
  local cores fit
  cores=$(nproc)
  fit=$(awk '/^MemAvailable:/ { print int($2 / 1572864) }' /proc/meminfo 2>/dev/null || true)
  fit=${fit:-1}
  [ "$fit" -ge 1 ] || fit=1
  echo $((fit < cores ? fit : cores))
}

# The last lines that explain a failed build.
show_failure() {
  if grep -aq '^FAILED: ' "$1"; then
    grep -a -m 1 -A 60 '^FAILED: ' "$1" >&2
  else
    tail -n 40 "$1" >&2
  fi
}

# The compiler of a user's code: clang++-19 where the system's g++ is older than 13 and so destroys some temporaries of a
# co_await expression twice (docs/compilers.md). CXX in the environment decides otherwise.
compiler_for_users() {
  local version
  if [ -n "${CXX:-}" ]; then
    printf '%s\n' "$CXX"
  elif version=$(g++ -dumpversion 2>/dev/null) && [ "${version%%.*}" -ge 13 ]; then
    echo g++
  else
    echo clang++-19
  fi
}

# configure PRESET [COMPILER [NAME]]: in build/NAME, which is build/PRESET unless given. Quick when it was done before with the
# same compiler; a moved clone is configured afresh.
configure() {
  local preset=$1 compiler=${2:-} dir=build/${3:-$1} choice=()
  local log=$dir.configure.log
  if [ -n "$compiler" ]; then
    command -v "$compiler" >/dev/null || die "there is no compiler $compiler here; apt-get install brings one."
    choice=(-D "CMAKE_CXX_COMPILER=$compiler" -D "CMAKE_C_COMPILER=$(sed 's/clang++/clang/; s/g++/gcc/' <<<"$compiler")")
  fi
  if [ -f "$dir/build.ninja" ] && [ "$dir/configured" -nt CMakePresets.json ] && [ "$(<"$dir/configured")" = "$compiler" ] &&
    grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$dir/CMakeCache.txt"; then
    return
  fi
  say "configuring $dir"
  mkdir -p build
  if ! cmake --fresh --preset "$preset" -B "$dir" "${choice[@]}" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    die "cmake could not configure (above; the whole log is $log)."
  fi
  printf '%s\n' "$compiler" >"$dir/configured"
}

# Prints how far a build is: on a terminal in place, in a log every 20 seconds.
report_progress() {
  local log=$1 what=$2 line waited=0
  while sleep 1 && kill -0 $$ 2>/dev/null; do # not beyond the script, should it be interrupted
    line=$(tail -c 2000 "$log" 2>/dev/null | grep -aoE '^\[[0-9]+/[0-9]+\]' | tail -n 1) || continue
    if [ -t 1 ]; then
      printf '\r\033[Kcorbel: building %s %s' "$what" "$line"
    elif [ $((++waited % 20)) -eq 0 ]; then
      say "building $what $line"
    fi
  done
}

# build PRESET TARGET...: prints nothing when there is nothing to do.
build() {
  local preset=$1 log=build/$1.build.log started=$SECONDS status=0 progress
  shift
  : >"$log"
  report_progress "$log" "build/$preset" &
  progress=$!
  NINJA_STATUS='[%f/%t] ' cmake --build "build/$preset" -j "$(jobs_that_fit)" --target "$@" >"$log" 2>&1 || status=$?
  kill "$progress" 2>/dev/null || true
  wait "$progress" 2>/dev/null || true
  [ ! -t 1 ] || printf '\r\033[K'
  if [ "$status" -ne 0 ]; then
    show_failure "$log"
    die "the build failed (above; the whole log is $log)."
  fi
  grep -aq 'no work to do' "$log" || say "built build/$preset in $((SECONDS - started)) s"
}
