"""The gate of scripts/bench, --against: its statistics, by noise that is the same in every run, and whole comparisons of real
servers.

    gate_test.py TREE PROGRAMS [unittest's arguments]
"""

import contextlib
import html.parser
import io
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from harness_test import PROGRAMS, TREE
from harness import __main__ as front  # harness_test has set the path
from harness import against, chart, history, interval, machine, pairs, plant, scenario
from harness.interval import FAILED, PASSED, UNDECIDED
from harness.machine import Trouble

PLAINTEXT, PIPELINED = scenario.BUILT_IN["plaintext"], scenario.BUILT_IN["pipelined"]
MEASURED = [s for s in scenario.BUILT_IN.values() if not s.idle]


class Noise:
    """What a turn's figure is multiplied by, in the order of turns; a process's own luck is thrown anew with each start."""

    def __init__(self, seed, turn=0.02, process=0.015, drift=0.0, slow_mode=(0.0, 1.0), memory=0.0, level=0.0):
        self.chance = random.Random(seed)
        self.turn, self.process, self.drift, self.slow_mode, self.memory = turn, process, drift, slow_mode, memory
        self.level, self.machine, self.turns = level, 0.0, 0

    def processes(self):
        return [self.chance.gauss(0, self.process) for _ in range(2)]

    def next(self, luck):
        """`level` is the spread of the whole machine's speed, of which `memory` is left in the next turn."""
        self.turns += 1
        self.machine = self.memory * self.machine + self.chance.gauss(0, self.level * math.sqrt(1 - self.memory ** 2))
        share, slower = self.slow_mode
        mode = math.log(slower) if self.chance.random() < share else 0.0
        return math.exp(luck + self.machine + mode + self.drift * self.turns + self.chance.gauss(0, self.turn))


class FakePairs(pairs.Pairs):
    """Turns of servers that do not exist: their figures are the noise's, the new one's multiplied by `slower`."""

    def __init__(self, seed, slower=None, plan=pairs.Plan(), **noise):
        self.plan, self.slower = plan, slower or {}
        self.random = random.Random(seed)
        self.noise = {"cpu": Noise(seed, **noise), "p95": Noise(seed + 1, **{**noise, "turn": 3 * noise.get("turn", 0.02)})}

    def start(self, measures):
        for m in measures:
            noise = self.noise[m.kind]
            luck = noise.processes()
            first = self.random.randrange(2)
            turns = []
            for which in (first, 1 - first, 1 - first, first):
                value = 10 * noise.next(luck[which]) * (self.slower.get(m.kind, 1.0) if which else 1.0)
                turns.append((which, {"server": {"cpu_us_per_request": value},
                                      "latency_buckets": [[value * level, 1] for level in range(1, 101)]}))
            m.add(turns)


def verdicts(runs, scenarios=MEASURED, **how):
    """The verdict of each of so many whole comparisons."""
    return [against.whole(against.compare(FakePairs(1000 * run, **how), scenarios, tell=lambda _: None)) for run in range(runs)]


NOISES = {
    "even": {},
    "drifting": {"drift": 0.004},
    "a machine whose speed wanders": {"level": 0.15, "memory": 0.95},
    "two modes": {"slow_mode": (0.05, 1.5)},
}


class Statistics(unittest.TestCase):
    """Twenty whole comparisons each, of all scenarios: nine measures, up to three looks."""

    def test_unchanged_never_fails(self):
        for name, noise in NOISES.items():
            with self.subTest(noise=name):
                found = verdicts(20, **noise)
                self.assertEqual(found.count(FAILED), 0)
                self.assertGreaterEqual(found.count(PASSED), 15)

    def test_ten_per_cent_of_cpu_fail(self):
        for name, noise in NOISES.items():
            with self.subTest(noise=name):
                self.assertGreaterEqual(verdicts(20, [PIPELINED], slower={"cpu": 1.10}, **noise).count(FAILED), 19)

    def test_a_quarter_of_p95_fails(self):
        for name, noise in NOISES.items():
            with self.subTest(noise=name):
                self.assertGreaterEqual(verdicts(20, [PLAINTEXT], slower={"p95": 1.25}, **noise).count(FAILED), 19)

    def test_too_noisy_is_undecided_and_never_passes(self):
        for slower in (1.0, 1.1):
            found = verdicts(10, [PIPELINED], turn=1.0, slower={"cpu": slower})
            self.assertEqual((found.count(PASSED), found.count(FAILED)), (0, 0))

    def test_what_is_within_the_margin_does_not_fail(self):
        self.assertEqual(verdicts(20, [PIPELINED], slower={"cpu": 1.02}).count(FAILED), 0)

    def test_starts_that_resemble_the_one_before_widen_the_interval(self):
        chance = random.Random(7)
        alike, value = [], 0.0
        for _ in range(48):
            value = 0.9 * value + chance.gauss(0, 0.02)
            alike.append(value)
        mixed = random.Random(1).sample(alike, 48)
        self.assertGreater(interval.likeness(alike), 0.5)
        self.assertEqual(interval.likeness(mixed), 0.0)
        one, other = interval.ratio_of(alike, 0.001), interval.ratio_of(mixed, 0.001)
        self.assertGreater(one.high / one.low, 1.5 * (other.high / other.low - 1) + 1)

    def test_the_interval_holds_the_truth_as_often_as_it_says(self):
        """At a chance of 2.5 % on each side, of 400 intervals about 20 miss."""
        chance = random.Random(11)
        with mock.patch.object(interval, "RESAMPLES", 400):
            missed = sum(not r.low <= 1.0 <= r.high for r in (
                interval.ratio_of([chance.gauss(0, 0.05) for _ in range(16)], 0.025) for _ in range(400)))
        self.assertLessEqual(missed, 32)
        self.assertGreaterEqual(missed, 4)

    def test_the_middle_half_minds_no_quarter_of_nonsense(self):
        self.assertAlmostEqual(interval.middle_half([1.0] * 12 + [99.0] * 4), 1.0)
        self.assertAlmostEqual(interval.middle_half([0, 1, 2, 3, 4, 5, 6, 7]), 3.5)
        self.assertAlmostEqual(interval.middle_half([0.0, 1.0, 5.0]), (1 + 0.25 * 0 + 0.25 * 5) / 1.5)
        self.assertEqual(interval.middle_half([2.0]), 2.0)

    def test_students_quantiles(self):
        for chance, degrees, known in ((0.025, 15, 2.131), (0.0005, 15, 4.073), (0.001, 47, 3.273), (0.025, 7, 2.365)):
            self.assertAlmostEqual(interval.student(chance, degrees) / known, 1.0, places=2)

    def test_more_measures_and_looks_make_each_verdict_harder(self):
        self.assertAlmostEqual(interval.chance_for_each(9, 3) * 27, interval.ERROR)
        logs = [0.01 * n for n in range(16)]
        self.assertLess(interval.ratio_of(logs, interval.chance_for_each(9, 3)).low,
                        interval.ratio_of(logs, interval.chance_for_each(1, 1)).low)

    def test_the_same_figures_have_the_same_interval(self):
        logs = [math.sin(n) / 10 for n in range(20)]
        self.assertEqual(interval.ratio_of(logs, 0.001), interval.ratio_of(logs, 0.001))


class Verdicts(unittest.TestCase):
    def judged(self, low, value, high, kind="cpu", starts=16):
        m = pairs.Measure(PLAINTEXT, kind)
        m.logs, m.figures = [0.0] * starts, ([10.0], [10.0 * value])
        m.rate = 5000.0
        for side, buckets in enumerate(m.buckets):
            buckets.update({float(10 * n + side): 100 - n for n in range(1, 90)})
        r = interval.Ratio(value, low, high)
        return against.Judged(m, r, r.verdict(interval.THRESHOLDS[kind]))

    def test_three_of_them(self):
        for kind, low, high, verdict in (
                ("cpu", 0.98, 1.02, PASSED), ("cpu", 1.01, 1.099, PASSED), ("cpu", 1.02, 1.11, UNDECIDED),
                ("cpu", 1.031, 9.0, FAILED), ("p95", 1.07, 1.24, PASSED), ("p95", 1.07, 1.26, UNDECIDED), ("p95", 1.09, 1.26, FAILED)):
            self.assertEqual(self.judged(low, math.sqrt(low * high), high, kind).verdict, verdict)

    def test_one_failure_is_one_and_only_what_is_sure_throughout_passes(self):
        passed, open_one, failed = self.judged(1, 1, 1), self.judged(0.5, 1, 2), self.judged(1.1, 1.2, 1.3)
        self.assertEqual([against.EXIT[against.whole(j)] for j in ([passed], [passed, open_one], [failed, open_one, passed])], [0, 3, 1])

    def test_too_few_pairs_are_no_verdict_however_alike(self):
        plan = pairs.Plan(pairs=2, looks=1)
        judged = against.compare(FakePairs(1, plan=plan, turn=0.0001, process=0.0001), [PLAINTEXT], tell=lambda _: None)
        self.assertEqual({j.verdict for j in judged}, {UNDECIDED})
        self.assertIn("it takes 30", judged[0].said())

    def test_what_others_have_drowned_does_not_pass(self):
        m = pairs.Measure(PLAINTEXT, "p95")
        m.logs, m.turns = [0.001 * (n % 3) for n in range(16)], 64
        for hindered, verdict in ((16, PASSED), (17, UNDECIDED)):
            m.hindered = hindered
            self.assertEqual(against.judge(m, 0.001).verdict, verdict)
        m.figures = ([1.0], [1.0])
        self.assertIn("least of all another measurement", against.judge(m, 0.001).said())
        m.logs = [v + 0.4 for v in m.logs]
        self.assertEqual(against.judge(m, 0.001).verdict, FAILED)

    def test_what_is_decided_is_not_measured_again(self):
        asked = []

        class Counting(FakePairs):
            def start(self, measures):
                asked.append([m.name for m in measures])
                super().start(measures)

        slow = Counting(3, turn=0.0001, process=0.0001)
        slow.noise["p95"].turn = 0.9
        against.compare(slow, [PLAINTEXT], tell=lambda _: None)
        self.assertEqual(asked, [["plaintext.cpu", "plaintext.p95"]] * 16 + [["plaintext.p95"]] * 32)

    def test_sentences_say_what_to_do(self):
        self.assertRegex(self.judged(1.05, 1.1, 1.15).said(), r"changed by \+10\.0%, surely between \+5\.0% and \+15\.0%.*Find the cost")
        self.assertRegex(self.judged(0.9, 1.0, 1.2).said(), "quieter machine, or with more --pairs")
        self.assertRegex(self.judged(0.8, 0.9, 0.95).said(), "It is faster")


class Turns(unittest.TestCase):
    class Load:
        core, server_core = 1, 0

        def __init__(self, hindered=()):
            self.asked, self.hindered = [], list(hindered)

        def run(self, server, request, length, **how):
            self.asked.append((server.name, how))
            hindered = self.hindered.pop(0) if self.hindered and how.get("seed") else 0.0
            return {"requests": 1000, "seconds": 0.1, "hindered": hindered, "server": {"cpu_us_per_request": 20.0},
                    "latency_buckets": [[100.0, 95], [200.0, 5]]}

    class Server(contextlib.nullcontext):
        def __init__(self, name, command, core, urgent):
            super().__init__(self)
            self.name, self.command = name, command

        def steady_length(self, _):
            return 13

    def start(self, load, measures, starts=1):
        with mock.patch.object(pairs, "Server", self.Server):
            turns = pairs.Pairs(lambda _: "a", lambda _: "b", load, pairs.Plan(), seed=5)
            for _ in range(starts):
                turns.start(measures)
        return turns

    def test_the_second_pair_is_turned_round_and_who_is_first_is_thrown(self):
        load = self.Load()
        measure = pairs.Measure(PIPELINED, "cpu")
        self.start(load, [measure], 10)
        order = ["".join(name[0] for name, _ in load.asked[at + 2:at + 6]) for at in range(0, 60, 6)]
        self.assertEqual(set(order), {"onno", "noon"})
        self.assertEqual((measure.pairs(), measure.logs), (20, [0.0] * 10))

    def test_both_of_a_pair_have_the_same_rate_and_the_same_random_times(self):
        load = self.Load()
        self.start(load, [pairs.Measure(PLAINTEXT, "p95")], 2)
        seeds = [how["seed"] for _, how in load.asked if "seed" in how and how["seconds"] == pairs.Plan.late_seconds]
        self.assertEqual(seeds, [0, 0, 1, 1, 2, 2, 3, 3])
        # 20 us of CPU a request would allow 50,000 of them, but it answered 10,000 a second: three tenths of that.
        self.assertEqual({how["rate"] for _, how in load.asked if how.get("seed")}, {3000.0})

    def test_a_turn_in_which_the_load_was_kept_off_its_core_is_taken_again(self):
        load = self.Load(hindered=[0.5, 0.5, 0.5, 0.5])
        measure = pairs.Measure(PLAINTEXT, "p95")
        turns = self.start(load, [measure])
        self.assertEqual((measure.hindered, measure.turns), (1, 4))
        self.assertEqual((turns.retaken, turns.taken), (4, 7))  # of the second pair the one thrice, the other twice; the seed of the first is 0

    def test_a_quantile_is_between_the_ends_of_its_bucket(self):
        self.assertAlmostEqual(pairs.quantile([(100, 10)], 0.5), 100 * (1 - 0.5 / 128))
        self.assertLess(pairs.quantile([(100, 95), (101, 5)], 0.951), pairs.quantile([(100, 95), (101, 5)], 0.999))
        self.assertEqual(pairs.quantile([(100, 95), (200, 5)], 0.95), 100)


class Plants(unittest.TestCase):
    def test_lateness_moves_the_p95_as_far_as_wanted(self):
        chance = random.Random(2)
        values = [10 * math.exp(chance.gauss(0, 0.5)) for _ in range(20000)]
        late = plant.lateness(sorted((v, 1) for v in values), 0.25)
        moved = sorted(v + (late if n % plant.SHARE == 0 else 0.0) for n, v in enumerate(values))
        self.assertAlmostEqual(moved[19000] / sorted(values)[19000], 1.25, places=1)

    def test_tries_together_correct_the_plant(self):
        self.assertEqual(plant.corrected([(1000, math.log(1.25))], 0.25), 1000)
        self.assertEqual(plant.corrected([(1000, 2 * math.log(1.25))], 0.25), 500)
        self.assertEqual(plant.corrected([(1000, -0.1)], 0.25), 2000)
        self.assertEqual(plant.corrected([(1000, 0.1), (2000, 0.2)], 0.25), round(math.log(1.25) * 10000))

    def test_the_promise(self):
        def tally(planted, **counts):
            found = plant.Tally(planted, plant.collections.Counter(counts), {"x.cpu": plant.collections.Counter(counts)}, {"x.cpu": [1.0]})
            return found.kept(), "\n".join(found.lines())

        self.assertTrue(tally(plant.NOTHING, **{PASSED: 18, UNDECIDED: 2})[0])
        self.assertFalse(tally(plant.NOTHING, **{PASSED: 19, FAILED: 1})[0])
        self.assertTrue(tally("10% of cpu", **{FAILED: 19, UNDECIDED: 1})[0])
        kept, said = tally("10% of cpu", **{FAILED: 18, UNDECIDED: 1, PASSED: 1})
        self.assertFalse(kept)
        self.assertIn("x.cpu: 18 fail, 1 undecided, 1 pass", said)


class Balance(html.parser.HTMLParser):
    """Complains about tags that are not closed in turn, and collects what there is."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.attributes = [], [], []
        self.feed(page)
        self.close()
        if self.open:
            raise AssertionError(f"not closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += attrs

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes something else")


class Pages(unittest.TestCase):
    def page(self):
        judge = Verdicts().judged
        judged = [judge(0.99, 1.0, 1.02), judge(1.1, 1.4, 2.0, "p95")]
        entry = history.entry_of(judged, "corbel", "old <rev>", "new")
        return chart.page(judged, "old <rev>", "new", "today", [entry, entry])

    def test_it_is_whole_and_needs_nothing_else(self):
        page = self.page()
        found = Balance(page)
        self.assertNotIn("script", found.seen)
        self.assertFalse([v for k, v in found.attributes if k in ("src", "href")])
        self.assertNotIn("<rev>", page)
        self.assertNotIn("nan", page)

    def test_an_interval_without_an_end_is_drawn(self):
        judged = [Verdicts().judged(0.0, 1.0, math.inf)]
        self.assertNotRegex(chart.page(judged, "old", "new", "", [history.entry_of(judged, "", "old", "new")]), r"\binf\b|\bnan\b")

    def test_each_drawing_has_a_title_and_its_figures_in_a_table(self):
        found = Balance(self.page())
        drawings = found.seen.count("svg")
        self.assertEqual(drawings, 4)  # the ratios, one scenario's latencies, two histories
        self.assertEqual(found.seen.count("title"), drawings + 1)
        self.assertEqual(found.seen.count("table"), drawings)
        self.assertEqual(found.seen.count("h1"), 1)
        self.assertIn(("lang", "en"), found.attributes)

    def test_colours_have_contrast_and_verdicts_a_shape(self):
        def light(colour):
            parts = [int(colour[n:n + 2], 16) / 255 for n in (1, 3, 5)]
            parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

        for colour in (chart.OLD, chart.NEW, *chart.COLOUR.values()):
            self.assertGreater(1.05 / (light(colour) + 0.05), 4.5, colour)  # WCAG 2, 1.4.3, on white
        shapes = {chart.mark(0, 0, v).replace(c, "") for v, c in chart.COLOUR.items()}
        self.assertEqual(len(shapes), 3)

    def test_the_history_is_read_back_and_what_is_wrong_with_it_is_named(self):
        with tempfile.TemporaryDirectory() as room:
            name = pathlib.Path(room) / "new" / "h.jsonl"
            self.assertEqual(history.read(name, "corbel"), [])
            entry = history.entry_of([Verdicts().judged(0.99, 1.0, 1.02)], "corbel", "old", "new")
            for each in (entry, {**entry, "label": "other"}, entry):
                history.append(name, each)
            self.assertEqual(history.read(name, "corbel"), [entry, entry])
            for wrong in ("nonsense", "{}", '{"measures": {"x": {"low": 2, "ratio": 1, "high": 3}}}'):
                name.write_text(json.dumps(entry) + "\n" + wrong + "\n", encoding="utf-8")
                with self.assertRaisesRegex(Trouble, "line 2 of the history"):
                    history.read(name, "corbel")


class WholeComparisons(unittest.TestCase):
    """Real servers, too few pairs for a verdict."""

    def bench(self, *words):
        environment = {**os.environ, "PYTHONPATH": str(TREE / "benchmarks")}
        return subprocess.run([sys.executable, "-B", "-m", "harness", "--programs", str(PROGRAMS), "--pairs", "2", "--looks", "1",
                               "--seconds", "0.1", "--polite", *words],
                              capture_output=True, text=True, env=environment, timeout=250, check=False)

    def test_two_revisions(self):
        with tempfile.TemporaryDirectory() as room:
            page, lines = pathlib.Path(room) / "gate.html", pathlib.Path(room) / "h.jsonl"
            done = self.bench("--against", "HEAD~1", "--against-program", str(PROGRAMS / "bench_server"),
                              "--scenario", "plaintext,pipelined", "--html", str(page), "--history", str(lines))
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertRegex(done.stdout, r"\| plaintext +\| p95 latency +\|.*\| undecided \|")
            self.assertIn("is not judged by 2 pairs; it takes 30", done.stdout)
            Balance(page.read_text(encoding="utf-8"))
            entry = json.loads(lines.read_text(encoding="utf-8"))
            self.assertEqual(set(entry["measures"]), {"plaintext.cpu", "plaintext.p95", "pipelined.cpu"})
            self.assertEqual((entry["old"], entry["verdict"]), ("HEAD~1", UNDECIDED))

    def test_two_services_of_somebodys_own(self):
        with tempfile.TemporaryDirectory() as room:
            command = f"{PROGRAMS / 'raw_server'} --port {{port}}"
            done = self.bench("--against-command", command, "--target", command, "--url", "/plaintext",
                              "--history", str(pathlib.Path(room) / "h.jsonl"))
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertRegex(done.stdout, r"\| target +\| CPU per request +\|")

    def test_what_cannot_be_compared_says_why(self):
        for words, sentence in (
                (("--against-command", "/nonexistent/server", "--target", "/nonexistent/server"), "(old|new) cannot be started"),
                (("--against", "HEAD"), "scripts/bench --against builds it"),
                (("--against", "HEAD", "--scenario", "idle"), "there is no scenario idle; there are: plaintext")):
            with self.subTest(words=words):
                done = self.bench(*words)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertRegex(done.stderr, sentence)
                self.assertNotIn("Traceback", done.stderr)

    def test_what_does_not_go_together_is_refused(self):
        for words, sentence in (
                (["--against-command", "x"], "takes the new one's by --target"),
                (["--against", "x", "--target", "y"], "builds revisions of Corbel"),
                (["--against", "x", "--peers"], "belong to a run beside the reference"),
                (["--self-check", "0"], "takes a number from 1"),
                (["--html", "x"], "draw and keep what"),
                (["--against", "x", "--pairs", "1"], "takes 2 pairs")):
            out = io.StringIO()
            with self.subTest(words=words), contextlib.redirect_stderr(out), self.assertRaises(SystemExit):
                front.parse(words)
            self.assertIn(sentence, out.getvalue())


if __name__ == "__main__":
    machine.POLITE = True
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
