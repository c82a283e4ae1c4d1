"""scripts/bench --self-check: whether the gate keeps its promise on this machine. It compares a server with itself, then with
one that wastes CPU on purpose, then with one that is late on purpose, and counts the verdicts."""

import collections
import dataclasses
import math
import statistics

from . import against, interval, pairs
from .interval import FAILED, PASSED, UNDECIDED, THRESHOLDS
from .session import say

SHARE = 10  # one request in so many is late, when latency is planted
CALIBRATION = 8  # starts for each look at what to plant
CORRECTIONS = 3
MISSES = 20  # in so many planted comparisons one may be missed
NOTHING = "nothing"


@dataclasses.dataclass(frozen=True)
class Tally:
    """The verdicts of the comparisons with one kind of plant: on the whole, and on each measure."""
    planted: str
    whole: collections.Counter
    each: dict  # a Counter by the measure's name
    seen: dict  # the ratios by the measure's name

    def note(self, judged):
        self.whole[against.whole(judged)] += 1
        for j in judged:
            self.each.setdefault(j.name, collections.Counter())[j.verdict] += 1
            self.seen.setdefault(j.name, []).append(j.ratio.value)

    def kept(self):
        """Whether the promise was kept: nothing planted never fails, and a plant is missed once in twenty times at most, in each
        measure by itself."""
        if self.planted == NOTHING:
            return not self.whole[FAILED]
        return all(c.total() - c[FAILED] <= c.total() // MISSES for c in self.each.values())

    def lines(self):
        def counts(c):
            return ", ".join(f"{c[v]} {v}" for v in (FAILED, UNDECIDED, PASSED))
        yield f"{self.planted} planted, {self.whole.total()} comparisons: {counts(self.whole)}"
        for name, c in self.each.items():
            yield f"  {name}: {counts(c)}; ratios {min(self.seen[name]):.3f} to {max(self.seen[name]):.3f}"


def lateness(buckets, slowdown):
    """Microseconds to add to one request in SHARE, so that the p95 of such latencies grows by `slowdown`."""
    wanted = pairs.quantile(buckets, 0.95) * (1 + slowdown)
    total = sum(n for _, n in buckets)
    below = sum(n for end, n in buckets if end <= wanted) / total
    late = 1 / SHARE
    return wanted - pairs.quantile(buckets, min(0.95, max(0.0, (0.95 - (1 - late) * below) / late)))


def corrected(tried, slowdown):
    """What to waste, after all tries so far. A try by itself is as noisy as any comparison; together they tell what a nanosecond
    comes to."""
    last = tried[-1][0]
    each = math.fsum(log for _, log in tried) / sum(wasted for wasted, _ in tried)
    wanted = math.log1p(slowdown) / each if each > 0 else math.inf
    return round(min(2 * last, max(last / 2, wanted)))


class Planter:
    """Finds out what must be wasted, and gives the commands that waste it."""

    def __init__(self, command, load, plan):
        self.command, self.load, self.plan = command, load, plan
        self.wasted = {}  # nanoseconds by measure

    def unchanged(self, _):
        return self.command

    def planted(self, kind):
        def command(scenario):
            every = f" --burn-every {SHARE}" if kind == "p95" else ""
            return f"{self.command} --burn {self.wasted[f'{scenario.name}.{kind}']}{every}"
        return command

    def find_out(self, scenarios):
        """Measures the server as it is, then whether the lateness comes to what was wanted: who waits behind a late one is late,
        too."""
        say("measuring what to plant")
        for m in self._measured(self.unchanged, pairs.measures_of(scenarios)):
            if m.kind == "cpu":
                self.wasted[m.name] = round(1000 * statistics.median(m.figures[0] + m.figures[1]) * THRESHOLDS["cpu"].promised)
            else:
                both = m.buckets[0] + m.buckets[1]
                self.wasted[m.name] = round(1000 * lateness(sorted(both.items()), THRESHOLDS["p95"].promised))
        tried = collections.defaultdict(list)  # by measure: what was wasted, and the logarithm of the ratio that came of it
        for _ in range(CORRECTIONS):
            for m in self._measured(self.planted("p95"), [m for m in pairs.measures_of(scenarios) if m.kind == "p95"]):
                tried[m.name].append((self.wasted[m.name], interval.middle_half(m.logs)))
                self.wasted[m.name] = corrected(tried[m.name], THRESHOLDS["p95"].promised)
        for name, wasted in self.wasted.items():
            share = " of one request in ten" if name.endswith("p95") else ""
            say(f"{name}: {wasted} ns{share}")

    def _measured(self, new, measures):
        turns = pairs.Pairs(self.unchanged, new, self.load, self.plan)
        for _ in range(CALIBRATION if measures else 0):
            turns.start(measures)
        return measures


def self_check(command, load, scenarios, plan, runs):
    """Runs it, prints the counts, and returns the exit code: 0 when the promise was kept."""
    planter = Planter(command, load, plan)
    planter.find_out(scenarios)
    tallies = []
    for kind in (NOTHING, "cpu", "p95"):
        measures = pairs.measures_of(scenarios)
        # Of a planted comparison only what was planted is looked at, as one of as many measures as ever.
        wanted = [m.name for m in measures if kind in (NOTHING, m.kind)]
        if not wanted:
            continue
        amount = kind if kind == NOTHING else f"{THRESHOLDS[kind].promised:.0%} of {kind}"
        tally = Tally(amount, collections.Counter(), {}, {})
        tallies.append(tally)
        new = planter.unchanged if kind == NOTHING else planter.planted(kind)
        for run in range(1, runs + 1):
            turns = pairs.Pairs(planter.unchanged, new, load, plan)
            judged = against.compare(turns, scenarios, tell=lambda _: None, only=wanted)
            tally.note(judged)
            say(f"{amount} planted, {run} of {runs}: {against.whole(judged)}: " + ", ".join(
                f"{j.name} {j.ratio.value:.3f} ({j.ratio.low:.3f} to {j.ratio.high:.3f}, {j.measure.pairs()} pairs) {j.verdict}"
                for j in judged))
    for tally in tallies:
        for line in tally.lines():
            print(line)
    kept = all(t.kept() for t in tallies)
    print("The gate keeps its promise on this machine." if kept else "The gate does not keep its promise on this machine.")
    return 0 if kept else 1
