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
from harness import machine, report, rounds, scenario, stored  # noqa: E402
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


class Stored(unittest.TestCase):
    """Ratios of another day are shown, and judge nothing."""

    known = {"how": {"processor": "some", "date": "2026-01-01"},
             "metrics": {"plaintext.cpu": {"value": 1.2}, "plaintext.p95": {"limit": 1.1}}}

    def test_the_chart_has_a_line_for_each_that_both_know(self):
        head, cpu, p95 = stored.chart({"plaintext.cpu": 1.5, "plaintext.p95": 1.1, "json.cpu": 1.0}, self.known).split("\n")
        self.assertIn("(some, 2026-01-01); no verdict", head)
        self.assertRegex(cpu, r"plaintext +CPU per request, to the reference's +1\.500 +stored +1\.200 +\+25\.0% +#{30}$")
        self.assertRegex(p95, r"p95, .* aim +1\.100 +\+0\.0% +#{24}$")

    def test_a_run_renews_what_was_measured_and_no_aim(self):
        renewed = stored.renewed(self.known, {"plaintext.cpu": 1.5, "plaintext.p95": 9.0, "json.cpu": 1.1}, rounds.Plan())
        self.assertEqual(renewed["metrics"], {"json.cpu": {"value": 1.1}, "plaintext.cpu": {"value": 1.5}, "plaintext.p95": {"limit": 1.1}})
        self.assertEqual(self.known["metrics"]["plaintext.cpu"], {"value": 1.2})
        aims = {"how": {"what": "aims"}, "metrics": {"db.cpu": {"limit": 1.2}}}
        self.assertEqual(stored.renewed(aims, {"db.cpu": 3.0}, rounds.Plan()), aims)

    def test_a_file_of_something_else_is_named(self):
        with tempfile.TemporaryDirectory() as room:
            name = pathlib.Path(room) / "b.json"
            for content in ("", "[]", "{}", '{"metrics": {"x.cpu": {"value": 0}}}', '{"metrics": {"x.cpu": {"band": 1}}}'):
                name.write_text(content, encoding="utf-8")
                with self.assertRaisesRegex(Trouble, "is no file of ratios"):
                    stored.load(name)
            with self.assertRaisesRegex(Trouble, "there is no file of ratios"):
                stored.load(name.parent / "other")
            stored.save(name, self.known)
            self.assertEqual(stored.load(name), self.known)

    def test_the_one_of_this_tree_can_be_read(self):
        known = {m.rpartition(".")[0] for m in stored.load(TREE / "benchmarks/baseline.json")["metrics"]}
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

    def test_every_scenario_and_stored_ratios_from_nothing(self):
        with tempfile.TemporaryDirectory() as room:
            ratios, figures_file = pathlib.Path(room) / "b.json", pathlib.Path(room) / "f.json"
            done = self.bench("--store", str(ratios), "--json", str(figures_file),
                              "--scenario", "plaintext,pipelined,route,post")
            self.assertEqual(done.returncode, 0, done.stderr)
            made = {b["name"]: b for b in json.loads(figures_file.read_text(encoding="utf-8"))["benchmarks"]}
            self.assertEqual(len(made), 8)
            self.assertGreater(made["post/corbel"]["cpu_ratio"], 0)
            self.assertNotIn("p95_us", made["pipelined/corbel"])
            self.assertEqual(len(stored.load(ratios)["metrics"]), 7)

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
                (("--beside", "/nonexistent.json"), "there is no file of ratios")):
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
        for word in ("--against", "--self-check", "--beside", "--target", "--serve", "10% of"):
            self.assertIn(word, out.getvalue())


if __name__ == "__main__":
    machine.POLITE = True
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
