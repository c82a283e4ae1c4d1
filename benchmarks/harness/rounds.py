"""Interleaved rounds: every server is measured in each, one shortly behind the other, so that what the machine does
meanwhile happens to all of them. What counts is each round's ratio to the reference, and the median of those."""

import dataclasses
import statistics

from .peers import LIBPQXX

QUIET_CPU = 0.25  # share of a measurement that others may take; being interrupted costs a request little CPU ...
QUIET_LATENCY = 0.05  # ... but all of its punctuality
SLOW_PHASE = 1.10  # the reference's CPU above its best of this run: now the whole machine is slower, and every ratio flatter
MORE_ROUNDS = 2  # for each wanted round, at most, in place of disturbed ones
BUSY = 0.5  # of what one core can serve: the constant rate at which latency is measured


@dataclasses.dataclass
class Plan:
    rounds: int = 10
    late_rounds: int = 3
    seconds: float = 0.2


class Measured:
    """The figures of one scenario: a dict of bench_load's figures by server name for each round."""

    def __init__(self, scenario, reference):
        self.scenario, self.reference = scenario, reference
        self.closed, self.late = [], []  # saturated: CPU; at a constant rate: latency
        self.rate = 0.0
        self.idle = {}  # by server name: bytes of one idle connection

    def names(self):
        return list(self.closed[0] if self.closed else self.late[0])

    def trouble(self):
        """Shares of the rounds that were kept although they were disturbed: of those for CPU, and of those for latency."""
        return _share(disturbance(self.closed, self.reference)), _share(lateness(self.late))

    def cpu(self, name):
        """Microseconds of the server's CPU for a request."""
        return statistics.median(r[name]["server"]["cpu_us_per_request"] for r in self.closed) if self.closed else None

    def cpu_ratio(self, name):
        return self._ratio(self.closed, name, lambda f: f["server"]["cpu_us_per_request"])

    def per_second(self, name):
        return statistics.median(r[name]["requests"] / r[name]["seconds"] for r in self.closed) if self.closed else None

    def rate_ratio(self, name, to=None):
        """Requests/s as a share of another server's in the same rounds: of the reference's, unless told."""
        return self._ratio(self.closed, name, lambda f: f["requests"] / f["seconds"], to)

    def latency(self, name, which):
        """Microseconds; `which` as p95."""
        return statistics.median(r[name]["latency_us"][which] for r in self.late) if self.late else None

    def latency_ratio(self, name, which="p95"):
        return self._ratio(self.late, name, lambda f: f["latency_us"][which])

    def add(self, other):
        self.closed += other.closed
        self.late += other.late

    def _ratio(self, rounds, name, figure, to=None):
        to = to or self.reference
        # A reference that took no measurable time gives no ratio.
        ratios = [figure(r[name]) / figure(r[to]) for r in rounds if figure(r[to]) > 0]
        return statistics.median(ratios) if ratios else None


def _share(disturbances):
    return sum(d > 1 for d in disturbances) / len(disturbances) if disturbances else 0.0


def disturbance(closed, reference):
    """For each round how much it was disturbed; above 1 is too much."""
    best = min((r[reference]["server"]["cpu_us_per_request"] for r in closed), default=0.0)
    return [max(_disturbed(r) / QUIET_CPU,
                (r[reference]["server"]["cpu_us_per_request"] / best - 1) / (SLOW_PHASE - 1) if best else 0.0)
            for r in closed]


def lateness(late):
    """The same for rounds at a constant rate."""
    return [_disturbed(r) / QUIET_LATENCY for r in late]


def _disturbed(one_round):
    """The worst of a round. A pool's threads keep one another off their one core, so libpqxx does not tell who else did."""
    return max(f["disturbed"] for name, f in one_round.items() if name != LIBPQXX)


def interleave(wanted, names, measure, rate):
    """`wanted` rounds of `measure(name)` for each name; `rate(rounds)` tells how disturbed each was. The order turns round each
    time, so that none is always the first behind a pause. A disturbed round is made up for; when the machine stays busy, the
    least disturbed ones are kept."""
    everything = []
    for turn in range(wanted * (1 + MORE_ROUNDS)):
        order = list(names) if turn % 2 == 0 else list(reversed(names))
        measured = {name: measure(name) for name in order}
        everything.append({name: measured[name] for name in names})
        quiet = sum(d <= 1 for d in rate(everything))
        if quiet >= wanted or (quiet == 0 and turn >= wanted):
            break
    by_disturbance = sorted(zip(rate(everything), range(len(everything))))
    return [everything[at] for _, at in sorted(by_disturbance[:wanted], key=lambda pair: pair[1])]


def run(scenario, servers, reference, load, plan):
    """Measures one scenario on servers that run already: `servers` by name, `reference` one of the names."""
    requests = {n: scenario.reference if n == reference else scenario.request for n in servers}
    # Of random rows three may happen to be of one length, and the fourth not.
    lengths = {n: None if scenario.database else s.steady_length(requests[n]) for n, s in servers.items()}

    def measure(name, **more):
        return load.run(servers[name], requests[name], lengths[name], connections=scenario.connections,
                        depth=scenario.depth, **more)

    found = Measured(scenario, reference)
    for name in servers:  # memory grows and caches fill before anything counts
        measure(name, seconds=0.1)
    found.closed = interleave(plan.rounds, list(servers), lambda n: measure(n, seconds=plan.seconds, warm_up=0.05),
                              lambda closed: disturbance(closed, reference))
    if scenario.crowd:
        found.late = found.closed
    if scenario.latency and plan.late_rounds:
        found.rate = constant_rate(found)
        found.late = interleave(plan.late_rounds, list(servers),
                                lambda n: measure(n, seconds=plan.seconds, rate=found.rate), lateness)
    return found


def constant_rate(measured):
    """Half of what the slowest server, or the load beside it, could do with a core to itself: by CPU, which does not depend
    on what else runs, and not by the clock. Behind a database also half of what it did, which the database may bound."""
    slowest = 0.0
    for one_round in measured.closed:
        for figures in one_round.values():
            load = figures["load"]["cpu_seconds"] * 1e6 / figures["requests"]
            slowest = max(slowest, figures["server"]["cpu_us_per_request"], load)
            if measured.scenario.database:
                slowest = max(slowest, figures["seconds"] * 1e6 / figures["requests"])
    return round(BUSY * 1e6 / slowest, -2) if slowest else 1000.0


def run_idle(scenario, servers, reference, load, plan, most):
    """Bytes of an idle connection, and latency while all are open and `scenario.connections` of them active. `servers` are
    fresh: memory that an earlier run has left free would be used again, and not be seen."""
    everyone = min(scenario.connections + scenario.idle, most)
    active = min(scenario.connections, everyone // 10)
    found = Measured(scenario, reference)
    rates = []
    for name, server in servers.items():
        request = scenario.reference if name == reference else scenario.request
        length = server.steady_length(request)
        warm = load.run(server, request, length, seconds=0.2, connections=active)
        rates.append(BUSY * 1e6 / max(warm["server"]["cpu_us_per_request"],
                                      warm["load"]["cpu_seconds"] * 1e6 / warm["requests"]))
    found.rate = round(min(rates), -2)
    one_round = {}
    for name, server in servers.items():
        request = scenario.reference if name == reference else scenario.request
        figures = load.run(server, request, None, seconds=max(1.0, plan.seconds), connections=active,
                           idle=everyone - active, rate=found.rate)
        one_round[name] = figures
        found.idle[name] = (figures["server"]["resident_after"] - figures["server"]["resident_before"]) / figures["opened"]
    found.late = [one_round]
    return found
