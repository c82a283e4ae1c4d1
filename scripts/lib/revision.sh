# shellcheck shell=bash
# scripts/bench --against REV: that revision's bench_server, built beside the working tree's. The caller sources say.sh and build.sh first.
#
# One git worktree in build/against serves every revision in turn, so that the next one compiles only what differs.

# revision_of ARGUMENTS...: what stands behind --against; nothing where it does not occur.
revision_of() {
  while [ $# -gt 0 ]; do
    case $1 in
      --against) [ $# -lt 2 ] || printf '%s\n' "$2" ;;
      --against=*) printf '%s\n' "${1#*=}" ;;
    esac
    shift
  done | tail -n 1
}

# commit_of REV
commit_of() {
  git rev-parse --git-dir >/dev/null || die "--against needs a git clone, to take the revision from (git's own words are above)."
  git rev-parse --verify --quiet --end-of-options "$1^{commit}" ||
    die "git knows no revision $1 here. A clone with too little history gets it by git fetch origin $1; see git log for what there is."
}

# build_revision REV: sets `old` to the options that tell the harness where its program is.
build_revision() {
  local tree commit log=build/against.log
  tree=$(pwd -P)/build/against
  commit=$(commit_of "$1") || exit
  if [ "$(git -C "$tree" rev-parse --show-toplevel 2>/dev/null)" != "$tree" ]; then
    rm -rf "$tree"
    mkdir -p build
    git worktree add --force --detach "$tree" "$commit" >"$log" 2>&1 || { cat "$log" >&2; die "git could not put $1 into $tree (above)."; }
  fi
  git -C "$tree" checkout --force --detach "$commit" >"$log" 2>&1 || { cat "$log" >&2; die "git could not put $1 into $tree (above)."; }
  say "building $1 ($(git rev-parse --short "$commit")) in build/against"
  (
    cd "$tree" || exit
    export CCACHE_BASEDIR=$tree
    mkdir -p build
    configure bench
    build bench bench_server
  ) || die "$1 could not be built (above). It must have the preset bench, and compile with what is installed here."
  # shellcheck disable=SC2034 # of scripts/bench
  old=(--against-program "$tree/build/bench/benchmarks/bench_server")
}
