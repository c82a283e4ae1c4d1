"""One run of bench_load, as figures."""

import json
import subprocess

from . import machine
from .machine import Unfit


class Load:
    """The generator, pinned to its core. `alone` says that nothing else that is measured runs there: then it never sleeps."""

    def __init__(self, program, core, server_core, alone=True):
        self.program, self.core, self.server_core = program, core, server_core
        self.alone = alone and core != server_core
        self.beforehand = lambda: None  # called before each run

    def run(self, server, request, length, *, seconds, connections=64, idle=0, depth=1, rate=0.0, warm_up=0.1, seed=None):
        """Figures of one run, `disturbed` added: the share of the time in which other programs, or other machines on the
        same hardware, kept the server or the load off their cores; `hindered` is that of the load alone. With a `seed` requests
        are due at random times, and the figures have every bucket of the latencies."""
        command = [str(self.program), "--port", str(server.port), "--connections", str(connections), "--idle", str(idle),
                   "--depth", str(depth), "--rate", str(rate), "--seconds", str(seconds), "--warm-up", str(warm_up),
                   *request.options()]
        if self.alone:
            command += ["--spin", "yes"]
        if seed is not None:
            command += ["--random", str(seed), "--histogram", "yes"]
        if length is not None:
            command += ["--length", str(length)]
        for pid in server.pids():
            command += ["--server-pid", str(pid)]
        self.beforehand()
        both = {self.core, self.server_core}
        before = machine.stolen(both)
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              preexec_fn=machine.alone_on(self.core), start_new_session=True)
        stolen = machine.stolen(both) - before
        if done.returncode not in (0, 1):
            raise Unfit(server.name, f"cannot be measured: {done.stderr.strip()}\n{server.said()}")
        figures = json.loads(done.stdout)
        if figures["errors"]["total"]:
            named = ", ".join(f"{n} {k.replace('_', ' ')}" for k, n in figures["errors"].items() if n and k != "total")
            raise Unfit(server.name, f"gave {figures['errors']['total']} wrong replies of {figures['due']} to {request.method} "
                        f"{request.path} ({named}), so its speed says nothing\n{server.said()}")
        if not figures["requests"]:
            raise Unfit(server.name, f"answered nothing in {seconds} s")
        starved = stolen
        if self.alone or self.core == self.server_core:  # otherwise it shares its core on purpose
            starved += figures["load"]["starved_seconds"]
        figures["hindered"] = starved / figures["seconds"]
        figures["disturbed"] = figures["hindered"] + figures["server"]["starved_seconds"] / figures["seconds"]
        return figures
