# shellcheck shell=bash
# A Postgres and a Redis of our own for one test run: random ports, nothing kept, stopped by process id.

service_pids=()
services_dir=

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# postgres_program NAME: Debian keeps the server's programs out of PATH, one folder a version.
postgres_program() {
  local found
  found=$(command -v "$1" || find /usr/lib/postgresql -path "*/bin/$1" 2>/dev/null | sort -V | tail -n 1)
  [ -n "$found" ] || die "$1 is not installed; apt-get install postgresql brings it."
  printf '%s\n' "$found"
}

# wait_until SECONDS COMMAND...: false when the command has not succeeded by then.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

start_postgres() {
  local port
  port=$(free_port)
  "${as_nobody[@]}" "$(postgres_program initdb)" -D "$services_dir/postgres" -U corbel -A trust -E UTF8 \
    --locale=C --no-sync >"$services_dir/initdb.log" 2>&1 ||
    { cat "$services_dir/initdb.log" >&2; die "initdb failed (above)."; }
  "${as_nobody[@]}" "$(postgres_program postgres)" -D "$services_dir/postgres" -k "$services_dir" -p "$port" \
    -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200 >"$services_dir/postgres.log" 2>&1 &
  service_pids+=($!)
  wait_until 30 "$(postgres_program pg_isready)" -h 127.0.0.1 -p "$port" ||
    { cat "$services_dir/postgres.log" >&2; die "Postgres did not start within 30 s (its log is above)."; }
  export CORBEL_TEST_POSTGRES_URL=postgres://corbel@127.0.0.1:$port/postgres
}

start_redis() {
  local port
  port=$(free_port)
  "${as_nobody[@]}" redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no \
    --dir "$services_dir" >"$services_dir/redis.log" 2>&1 &
  service_pids+=($!)
  wait_until 30 redis-cli -h 127.0.0.1 -p "$port" ping ||
    { cat "$services_dir/redis.log" >&2; die "Redis did not start within 30 s (its log is above)."; }
  export CORBEL_TEST_REDIS_URL=redis://127.0.0.1:$port
}

# Starts what the environment does not name already. The caller traps EXIT with stop_services.
start_services() {
  as_nobody=()
  services_dir=$(mktemp -d "${TMPDIR:-/tmp}/corbel-test.XXXXXX")
  if [ "$(id -u)" -eq 0 ]; then # Postgres refuses to run as root
    as_nobody=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    chown postgres:postgres "$services_dir"
  fi
  [ -n "${CORBEL_TEST_POSTGRES_URL:-}" ] || start_postgres
  [ -n "${CORBEL_TEST_REDIS_URL:-}" ] || start_redis
}

stop_services() {
  local pid
  for pid in "${service_pids[@]}"; do kill -INT "$pid" 2>/dev/null || true; done
  for pid in "${service_pids[@]}"; do
    wait_until 5 gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  service_pids=()
  [ -z "$services_dir" ] || rm -rf "$services_dir"
}

gone() { ! kill -0 "$1" 2>/dev/null; }
