# shellcheck shell=bash
# The headers of libpqxx 7, for the test that compiles with them what users of libpqxx compile: Debian 12 itself has 6.4,
# Debian 13 has 7.10 in the same archive. A gain and no need: without them that test is skipped, and the summary says why.

libpqxx7_version=7.10.0-2
libpqxx7_hash=SHA256:0de009e97a2e9f4e27ea0ba240a98bc06189e11f2991421d65b0d8995090c14f # of amd64

# archive_of PACKAGE: the folder of Debian's archive that apt would fetch it from.
archive_of() { apt-get download --print-uris "$1" 2>/dev/null | sed -nE "1s/^'(.*)\/[^/]+' .*/\1/p"; }

# bring_libpqxx7: sets CORBEL_TEST_LIBPQXX7 unless it is set, or says in why_skipped why not.
bring_libpqxx7() {
  local room=build/interop/libpqxx7 name=libpqxx-dev_${libpqxx7_version}_amd64.deb archive
  [ -z "${CORBEL_TEST_LIBPQXX7:-}" ] || return 0
  if is_installed 'libpqxx-dev>=7'; then # compiled with it are all the other tests, too
    CORBEL_TEST_LIBPQXX7=$(dirname "$(dirname "$(dpkg-query -L libpqxx-dev | grep -m 1 '/pqxx/pqxx$')")")
    export CORBEL_TEST_LIBPQXX7
    return 0
  fi
  if [ ! -d "$room" ]; then
    if [ "$(dpkg --print-architecture 2>/dev/null)" != amd64 ]; then
      why_skipped[data.libpqxx7]="the headers of libpqxx 7 are fetched on amd64 alone"
      return 0
    fi
    say "fetching the headers of libpqxx 7 into $room"
    mkdir -p "$room.part"
    archive=$(archive_of libpqxx-dev) || true
    if [ -z "$archive" ] ||
      ! timeout 120 /usr/lib/apt/apt-helper download-file "$archive/$name" "$room.part/$name" "$libpqxx7_hash" \
        >build/interop/libpqxx7.log 2>&1 ||
      ! dpkg-deb -x "$room.part/$name" "$room.part" 2>>build/interop/libpqxx7.log; then
      why_skipped[data.libpqxx7]="$name could not be fetched (log: build/interop/libpqxx7.log)"
      rm -rf "$room.part"
      return 0
    fi
    mv "$room.part/usr/include" "$room"
    rm -rf "$room.part"
  fi
  export CORBEL_TEST_LIBPQXX7=$PWD/$room
}
