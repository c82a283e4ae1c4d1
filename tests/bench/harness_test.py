"""The harness of scripts/bench: its arithmetic, its files, and whole runs against real servers of the build.

    harness_test.py TREE PROGRAMS [unittest's arguments]
"""

import contextlib
import http.client
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TREE, PROGRAMS = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
sys.path.insert(0, str(TREE / "benchmarks"))

from harness import __main__ as front  # noqa: E402
from harness import gate, judge, machine, report, rounds, scenario  # noqa: E402
from harness.machine import Trouble  # noqa: E402
from harness.servers import Server  # noqa: E402

PLAINTEXT = scenario.BUILT_IN["plaintext"]


def figures(cpu=1.0, p95=100.0, disturbed=0.0, requests=1000):
    return {"requests": requests, "seconds": 0.1, "disturbed": disturbed,
            "server": {"cpu_us_per_request": cpu, "cpu_seconds": 0.05, "starved_seconds": 0.0,
                       "resident_before": 0, "resident_after": 0},
            "load": {"cpu_seconds": 0.05, "starved_seconds": 0.0},
            "latency_us": {"p50": p95 / 2, "p95": p95, "p99": p95 * 2}}


def measured(ratios, late=(), of=PLAINTEXT, disturbed=0.0):
    found = rounds.Measured(of, "raw")
    found.closed = [{"raw": figures(4.0, disturbed=disturbed), "corbel": figures(4.0 * r)} for r in ratios]
    found.late = [{"raw": figures(p95=100), "corbel": figures(p95=100 * r, disturbed=disturbed)} for r in late]
    return found


class FakeSession:
    """Hands out prepared figures, and notes what was asked for."""

    subject = "corbel"

    def __init__(self, *prepared, scenarios=(PLAINTEXT,)):
        self.prepared, self.asked = list(prepared), []
        self.scenarios, self.plan = list(scenarios), rounds.Plan(4, 2, 0.1)

    def measure(self, scenarios=None, plan=None, quiet=False):
        self.asked.append(plan)
        return [self.prepared.pop(0)]

    def metrics(self, all_of):
        return {k: v for m in all_of for k, v in gate.metrics(m, self.subject).items()}


class Ratios(unittest.TestCase):
    def test_the_ratio_is_the_median_of_the_rounds_own_ratios(self):
        found = measured([1.1, 1.2, 9.0])
        self.assertAlmostEqual(found.cpu_ratio("corbel"), 1.2)
        # A machine that becomes twice as slow in between changes no ratio.
        for each in found.closed[1].values():
            each["server"]["cpu_us_per_request"] *= 2
        self.assertAlmostEqual(found.cpu_ratio("corbel"), 1.2)

    def test_nothing_measured_is_no_ratio(self):
        self.assertIsNone(measured([]).cpu_ratio("corbel"))
        self.assertIsNone(measured([1.0]).latency_ratio("corbel"))

    def test_rounds_turn_round_and_disturbed_ones_are_made_up_for(self):
        order, disturbances = [], iter([0.0, 0.0, 0.9, 0.0, 0.0, 0.0])

        def measure(name):
            order.append(name)
            return figures(disturbed=next(disturbances))

        kept = rounds.interleave(2, ["a", "b"], measure, lambda late: [max(f["disturbed"] for f in r.values()) for r in late])
        self.assertEqual(order, ["a", "b", "b", "a"])
        self.assertEqual(len(kept), 2)
        order.clear()
        disturbances = iter([0.9, 0.0] + 9 * [0.0])
        kept = rounds.interleave(2, ["a", "b"], measure, rounds.lateness)
        self.assertEqual(len(order), 6)
        self.assertEqual([r["a"]["disturbed"] for r in kept], [0.0, 0.0])

    def test_a_machine_that_stays_busy_is_not_waited_for_for_ever(self):
        kept = rounds.interleave(3, ["a"], lambda n: figures(disturbed=0.5), rounds.lateness)
        self.assertEqual(len(kept), 3)

    def test_a_slow_phase_of_the_whole_machine_counts_as_disturbed(self):
        closed = [{"raw": figures(4.0), "corbel": figures(5.0)}, {"raw": figures(5.0), "corbel": figures(6.0)}]
        quiet, slow = rounds.disturbance(closed, "raw")
        self.assertLess(quiet, 1)
        self.assertGreater(slow, 1)


class Gate(unittest.TestCase):
    baseline = {"metrics": {"plaintext.cpu": {"value": 1.2, "band": 0.05}, "plaintext.p95": {"value": 1.0, "band": 0.3}}}

    def check(self, session, found):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            code = judge.check(session, self.baseline, found)
        return code, out.getvalue()

    def test_unchanged_passes_and_slower_fails_with_a_sentence(self):
        self.assertEqual(self.check(FakeSession(), [measured([1.24], [1.1])])[0], judge.PASSED)
        code, said = self.check(FakeSession(measured([1.38])), [measured([1.38], [1.1])])
        self.assertEqual(code, judge.REGRESSED)
        self.assertRegex(said, r"FAIL plaintext: CPU per request.* 1\.380, \+15\.0 % from the baseline 1\.200")
        code, said = self.check(FakeSession(measured([1.2], [1.5])), [measured([1.2], [1.5])])
        self.assertEqual(code, judge.REGRESSED)
        self.assertIn("FAIL plaintext: p95", said)

    def test_better_passes_and_says_so(self):
        code, said = self.check(FakeSession(), [measured([1.0], [1.0])])
        self.assertEqual(code, judge.PASSED)
        self.assertIn("better", said)

    def test_the_second_look_is_longer_and_counts_with_the_first(self):
        session = FakeSession(measured([1.2, 1.2, 1.2]))
        self.assertEqual(self.check(session, [measured([1.4])])[0], judge.PASSED)
        self.assertEqual([p.rounds for p in session.asked], [8])

    def test_what_was_disturbed_is_not_judged(self):
        code, said = self.check(FakeSession(), [measured([1.2], [9.0], disturbed=0.2)])
        self.assertEqual(code, judge.PASSED)
        self.assertIn("???? plaintext: p95", said)
        code, said = self.check(FakeSession(), [measured([1.6], [1.0], disturbed=0.9)])
        self.assertEqual(code, judge.INCONCLUSIVE)
        self.assertIn("quieter machine", said)

    def test_a_band_holds_all_unchanged_runs_with_room(self):
        runs = [{"x.cpu": v} for v in (1.00, 1.02, 0.95, 1.04, 1.01)]
        made = gate.baseline_of(runs, {})
        entry = made["metrics"]["x.cpu"]
        self.assertEqual(entry["value"], 1.01)
        # What is below the median raises no alarm, and so makes no room.
        self.assertAlmostEqual(entry["band"], 1.5 * (1.04 / 1.01 - 1), places=3)
        for run in runs:
            self.assertFalse(any(v.regressed for v in gate.compare(run, made)))
        self.assertTrue(gate.compare({"x.cpu": 1.01 * 1.15}, made)[0].regressed)

    def test_however_quiet_no_band_is_narrower_than_its_least(self):
        for metric, least in (("x.cpu", 0.04), ("x.p95", 0.3), ("x.bytes", 0.25)):
            self.assertEqual(gate.band_of(metric, [1.0, 1.0]), least)

    def test_an_update_keeps_the_bands(self):
        renewed = gate.with_values(self.baseline, {"plaintext.cpu": 1.5, "json.cpu": 1.1}, {})
        self.assertEqual(renewed["metrics"]["plaintext.cpu"], {"value": 1.5, "band": 0.05})
        self.assertEqual(renewed["metrics"]["json.cpu"], {"value": 1.1, "band": 0.08})
        self.assertEqual(self.baseline["metrics"]["plaintext.cpu"]["value"], 1.2)

    def test_a_limit_has_no_band(self):
        aims = {"metrics": {"db.cpu": {"limit": 1.25}}}
        for value, regressed in ((0.9, False), (1.25, False), (1.2501, True)):
            verdict, = gate.compare({"db.cpu": value, "json.cpu": 3.0}, aims)
            self.assertEqual((verdict.regressed, verdict.improved), (regressed, False))
        self.assertRegex(verdict.said(), r"db: CPU per request.* is 1\.250, above its limit 1\.250\. Find the cost")

    def test_a_file_that_is_no_baseline_is_named(self):
        with tempfile.TemporaryDirectory() as room:
            name = pathlib.Path(room) / "b.json"
            for content in ("", "[]", "{}", '{"metrics": {"x.cpu": {"value": 0, "band": 1}}}'):
                name.write_text(content, encoding="utf-8")
                with self.assertRaisesRegex(Trouble, "is no baseline"):
                    gate.load(name)
            with self.assertRaisesRegex(Trouble, "there is no baseline"):
                gate.load(name.parent / "other")
            gate.save(name, self.baseline)
            self.assertEqual(gate.load(name), self.baseline)

    def test_the_stored_baseline_can_be_read(self):
        known = {m.rpartition(".")[0] for m in gate.load(TREE / "benchmarks/baseline.json")["metrics"]}
        self.assertLessEqual(known, set(scenario.BUILT_IN))


class Reports(unittest.TestCase):
    def test_the_table_has_a_line_for_each_server_and_no_empty_column(self):
        lines = report.table([measured([1.25], [2.0])]).split("\n")
        self.assertEqual(len(lines), 4)
        self.assertEqual(len({len(line) for line in lines}), 1)
        self.assertNotIn("bytes", lines[0])
        self.assertRegex(lines[3], r"\| plaintext \| corbel \| 5\.00 +\| 1\.250 \| 100 +\| 200 +\| 400 +\| 2\.00")

    def test_a_page_gets_the_table_between_its_marks_and_nothing_else_changes(self):
        with tempfile.TemporaryDirectory() as room:
            page = pathlib.Path(room) / "page.md"
            page.write_text(f"above\n{report.BEGIN}\nold\n{report.END}\nbelow\n", encoding="utf-8")
            for _ in range(2):
                report.fill(page, [measured([1.25])], rounds.Plan())
            text = page.read_text(encoding="utf-8")
            self.assertTrue(text.startswith(f"above\n{report.BEGIN}\n"))
            self.assertTrue(text.endswith(f"|\n{report.END}\nbelow\n"))
            self.assertEqual(text.count("| plaintext | corbel |"), 1)
            self.assertNotIn("old", text)
            page.write_text("no marks\n", encoding="utf-8")
            with self.assertRaisesRegex(Trouble, "no place for figures"):
                report.fill(page, [measured([1.25])], rounds.Plan())

    def test_the_json_is_google_benchmarks(self):
        made = json.loads(json.dumps(report.as_google_benchmark([measured([1.25], [2.0])])))
        self.assertIn("num_cpus", made["context"])
        ours = next(b for b in made["benchmarks"] if b["name"] == "plaintext/corbel")
        for field in ("run_name", "run_type", "iterations", "real_time", "cpu_time", "time_unit"):
            self.assertIn(field, ours)
        self.assertEqual((ours["cpu_time"], ours["real_time"], ours["p95_ratio"]), (5.0, 100.0, 2.0))


class Scenarios(unittest.TestCase):
    def test_a_users_file(self):
        with tempfile.TemporaryDirectory() as room:
            name = pathlib.Path(room) / "s.json"
            name.write_text(json.dumps({"target": "./server {port}", "scenarios": {
                "list": {"path": "/things"},
                "add": {"path": "/things", "body": {"a": 1}, "headers": {"Content-Type": "application/json"}, "status": 201}}}),
                encoding="utf-8")
            command, found = scenario.from_file(name)
            self.assertEqual(command, "./server {port}")
            self.assertEqual(found["list"].request, scenario.Request("/things"))
            self.assertEqual(found["add"].request.method, "POST")
            self.assertEqual(json.loads(found["add"].request.body), {"a": 1})
            self.assertEqual(found["add"].reference.status, 201)
            for wrong in ("{}", "[]", "nonsense", '{"target": "x", "scenarios": {"a": {"pth": "/"}}}'):
                name.write_text(wrong, encoding="utf-8")
                with self.assertRaisesRegex(Trouble, "no file of scenarios"):
                    scenario.from_file(name)

    def test_an_unknown_scenario_is_named_beside_the_known(self):
        with self.assertRaisesRegex(Trouble, "no scenario nonsense; there are: plaintext"):
            scenario.choose(["nonsense"], scenario.BUILT_IN)


class WholeRuns(unittest.TestCase):
    """Real servers, real sockets; no figure is looked at for its size."""

    def bench(self, *words):
        environment = {**os.environ, "PYTHONPATH": str(TREE / "benchmarks")}
        return subprocess.run([sys.executable, "-B", "-m", "harness", "--programs", str(PROGRAMS), "--rounds", "1",
                               "--late-rounds", "1", "--seconds", "0.05", "--polite", *words],
                              capture_output=True, text=True, env=environment, timeout=250, check=False)

    def test_every_scenario_and_a_baseline_from_nothing(self):
        with tempfile.TemporaryDirectory() as room:
            baseline, figures_file = pathlib.Path(room) / "b.json", pathlib.Path(room) / "f.json"
            done = self.bench("--update-baseline", "--baseline", str(baseline), "--json", str(figures_file),
                              "--scenario", "plaintext,pipelined,route,post")
            self.assertEqual(done.returncode, 0, done.stderr)
            made = {b["name"]: b for b in json.loads(figures_file.read_text(encoding="utf-8"))["benchmarks"]}
            self.assertEqual(len(made), 8)
            self.assertGreater(made["post/corbel"]["cpu_ratio"], 0)
            self.assertNotIn("p95_us", made["pipelined/corbel"])
            self.assertEqual(len(gate.load(baseline)["metrics"]), 7)

    def test_a_service_of_a_user_with_its_port_from_the_environment(self):
        words = f"sh -c 'exec {PROGRAMS / 'bench_server'} --threads 1 --port $PORT'"
        done = self.bench("--target", words, "--url", "/json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\| target +\| target")

    def test_what_cannot_be_measured_says_why(self):
        for words, sentence in (
                (("--target", "/nonexistent/server"), "target cannot be started"),
                (("--target", "sh -c 'echo no database; exit 3'"), "(?s)ended with code 3 before it listened.*no database"),
                (("--target", f"{PROGRAMS / 'raw_server'} --port {{port}}", "--url", "/nothing"), "with 404, expected is 200"),
                (("--check", "/nonexistent.json"), "there is no baseline")):
            with self.subTest(words=words):
                done = self.bench(*words)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertRegex(done.stderr, sentence)
                self.assertNotIn("Traceback", done.stderr)

    def test_no_server_is_left_behind(self):
        with Server("raw", f"{PROGRAMS / 'raw_server'} --port {{port}}", machine.cores()[0]) as server:
            port = server.port
            self.assertEqual(server.probe(PLAINTEXT.request), 13)
        with self.assertRaises(OSError):
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()

    def test_help_names_every_option(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), self.assertRaises(SystemExit):
            front.parse(["--help"])
        for word in ("--check", "--self-check", "--measure-band", "--target", "--serve", "15%"):
            self.assertIn(word, out.getvalue())


if __name__ == "__main__":
    machine.POLITE = True
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
