"""scripts/bench --against: is the new one slower than the old one? Both are measured in turns on this machine, and nothing else
is asked: neither what another machine has measured, nor what this one has on another day."""

import dataclasses
import math
import statistics

from . import interval
from .interval import FAILED, LEAST_PAIRS, PASSED, UNDECIDED
from .pairs import measures_of
from .session import say

EXIT = {PASSED: 0, FAILED: 1, UNDECIDED: 3}
SAID = {"cpu": "CPU per request", "p95": "p95 latency"}


@dataclasses.dataclass(frozen=True)
class Judged:
    """What came of one measure."""
    measure: object  # a pairs.Measure
    ratio: interval.Ratio
    verdict: str

    @property
    def name(self):
        return self.measure.name

    def row(self):
        threshold = interval.THRESHOLDS[self.measure.kind]
        figures = [statistics.median(side) for side in self.measure.figures]
        return (self.measure.scenario.said(), SAID[self.measure.kind], f"{figures[0]:.2f} us", f"{figures[1]:.2f} us",
                f"{self.ratio.value:.3f}", self.ratio.bounds(),
                f"{1 + threshold.matters:.2f} / {1 + threshold.promised:.2f}", str(self.measure.pairs()), self.verdict)

    def said(self):
        """A sentence for whoever reads the log of a CI."""
        kind, threshold, change = SAID[self.measure.kind], interval.THRESHOLDS[self.measure.kind], self.ratio.value - 1
        surely = f"between {self.ratio.low - 1:+.1%} and {self.ratio.high - 1:+.1%}" if math.isfinite(self.ratio.high) else ""
        if self.verdict == FAILED:
            return (f"{self.measure.scenario.name}: {kind} has changed by {change:+.1%}, surely {surely}; up to {threshold.matters:+.0%} "
                    "would pass. Find the cost (scripts/bench --profile), or decide that the change is worth it.")
        if self.measure.pairs() < LEAST_PAIRS:
            return f"{self.measure.scenario.name}: {kind} is not judged by {self.measure.pairs()} pairs; it takes {LEAST_PAIRS}."
        if self.verdict == UNDECIDED and self.measure.drowned():
            return (f"{self.measure.scenario.name}: {kind} is mostly what other programs did, which hides a difference. Run it again "
                    "while nothing else runs here, least of all another measurement.")
        if self.verdict == UNDECIDED:
            return (f"{self.measure.scenario.name}: {kind} may have changed by anything {surely}, and {threshold.promised:+.0%} must "
                    "not go unnoticed. Run it again on a quieter machine, or with more --pairs.")
        better = " It is faster: that, too, is sure." if self.ratio.high < 1 else ""
        return f"{self.measure.scenario.name}: {kind} is within bounds, {surely}.{better}"


HEADER = ("scenario", "measure", "old", "new", "ratio", "interval", "matters / must be noticed", "pairs", "verdict")


def judge(measure, chance):
    ratio = measure.ratio(chance)
    verdict = ratio.verdict(interval.THRESHOLDS[measure.kind]) if measure.pairs() >= LEAST_PAIRS else UNDECIDED
    if verdict == PASSED and measure.drowned():
        verdict = UNDECIDED
    return Judged(measure, ratio, verdict)


def whole(judged):
    """The verdict on all of them: one failure is one, and only what is sure in every part passes."""
    verdicts = {j.verdict for j in judged}
    return next(v for v in (FAILED, UNDECIDED, PASSED) if v in verdicts)


def compare(pairs, scenarios, tell=say, only=None):
    """Measures until every measure is decided, or there is no look left. Returns a Judged for each, or for `only` those of these
    names."""
    measures = measures_of(scenarios)
    plan = pairs.plan
    chance = interval.chance_for_each(len(measures), plan.looks)
    measures = [m for m in measures if only is None or m.name in only]
    judged, open_ones = {}, measures
    for look in range(plan.looks):
        for at in range(plan.starts()):
            if at % 4 == 0:
                tell(f"look {look + 1}: {at * 2} of {plan.starts() * 2} pairs of {', '.join(m.name for m in open_ones)}")
            pairs.start(open_ones)
        judged.update((m.name, judge(m, chance)) for m in open_ones)
        open_ones = [m for m in open_ones if judged[m.name].verdict == UNDECIDED]
        if not open_ones or plan.pairs * plan.looks < LEAST_PAIRS:
            break
    return [judged[m.name] for m in measures]
