"""The tree is tidy: small text files, none orphaned, none that belongs to one machine."""

import os
import re

import law

CEILING = 500  # lines of one file; past it, it holds more than one idea
MEASURED = (".hpp", ".cpp", ".py", ".sh", ".cmake")
TEXT = (*MEASURED, ".md", ".txt", ".json", ".sql", ".yml", ".yaml", "")
OUTPUT = re.compile(r"\.(o|a|so|d|gch|pyc|db|db-wal|db-shm|log|orig|rej|swp)$")
CORPUS = ("tests", "fuzz", "corpus")  # bytes that a fuzzer made, kept as they are
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
CONFLICT = re.compile(r"^(?:<{7}|>{7}|={7})(?: |$)")
ONE_MACHINE = re.compile(r"(?<![\w.])/(?:home/\w+|root|Users/\w+|work)/[\w.]")
CLOSING_ROOM = re.compile(r"[ \t\r]+$")


def check_text(root, report, path):
    if path.parts[:3] == CORPUS:
        return
    raw = (root / path).read_bytes()
    if b"\0" in raw:
        report.breach(path, 1, "a binary file", "keep its source instead, or give this law a reason to allow it")
        return
    if raw and not raw.endswith(b"\n"):
        report.breach(path, raw.count(b"\n") + 1, "the last line does not end", "add a newline")
    text = raw.decode("utf-8", errors="replace").split("\n")
    for number, line in enumerate(text, 1):
        if CLOSING_ROOM.search(line) and path.suffix != ".md":
            report.breach(path, number, "white space at the end of the line", "remove it")
        if "\t" in line and path.suffix in (".hpp", ".cpp", ".py", ".cmake"):
            report.breach(path, number, "a tab", "indent with spaces")
        if UNFINISHED.search(line):
            report.breach(path, number, "a note of unfinished work", "finish it, or file an issue and remove the note")
        if CONFLICT.match(line) and not (line == "=" * 7 and path.suffix == ".md"):
            report.breach(path, number, "a conflict marker", "resolve the merge")
        if ONE_MACHINE.search(line):
            report.breach(path, number, "a path that exists on one machine only", "make it relative, or a setting")
    if path.suffix in MEASURED and len(text) - 1 > CEILING:
        report.breach(path, CEILING + 1, f"{len(text) - 1} lines, the ceiling is {CEILING}",
                      "split it: one file, one idea")
    if path.suffix == ".hpp" and "#pragma once" not in text[:3]:
        report.breach(path, 1, "a header without `#pragma once` on top", "add it as the first line")
    if raw.startswith(b"#!") and not os.access(root / path, os.X_OK):
        report.breach(path, 1, "a script without its run bit", f"git update-index --chmod=+x {path} && chmod +x {path}")


def check_listed(root, report, path):
    """A .cpp that no CMakeLists.txt names is compiled by nobody and tested by nothing."""
    if path.suffix != ".cpp" or path.parts[0] not in ("src", "tests", "examples", "benchmarks", "docs"):
        return
    folder = path.parent
    while len(folder.parts) >= 1:
        lists = root / folder / "CMakeLists.txt"
        if lists.is_file():
            name = path.relative_to(folder).as_posix()
            if not re.search(rf"(?<![\w/.-]){re.escape(name)}(?![\w.-])", lists.read_text(encoding="utf-8")):
                report.breach(path, 1, f"{folder}/CMakeLists.txt does not list it, so nothing compiles it",
                              f"list {name} there, or delete the file")
            return
        folder = folder.parent
    report.breach(path, 1, "no CMakeLists.txt above it", "add one that lists it")


def check_example(root, report, path):
    """Every example is built, and ctest runs it."""
    if len(path.parts) != 3 or path.parts[0] != "examples" or path.name != "CMakeLists.txt":
        return
    name = path.parts[1]
    if f"add_subdirectory({name})" not in (root / "examples/CMakeLists.txt").read_text(encoding="utf-8"):
        report.breach(path, 1, "examples/CMakeLists.txt does not add it, so nothing builds it", f"add_subdirectory({name})")
    if not re.search(r"corbel_example\([^)]*\bANSWERS\b", (root / path).read_text(encoding="utf-8")):
        report.breach(path, 1, "no test runs this example", "corbel_example(... ANSWERS /health=200)")


def check(root, _arguments):
    report = law.Report("tidiness")
    all_files = law.files(root)
    for path in all_files:
        if OUTPUT.search(path.name):
            report.breach(path, 1, "the output of a program is no source", f"git rm --cached {path}")
        elif path.suffix in TEXT:
            check_text(root, report, path)
            check_listed(root, report, path)
            check_example(root, report, path)
    return report.finish(f"{len(all_files)} files")


if __name__ == "__main__":
    law.main(check, __doc__)
