"""Two programs measured in turns: each start brings both up afresh, and measures old, new, new, old, or the other way round, of
whatever is wanted. What the machine does meanwhile happens to both; what a process has by chance, such as where its memory lies,
is thrown anew with each start."""

import collections
import contextlib
import dataclasses
import math
import random

from . import interval
from .servers import Server

PAIRS_A_START = 2
# Of what the server's core can do when requests come one by one, which is far less than when they come in crowds. Well below
# the point where waiting begins to decide.
QUIET_SHARE = 0.3
FIRST_LOOK = 0.05  # of the saturated rate: where the first look is taken at what a request costs then
HINDERED = 0.02  # of a turn at a constant rate, in which others kept the load off its core: then it is taken again
MORE_TURNS = 2
DROWNED = 0.25  # of the turns of a measure, hindered however often they were taken: then it cannot pass


@dataclasses.dataclass(frozen=True)
class Plan:
    pairs: int = 32  # before the first look
    looks: int = 3  # what is undecided then gets as many pairs again, so often in all
    seconds: float = 0.2  # of a saturated turn, for CPU
    late_seconds: float = 0.4  # of one at a constant rate, for p95

    def starts(self):
        return max(1, math.ceil(self.pairs / PAIRS_A_START))


class Measure:
    """One kind of figure of one scenario: what was found in each start."""

    def __init__(self, scenario, kind):
        self.scenario, self.kind = scenario, kind
        self.name = f"{scenario.name}.{kind}"
        self.logs = []  # of the new one's figure divided by the old one's, one a start
        self.figures = ([], [])  # microseconds of old and new
        self.buckets = (collections.Counter(), collections.Counter())  # of all latencies: upper ends in microseconds
        self.rate = 0.0
        self.hindered = self.turns = 0  # how many turns were kept although others hindered the load

    def drowned(self):
        """Whether what is measured is mostly what others did: that is alike on both sides, and hides what differs."""
        return self.hindered > DROWNED * self.turns

    def pairs(self):
        return len(self.logs) * PAIRS_A_START

    def add(self, turns):
        """`turns`: (0 for old or 1 for new, figures of bench_load) of one start."""
        sums = [0.0, 0.0]
        for which, figures in turns:
            value = value_of(figures, self.kind)
            self.figures[which].append(value)
            sums[which] += math.log(value)
            self.buckets[which].update(dict(map(tuple, figures.get("latency_buckets", ()))))
        self.logs.append((sums[1] - sums[0]) / (len(turns) / 2))

    def ratio(self, chance):
        return interval.ratio_of(self.logs, chance)


def value_of(figures, kind):
    """Never 0, which has no logarithm: the clocks have steps."""
    if kind == "cpu":
        return max(figures["server"]["cpu_us_per_request"], 1e-3)
    return max(quantile(figures["latency_buckets"], 0.95), 1e-3)


def quantile(buckets, share):
    """From pairs of upper end and count. Between the ends as if a bucket were evenly filled: without that, two nearly equal
    distributions would differ by a whole bucket or by nothing."""
    buckets = sorted(map(tuple, buckets))
    wanted = share * sum(count for _, count in buckets)
    seen, below = 0, 0.0
    for end, count in buckets:
        if seen + count >= wanted:
            begin = max(below, end * (1 - 1 / 128))
            return begin + (end - begin) * (wanted - seen) / count
        seen, below = seen + count, end
    return below


def measures_of(scenarios):
    """CPU of each scenario, and p95 of those that have latencies at a constant rate."""
    return [Measure(s, kind) for s in scenarios for kind in ("cpu", "p95") if kind == "cpu" or s.latency]


class Pairs:
    """Measures `old` and `new`, functions that give the command for a scenario."""

    def __init__(self, old, new, load, plan, seed=None):
        self.sides = (("old", old), ("new", new))
        self.load, self.plan = load, plan
        self.random = random.Random(seed)
        self.urgent = load.core != load.server_core
        self.retaken = self.taken = 0

    def start(self, measures):
        """One start of both: each of the measures gets a figure."""
        with contextlib.ExitStack() as running:
            servers = self._up(running, measures)
            for scenario in self._shuffled({m.scenario.name: m.scenario for m in measures}.values()):
                both = [servers[name, command(scenario)] for name, command in self.sides]
                asked = self._asked(scenario, both)
                for one in both:  # memory grows and caches fill before anything counts
                    self._turn(scenario, one, asked, seconds=0.1)
                for measure in self._shuffled(m for m in measures if m.scenario is scenario):
                    if measure.kind == "p95" and not measure.rate:
                        measure.rate = self._quiet_rate(scenario, both, asked)
                    measure.add(self._four_turns(measure, both, asked))

    def calm(self):
        """The share of the turns at a constant rate that had to be taken again."""
        return self.retaken / self.taken if self.taken else 0.0

    def _up(self, running, measures):
        wanted = {(name, command(m.scenario)) for m in measures for name, command in self.sides}
        return {(name, words): running.enter_context(Server(name, words, self.load.server_core, urgent=self.urgent))
                for name, words in self._shuffled(sorted(wanted))}

    def _shuffled(self, values):
        values = list(values)
        self.random.shuffle(values)
        return values

    def _asked(self, scenario, both):
        """The lengths that bodies must have: of random rows they vary."""
        return {one: None if scenario.database else one.steady_length(scenario.request) for one in both}

    def _turn(self, scenario, server, lengths, **more):
        return self.load.run(server, scenario.request, lengths[server], connections=scenario.connections,
                             depth=scenario.depth, warm_up=0.05, **more)

    def _four_turns(self, measure, both, lengths):
        first = self.random.randrange(2)
        turns = []
        for which in (first, 1 - first, 1 - first, first):
            if measure.kind == "cpu":
                figures = self._turn(measure.scenario, both[which], lengths, seconds=self.plan.seconds)
            else:
                # Both of a pair have their requests due at the same random times.
                seed = len(measure.logs) * PAIRS_A_START + len(turns) // 2
                figures = self._late_turn(measure, both[which], lengths, seed)
            turns.append((which, figures))
        return turns

    def _late_turn(self, measure, server, lengths, seed):
        for _ in range(1 + MORE_TURNS):
            self.taken += 1
            figures = self._turn(measure.scenario, server, lengths, seconds=self.plan.late_seconds, rate=measure.rate, seed=seed)
            if figures["hindered"] <= HINDERED:
                break
            self.retaken += 1
        measure.turns += 1
        measure.hindered += figures["hindered"] > HINDERED
        return figures

    def _quiet_rate(self, scenario, both, lengths):
        """Requests a second at which the slower of both has its core idle for most of the time, the same for both."""
        rates = []
        for one in both:
            full = self._turn(scenario, one, lengths, seconds=0.2)
            most = full["requests"] / full["seconds"]
            calm = self._turn(scenario, one, lengths, seconds=0.3, rate=FIRST_LOOK * most, seed=0)
            each = max(calm["server"]["cpu_us_per_request"], full["server"]["cpu_us_per_request"])
            rates.append(QUIET_SHARE * min(1e6 / each, most))
        return max(1.0, float(f"{min(rates):.2g}"))
