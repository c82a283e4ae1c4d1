"""The database scenarios of scripts/bench: the harness's part, and the answers of the servers that it compares.

    database_test.py TREE PROGRAMS [unittest's arguments]

The servers are asked when CORBEL_TEST_POSTGRES_URL names a Postgres; scripts/test does.
"""

import contextlib
import http.client
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest
from unittest import mock

from harness_test import PROGRAMS, TREE, figures
from harness import __main__ as front  # harness_test has set the path
from harness import machine, report, rounds, scenario, stored
from harness.machine import Trouble
from harness.servers import Server

POSTGRES = os.environ.get("CORBEL_TEST_POSTGRES_URL", "")
DB, CROWD = scenario.DATABASE["db"], scenario.DATABASE["crowd"]


def measured(of=DB, raw=1000, corbel=950, libpqxx=400):
    found = rounds.Measured(of, "raw")
    found.closed = [{"raw": figures(10.0, requests=raw * n), "corbel": figures(12.0, requests=corbel * n),
                     "libpqxx": figures(30.0, requests=libpqxx * n, disturbed=2.0)} for n in (1, 2, 3)]
    return found


class Arithmetic(unittest.TestCase):
    def test_requests_a_second_are_compared_within_a_round(self):
        found = measured()
        self.assertAlmostEqual(found.rate_ratio("corbel"), 0.95)
        self.assertAlmostEqual(found.rate_ratio("corbel", to="libpqxx"), 2.375)

    def test_throughput_is_a_ratio_to_both(self):
        found = stored.metrics(measured(), "corbel")
        self.assertAlmostEqual(found["db.cpu"], 1.2)
        self.assertAlmostEqual(found["db.rate"], 1 / 0.95)
        self.assertAlmostEqual(found["db.libpqxx"], 400 / 950)
        said = stored.chart(found, {"metrics": {"db.rate": {"limit": 1.1111}, "db.libpqxx": {"value": 0.4}}})
        self.assertRegex(said, r"db +the reference's requests/s, to ours +1\.053 +aim +1\.111")
        self.assertRegex(said, r"db +libpqxx's requests/s, to ours +0\.421 +stored +0\.400")

    def test_other_scenarios_have_no_such_metric(self):
        found = measured(scenario.BUILT_IN["plaintext"])
        self.assertEqual(set(stored.metrics(found, "corbel")), {"plaintext.cpu"})
        self.assertNotIn("requests/s", report.table([found]))

    def test_threads_that_wait_for_one_another_are_no_disturbance(self):
        found = measured()
        self.assertEqual(max(rounds.disturbance(found.closed, "raw")), 0.0)
        self.assertEqual(found.trouble(), (0.0, 0.0))
        found.closed[0]["corbel"]["disturbed"] = found.closed[1]["corbel"]["disturbed"] = 0.5
        self.assertGreater(found.trouble()[0], 0.5)

    def test_the_constant_rate_heeds_what_the_database_could_give(self):
        # 400 requests in 0.1 s: half of 4,000 a second, far below what the servers' CPU would allow.
        self.assertEqual(rounds.constant_rate(measured()), 2000)

    def test_the_table_and_the_json_tell_the_throughput(self):
        line = next(t for t in report.table([measured()]).split("\n") if "corbel" in t)
        self.assertRegex(line, r"\| db +\| corbel +\| 12\.00 +\| 1\.200 +\| 19000 +\| 0\.95 ")
        made = json.loads(json.dumps(report.as_google_benchmark([measured()])))
        self.assertEqual(made["benchmarks"][1]["rate_ratio"], 0.95)

    def test_a_crowds_latency_is_the_saturated_one(self):
        class FakeServer:
            pass

        class FakeLoad:
            asked = []

            def run(self, *_, **how):
                self.asked.append(how)
                return figures(p95=30000.0)

        found = rounds.run(CROWD, {"raw": FakeServer(), "corbel": FakeServer()}, "raw", FakeLoad(), rounds.Plan(2, 2, 0.1))
        self.assertEqual({how["connections"] for how in FakeLoad.asked}, {1000})
        self.assertTrue(all("rate" not in how for how in FakeLoad.asked))
        self.assertEqual(found.latency("corbel", "p95"), 30000.0)
        self.assertIn("crowd (1,000 at once)", report.table([found]))

    def test_the_database_never_runs_on_the_servers_core(self):
        for usable, wanted in (({0, 1}, {1}), ({0, 1, 2, 5}, {2, 5}), ({3}, {3})):
            with mock.patch("os.sched_getaffinity", return_value=usable):
                self.assertEqual(machine.database_cores(), wanted)

    def test_putting_the_database_first_puts_nobody_else_first(self):
        """It is started by a script, whose terminal's session it shares."""
        group = pathlib.Path("/proc/self/autogroup")
        if not group.exists():
            self.skipTest("this kernel does not weigh sessions")
        before = group.read_text(encoding="ascii")
        sleeper = subprocess.Popen(["sleep", "60"])
        try:
            with mock.patch.object(machine, "POLITE", False):
                machine.settle(sleeper.pid, {machine.cores()[1]})
            self.assertEqual(os.sched_getaffinity(sleeper.pid), {machine.cores()[1]})
        finally:
            sleeper.kill()
            sleeper.wait()
        self.assertEqual(group.read_text(encoding="ascii"), before)

    def test_what_it_takes_is_said(self):
        with mock.patch.dict(os.environ):
            os.environ.pop("DATABASE_URL", None)
            with self.assertRaisesRegex(Trouble, "scripts/bench --database starts one"):
                front.session_of(front.parse(["--database"]))
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
            front.parse(["--database", "--peers"])
        self.assertEqual((front.parse(["--database"]).seconds, front.parse([]).seconds), (0.5, 0.2))

    def test_the_stored_baseline_has_the_aims_and_nothing_else(self):
        aims = stored.load(TREE / "benchmarks/database-baseline.json")["metrics"]
        self.assertTrue(all("limit" in entry for entry in aims.values()))
        self.assertLessEqual({m.rpartition(".")[0] for m in aims}, set(scenario.DATABASE))
        for name, cpu in (("db", 1.25), ("queries", 1.6), ("fortunes", 1.6)):
            self.assertEqual(aims[f"{name}.cpu"]["limit"], cpu)
            self.assertAlmostEqual(1 / aims[f"{name}.rate"]["limit"], 0.9, places=3)


def psql(url, *words):
    command = ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", url, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)


@unittest.skipUnless(POSTGRES and (PROGRAMS / "raw_pg_server").is_file(), "no Postgres, or no libpq to build with")
class Answers(unittest.TestCase):
    """What is compared gives the same answers."""

    @classmethod
    def setUpClass(cls):
        cls.name = f"corbel_bench_{os.getpid()}"
        psql(POSTGRES, "-c", f"create database {cls.name}")
        cls.addClassCleanup(psql, POSTGRES, "-c", f"drop database {cls.name} with (force)")
        url = re.sub(r"/[^/?]*(\?|$)", rf"/{cls.name}\1", POSTGRES)
        psql(url, "-f", str(TREE / "benchmarks/database.sql"))
        patched = mock.patch.dict(os.environ, {"DATABASE_URL": url, "BENCH_POSTGRES_PID": "0"})
        patched.start()
        cls.addClassCleanup(patched.stop)

    def ask(self, server, path):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)
            reply = connection.getresponse()
            self.assertEqual(reply.status, 200, path)
            self.assertEqual(reply.headers["Content-Type"], "application/json")
            return json.loads(reply.read())

    def check_world(self, row):
        self.assertEqual(list(row), ["id", "randomNumber"])
        self.assertIn(row["id"], range(1, 10001))
        self.assertEqual(row["randomNumber"], 1 + row["id"] * 7919 % 10000)

    def test_every_server_sends_the_same_rows(self):
        fortunes = {}
        for name in ("raw_pg_server", "pqxx_server", "bench_server"):
            if not (PROGRAMS / name).is_file():
                continue
            with self.subTest(server=name), contextlib.ExitStack() as running:
                try:
                    server = running.enter_context(Server(name, f"{PROGRAMS / name} --port {{port}}", machine.cores()[0]))
                except Trouble as trouble:
                    if "no driver for Postgres" in str(trouble):
                        continue
                    raise
                self.assertGreater(len({self.ask(server, "/db")["id"] for _ in range(20)}), 10)
                self.check_world(self.ask(server, "/db"))
                for asked, given in ((20, 20), (0, 1), (1, 1), (500, 500), (501, 500)):
                    rows = self.ask(server, f"/queries?n={asked}")
                    self.assertEqual(len(rows), given)
                    for row in rows:
                        self.check_world(row)
                fortunes[name] = self.ask(server, "/fortunes")
        for name, rows in fortunes.items():
            self.assertEqual(len(rows), 12)
            self.assertEqual(rows, sorted(rows, key=lambda row: row["message"].encode()), name)
            self.assertEqual(rows, fortunes["raw_pg_server"], name)

    @unittest.skipUnless((PROGRAMS / "pqxx_server").is_file(), "no libpqxx to build with")
    def test_a_whole_run(self):
        words = ["--database", "--scenario", "queries,crowd", "--target", f"{PROGRAMS / 'raw_pg_server'} --port {{port}}",
                 "--rounds", "1", "--late-rounds", "1", "--seconds", "0.3", "--polite"]
        done = subprocess.run([sys.executable, "-B", "-m", "harness", "--programs", str(PROGRAMS), *words],
                              capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(TREE / "benchmarks")},
                              timeout=250, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("raw", "target", "libpqxx"):
            for each, title in (("queries", "queries"), ("crowd", r"crowd \(1,000 at once\)")):
                if name == "libpqxx" and re.search(rf"{each} leaves (it|libpqxx) out: libpqxx", done.stderr):
                    continue  # a peer that a busy machine leaves no time is named
                self.assertRegex(done.stdout, rf"\| {title} +\| {name} ", done.stderr)


if __name__ == "__main__":
    machine.POLITE = True
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
