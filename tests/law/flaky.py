"""Flaky tests are listed in tests/flaky.txt, each with its reason, and for one landing only: at most a day of commits."""

import datetime
import re
import subprocess

import law

LIST = "tests/flaky.txt"
LONGEST = datetime.timedelta(days=1)  # between the day of an entry and the newest commit
ENTRY = re.compile(r"(\S+)\s+(\d{4}-\d{2}-\d{2})\s+\S.*")


def newest_commit(root):
    """The day of the newest commit; today where there is no git, as in a release archive."""
    asked = subprocess.run(["git", "-C", str(root), "log", "-1", "--format=%cs"], capture_output=True, text=True, check=False)
    return datetime.date.fromisoformat(asked.stdout.strip()) if asked.stdout.strip() else datetime.date.today()


def check(root, _):
    report = law.Report("flaky tests")
    today = newest_commit(root)
    listed = 0
    for number, line in enumerate(law.lines(root, LIST) if (root / LIST).exists() else [], 1):
        if not line.strip() or line.startswith("#"):
            continue
        listed += 1
        found = ENTRY.fullmatch(line)
        if not found:
            report.breach(LIST, number, f'"{line}" is no entry', "Write NAME YYYY-MM-DD and why it is flaky.")
            continue
        try:
            since = datetime.date.fromisoformat(found[2])
        except ValueError:
            report.breach(LIST, number, f"{found[2]} is no day", "Write the day as YYYY-MM-DD.")
            continue
        if today - since > LONGEST or since > today + LONGEST:
            report.breach(LIST, number, f"{found[1]} has been flaky since {since}, longer than one landing",
                          "Mend the test, and take its line out.")
    return report.finish(f"{listed} listed")


if __name__ == "__main__":
    law.main(check, __doc__)
