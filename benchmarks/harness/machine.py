"""The machine: cores to pin to, files to open, and how much other programs got in the way."""

import os
import resource
import socket

FIRST = -20  # the niceness of what is measured, where we may: other programs then hardly disturb it
WANTED_FILES = 20000  # 10,000 connections fit when a server takes 80 % of its limit


class Trouble(Exception):
    """What keeps us from measuring, with what to do next, as a sentence for a person."""


class Unfit(Trouble):
    """The same of one server, by its name."""

    def __init__(self, name, why):
        super().__init__(f"{name} {why}")
        self.name = name


def cores():
    """(core of the servers, core of the load). With one core both share it, and the figures say less."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[1 % len(usable)]


def database_cores():
    """Where Postgres runs: on the cores that are left, and where none is, on the load's. Never on the servers' core: what is
    measured is the server's CPU, and whoever shares its core changes its caches and its wake-ups."""
    usable = sorted(os.sched_getaffinity(0))
    return set(usable[2:]) or {cores()[1]}


POLITE = False  # stay behind other programs


def alone_on(core, urgent=False):
    """A function for Popen's preexec_fn, in a session of its own: pins the program, lets it open many files, puts it first; when
    urgent, in real time: before everything else, at once."""
    def settle():
        os.sched_setaffinity(0, {core})
        raise_file_limit()
        go_first()
        if urgent:
            go_at_once()
    return settle


def go_at_once():
    """By the round-robin of real time, if we are allowed to, so that threads of one program still take turns. A program that is
    merely first waits some milliseconds for the end of another's turn now and then. Linux leaves a twentieth of each second
    to others, which a program that never sleeps, as the load, would notice: so it stays merely first."""
    if POLITE:
        return
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        pass


def go_first():
    """Before other programs, if we are allowed to: it takes root as a rule. Linux weighs sessions against each other before
    it weighs their programs, so both are told."""
    if POLITE:
        return
    try:
        os.setpriority(os.PRIO_PROCESS, 0, FIRST)
        with open("/proc/self/autogroup", "w", encoding="ascii") as group:
            group.write(str(FIRST))
    except OSError:
        pass


def settle(pid, on):
    """The same for a program that runs already, and its children: pinned, and first."""
    for each in descendants(pid):
        try:
            os.sched_setaffinity(each, on)
            if POLITE:
                continue
            os.setpriority(os.PRIO_PROCESS, each, FIRST)
            if os.getsid(each) != each:  # the session has others in it, such as whoever has started us, who would stay first
                continue
            with open(f"/proc/{each}/autogroup", "w", encoding="ascii") as group:
                group.write(str(FIRST))
        except OSError:  # it has ended, or it is not ours to change
            pass


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections():
    """How many a server and the load can have open at once."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    return min(10000, files * 8 // 10)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stolen(wanted):
    """Seconds that the hypervisor has kept the given cores for itself, since boot."""
    ticks = 0
    with open("/proc/stat", encoding="ascii") as stat:
        for line in stat:
            name, *values = line.split()
            if name in {f"cpu{core}" for core in wanted} and len(values) > 7:
                ticks += int(values[7])
    return ticks / os.sysconf("SC_CLK_TCK")


def descendants(pid):
    """The process and its children: servers that fork count as one."""
    found = [pid]
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as children:
                for child in children.read().split():
                    found += descendants(int(child))
        except OSError:
            pass
    return found
