"""Other servers, started with the routes of ours as far as they have them. Whoever is missing is named, not forgotten."""

import pathlib
import shutil

SOURCES = pathlib.Path(__file__).resolve().parents[1] / "peers"


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
