"""What earlier comparisons came to: one line of JSON each, so that runs only ever append."""

import datetime
import json
import pathlib

from . import report
from .against import whole
from .machine import Trouble


def entry_of(judged, label, old, new):
    """`label` says what is compared, so that one file can hold the histories of several services."""
    return {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "label": label,
            "old": old, "new": new, "processor": report.processor(), "verdict": whole(judged),
            "measures": {j.name: {"ratio": round(j.ratio.value, 4), "low": round(j.ratio.low, 4),
                                  "high": round(min(j.ratio.high, 1e9), 4), "pairs": j.measure.pairs(), "verdict": j.verdict}
                         for j in judged}}


def read(name, label):
    """The entries of that label, the oldest first; nothing where there is no file yet."""
    try:
        lines = pathlib.Path(name).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except OSError as failed:
        raise Trouble(f"the history {name} cannot be read: {failed.strerror}") from failed
    found = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            for m in entry["measures"].values():
                if not 0 <= m["low"] <= m["ratio"] <= m["high"]:
                    raise ValueError("a ratio is not within its interval")
            if entry["label"] == label:
                found.append({**entry, "date": str(entry["date"])})
        except (ValueError, KeyError, TypeError, AttributeError) as failed:
            raise Trouble(f"line {number} of the history {name} is not one of a comparison ({failed}); remove the line, or name "
                          "another file with --history") from failed
    return found


def write(name, entry):
    try:
        pathlib.Path(name).write_text(json.dumps(entry, indent=1) + "\n", encoding="utf-8")
    except OSError as failed:
        raise Trouble(f"{name} cannot be written: {failed.strerror}") from failed


def append(name, entry):
    try:
        path = pathlib.Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry) + "\n")
    except OSError as failed:
        raise Trouble(f"the history {name} cannot be written: {failed.strerror}") from failed
