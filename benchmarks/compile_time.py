#!/usr/bin/env python3
"""What a user's file costs to compile: one typed, validated route, beside a file that only includes nlohmann's JSON.

Prints the median time and the peak memory of each, and the ratios; the goal is at most 3 (issue "The foundation").
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROUTE = """
#include <corbel/corbel.hpp>

using namespace corbel;

enum class project_status { active, archived };
constexpr auto describe(tag<project_status>) {
  using namespace rules;
  return enumeration(value("active", project_status::active), value("archived", project_status::archived));
}

struct create_project {
  std::string name;
  std::optional<std::string> description;
  project_status status = project_status::active;
  int priority = 0;
  std::vector<std::string> tags;
};
constexpr auto describe(tag<create_project>) {
  using namespace rules;
  using p = create_project;
  return object(field("name", &p::name, text().trim().min(3).max(100)),
                field("description", &p::description, text().max(1000)),
                field("status", &p::status, defaulted()),
                field("priority", &p::priority, number().between(0, 5).defaulted()),
                field("tags", &p::tags, list_of(text().min(1).max(20)).max(10).defaulted()));
}

created<create_project> add(body<create_project> in) { return created(*in); }

int main() {
  app service;
  service.post("/api/v1/projects", &add);
  return service.run();
}
"""
FILES = {
    "empty file": "int main() {}\n",
    "nlohmann/json.hpp": "#include <nlohmann/json.hpp>\nint main() {}\n",
    "corbel/corbel.hpp": "#include <corbel/corbel.hpp>\nint main() {}\n",
    "one typed route": ROUTE,
}
BASE, MEASURED, GOAL = "nlohmann/json.hpp", "one typed route", 3.0


def compile_once(command, source):
    """(seconds of processor time, peak memory in MiB) of one compilation."""
    child = subprocess.Popen([*command, str(source)])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{source} does not compile")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--flags", default="-O2", help="beside -std=c++20")
    parser.add_argument("--include", action="append", default=[], help="further include folders")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--check", action="store_true", help="fail when a ratio is above the goal")
    arguments = parser.parse_args()

    times = {name: [] for name in FILES}
    memory = {name: [] for name in FILES}
    with tempfile.TemporaryDirectory() as folder:
        command = [arguments.compiler, "-std=c++20", *arguments.flags.split(), f"-I{root / 'include'}",
                   *[f"-isystem{each}" for each in arguments.include], "-c", "-o", f"{folder}/out.o"]
        sources = {}
        for number, (name, text) in enumerate(FILES.items()):
            sources[name] = pathlib.Path(folder) / f"file{number}.cpp"
            sources[name].write_text(text, encoding="utf-8")
        for run in range(arguments.runs + 1):  # interleaved; the first round warms the file cache
            for name, source in sources.items():
                seconds, mib = compile_once(command, source)
                if run > 0:
                    times[name].append(seconds)
                    memory[name].append(mib)

    base_time, base_memory = statistics.median(times[BASE]), statistics.median(memory[BASE])
    print(f"{arguments.compiler} {arguments.flags}, medians of {arguments.runs} runs, processor time")
    print(f"{'file':<20} {'seconds':>8} {'ratio':>6} {'MiB':>7} {'ratio':>6}")
    for name in FILES:
        seconds, mib = statistics.median(times[name]), statistics.median(memory[name])
        print(f"{name:<20} {seconds:8.2f} {seconds / base_time:6.2f} {mib:7.0f} {mib / base_memory:6.2f}")
    worst = max(statistics.median(times[MEASURED]) / base_time, statistics.median(memory[MEASURED]) / base_memory)
    print(f"{MEASURED} is {worst:.2f} times {BASE} at most; the goal is {GOAL:g}")
    return 1 if arguments.check and worst > GOAL else 0


if __name__ == "__main__":
    sys.exit(main())
