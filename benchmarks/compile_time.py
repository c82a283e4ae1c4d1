"""What a user's file with one typed, validated route costs to compile, beside a file that only includes nlohmann's header.

    python3 benchmarks/compile_time.py [--compiler g++] [--runs 5] [--flags -O2]

Prints the median CPU seconds and the peak memory of each, and the ratios. The goal is a ratio of at most 3.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile

TREE = pathlib.Path(__file__).resolve().parent.parent

REFERENCE = "#include <nlohmann/json.hpp>\n"

ROUTE = """
#include <corbel/corbel.hpp>

struct project {
  std::string name;
  std::optional<std::string> description;
  int priority = 0;
  std::vector<std::string> tags;
  std::optional<corbel::date> due_date;
};
constexpr auto describe(corbel::tag<project>) {
  using namespace corbel::rules;
  using p = project;
  return object(field("name", &p::name, text().trim().min(3).max(100)),
                field("description", &p::description, text().max(1000)),
                field("priority", &p::priority, number().between(0, 5).defaulted()),
                field("tags", &p::tags, list_of(text().min(1).max(20)).max(10).defaulted()),
                field("dueDate", &p::due_date));
}

corbel::task<corbel::created<project>> add(corbel::body<project> in) {
  co_return corbel::created(*std::move(in));
}

int main() {
  corbel::app server;
  server.post("/projects/:shelf", &add);
  return server.run();
}
"""


def compile_once(compiler, flags, source):
    """CPU seconds and peak memory in MB."""
    child = subprocess.Popen([compiler, "-std=c++20", *flags, "-I", TREE / "include", "-c", source, "-o", os.devnull])
    _, status, used = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{compiler} could not compile {source}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--flags", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        files = {"nlohmann/json.hpp alone": REFERENCE, "one typed, validated route": ROUTE}
        taken = {name: [] for name in files}
        for i, text in enumerate(files.values()):
            pathlib.Path(room, f"{i}.cpp").write_text(text, encoding="utf-8")
        for _ in range(arguments.runs):  # interleaved, so that a drift of the machine touches both
            for i, name in enumerate(files):
                taken[name].append(compile_once(arguments.compiler, arguments.flags.split(), f"{room}/{i}.cpp"))
    medians = {name: [statistics.median(column) for column in zip(*runs)] for name, runs in taken.items()}
    for name, (seconds, megabytes) in medians.items():
        print(f"{name:28} {seconds:6.2f} s CPU  {megabytes:6.0f} MB")
    reference, route = medians.values()
    print(f"{'ratio':28} {route[0] / reference[0]:6.2f}        {route[1] / reference[1]:6.2f}")


if __name__ == "__main__":
    main()
