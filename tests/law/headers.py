"""Public headers: each compiles alone, and none lets a heavy library through to the user's file.

A header that a user includes in order to use such a library is named in OPT_IN; any other that includes it breaks the law.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import tempfile

import law

# What a user's file must never pay for; each costs seconds of compile time (docs/dependencies.md).
HEAVY = {
    "Boost.Beast": re.compile(r"/boost/beast(/|\.hpp$)"),
    "libpqxx": re.compile(r"/pqxx/"),
    "valijson": re.compile(r"/valijson/"),
    "nlohmann's full header": re.compile(r"/nlohmann/json\.hpp$"),
}
# Headers that nothing of Corbel includes, for users who have the library already: whoever includes one asks for it.
OPT_IN = {
    "include/corbel/data/postgres/string_traits.hpp": "libpqxx",  # makes the user's pqxx::string_traits known to Corbel
    "include/corbel/data/postgres/pqxx.hpp": "libpqxx",  # runs the user's libpqxx code on a connection of Corbel's
}
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


class Compiler:
    """Runs the compiler on one header. A verdict is kept until a file it read, or the command, changes."""

    def __init__(self, root, arguments):
        self.root = root
        # The system's own folders are left out: naming them would reorder the search.
        folders = [f for f in arguments.include.split(";") if f and f not in ("/usr/include", "/usr/local/include")]
        self.command = [arguments.compiler, "-std=c++20", "-fsyntax-only", *WARNINGS, f"-I{root / 'include'}"]
        self.command += [f"-isystem{f}" for f in folders if pathlib.Path(f) != root / "include"]
        self.cache = arguments.cache

    def run(self, unit, *extra):
        return subprocess.run([*self.command, *extra, "-x", "c++", "-"], input=unit, text=True,
                              capture_output=True, check=False)

    def verdict(self, header):
        """(compiler's complaint or "", the files the header draws in)."""
        name = header.relative_to("include").as_posix()
        unit = f"#include <{name}>\n#include <{name}>\n"
        key = hashlib.sha256("\0".join([*self.command, unit]).encode()).hexdigest()[:32]
        kept = self.cache / f"{key}.json" if self.cache else None
        if kept and (known := load(kept)) and known["stamps"] == [stamp(f) for f in known["files"]]:
            return known["complaint"], known["files"]
        with tempfile.NamedTemporaryFile(suffix=".d") as rule:
            done = self.run(unit, "-MD", "-MF", rule.name, "-MT", "unit")
            drawn = pathlib.Path(rule.name).read_text(encoding="utf-8").replace("\\\n", " ").split()[1:]
        complaint = "" if done.returncode == 0 else done.stderr.strip()
        drawn = sorted(f for f in drawn if os.path.exists(f))
        if kept and not complaint:
            kept.write_text(json.dumps(
                {"complaint": complaint, "files": drawn, "stamps": [stamp(f) for f in drawn]}), encoding="utf-8")
        return complaint, drawn

    def way_to(self, header, pattern):
        """The chain of includes from a header to the first file that matches."""
        name = header.relative_to("include").as_posix()
        chain = []
        for text in self.run(f"#include <{name}>\n", "-H").stderr.split("\n"):
            found = re.match(r"^(\.+) (.*)$", text)
            if not found:
                continue
            depth = len(found.group(1))
            chain[depth - 1:] = [found.group(2)]
            if pattern.search(found.group(2)):
                return chain
        return chain


def load(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def stamp(path):
    try:
        facts = os.stat(path)
        return [facts.st_mtime_ns, facts.st_size]
    except OSError:
        return None


def missing_file(complaint):
    """The file an include did not find, as "/name"; "" when that is not the complaint."""
    found = re.search(r"fatal error: '?([^\s':]+)'?(?::| file) (?:No such file|not found)", complaint)
    return "/" + found.group(1) if found else ""


def line_of(root, path, included):
    """The line on which a file of the tree names an include."""
    for number, text in enumerate(law.lines(root, path), 1):
        if "include" in text and included in text:
            return number
    return 1


def report_heavy(report, compiler, root, header, what, pattern):
    chain = compiler.way_to(header, pattern)
    ours = [c for c in chain if pathlib.Path(c).resolve().is_relative_to(root / "include/corbel")]
    last = pathlib.Path(ours[-1]).resolve().relative_to(root) if ours else header
    foreign = [c for c in chain if c not in ours]
    culprit = re.split(r"/(?:include|libraries)/", foreign[0])[-1] if foreign else what
    report.breach(last, line_of(root, last, culprit),
                  f"<{culprit}> brings {what} into <{header.relative_to('include')}>, so every user's file compiles it",
                  "keep the type behind a pointer or a plain function, and include the library in a .cpp only")


def check(root, arguments):
    report = law.Report("public headers")
    headers = [pathlib.PurePosixPath(h) for h in arguments.only or law.sources(root, "include") if
               str(h).endswith(".hpp")]
    if arguments.cache:
        arguments.cache.mkdir(parents=True, exist_ok=True)
    compiler = Compiler(root, arguments)
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for header, (complaint, drawn) in zip(headers, pool.map(compiler.verdict, headers)):
            wants = OPT_IN.get(header.as_posix())
            if wants and HEAVY[wants].search(missing_file(complaint)):
                continue  # the library is optional, and not at hand
            if complaint:
                first = re.search(r"([^\s:]+):(\d+)(?::\d+)?: (?:fatal )?error: (.*)", complaint)
                line = first.group(2) if first and first.group(1).endswith(str(header)) else 1
                report.breach(header, line, "this header does not compile alone:\n" + complaint,
                              "include what it uses; a header never relies on its includer")
            for what, pattern in HEAVY.items():
                if what != wants and any(pattern.search(f) for f in drawn):
                    report_heavy(report, compiler, root, header, what, pattern)
    return report.finish(f"{len(headers)} headers")


def add_arguments(parser):
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--include", default="", help="the libraries' folders, separated by ;")
    parser.add_argument("--cache", type=pathlib.Path, help="where verdicts are kept between runs")
    parser.add_argument("--only", nargs="*", help="only these headers, as include/corbel/...")


if __name__ == "__main__":
    law.main(check, __doc__, add_arguments)
