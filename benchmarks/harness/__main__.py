"""The front: python3 -m harness, called by scripts/bench, which builds the programs first."""

import argparse
import os
import pathlib
import sys

from . import gate, judge, machine, peers, report, rounds, scenario
from .machine import Trouble
from .session import Session, say

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
  scripts/bench --check                              against benchmarks/baseline.json
  scripts/bench --target './my_service --port {port}' --url /api/things --check ci/bench.json

It ends with 0 when all is well, 1 when something has become slower, 2 when it could not measure, 3 when the machine was too
busy to tell. docs/performance.md says how the figures come about.
"""


def parse(words):
    p = argparse.ArgumentParser(
        prog="scripts/bench", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures servers beside a reference that does the least possible, in interleaved rounds, each on one core "
                    "and the load on another: CPU per request, latency at a constant rate, and the ratios to the reference.")
    p.add_argument("--scenario", action="append", default=[], metavar="NAME",
                   help=f"one of {', '.join(scenario.BUILT_IN)}, with --database of {', '.join(scenario.DATABASE)}; "
                        "may be repeated (default: all)")
    p.add_argument("--database", action="store_true",
                   help="random rows of a throw-away Postgres in place of fixed replies, beside libpq at its least and libpqxx")
    p.add_argument("--rounds", type=int, default=10, help="saturated rounds a scenario, for CPU (%(default)s)")
    p.add_argument("--late-rounds", type=int, default=3, help="rounds at a constant rate, for latency (%(default)s)")
    p.add_argument("--seconds", type=float, help="of each measurement in a round (0.2, with --database 0.5)")
    p.add_argument("--json", metavar="FILE", help="also write the figures there, as Google Benchmark does")
    p.add_argument("--fill", metavar="PAGE", help="also write the table into a page, such as docs/performance.md")
    p.add_argument("--peers", action="store_true",
                   help="also measure nginx, uWebSockets, Fastify, Express and cpp-httplib; what is missing is installed, or named and left out")
    p.add_argument("--polite", action="store_true",
                   help="do not go before other programs (as root it does, so that they hardly disturb it)")
    g = p.add_argument_group("the gate")
    g.add_argument("--check", nargs="?", const="", metavar="BASELINE",
                   help="fail when a ratio is beyond the baseline's band or limit (default: benchmarks/baseline.json, with --database "
                        "benchmarks/database-baseline.json)")
    g.add_argument("--update-baseline", action="store_true", help="put this run's ratios into the baseline, keeping its bands")
    g.add_argument("--measure-band", nargs="?", const=10, type=int, metavar="RUNS",
                   help="write a new baseline from that many runs (%(const)s) of what is there now")
    g.add_argument("--self-check", nargs="?", const=20, type=int, metavar="RUNS",
                   help="check the gate: that many unchanged runs (%(const)s) must pass, a planted slowdown of "
                        f"{gate.PLANTED:.0%} must fail".replace("%", "%%").replace("%%(const)s", "%(const)s"))
    g.add_argument("--baseline", metavar="FILE", help="the baseline for all of these")
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
    options.seconds = options.seconds or (0.5 if options.database else 0.2)
    if options.rounds < 1 or options.late_rounds < 0 or options.seconds < 0.05:
        p.error("it takes 1 round and 0.05 seconds at least")
    if options.self_check and (options.target or options.scenarios):
        p.error("--self-check plants its slowdown into bench_server; your own service cannot be checked so")
    if options.database and (options.peers or options.scenarios):
        p.error("--database has scenarios and peers of its own")
    return options


def database_session(options, names, plan):
    """`scripts/bench` has started Postgres and tells of it by these two."""
    if "DATABASE_URL" not in os.environ or not os.environ.get("BENCH_POSTGRES_PID", "").isdigit():
        raise Trouble("there is no database to ask; scripts/bench --database starts one")
    command = options.target or f"{options.programs / 'bench_server'} --port {{port}} --threads 1"
    return Session(options.programs, "target" if options.target else "corbel", command,
                   scenario.choose(names, scenario.DATABASE), plan, peers.database_commands(options.programs, say),
                   reference="raw_pg_server", database=int(os.environ["BENCH_POSTGRES_PID"]))


def session_of(options):
    names = [n for each in options.scenario for n in each.split(",")]
    plan = rounds.Plan(options.rounds, options.late_rounds, options.seconds)
    if options.database:
        return database_session(options, names, plan)
    if options.scenarios:
        command, known = scenario.from_file(options.scenarios)
        command = options.target or command
    elif options.target:
        command = options.target
        one = scenario.of_a_user("target", options.url, options.method, options.header, options.body, options.status)
        known = {one.name: one}
    else:
        server = f"{options.programs / 'bench_server'} --port {{port}} --threads 1"
        others = peers.commands(options.programs, say) if options.peers else {}
        return Session(options.programs, "corbel", server, scenario.choose(names, scenario.BUILT_IN), plan, others)
    return Session(options.programs, "target", command, scenario.choose(names, known), plan)


def main(words):
    options = parse(words)
    machine.POLITE = options.polite
    own = options.target or options.scenarios
    stored = HERE.parent / ("database-baseline.json" if options.database else "baseline.json")
    name = options.check or options.baseline or ("bench-baseline.json" if own else str(stored))
    if options.measure_band or options.self_check or options.update_baseline:
        gate.refuse_limits(name)
    session = session_of(options)
    if options.measure_band:
        return judge.measure_band(session, options.measure_band, name)
    if options.self_check:
        return judge.self_check(session, options.self_check, gate.load(name))
    baseline = gate.load(name) if options.check is not None else None  # before the time is spent
    measured = session.measure()
    code = 0
    if baseline:
        code = judge.check(session, baseline, measured)
    print(report.table(measured))
    for m in measured:
        for what, share in zip(("CPU", "latency"), m.trouble()):
            if share:
                say(f"{m.scenario.name}: other programs disturbed {share:.0%} of the rounds for {what}")
    if options.json:
        report.save_json(options.json, measured)
    if options.fill:
        report.fill(options.fill, measured, session.plan)
    if options.update_baseline:
        old = gate.load(name) if pathlib.Path(name).exists() else {"metrics": {}}
        gate.save(name, gate.with_values(old, session.metrics(measured), judge.how(session, 1)))
        say(f"the baseline {name} has this run's ratios now")
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Trouble as trouble:
        say(str(trouble))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
