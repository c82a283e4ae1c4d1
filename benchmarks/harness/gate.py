"""The gate: a run's ratios against a stored baseline.

An entry is a value with the band in which unchanged runs scatter, or a limit: an aim, which was decided and not
measured, and has no band."""

import dataclasses
import json
import pathlib
import statistics

from .machine import Trouble
from .peers import LIBPQXX

# A band is this many times the most by which any unchanged run was above their median: a few runs do not show the
# worst that many will. What falls below it is no alarm, so it does not make the gate blinder.
CAUTION = 1.5
# Narrower than this no band gets, however quiet the machine was. A latency's tail scatters more than CPU does.
NARROWEST = {"cpu": 0.04, "p95": 0.30, "bytes": 0.25, "rate": 0.10, LIBPQXX: 0.15}
PLANTED = 0.15  # the slowdown that the gate promises to notice


@dataclasses.dataclass(frozen=True)
class Verdict:
    metric: str  # SCENARIO and one of NARROWEST; of each, less is better
    value: float
    base: float
    band: float
    is_limit: bool = False

    @property
    def regressed(self):
        return self.value > self.base * (1 + self.band)

    @property
    def improved(self):
        return not self.is_limit and self.value < self.base * (1 - self.band)

    def said(self):
        scenario, _, kind = self.metric.rpartition(".")
        what = {"cpu": "CPU per request, as a ratio to the reference's,", "p95": "p95, as a ratio to the reference's,",
                "bytes": "memory of an idle connection",
                "rate": "the reference's requests/s, as a ratio to ours,",
                LIBPQXX: "libpqxx's requests/s, as a ratio to ours,"}[kind]
        if self.is_limit:
            verdict = "above its limit" if self.regressed else "within its limit"
            return f"{scenario}: {what} is {self.value:.3f}, {verdict} {self.base:.3f}" + (
                ". Find the cost: a limit is an aim of the project, and no run moves it." if self.regressed else "")
        change = (self.value / self.base - 1) * 100
        if self.regressed:
            return (f"{scenario}: {what} is {self.value:.3f}, {change:+.1f} % from the baseline {self.base:.3f}; unchanged "
                    f"code stays within {self.band * 100:.1f} %. Find the cost, or accept it with --update-baseline.")
        if self.improved:
            return (f"{scenario}: {what} is {self.value:.3f}, {change:+.1f} % from the baseline {self.base:.3f}: better. "
                    "Keep it with --update-baseline.")
        return f"{scenario}: {what} is {self.value:.3f} ({change:+.1f} %, the band is {self.band * 100:.1f} %)"


def metrics(measured, subject):
    """What the gate looks at in the figures of one scenario."""
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


def band_of(metric, values):
    """The band around the median of unchanged runs."""
    middle = statistics.median(values)
    widest = max(v / middle - 1 for v in values) if middle else 0.0
    return max(NARROWEST[metric.rpartition(".")[2]], CAUTION * widest)


def baseline_of(runs, how):
    """The baseline that a list of runs' metrics makes. `how` tells people how they were measured."""
    found = {}
    for metric in sorted({m for run in runs for m in run}):
        values = [run[metric] for run in runs if metric in run]
        found[metric] = {"value": round(statistics.median(values), 4), "band": round(band_of(metric, values), 4)}
    return {"how": how, "metrics": found}


def with_values(baseline, run, how):
    """The baseline with one run's values; bands are kept, because one run cannot tell them."""
    renewed = json.loads(json.dumps(baseline))
    for metric, value in run.items():
        entry = renewed["metrics"].setdefault(metric, {"band": 2 * NARROWEST[metric.rpartition(".")[2]]})
        entry["value"] = round(value, 4)
    renewed["how"] = {**renewed.get("how", {}), **how}
    return renewed


def compare(run, baseline):
    """A verdict for each metric that the baseline knows."""
    known = baseline["metrics"]
    return [verdict_of(metric, value, known[metric]) for metric, value in run.items() if metric in known]


def verdict_of(metric, value, entry):
    if "limit" in entry:
        return Verdict(metric, value, entry["limit"], 0.0, is_limit=True)
    return Verdict(metric, value, entry["value"], entry["band"])


def is_entry(entry):
    return entry["limit"] > 0 if "limit" in entry else entry["value"] > 0 and entry["band"] > 0


def load(name):
    try:
        content = json.loads(pathlib.Path(name).read_text(encoding="utf-8"))
        if not all(is_entry(e) for e in content["metrics"].values()):
            raise ValueError("a value, a band or a limit is not above 0")
        return content
    except OSError as failed:
        raise Trouble(f"there is no baseline {name} ({failed.strerror}); scripts/bench --measure-band writes one") from failed
    except (ValueError, KeyError, TypeError, AttributeError) as failed:
        raise Trouble(f"{name} is no baseline: {failed}; scripts/bench --measure-band writes one") from failed


def refuse_limits(name):
    """For whatever measures values and bands."""
    if pathlib.Path(name).exists() and any("limit" in e for e in load(name)["metrics"].values()):
        raise Trouble(f"{name} has limits, which no run makes or moves; name a baseline of your own with --baseline FILE")


def save(name, baseline):
    pathlib.Path(name).write_text(json.dumps(baseline, indent=2) + "\n", encoding="utf-8")
