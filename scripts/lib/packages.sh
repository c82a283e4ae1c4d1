# shellcheck shell=bash
# Debian packages: which ones, and how the missing ones come in. docs/dependencies.md says what each is for.

# shellcheck disable=SC2034 # read by the scripts that source this file
{
  # NAME|OTHER: the first name that the system's archive knows.
  build_packages=(g++ cmake ninja-build ccache 'libboost1.81-dev|libboost-dev' libssl-dev
    nlohmann-json3-dev libvalijson-dev libre2-dev libsqlite3-dev libpq-dev libpqxx-dev zlib1g-dev libbrotli-dev)
  test_packages=(git python3 curl openssl doctest-dev libbenchmark-dev clang-format-14 postgresql pgbouncer redis-server)
  clang_packages=(clang-19 libclang-rt-19-dev) # the sanitizers' compiler
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Prints those of the given packages of which no alternative is installed.
missing_of() {
  local wanted name
  for wanted in "$@"; do
    for name in ${wanted//|/ }; do
      is_installed "$name" && continue 2
    done
    printf '%s\n' "$wanted"
  done
}

# Prints the alternative that the archive knows, or the first one, so that apt names it in its complaint.
known_of() {
  local name
  for name in ${1//|/ }; do
    if apt-cache show --no-all-versions "$name" >/dev/null 2>&1; then
      printf '%s\n' "$name"
      return
    fi
  done
  printf '%s\n' "${1%%|*}"
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

# need_packages NAME...: installs what is missing, or says in one sentence why it cannot.
need_packages() {
  local missing=() names=() wanted
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "this system has no apt-get, so nothing is installed for you; needed are: ${*//|/ or }"
    return
  fi
  mapfile -t missing < <(missing_of "$@")
  [ ${#missing[@]} -gt 0 ] || return 0

  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "these packages are missing: ${missing[*]//|*/}. Installing them takes root and there is no sudo:
  run as root: apt-get update && apt-get install --no-install-recommends ${missing[*]//|*/}"
    if [ -t 0 ]; then as_root=(sudo); else as_root=(sudo -n); fi
    "${as_root[@]}" true ||
      die "these packages are missing: ${missing[*]//|*/}. Installing them takes root and sudo refused:
  run as root: apt-get update && apt-get install --no-install-recommends ${missing[*]//|*/}"
  fi

  say "reading the package lists"
  apt_get update
  for wanted in "${missing[@]}"; do names+=("$(known_of "$wanted")"); done
  say "installing ${names[*]}"
  # --no-remove: never trade a package the machine has for one of ours.
  apt_get install --no-install-recommends --no-remove "${names[@]}"
}
