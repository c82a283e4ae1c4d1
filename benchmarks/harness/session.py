"""Starts what is to be measured and measures it: the part that every command of the front shares."""

import contextlib
import dataclasses
import pathlib
import sys

from . import machine, rounds, stored
from .load import Load
from .machine import Trouble, Unfit
from .scenario import Scenario
from .servers import Server

REFERENCE = "raw"


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def make_load(programs, database=0):
    """The load program, beside servers on `.server_core`. `database` is the process of Postgres, when they ask one."""
    server_core, load_core = machine.cores()
    if server_core == load_core:
        say("this machine lets us use one core only: server and load share it, and the figures say little")
    if not (programs / "load/bench_load").is_file():
        raise Trouble(f"{programs / 'load/bench_load'} is not built; scripts/bench builds it")
    alone = not database or load_core not in machine.database_cores()
    load = Load(programs / "load/bench_load", load_core, server_core, alone)
    if database:  # again and again: each connection is a process, in a session of its own, and may come late
        load.beforehand = lambda: machine.settle(database, machine.database_cores())
        load.beforehand()
    return load


@dataclasses.dataclass
class Session:
    programs: pathlib.Path  # where bench_server, raw_server and bench_load were built
    subject: str  # the name of what is measured
    command: str  # how it is started
    scenarios: list
    plan: rounds.Plan
    peers: dict = dataclasses.field(default_factory=dict)  # commands by name
    reference: str = "raw_server"  # its program
    database: int = 0  # the process of Postgres, when they ask one

    def __post_init__(self):
        self.load = make_load(self.programs, self.database)
        if not (self.programs / self.reference).is_file():
            raise Trouble(f"{self.programs / self.reference} is not built; scripts/bench builds it")

    def commands(self):
        """The reference first; without the words behind it when it is what is measured."""
        return {REFERENCE: f"{self.programs / self.reference} --port {{port}}", self.subject: self.command, **self.peers}

    def measure(self, scenarios=None, plan=None, commands=None, quiet=False):
        """A `Measured` for each scenario."""
        scenarios = self.scenarios if scenarios is None else scenarios
        plan, commands = plan or self.plan, commands or self.commands()
        found = []
        busy = [s for s in scenarios if not s.idle]
        if busy:
            with self._started(commands) as servers:
                for scenario in busy:
                    asked = self._able(scenario, servers)
                    if not quiet:
                        say(f"measuring {scenario.said()}")
                    found.append(self._without_unfit(rounds.run, scenario, asked, plan))
        for scenario in (s for s in scenarios if s.idle):
            if not quiet:
                say(f"measuring {scenario.said()}: {scenario.connections + scenario.idle:,} connections")
            most = machine.most_connections()
            if most < scenario.connections + scenario.idle:
                say(f"the limit of open files leaves room for {most:,} connections; raise it (ulimit -Hn) for more")
            with self._started(commands) as servers:
                able = self._able(scenario, servers)
                found.append(self._without_unfit(rounds.run_idle, scenario, able, plan, most))
        found.sort(key=lambda m: scenarios.index(m.scenario))
        return found

    def metrics(self, measured):
        """The ratios, by name."""
        return {k: v for m in measured for k, v in stored.metrics(m, self.subject).items()}

    @contextlib.contextmanager
    def _started(self, commands):
        with contextlib.ExitStack() as running:
            servers = {}
            for name, command in commands.items():
                try:
                    servers[name] = running.enter_context(Server(name, command, self.load.server_core))
                except Trouble as trouble:
                    if name not in self.peers:
                        raise
                    say(f"{name} is left out: {trouble}")
            yield servers

    def _without_unfit(self, measure, scenario, servers, plan, *more):
        """Measures again without a peer that does not stand it."""
        while True:
            try:
                return measure(scenario, servers, REFERENCE, self.load, plan, *more)
            except Unfit as unfit:
                if unfit.name not in self.peers:
                    raise
                say(f"{scenario.name} leaves it out: {unfit}")
                servers = {n: s for n, s in servers.items() if n != unfit.name}

    def _able(self, scenario: Scenario, servers):
        """Those that can answer it; peers that cannot are named and left out."""
        able = {}
        for name, server in servers.items():
            try:
                server.probe(scenario.reference if name == REFERENCE else scenario.request)
                able[name] = server
            except Trouble as trouble:
                if name not in self.peers:
                    raise
                say(f"{scenario.name} leaves {name} out: {trouble}")
        return able
