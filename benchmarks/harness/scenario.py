"""What is asked of a server: built in for bench_server, or read from a user's file."""

import dataclasses
import json
import pathlib

from .machine import Trouble

BODY = ('{"name":"Apollo launch scheduler","description":"Plan and track every task of the launch campaign.",'
        '"ownerId":42,"status":"active","priority":3,"tags":["alpha","beta","release"],"dueDate":"2026-12-31"}')
JSON = ("Content-Type: application/json",)


@dataclasses.dataclass(frozen=True)
class Request:
    path: str
    method: str = "GET"
    headers: tuple = ()
    body: str = ""
    status: int = 200

    def options(self):
        """For bench_load."""
        all_options = ["--path", self.path, "--method", self.method, "--status", str(self.status)]
        for header in self.headers:
            all_options += ["--header", header]
        return all_options + (["--body", self.body] if self.body else [])


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    request: Request
    reference: Request  # what the reference server is asked, for the ratio
    depth: int = 1
    connections: int = 64
    idle: int = 0  # more connections, open and silent
    latency: bool = True  # also measured at a constant rate
    crowd: bool = False  # its latency is the saturated one: what so many at once have to wait
    database: bool = False  # asks for random rows, whose length varies; requests/s count, too

    def said(self):
        """For a table."""
        how = [f"{self.depth} deep"] if self.depth > 1 else [f"{self.connections:,} at once"] if self.crowd else []
        return self.name + (f" ({how[0]})" if how else "")


def _same(name, request, **more):
    return Scenario(name, request, request, **more)


BUILT_IN = {s.name: s for s in (
    _same("plaintext", Request("/plaintext")),
    # Alone and on time, requests do not queue up in a pipeline; so there is no latency at a constant rate.
    _same("pipelined", Request("/plaintext"), depth=16, latency=False),
    _same("json", Request("/json")),
    _same("route", Request("/api/v1/projects/42/tasks/1337")),
    _same("post", Request("/api/v1/projects", "POST", JSON, BODY, 201)),
    _same("idle", Request("/plaintext"), connections=1000, idle=9000),
)}

# `scripts/bench --database`: the same three of every server, and the first of them once more with a crowd.
DATABASE = {s.name: s for s in (
    _same("db", Request("/db"), database=True),
    _same("queries", Request("/queries?n=20"), database=True),
    _same("fortunes", Request("/fortunes"), database=True),
    _same("crowd", Request("/db"), connections=1000, latency=False, crowd=True, database=True),
)}


def choose(names, among):
    missing = [n for n in names if n not in among]
    if missing:
        raise Trouble(f"there is no scenario {missing[0]}; there are: {', '.join(among)}")
    return [among[n] for n in names or among]


def of_a_user(name, path, method="", headers=(), body="", status=200, depth=1, connections=64):
    """A scenario of any service. Its reference is the raw server's nearest reply: a text, or one to a body."""
    method = method or ("POST" if body else "GET")
    request = Request(path, method, tuple(headers), body, status)
    reference = Request("/api/v1/projects", "POST", JSON, body, 201) if body else Request("/plaintext")
    return Scenario(name, request, reference, depth, connections, latency=depth == 1)


def from_file(name):
    """A user's file: {"target": "CMD", "scenarios": {NAME: {"path": ..., "method", "headers", "body", "status", "depth",
    "connections"}}}. Returns the command and the scenarios by name."""
    try:
        content = json.loads(pathlib.Path(name).read_text(encoding="utf-8"))
        target, wanted = content["target"], content["scenarios"]
        found = {}
        for each, settings in wanted.items():
            body = settings.get("body", "")
            settings = {**settings, "body": body if isinstance(body, str) else json.dumps(body)}
            settings["headers"] = [f"{k}: {v}" for k, v in settings.get("headers", {}).items()]
            found[each] = of_a_user(each, **settings)
    except OSError as failed:
        raise Trouble(f"cannot read {name}: {failed.strerror}") from failed
    except (KeyError, TypeError, AttributeError, ValueError) as failed:
        raise Trouble(f"{name} is no file of scenarios: {failed}; docs/performance.md shows one") from failed
    return target, found
