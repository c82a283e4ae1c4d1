"""The front: python3 -m harness, called by scripts/bench, which builds the programs first."""

import argparse
import os
import pathlib
import sys

from . import against, chart, history, interval, machine, pairs, peers, plant, report, rounds, scenario, stored
from .machine import Trouble
from .session import Session, make_load, say

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = """\
more forms:
  scripts/bench --serve [--port N] [--threads N]     build and run bench_server, and nothing else
  scripts/bench --port N [--threads N]               the same
  scripts/bench --drivers [--seconds N] [--rounds N] corbel::postgres beside libpqxx, without HTTP
  scripts/bench --micro [--benchmark_filter=RE]      the micro-benchmarks, and the count of allocations
  scripts/bench --profile [SCENARIO]                 where a request's instructions go, by callgrind

examples:
  scripts/bench --json figures.json                  every scenario, beside the reference
  scripts/bench --scenario plaintext --rounds 20     one of them, with more certainty
  scripts/bench --database                           the scenarios that ask a Postgres, which it starts and stops
  scripts/bench --against main                       whether the working tree is slower than that revision
  scripts/bench --against HEAD --scenario json --html gate.html
  scripts/bench --against-command './old --port {port}' --target './new --port {port}' --url /api/things
  scripts/bench --self-check 20 --scenario json      whether --against keeps its promise on this machine

It ends with 0 when all is well, 1 when something has become slower, 2 when it could not measure, 3 when the machine was too
noisy to tell. docs/performance.md says how the figures come about.
"""


def parse(words):
    p = argparse.ArgumentParser(
        prog="scripts/bench", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures servers beside a reference that does the least possible, in interleaved rounds, each on one core "
                    "and the load on another: CPU per request, latency at a constant rate, and the ratios to the reference. "
                    "With --against it judges whether one is slower than another.")
    p.add_argument("--scenario", action="append", default=[], metavar="NAME",
                   help=f"one of {', '.join(scenario.BUILT_IN)}, with --database of {', '.join(scenario.DATABASE)}; "
                        "may be repeated (default: all)")
    p.add_argument("--database", action="store_true",
                   help="random rows of a throw-away Postgres in place of fixed replies, beside libpq at its least and libpqxx")
    p.add_argument("--rounds", type=int, default=10, help="saturated rounds a scenario, for CPU (%(default)s)")
    p.add_argument("--late-rounds", type=int, default=3, help="rounds at a constant rate, for latency (%(default)s)")
    p.add_argument("--seconds", type=float, help="of each measurement in a round (0.2, with --database 0.5)")
    p.add_argument("--json", metavar="FILE", help="also write the figures there, as Google Benchmark does; with --against, as a line of "
                   "the history")
    p.add_argument("--fill", metavar="PAGE", help="also write the table into a page, such as docs/performance.md")
    p.add_argument("--beside", nargs="?", const="", metavar="FILE",
                   help="also chart the ratios beside stored ones or aims, without a verdict (benchmarks/baseline.json, with --database "
                        "benchmarks/database-baseline.json)")
    p.add_argument("--store", nargs="?", const="", metavar="FILE", help="put this run's ratios into such a file; aims stay")
    p.add_argument("--peers", action="store_true",
                   help="also measure nginx, uWebSockets, Fastify, Express and cpp-httplib; what is missing is installed, or named and left out")
    p.add_argument("--polite", action="store_true",
                   help="do not go before other programs (as root it does, so that they hardly disturb it)")
    g = p.add_argument_group("the gate")
    g.add_argument("--against", metavar="REV", help="judge whether the working tree is slower than this revision of it")
    g.add_argument("--against-command", metavar="CMD", help="judge whether --target is slower than what CMD starts")
    g.add_argument("--against-program", type=pathlib.Path, help=argparse.SUPPRESS)  # the revision's bench_server, as scripts/bench built it
    g.add_argument("--pairs", type=int, default=pairs.Plan.pairs,
                   help=f"pairs of turns before the first look, at least {interval.LEAST_PAIRS} (%(default)s)")
    g.add_argument("--looks", type=int, default=pairs.Plan.looks, help="what is undecided gets as many pairs again, so often in all "
                   "(%(default)s)")
    g.add_argument("--html", metavar="FILE", help="draw what was judged, and the history, as a page that needs nothing else")
    g.add_argument("--history", metavar="FILE", help="where each comparison adds its line (build/bench-history.jsonl)")
    g.add_argument("--self-check", nargs="?", const=20, type=int, metavar="N",
                   help="check the gate on this machine: of N comparisons (%(const)s) with nothing planted none may fail; of N with "
                        f"{interval.THRESHOLDS['cpu'].promised:.0%} of CPU and N with {interval.THRESHOLDS['p95'].promised:.0%} of p95 "
                        "planted, nineteen of twenty must".replace("%", "%%").replace("%%(const)s", "%(const)s"))
    u = p.add_argument_group("a service of your own, in place of bench_server")
    u.add_argument("--target", metavar="CMD", help="starts it; {port} stands for the port, which is in PORT too")
    u.add_argument("--url", default="/", metavar="PATH", help="what to ask for (%(default)s)")
    u.add_argument("--method", default="")
    u.add_argument("--header", action="append", default=[], metavar="'N: V'")
    u.add_argument("--body", default="", help="makes it a POST")
    u.add_argument("--status", type=int, default=200, help="of a right reply (%(default)s)")
    u.add_argument("--scenarios", metavar="FILE", help="a JSON file with the command and several requests")
    p.add_argument("--programs", type=pathlib.Path, default=HERE.parents[1] / "build/bench/benchmarks", help=argparse.SUPPRESS)
    options = p.parse_args(words)
    refuse(p, options)
    return options


def refuse(p, options):
    """Whatever does not go together."""
    own = options.target or options.scenarios
    late = 0.4 if options.seconds is None else 2 * options.seconds
    options.comparison = pairs.Plan(options.pairs, options.looks, options.seconds or 0.2, late)
    options.seconds = options.seconds or (0.5 if options.database else 0.2)
    options.judges = bool(options.against or options.against_command or options.self_check)
    if options.rounds < 1 or options.late_rounds < 0 or options.seconds < 0.05:
        p.error("it takes 1 round and 0.05 seconds at least")
    if options.pairs < 2 or options.looks < 1:
        p.error("it takes 2 pairs and 1 look at least")
    if options.self_check is not None and (own or options.against or options.against_command or options.self_check < 1):
        p.error("--self-check takes a number from 1 and compares bench_server with itself, so neither --against nor --target goes with it")
    if options.against_command and (options.against or not own):
        p.error("--against-command is the old service's command, and takes the new one's by --target or --scenarios")
    if options.against and own:
        p.error("--against builds revisions of Corbel: name its scenarios by --scenario; --target and --scenarios are for services of your own, which --against-command compares")
    if options.judges and (options.peers or options.fill or options.beside is not None or options.store is not None):
        p.error("--against judges two programs; --peers, --fill, --beside and --store belong to a run beside the reference")
    if not options.judges and (options.html or options.history):
        p.error("--html and --history draw and keep what --against or --against-command judged")
    if options.database and (options.peers or options.scenarios):
        p.error("--database has scenarios and peers of its own")


def postgres():
    """The process of Postgres: `scripts/bench` has started it and tells of it by these two."""
    if "DATABASE_URL" not in os.environ or not os.environ.get("BENCH_POSTGRES_PID", "").isdigit():
        raise Trouble("there is no database to ask; scripts/bench --database starts one")
    return int(os.environ["BENCH_POSTGRES_PID"])


def bench_server(options):
    return f"{options.programs / 'bench_server'} --port {{port}} --threads 1"


def database_session(options, names, plan):
    command = options.target or bench_server(options)
    return Session(options.programs, "target" if options.target else "corbel", command,
                   scenario.choose(names, scenario.DATABASE), plan, peers.database_commands(options.programs, say),
                   reference="raw_pg_server", database=postgres())


def names_of(options):
    return [n for each in options.scenario for n in each.split(",")]


def of_a_user(options):
    """The command and the scenarios by name."""
    if options.scenarios:
        command, known = scenario.from_file(options.scenarios)
        return options.target or command, known
    one = scenario.of_a_user("target", options.url, options.method, options.header, options.body, options.status)
    return options.target, {one.name: one}


def session_of(options):
    names = names_of(options)
    plan = rounds.Plan(options.rounds, options.late_rounds, options.seconds)
    if options.database:
        return database_session(options, names, plan)
    if options.scenarios or options.target:
        command, known = of_a_user(options)
    else:
        others = peers.commands(options.programs, say) if options.peers else {}
        return Session(options.programs, "corbel", bench_server(options), scenario.choose(names, scenario.BUILT_IN), plan, others)
    return Session(options.programs, "target", command, scenario.choose(names, known), plan)


def judged_scenarios(options):
    """(old command, new command, scenarios) of a comparison."""
    if options.against_command:
        new, known = of_a_user(options)
        known = scenario.DATABASE if options.database else known
        return options.against_command, new, scenario.choose(names_of(options), known)
    known = scenario.DATABASE if options.database else {n: s for n, s in scenario.BUILT_IN.items() if not s.idle}
    new = bench_server(options)
    old = f"{options.against_program} --port {{port}} --threads 1" if options.against_program else new
    return old, new, scenario.choose(names_of(options), known)


def judge(options):
    """--against, --against-command, --self-check."""
    old, new, scenarios = judged_scenarios(options)
    load = make_load(options.programs, postgres() if options.database else 0)
    if options.self_check:
        return plant.self_check(new, load, scenarios, options.comparison, options.self_check)
    if options.against and not options.against_program:
        raise Trouble("the revision is not built; scripts/bench --against builds it")
    old_name, new_name, label = (options.against, "working tree", "corbel") if options.against else ("old", "new", new)
    kept = options.history or HERE.parents[1] / "build/bench-history.jsonl"
    entries = history.read(kept, label)  # what is wrong with it is told before the time is spent
    turns = pairs.Pairs(lambda _: old, lambda _: new, load, options.comparison)
    judged = against.compare(turns, scenarios)
    print(report.padded([against.HEADER, *(j.row() for j in judged)]))
    for j in judged:
        print(f"{j.verdict}: {j.said()}")
    entry = history.entry_of(judged, label, old_name, new_name)
    history.append(kept, entry)
    if options.json:
        history.write(options.json, entry)
    if options.html:
        when = (f"{entry['date']}, {entry['processor']}, {os.cpu_count()} cores. {turns.calm():.0%} of the turns at a constant rate were "
                "taken again, because others had kept the load off its core.")
        chart.write(options.html, chart.page(judged, old_name, new_name, when, [*entries, entry]))
    return against.EXIT[against.whole(judged)]


def main(words):
    options = parse(words)
    machine.POLITE = options.polite
    if options.judges:
        return judge(options)
    session = session_of(options)
    known = str(HERE.parent / ("database-baseline.json" if options.database else "baseline.json"))
    beside = stored.load(options.beside or known) if options.beside is not None else None  # before the time is spent
    measured = session.measure()
    print(report.table(measured))
    if beside:
        print(stored.chart(session.metrics(measured), beside))
    for m in measured:
        for what, share in zip(("CPU", "latency"), m.trouble()):
            if share:
                say(f"{m.scenario.name}: other programs disturbed {share:.0%} of the rounds for {what}")
    if options.json:
        report.save_json(options.json, measured)
    if options.fill:
        report.fill(options.fill, measured, session.plan)
    if options.store is not None:
        name = options.store or known
        old = stored.load(name) if pathlib.Path(name).exists() else {"metrics": {}}
        stored.save(name, stored.renewed(old, session.metrics(measured), session.plan))
        say(f"{name} has this run's ratios now")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Trouble as trouble:
        say(str(trouble))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
