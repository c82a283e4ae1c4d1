"""Stored ratios: what a machine measured once, and the project's aims. They are shown beside a run's own, as a chart, and judge
nothing: the same commit has other ratios on another processor. scripts/bench --against judges."""

import datetime
import json
import pathlib

from . import report
from .machine import Trouble
from .peers import LIBPQXX

SAID = {"cpu": "CPU per request, to the reference's", "p95": "p95, to the reference's", "bytes": "bytes of an idle connection",
        "rate": "the reference's requests/s, to ours", LIBPQXX: "libpqxx's requests/s, to ours"}


def metrics(measured, subject):
    """The ratios of one scenario, by name; of each, less is better."""
    found = {}
    name = measured.scenario.name
    if subject in measured.idle:
        found[f"{name}.bytes"] = measured.idle[subject]
        return found
    if measured.closed:
        found[f"{name}.cpu"] = measured.cpu_ratio(subject)
    if measured.late:
        found[f"{name}.p95"] = measured.latency_ratio(subject)
    if measured.closed and measured.scenario.database:
        found[f"{name}.rate"] = measured.rate_ratio(measured.reference, to=subject)
        if LIBPQXX in measured.names():
            found[f"{name}.{LIBPQXX}"] = measured.rate_ratio(LIBPQXX, to=subject)
    return {k: v for k, v in found.items() if v is not None}


def chart(run, stored):
    """A line for each metric that either knows, with a bar of what it is now."""
    known = stored["metrics"]
    names = [n for n in run if n in known]
    longest = max((run[n] / base(known[n]) for n in names), default=1.0)
    lines = []
    for name in names:
        scenario, _, kind = name.rpartition(".")
        entry, share = known[name], run[name] / base(known[name])
        aim = "aim" if "limit" in entry else "stored"
        bar = "#" * max(1, round(30 * share / max(longest, 1.0)))
        lines.append(f"{scenario:10} {SAID[kind]:36} {run[name]:8.3f}  {aim:6} {base(entry):8.3f}  {share - 1:+7.1%}  {bar}")
    how = stored.get("how", {})
    where = ", ".join(how[k] for k in ("processor", "date") if k in how)
    return "\n".join([f"Beside what is stored{f' ({where})' if where else ''}; no verdict, as processors differ:", *lines])


def base(entry):
    return entry["limit"] if "limit" in entry else entry["value"]


def renewed(stored, run, plan):
    """With this run's ratios. Aims were decided, and no run moves them."""
    entries = dict(stored["metrics"])
    for name, value in run.items():
        if "limit" not in entries.get(name, {}):
            entries[name] = {"value": round(value, 4)}
    how = {**stored.get("how", {})}
    if any("value" in e for e in entries.values()):
        how |= {"date": datetime.date.today().isoformat(), "processor": report.processor(),
                "each": f"{plan.rounds} rounds of {plan.seconds} s saturated and {plan.late_rounds} at a constant rate, in turns with "
                        "the reference",
                "values": "medians of the ratio to the reference (bytes: as they are)"}
    return {"how": how, "metrics": dict(sorted(entries.items()))}


def load(name):
    try:
        content = json.loads(pathlib.Path(name).read_text(encoding="utf-8"))
        if not all(base(e) > 0 for e in content["metrics"].values()):
            raise ValueError("a value or an aim is not above 0")
        return content
    except OSError as failed:
        raise Trouble(f"there is no file of ratios {name} ({failed.strerror}); scripts/bench --store {name} writes one") from failed
    except (ValueError, KeyError, TypeError, AttributeError) as failed:
        raise Trouble(f"{name} is no file of ratios: {failed}; scripts/bench --store {name} writes one") from failed


def save(name, content):
    pathlib.Path(name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
