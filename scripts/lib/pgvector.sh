# shellcheck shell=bash
# A Postgres with pgvector, for the test that asks a real one: Debian 13 has a package of it, for Debian 12 a wheel of
# Python's has it with a Postgres 16. It is a gain and no need: without it that test is skipped, and the summary says why.

pgvector_release=pgserver==0.1.4
pgvector_hash=sha256:d595789b47624a3d963aa9aa6359da9be31beb7e61f1a45541953242068b8813

# has_pip: brings it where that asks nobody for a password.
has_pip() {
  python3 -m pip --version >/dev/null 2>&1 && return
  [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null || return 1
  (need_packages python3-pip) && python3 -m pip --version >/dev/null 2>&1
}

# fetch_pgvector ROOM: false, with the reason in why_skipped, where the wheel could not be had.
fetch_pgvector() {
  local room=$1 part=$1.part log=build/interop/pip.log
  mkdir -p build/interop
  if ! has_pip; then
    why_skipped[postgres.pgvector]="pip, which would fetch $pgvector_release, is missing (apt-get install python3-pip)"
    return 1
  fi
  say "fetching a Postgres with pgvector into $room"
  rm -rf "$part"
  mkdir "$part"
  printf '%s --hash=%s\n' "$pgvector_release" "$pgvector_hash" >"$part/wanted.txt"
  if ! timeout 300 python3 -m pip download --disable-pip-version-check --no-input --retries 1 --no-deps \
    --only-binary :all: --python-version 3.11 --require-hashes -r "$part/wanted.txt" -d "$part" >"$log" 2>&1 ||
    ! python3 -m zipfile -e "$part"/*.whl "$part" >>"$log" 2>&1; then
    why_skipped[postgres.pgvector]="pip could not fetch $pgvector_release (log: $log)"
    rm -rf "$part"
    return 1
  fi
  # A wheel knows no run bits, and whoever runs the servers is somebody else.
  rm -rf "$part"/*.whl "$part"/*.so "$part/pgserver/pginstall/include"
  chmod -R a+rX "$part"
  chmod a+x "$part"/pgserver/pginstall/bin/*
  mv "$part" "$room"
}

# pgvector_runs FOLDER: whether whoever runs the servers can read its programs and their libraries.
pgvector_runs() {
  "${as_nobody[@]}" "$1/postgres" --version >/dev/null 2>&1 && "${as_nobody[@]}" "$1/initdb" --version >/dev/null 2>&1
}

# bring_pgvector: behind start_services. Sets CORBEL_TEST_PGVECTOR_BIN unless it is set, or says in why_skipped why not.
bring_pgvector() {
  local room=build/interop/pgvector bin=pgserver/pginstall/bin
  [ -z "${CORBEL_TEST_PGVECTOR_BIN:-}" ] || return 0
  local packaged
  packaged=$(find /usr/share/postgresql -path '*/extension/vector.control' 2>/dev/null | sort -V | tail -n 1)
  packaged=/usr/lib/postgresql/$(cut -d / -f 5 <<<"$packaged")/bin
  if pgvector_runs "$packaged"; then
    export CORBEL_TEST_PGVECTOR_BIN=$packaged
    return 0
  fi
  [ -d "$room" ] || fetch_pgvector "$room" || return 0
  room=$PWD/$room
  if ! pgvector_runs "$room/$bin"; then
    # A clone in somebody's home is closed to others.
    cp -R "$room" "$services_dir/pgvector"
    room=$services_dir/pgvector
  fi
  if ! pgvector_runs "$room/$bin"; then
    why_skipped[postgres.pgvector]="the Postgres of $pgvector_release does not run on this system"
    return 0
  fi
  export CORBEL_TEST_PGVECTOR_BIN=$room/$bin
}
