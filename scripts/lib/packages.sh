# shellcheck shell=bash
# Debian packages: which ones, and how the missing ones come in. docs/dependencies.md says what each is for.

# shellcheck disable=SC2034 # read by the scripts that source this file
{
  # NAME|OTHER: any of them will do; what is missing is taken from the first name that the system's archive has.
  # NAME>=VERSION: an older one will not do. NAME?: a gain and no need, left out where the archive has none.
  build_packages=(g++ cmake ninja-build ccache
    'libboost1.81-dev|libboost-dev>=1.81|libboost1.83-dev|libboost1.88-dev' libssl-dev
    nlohmann-json3-dev libvalijson-dev libre2-dev libsqlite3-dev libpq-dev libpqxx-dev zlib1g-dev libbrotli-dev)
  test_packages=(git python3 curl openssl doctest-dev libbenchmark-dev 'clang-format-14?' postgresql
    'postgresql-17-pgvector?' pgbouncer redis-server)
  clang_packages=(clang-19 libclang-rt-19-dev) # the sanitizers' compiler
}

is_installed() {
  local name=${1%%>=*} version
  version=$(dpkg-query -W -f='${db:Status-Status} ${Version}' "$name" 2>/dev/null) || return 1
  [ "${version%% *}" = installed ] || return 1
  [ "$name" = "$1" ] || dpkg --compare-versions "${version#* }" ge "${1#*>=}"
}

# What the archive would install: it may know a name, from what other packages say, and have no package of it.
has_candidate() {
  local name=${1%%>=*} version
  version=$(LC_ALL=C apt-cache policy "$name" 2>/dev/null | sed -n 's/^ *Candidate: \([^(]\)/\1/p')
  [ -n "$version" ] || return 1
  [ "$name" = "$1" ] || dpkg --compare-versions "$version" ge "${1#*>=}"
}

# Prints those of the given packages of which no alternative is installed.
missing_of() {
  local wanted name
  for wanted in "$@"; do
    for name in ${wanted//|/ }; do
      is_installed "${name%\?}" && continue 2
    done
    printf '%s\n' "$wanted"
  done
}

# Prints the alternative that the archive has, or the first one, so that apt names it in its complaint.
known_of() {
  local name
  for name in ${1//|/ }; do
    if has_candidate "$name"; then
      printf '%s\n' "${name%%>=*}"
      return
    fi
  done
  name=${1%%|*}
  printf '%s\n' "${name%%>=*}"
}

# The packages of that kind that this system's archive was asked for and did not have, a line each: it is not asked again.
archive_without=build/archive-without
of_this_system() {
  local name
  name=$(. /etc/os-release 2>/dev/null && printf '%s' "${ID:-} ${VERSION_ID:-}")
  printf '%s: %s\n' "$name" "$1"
}

# Prints the names, without their mark, of the NAME? among the given ones that may yet be had.
gains_among() {
  local wanted
  for wanted in "$@"; do
    if [ "$wanted" != "${wanted%\?}" ] && ! grep -qsxF "$(of_this_system "${wanted%\?}")" "$archive_without"; then
      printf '%s\n' "${wanted%\?}"
    fi
  done
}

needs_among() {
  local wanted
  for wanted in "$@"; do [ "$wanted" != "${wanted%\?}" ] || printf '%s\n' "$wanted"; done
}

# Runs apt-get as root, quietly; its output is shown only when it fails.
apt_get() {
  local log status=0
  log=$(mktemp)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 "$@" \
    >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" -ne 0 ]; then
    tail -n 25 "$log" >&2
    rm -f "$log"
    die "apt-get $1 failed (its last lines are above). Mend that, then run this again."
  fi
  rm -f "$log"
}

# Sets as_root to what runs a command as root; false where nothing does.
may_be_root() {
  as_root=()
  [ "$(id -u)" -ne 0 ] || return 0
  command -v sudo >/dev/null || return 1
  if [ -t 0 ]; then as_root=(sudo); else as_root=(sudo -n); fi
  "${as_root[@]}" true
}

# need_packages NAME...: installs what is missing, or says in one sentence why it cannot.
need_packages() {
  local missing=() needs=() gains=() names=() wanted
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    mapfile -t needs < <(needs_among "$@")
    say "this system has no apt-get, so nothing is installed for you; needed are: ${needs[*]//|/ or }"
    return
  fi
  mapfile -t missing < <(missing_of "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  mapfile -t needs < <(needs_among "${missing[@]}")
  mapfile -t gains < <(gains_among "${missing[@]}")
  [ $((${#needs[@]} + ${#gains[@]})) -gt 0 ] || return 0

  if ! may_be_root; then
    [ ${#needs[@]} -gt 0 ] || return 0
    for wanted in "${needs[@]}"; do names+=("$(known_of "$wanted")"); done
    die "these packages are missing: ${names[*]}. Installing them takes root, and there is no sudo or it refused:
  run as root: apt-get update && apt-get install --no-install-recommends ${names[*]}"
  fi

  say "reading the package lists"
  apt_get update
  for wanted in "${needs[@]}"; do names+=("$(known_of "$wanted")"); done
  for wanted in "${gains[@]}"; do
    if has_candidate "$wanted"; then
      names+=("$wanted")
    else
      mkdir -p build
      of_this_system "$wanted" >>"$archive_without"
    fi
  done
  [ ${#names[@]} -gt 0 ] || return 0
  say "installing ${names[*]}"
  # --no-remove: never trade a package the machine has for one of ours.
  apt_get install --no-install-recommends --no-remove "${names[@]}"
}
