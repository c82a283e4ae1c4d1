# shellcheck shell=bash
# The servers that scripts/bench --peers compares with: installed by name, or left out with the reason.

# try WHAT COMMAND...: the command's failure, which has told its reason, costs only WHAT.
try() {
  local what=$1
  shift
  ("$@") || say "$what is left out: it could not be installed (the reason is above)."
}

npm_peers() {
  command -v node >/dev/null && command -v npm >/dev/null || need_packages nodejs npm
  [ -d build/bench/peers/node_modules/fastify ] && [ -d build/bench/peers/node_modules/express ] && return
  say "installing fastify, express and ajv by npm into build/bench/peers"
  mkdir -p build/bench/peers
  npm install --prefix build/bench/peers --no-audit --no-fund --no-save fastify@5 express@5 ajv@8 \
    >build/bench/peers/npm.log 2>&1 ||
    { tail -n 5 build/bench/peers/npm.log >&2; die "npm install failed (above)."; }
}

httplib_peer() {
  need_packages libcpp-httplib-dev
  cmake --preset bench >build/bench.configure.log 2>&1 # so that it finds the header that has just come
  build bench peer_httplib
}

# From the source that a package of Rust's registry carries: Debian has none.
uwebsockets_peer() {
  local room=build/bench/peers/uwebsockets
  if [ ! -d "$room/vendor" ]; then
    command -v cargo >/dev/null || need_packages cargo
    say "fetching uWebSockets by cargo into $room"
    mkdir -p "$room/src"
    : >"$room/src/lib.rs"
    printf '[package]\nname = "peers"\nversion = "0.0.0"\n[dependencies]\nlibuwebsockets-sys = "0.0.10"\n' >"$room/Cargo.toml"
    (cd "$room" && cargo vendor >cargo.log 2>&1) ||
      { tail -n 5 "$room/cargo.log" >&2; die "cargo vendor failed (above)."; }
  fi
  cmake --preset bench >build/bench.configure.log 2>&1 # so that it finds the source that has just come
  build bench peer_uwebsockets
}

bring_peers() {
  export RUNLEVEL=1 # a server's package shall not start it as a service
  command -v nginx >/dev/null || try nginx need_packages nginx-light
  try 'Fastify and Express' npm_peers
  try cpp-httplib httplib_peer
  try uWebSockets uwebsockets_peer
}
