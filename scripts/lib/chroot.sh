# shellcheck shell=bash
# scripts/test --on SUITE: the tests on another Debian, from nothing. A bare system is made by debootstrap in build/on, this
# tree is copied into it, and scripts/test runs there as root, as it would on somebody's fresh machine. It is removed afterwards,
# also when interrupted. What ccache and the mirror gave stays in build/on/SUITE.cache for the next time.
#
# Everything in it runs in name spaces of its own: whatever is mounted there, or runs there, ends with it.

on_room=   # the system's folder, while there is one
on_inside= # the process that everything inside hangs on

# mirrors_of_host: the archives that this system's apt asks, each once.
mirrors_of_host() { apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | sed 's|/*$||' | sort -u; }

# mirror_with SUITE: the first of them that has Debian's SUITE; nothing where none has.
mirror_with() {
  local uri release=$on_room.release
  while read -r uri; do
    if /usr/lib/apt/apt-helper download-file "$uri/dists/$1/Release" "$release" >/dev/null 2>&1 &&
      grep -qx 'Origin: Debian' "$release" && grep -qx "Codename: $1" "$release"; then
      printf '%s\n' "$uri"
      break
    fi
  done < <(mirrors_of_host)
  rm -f "$release"
}

# Whether somebody told this system's apt to believe an archive without a signature.
host_trusts_unsigned() {
  grep -rqsiE '^[[:space:]]*trusted:[[:space:]]*yes|^deb[[:space:]]+\[[^]]*trusted=yes' /etc/apt/sources.list /etc/apt/sources.list.d
}

# What this system's apt has been told about reaching archives: proxies, certificates, dates.
reaching_archives() {
  apt-config dump | grep -E '^Acquire::(https?|ftp|Check-|Retries|ForceIP|Allow)[^ ]* "[^"]+";' || true
}

# hand_down FILE...: the same file inside, where this system has it.
hand_down() {
  local file
  for file in "$@"; do
    [ -e "$file" ] || continue
    mkdir -p "$on_room$(dirname "$file")"
    rm -rf "${on_room:?}$file"
    cp -RL "$file" "$on_room$file"
  done
}

# contained [options of unshare] COMMAND...: in name spaces of its own, and in the background, where it can be ended at once.
contained() {
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child=KILL "$@" &
  on_inside=$!
  local status=0
  wait "$on_inside" || status=$?
  on_inside=
  return "$status"
}

# bootstrap SUITE
bootstrap() {
  local suite=$1 mirror options=(--variant=minbase --merged-usr) log=build/on/$1.log proxy
  mirror=$(mirror_with "$suite")
  # Where this system's apt asks no archive of Debian's, debootstrap asks the one that it knows.
  say "making a bare $suite in $on_room${mirror:+ from $mirror}"
  if [ -f /usr/share/keyrings/debian-archive-keyring.gpg ]; then
    options+=(--keyring=/usr/share/keyrings/debian-archive-keyring.gpg)
  fi
  if host_trusts_unsigned; then options+=(--no-check-gpg); fi
  options+=(--cache-dir="$PWD/build/on/$suite.cache/debs")
  proxy=$(apt-config shell it Acquire::http::Proxy)
  proxy=${proxy#it=\'} proxy=${proxy%\'}
  if [ -n "$proxy" ] && [ "$proxy" != DIRECT ]; then export http_proxy=${http_proxy:-$proxy}; fi
  if ! contained --mount-proc debootstrap "${options[@]}" "$suite" "$on_room" ${mirror:+"$mirror"} >"$log" 2>&1; then
    tail -n 25 "$log" >&2
    die "debootstrap could not make a $suite (above; the whole log is $log). It must know that name, reach an archive of
  Debian, and write to a file system where devices and programs are allowed."
  fi
  if host_trusts_unsigned; then sed -i 's/^deb /deb [trusted=yes] /' "$on_room/etc/apt/sources.list"; fi
  reaching_archives >"$on_room/etc/apt/apt.conf.d/00host"
  hand_down /etc/resolv.conf /etc/hosts /etc/apt/auth.conf /etc/apt/auth.conf.d /etc/ssl/certs/ca-certificates.crt /etc/pip.conf
  printf '#!/bin/sh\nexit 101\n' >"$on_room/usr/sbin/policy-rc.d" # a server's package shall not start it as a service
  chmod +x "$on_room/usr/sbin/policy-rc.d"
}

# The files that belong to the tree, as they are now, in a repository of their own.
copy_tree() {
  local to=$on_room/corbel file
  mkdir "$to"
  if [ -e .git ]; then
    git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard
  else
    find . -mindepth 1 \( -path ./build -o -path ./.cache \) -prune -o -type f -print0
  fi | while IFS= read -r -d '' file; do
    if [ -f "$file" ]; then printf '%s\0' "$file"; fi # not what was deleted since
  done | tar --null --no-recursion -T - -c | tar -x --no-same-owner -C "$to"
  git -C "$to" init -q
  git -C "$to" add --all
}

remove_room() {
  if [ -n "$on_inside" ]; then
    kill -KILL "$on_inside" 2>/dev/null || true # takes everything inside along
    wait "$on_inside" 2>/dev/null || true
    on_inside=
  fi
  [ -n "$on_room" ] || return 0
  say "removing $on_room"
  local attempt
  for attempt in 1 2 3 4 5; do # what has just been killed may hold on for a moment
    rm -rf --one-file-system "$on_room" 2>/dev/null && break
    [ "$attempt" -lt 5 ] || say "$on_room could not be removed; when nothing runs there any more: rm -rf --one-file-system $on_room"
    sleep 1
  done
  on_room=
  [ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" build/on
}

# What was left by one that was killed with no chance to remove it.
remove_left_rooms() {
  local room
  for room in build/on/*.[0-9]*; do
    [ -d "$room" ] || continue
    kill -0 "${room##*.}" 2>/dev/null || rm -rf --one-file-system "$room"
  done
}

# Runs in the name spaces, as their first process: ROOM CACHE COMMAND...
# shellcheck disable=SC2016 # it is another shell's program
inside='
  set -e
  room=$1 cache=$2
  shift 2
  mount -t proc proc "$room/proc"
  mount --rbind /sys "$room/sys"
  mount --rbind /dev "$room/dev"
  mkdir -p "$room/root/.cache/ccache"
  mount --bind "$cache/ccache" "$room/root/.cache/ccache"
  mount --bind "$cache/debs" "$room/var/cache/apt/archives"
  exec chroot "$room" "$@"'

# run_on SUITE [options and arguments of scripts/test]
run_on() {
  local suite=${1:-} status=0 name passed=()
  [[ $suite =~ ^[a-z]+$ ]] || die "--on takes the name of a Debian, such as bookworm or trixie, not \"$suite\"."
  shift
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "--on makes a system of its own, which takes root, and there is no sudo: run scripts/test --on $suite as root."
    say "--on makes a system of its own, which takes root: asking sudo"
    exec sudo scripts/test --on "$suite" "$@"
  fi
  need_packages debootstrap git
  for name in debootstrap unshare setpriv; do
    command -v "$name" >/dev/null || die "--on needs $name: install debootstrap and util-linux."
  done
  unshare --mount --pid --fork true 2>/dev/null ||
    die "--on needs to mount, which this system (a container without privileges?) does not let even root do."

  mkdir -p build/on
  remove_left_rooms
  trap remove_room EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  on_room=$PWD/build/on/$suite.$$
  mkdir -p "build/on/$suite.cache/ccache" "build/on/$suite.cache/debs"
  bootstrap "$suite"
  copy_tree
  for name in http_proxy https_proxy no_proxy CI CORBEL_STRESS CORBEL_TEST_EFFORT; do
    [ -z "${!name:-}" ] || passed+=("$name=${!name}")
  done
  say "running scripts/test in it"
  contained bash -c "$inside" inside "$on_room" "$PWD/build/on/$suite.cache" \
    env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 ${passed[@]+"${passed[@]}"} \
    /corbel/scripts/test "$@" || status=$?
  exit "$status"
}
