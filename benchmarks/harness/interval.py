"""The ratio of two programs, and how sure it is: an estimate with a bootstrap interval, and the verdict that follows.

Everything happens in logarithms, where twice as slow and half as slow are equally far from 1."""

import dataclasses
import math
import random
import statistics

PASSED, FAILED, UNDECIDED = "pass", "fail", "undecided"
LEAST_PAIRS = 30  # with fewer nothing is judged
RESAMPLES = 2000
# The chance of a false verdict in a whole run, whatever number of measures and looks it has.
ERROR = 0.01
# The bootstrap tells the interval's shape at this chance on each side. Further out its tails are made of a few resamples,
# and none is worse than the worst that was measured; so from there Student's t stretches it.
SHAPE = 0.025
_NORMAL = statistics.NormalDist()


@dataclasses.dataclass(frozen=True)
class Threshold:
    """What of a slowdown is too little to matter, and what is so much that it must not go unnoticed; both as 0.1 for 10 %."""
    matters: float
    promised: float


# Unchanged sources laid out otherwise by a compiler differ by one or two per cent of CPU; a tail differs by more.
THRESHOLDS = {"cpu": Threshold(0.03, 0.10), "p95": Threshold(0.08, 0.25)}


@dataclasses.dataclass(frozen=True)
class Ratio:
    """The new one's figure divided by the old one's: 1.1 is 10 % slower."""
    value: float
    low: float
    high: float

    def bounds(self):
        return f"{self.low:.3f} to {self.high:.3f}" if math.isfinite(self.high) else "-"

    def verdict(self, threshold):
        if self.low > 1 + threshold.matters:
            return FAILED
        if self.high < 1 + threshold.promised:
            return PASSED
        return UNDECIDED


def middle_half(values):
    """The mean of the middle half. As robust as needs be: up to a quarter of the values may be anything on either side. A
    median would stand more, but jumps from one value to the next."""
    ordered = sorted(values)
    count = len(ordered)
    cut = count / 4  # also in parts: the outermost of those kept count partly
    first, last = int(cut), count - int(cut)
    part = cut - first
    kept = ordered[first:last]
    return (math.fsum(kept) - part * (kept[0] + kept[-1])) / (count - 2 * cut)


def student(chance, degrees):
    """The quantile of Student's t above which `chance` lies, by Hill's expansion: good to 1 % from 7 degrees on."""
    z = -_NORMAL.inv_cdf(chance)
    n = degrees
    return (z + (z ** 3 + z) / (4 * n) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * n ** 2)
            + (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * n ** 3))


def likeness(logs):
    """How much each of them is like the one before it, from 0 to 0.8: the correlation of their ranks, where it is more than
    chance makes of so few. Then they tell less than so many independent ones."""
    count = len(logs) - 1
    ranks = {at: rank for rank, at in enumerate(sorted(range(count + 1), key=logs.__getitem__))}
    order = [float(ranks[at]) for at in range(count + 1)]
    if count < 3:
        return 0.0
    found = statistics.correlation(order[:-1], order[1:])
    return min(found, 0.8) if found > 1 / math.sqrt(count) else 0.0


def ratio_of(logs, chance, seed=1):
    """The Ratio of `logs`, logarithms of ratios in the order of their measuring, beyond whose ends the truth lies with `chance`
    on each side. The same logs give the same interval."""
    value = middle_half(logs)
    count = len(logs)
    if count < 4:  # there is no middle half to speak of
        return Ratio(math.exp(value), 0.0, math.inf)
    draw = random.Random(seed)
    drawn = sorted(middle_half(draw.choices(logs, k=count)) for _ in range(RESAMPLES))
    at = int(SHAPE * RESAMPLES)
    # The bootstrap takes the spread of what was measured for the whole spread, which is too narrow by the root.
    stretch = student(chance, count - 1) / -_NORMAL.inv_cdf(SHAPE) * math.sqrt(count / (count - 1))
    alike = likeness(logs)
    stretch *= math.sqrt((1 + alike) / (1 - alike))
    return Ratio(math.exp(value), math.exp(value - stretch * (value - drawn[at])),
                 math.exp(value + stretch * (drawn[-1 - at] - value)))


def chance_for_each(measures, looks):
    """Bonferroni: a run that looks so often at so many measures gives each a share of the error."""
    return ERROR / (measures * looks)
