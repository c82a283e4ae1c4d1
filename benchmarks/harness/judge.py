"""The commands around the gate: check, measure the band, check the gate itself."""

import dataclasses
import datetime
import statistics

from . import gate, report
from .machine import Trouble
from .peers import LIBPQXX
from .session import say

PASSED, REGRESSED, INCONCLUSIVE = 0, 1, 3


def how(session, runs):
    """What people need to know about where a baseline comes from. No part of it is compared."""
    p = session.plan
    return {"date": datetime.date.today().isoformat(), "processor": report.processor(), "runs": runs,
            "each": f"{p.rounds} rounds of {p.seconds} s saturated and {p.late_rounds} at a constant rate, "
                    "in turns with the reference",
            "values": "median over the runs of the ratio to the reference (bytes: as they are)",
            "bands": f"{gate.CAUTION} times the greatest excess over that median, but not below {gate.NARROWEST}"}


def noisy_metrics(measured):
    """What was measured in rounds that were mostly disturbed. Memory minds no disturbance."""
    found = set()
    for m in measured:
        cpu, latency = m.trouble()
        found |= {f"{m.scenario.name}.{kind}" for kind in ("cpu", "rate", LIBPQXX)} if cpu > 0.5 else set()
        found |= {f"{m.scenario.name}.p95"} if latency > 0.5 else set()
    return found


def judge(session, baseline, measured):
    """The verdicts, with a second and longer look at whatever seems to have regressed. `measured` becomes the longer look's."""
    verdicts = gate.compare(session.metrics(measured), baseline)
    hopeless = noisy_metrics(measured)
    again = {v.metric.rpartition(".")[0] for v in verdicts if v.regressed and v.metric not in hopeless}
    for at, m in enumerate(measured):
        if m.scenario.name not in again:
            continue
        say(f"{m.scenario.name} seems slower; looking again, twice as long")
        longer = dataclasses.replace(session.plan, rounds=2 * session.plan.rounds, late_rounds=2 * session.plan.late_rounds)
        fresh = session.measure([m.scenario], longer, quiet=True)[0]
        if not m.idle:
            fresh.add(m)
        measured[at] = fresh
    return gate.compare(session.metrics(measured), baseline) if again else verdicts


def check(session, baseline, measured):
    """Says what the gate finds and returns the exit code."""
    known = {m.rpartition(".")[0] for m in baseline["metrics"]}
    unknown = [s.name for s in session.scenarios if s.name not in known]
    if unknown:
        say(f"the baseline does not know {', '.join(unknown)}; --measure-band or --update-baseline adds it")
    verdicts = judge(session, baseline, measured)
    unclear = [v for v in verdicts if v.metric in noisy_metrics(measured)]
    verdicts = [v for v in verdicts if v not in unclear] + unclear
    for v in verdicts:
        print(("????" if v in unclear else "FAIL" if v.regressed else "ok  ") + " " + v.said())
    if unclear:
        print("???? is not judged: other programs disturbed most of its rounds.")
    verdicts = [v for v in verdicts if v not in unclear]
    if any(v.regressed for v in verdicts):
        return REGRESSED
    if verdicts:
        return PASSED
    print("Nothing was compared: " + ("run it again on a quieter machine." if unclear else "the baseline knows none of these."))
    return INCONCLUSIVE


def repeat(session, runs, each=lambda run, metrics: None):
    """The metrics of that many unchanged runs, and the subject's CPU per request in them, by scenario."""
    collected, cpu = [], {}
    for run in range(1, runs + 1):
        measured = session.measure(quiet=True)
        noisy = noisy_metrics(measured)
        found = {k: v for k, v in session.metrics(measured).items() if k not in noisy}
        for m in measured:
            if m.closed:
                cpu.setdefault(m.scenario.name, []).append(m.cpu(session.subject))
        say(f"run {run} of {runs}: " + ", ".join(f"{k} {v:.3f}" for k, v in found.items())
            + (f"; too disturbed: {', '.join(sorted(noisy))}" if noisy else ""))
        collected.append(found)
        each(run, measured)
    return collected, {name: statistics.median(all_of) for name, all_of in cpu.items()}


def measure_band(session, runs, name):
    collected, _ = repeat(session, runs)
    baseline = gate.baseline_of(collected, how(session, runs))
    if not baseline["metrics"]:
        raise Trouble("every run was too disturbed by other programs; measure the band on a quieter machine")
    gate.save(name, baseline)
    for metric, entry in baseline["metrics"].items():
        print(f"{metric}: {entry['value']:.3f}, band {entry['band'] * 100:.1f} %")
    wide = [m for m, e in baseline["metrics"].items() if m.endswith(".cpu") and e["band"] >= gate.PLANTED * 0.8]
    if wide:
        print(f"The band of {', '.join(wide)} is so wide that a slowdown of {gate.PLANTED:.0%} may pass; measure it on a "
              "quieter machine, or with more --rounds.")
    print(f"Written to {name}.")
    return PASSED


def self_check(session, runs, baseline):
    """Unchanged runs must pass, and a planted slowdown must not: in each scenario whose CPU is compared."""
    false_alarms = []

    def note(run, measured):
        verdicts = judge(session, baseline, measured)
        alarms = [v for v in verdicts if v.regressed and v.metric not in noisy_metrics(measured)]
        for v in alarms:
            print(f"FALSE ALARM in run {run}: {v.said()}")
        if alarms:
            false_alarms.append(run)

    _, cpu = repeat(session, runs, note)
    missed = []
    for scenario in session.scenarios:
        metric = f"{scenario.name}.cpu"
        if scenario.name not in cpu or metric not in baseline["metrics"]:
            continue
        wasted = round(cpu[scenario.name] * 1000 * gate.PLANTED)
        commands = session.commands()
        commands[session.subject] += f" --burn {wasted}"
        slow = dataclasses.replace(session, command=commands[session.subject])
        measured = slow.measure([scenario], quiet=True)
        verdict = next(v for v in judge(slow, baseline, measured) if v.metric == metric)
        print(f"{'caught' if verdict.regressed else 'MISSED'}: {wasted} ns planted ({gate.PLANTED:.0%}): {verdict.said()}")
        if not verdict.regressed:
            missed.append(scenario.name)
    print(f"{runs - len(false_alarms)} of {runs} unchanged runs passed; the planted slowdown was noticed in "
          f"{len(cpu) - len(missed)} of {len(cpu)} scenarios.")
    return REGRESSED if false_alarms or missed else PASSED

