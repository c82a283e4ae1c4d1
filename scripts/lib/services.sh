# shellcheck shell=bash
# Servers of our own for one run, on random ports, with nothing kept: Postgres, PgBouncer in front of it, and Redis.
# Each is stopped by its process id.

service_pids=()    # in the order of their start
service_signals=() # what ends each of them soonest without a mess
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
    sleep 0.05
  done
}

# launch NAME SIGNAL COMMAND...: in the background, as the unprivileged user, with its output in NAME.log.
launch() {
  local name=$1 signal=$2
  shift 2
  "${as_nobody[@]}" "$@" >"$services_dir/$name.log" 2>&1 &
  service_pids+=($!)
  service_signals+=("$signal")
}

# expect NAME COMMAND...: ends the script, with NAME's log, when COMMAND does not succeed soon.
expect() {
  local name=$1
  shift
  wait_until 30 "$@" || { cat "$services_dir/$name.log" >&2; die "$name did not start within 30 s (its log is above)."; }
}

# Replicas that tests start can follow it. What a power cut would cost is no matter here, so nothing waits for the disk.
start_postgres() {
  local bin
  bin=$(dirname "$(readlink -f "$(postgres_program postgres)")") # where all of them are, whatever PATH links to
  postgres_port=$(free_port)
  "${as_nobody[@]}" "$bin/initdb" -D "$services_dir/postgres" -U corbel -A trust -E UTF8 \
    --locale=C --no-sync >"$services_dir/initdb.log" 2>&1 ||
    { cat "$services_dir/initdb.log" >&2; die "initdb failed (above)."; }
  launch postgres INT "$bin/postgres" -D "$services_dir/postgres" -k "$services_dir" -p "$postgres_port" \
    -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200 \
    -c wal_level=replica -c max_wal_senders=8 -c wal_keep_size=64MB
  # shellcheck disable=SC2034 # scripts/bench reads it
  postgres_pid=${service_pids[-1]}
  expect postgres "$(postgres_program pg_isready)" -h 127.0.0.1 -p "$postgres_port"
  export CORBEL_TEST_POSTGRES_URL=postgres://corbel@127.0.0.1:$postgres_port/postgres
  # For tests that start servers of their own: the programs, the user who may run them, and the words that run as him.
  export CORBEL_TEST_POSTGRES_BIN=$bin CORBEL_TEST_POSTGRES_RUN="${as_nobody[*]}"
}

# In transaction mode, as it ships otherwise: what it refuses by itself, it refuses here.
start_pgbouncer() {
  local port
  port=$(free_port)
  cat >"$services_dir/pgbouncer.ini" <<INI
[databases]
* = host=127.0.0.1 port=$postgres_port user=corbel
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 200
default_pool_size = 20
INI
  launch pgbouncer TERM pgbouncer "$services_dir/pgbouncer.ini" # INT would wait for its clients
  expect pgbouncer "$(postgres_program pg_isready)" -h 127.0.0.1 -p "$port"
  export CORBEL_TEST_PGBOUNCER_URL=postgres://corbel@127.0.0.1:$port/postgres
}

start_redis() {
  redis_port=$(free_port)
  launch redis INT redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no --dir "$services_dir"
}

await_redis() {
  expect redis redis-cli -h 127.0.0.1 -p "$redis_port" ping
  export CORBEL_TEST_REDIS_URL=redis://127.0.0.1:$redis_port
}

# A folder for all of them, and the user that they run as.
prepare_services() {
  as_nobody=()
  services_dir=$(mktemp -d "${TMPDIR:-/tmp}/corbel-test.XXXXXX")
  if [ "$(id -u)" -eq 0 ]; then # Postgres and PgBouncer refuse to run as root
    as_nobody=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    chown postgres:postgres "$services_dir"
  fi
}

# Starts what the environment does not name already; PgBouncer only with a Postgres of ours. The caller traps EXIT with
# stop_services.
start_services() {
  prepare_services
  [ -n "${CORBEL_TEST_REDIS_URL:-}" ] || start_redis # starts while Postgres does
  if [ -z "${CORBEL_TEST_POSTGRES_URL:-}" ]; then
    start_postgres
    start_pgbouncer
  fi
  [ -n "${CORBEL_TEST_REDIS_URL:-}" ] || await_redis
}

# The last comes first: PgBouncer before the Postgres behind it.
stop_services() {
  local at pid
  for ((at = ${#service_pids[@]} - 1; at >= 0; at--)); do
    pid=${service_pids[at]}
    kill -"${service_signals[at]}" "$pid" 2>/dev/null || true
    wait_until 5 gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  service_pids=()
  service_signals=()
  [ -z "$services_dir" ] || rm -rf "$services_dir"
}

gone() { ! kill -0 "$1" 2>/dev/null; }
