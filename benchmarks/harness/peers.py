"""Other servers, started with the routes of ours as far as they have them. Whoever is missing is named, not forgotten."""

import pathlib
import shutil

LIBPQXX = "libpqxx"  # the usual way: a pool of threads, each blocked by its connection
SOURCES = pathlib.Path(__file__).resolve().parents[1] / "peers"


def database_commands(programs, say):
    """Commands by name of what reaches the same database another way."""
    if (programs / "pqxx_server").is_file():
        return {LIBPQXX: f"{programs / 'pqxx_server'} --port {{port}}"}
    say("libpqxx is left out: its headers were not found when build/bench was configured (Debian: libpqxx-dev)")
    return {}


def commands(programs, say):
    """Commands by name of the peers that are installed (scripts/bench --peers installs them first)."""
    modules = programs.parent / "peers/node_modules"
    found = {}
    if shutil.which("nginx"):
        found["nginx"] = f"{SOURCES / 'nginx.sh'} {{port}}"
    else:
        say("nginx is left out: no nginx is installed (Debian: nginx-light)")
    for name in ("fastify", "express"):
        if shutil.which("node") and (modules / name).is_dir():
            found[name] = f"env NODE_PATH={modules} NODE_ENV=production node {SOURCES / name}.js {{port}}"
        else:
            say(f"{name} is left out: node, or npm's {name}, could not be installed (above it says why)")
    if (programs / "peers/peer_httplib").is_file():
        found["cpp-httplib"] = f"{programs / 'peers/peer_httplib'} {{port}}"
    else:
        say("cpp-httplib is left out: its header was not found, or did not compile (Debian: libcpp-httplib-dev)")
    if (programs / "peers/peer_uwebsockets").is_file():
        found["uWebSockets"] = f"{programs / 'peers/peer_uwebsockets'} {{port}}"
    else:
        say("uWebSockets is left out: it could not be fetched by cargo, or did not compile (above it says why)")
    return found
