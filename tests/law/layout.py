"""The layout of C++ files is what clang-format makes of them."""

import re
import shutil
import subprocess
import sys

import law

VERSION = 14  # Debian 12's; other versions lay out differently
SKIPPED = 77  # ctest shows the test as skipped


def check(root, arguments):
    report = law.Report("layout")
    program = shutil.which(arguments.clang_format)
    version = program and subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    major = re.search(r"version (\d+)\.", version or "")
    if not major or int(major.group(1)) != VERSION:
        print(f"law of layout: skipped, it needs clang-format {VERSION} (apt-get install clang-format-{VERSION})")
        return SKIPPED
    all_sources = law.sources(root, "include", "src", "tests", "examples", "benchmarks", "docs")
    if all_sources:
        done = subprocess.run([program, "--dry-run", *map(str, all_sources)], cwd=root, capture_output=True,
                              text=True, check=False)
        seen = set()
        for path, line in re.findall(r"^([^\s:]+):(\d+):\d+: (?:warning|error): code should be clang-formatted",
                                     done.stderr, re.MULTILINE):
            if path not in seen:
                seen.add(path)
                report.breach(path, line, "the layout is not clang-format's", f"clang-format-{VERSION} -i {path}")
        if done.returncode != 0 and not seen:
            print(done.stderr, file=sys.stderr)
            return done.returncode
    return report.finish(f"{len(all_sources)} files")


if __name__ == "__main__":
    law.main(check, __doc__, lambda parser: parser.add_argument("--clang-format", default=f"clang-format-{VERSION}"))
