"""The schema tools of the projects example: `projects migrate [status | plan | down N]`.

    projects_migrate_test.py PROGRAM [TEST...]
"""

import os
import re
import sqlite3
import subprocess
import tempfile
import unittest

import projects_service
from projects_service import PATIENCE

FILE = "0001_create_projects_and_tasks.sql"


class Migrate(unittest.TestCase):
    def setUp(self):
        room = tempfile.TemporaryDirectory(prefix="corbel-projects-")
        self.addCleanup(room.cleanup)
        self.room = room.name
        self.url = "sqlite:projects.db"

    def call(self, *words):
        """Exit code, standard output, standard error."""
        keep = {n: v for n, v in os.environ.items() if n not in ("PORT", "DATABASE_URL", "HOST", "LOG_LEVEL")}
        done = subprocess.run([projects_service.program, *words], cwd=self.room, capture_output=True, check=False,
                              timeout=PATIENCE, text=True, env={**keep, "DATABASE_URL": self.url})
        return done.returncode, done.stdout, done.stderr

    def edit_history(self, sql):
        with sqlite3.connect(os.path.join(self.room, "projects.db")) as database:
            database.execute(sql)
        database.close()

    def test_up_and_down(self):
        self.assertRegex(self.call("migrate", "status")[1], r"\n0001 +create_projects_and_tasks +pending\n$")
        code, plan, _ = self.call("migrate", "plan")
        self.assertEqual(code, 0)
        self.assertTrue(plan.startswith(f"-- {FILE}\n"), plan)
        self.assertIn("create table projects", plan)
        with sqlite3.connect(":memory:") as scratch:
            scratch.executescript(plan)
        scratch.close()
        self.assertEqual(self.call("migrate"), (0, f"applied {FILE}\n", ""))
        self.assertEqual(self.call("migrate"), (0, "There is nothing to do.\n", ""))
        self.assertRegex(self.call("migrate", "status")[1], r"\n0001 .* 20\d\d-\S+Z +\d+ ms\n$")
        self.assertEqual(self.call("migrate", "plan")[1], f"-- There is nothing to do: the database is at {FILE}.\n")
        self.assertEqual(self.call("migrate", "down", "1"), (0, "There is nothing to do.\n", ""))
        self.assertEqual(self.call("migrate", "down", "0"), (0, f"undid {FILE}\n", ""))
        self.assertIn("pending", self.call("migrate", "status")[1])
        self.assertEqual(self.call("migrate")[0], 0)

    def test_a_history_that_does_not_match_is_told(self):
        self.call("migrate")
        self.edit_history("update corbel_migrations set checksum = 'other'")
        for words in ((), ("status",), ("plan",), ("down", "0")):
            code, said, wrong = self.call("migrate", *words)
            self.assertEqual((code, said), (1, ""), words)
            self.assertRegex(wrong, f"^migrate: Migration {re.escape(FILE)} was changed after .* Restore the file")

    def test_words_that_make_no_sense(self):
        for words in (("migrate", "up"), ("migrate", "down"), ("migrate", "down", "all"), ("migrate", "status", "x")):
            code, said, wrong = self.call(*words)
            self.assertEqual((code, said), (64, ""), words)
            self.assertIn("projects migrate down N", wrong)
        code, said, wrong = self.call("migrat")
        self.assertEqual((code, said), (64, ""))
        self.assertIn("migrat", wrong)
        code, said, wrong = self.call("migrate", "help")
        self.assertEqual((code, wrong), (0, ""))
        self.assertIn("projects migrate plan", said)
        self.assertNotIn("create table", self.call("migrate", "status")[1])

    def test_a_database_that_cannot_be_opened(self):
        self.url = "sqlite:/nowhere/at/all/x.db"
        code, said, wrong = self.call("migrate", "status")
        self.assertEqual((code, said), (1, ""))
        self.assertIn("/nowhere/at/all/x.db", wrong)


if __name__ == "__main__":
    projects_service.main()
