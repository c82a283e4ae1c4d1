#!/usr/bin/env bash
# What scripts/lib/packages.sh asks of an archive that knows a name without having a package of it, of versions that are too
# old, and of packages that are a gain and no need. The archive and the system are told below; nothing is installed.
set -euo pipefail
command -v dpkg >/dev/null || exit 77 # it compares versions
tree=$(realpath "$1")
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
. "$tree/scripts/lib/say.sh"
. "$tree/scripts/lib/packages.sh"

declare -A archive=() system=()
apt-cache() { # as `apt-cache policy` answers, whatever the system's language
  printf '%s:\n  Installed: (none)\n  Candidate: %s\n  Version table:\n' "$2" "${archive[$2]:-(none)}"
}
dpkg-query() { [ -n "${system[${!#}]:-}" ] && printf 'installed %s' "${system[${!#}]}"; }
apt-get() { :; }
may_be_root() { as_root=(); }
asked=()
apt_get() { asked+=("$*"); }

failed=0
expect() { # expect WHAT WANTED GOT
  [ "$2" = "$3" ] || { printf '%s: expected "%s", not "%s"\n' "$1" "$2" "$3"; failed=1; }
}

archive=([libboost-dev]=1.83.0.2 [libboost1.88-dev]=1.88.0 [tool-2]=2.0)
boost='libboost1.81-dev|libboost-dev>=1.81|libboost1.88-dev'
expect 'a name without a package' libboost-dev "$(known_of "$boost")"
archive[libboost-dev]=1.74.0.3
expect 'a version that is too old' libboost1.88-dev "$(known_of "$boost")"
expect 'nothing that would do' gone-1 "$(known_of 'gone-1|gone-2>=3')"

system=([libboost-dev]=1.74.0.3)
expect 'an old one is installed' "$boost" "$(missing_of "$boost")"
system[libboost-dev]=1.81.0
expect 'a new one is installed' '' "$(missing_of "$boost")"

system=([base]=1)
need_packages base 'gone-gain?' >/dev/null
expect 'a gain that the archive does not have' update "${asked[*]}"
asked=()
need_packages base 'gone-gain?' >/dev/null
expect 'it is not asked for again' '' "${asked[*]-}"
need_packages base 'gone-gain?' 'tool-2?' tool-1\|tool-2 >/dev/null
expect 'what is there' 'update install --no-install-recommends --no-remove tool-2 tool-2' "${asked[*]}"

may_be_root() { return 1; }
asked=()
need_packages base 'tool-2?' >/dev/null
expect 'nobody needs root for a gain' '' "${asked[*]-}"
expect 'a need without root names it' 1 \
  "$( (need_packages tool-1\|tool-2) 2>&1 | grep -c 'apt-get install --no-install-recommends tool-2')"
exit "$failed"
