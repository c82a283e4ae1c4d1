# shellcheck shell=bash
# What the scripts tell people: one line a step, errors with what to do next.

say() { printf 'corbel: %s\n' "$*"; }

die() {
  printf 'corbel: %s\n' "$*" >&2
  exit 1
}
