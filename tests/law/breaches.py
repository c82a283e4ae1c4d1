"""The laws themselves are tested: a small lawful tree keeps each, and one planted breach at a time breaks it.

A law that a breach does not break, or that answers without naming the place, fails this test.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent

LAWFUL = {
    "include/corbel/corbel.hpp": "#pragma once\n\n#include <corbel/base/word.hpp>\n#include <corbel/http/reply.hpp>\n",
    "include/corbel/base/word.hpp": "#pragma once\n\n#include <string>\n\nnamespace corbel {\nstd::string word();\n}\n",
    "include/corbel/data/postgres/pqxx.hpp": "#pragma once\n\n#include <pqxx/not_at_hand>\n",
    "include/corbel/http/reply.hpp": "#pragma once\n\n#include <corbel/base/word.hpp>\n",
    "src/base/CMakeLists.txt": "target_sources(corbel_core PRIVATE word.cpp)\n",
    "src/base/word.cpp": '#include "corbel/base/word.hpp"\n\nnamespace corbel {\n// std::stoi(text) is only named here\n'
                         'std::string word() {\n  return "std::stoi(text)";\n}\n}  // namespace corbel\n',
    "src/http/wire.hpp": "#pragma once\n\n#include <corbel/http/reply.hpp>\n",
    "docs/snippets/CMakeLists.txt": "add_executable(snippets words.cpp)\n",
    "docs/snippets/words.cpp": "int main() {\n  // region: greet\n  int n = 0;\n  // end: greet\n  return n;\n}\n",
    "docs/words.md": "# Words\n\n<!-- snippet: words.cpp#greet -->\n```cpp\nint n = 0;\n```\nSee [the source](snippets/words.cpp).\n",
    "examples/CMakeLists.txt": "add_subdirectory(hello)\n",
    "examples/hello/CMakeLists.txt": "corbel_example(hello main.cpp ANSWERS /health=200)\n",
    "examples/hello/main.cpp": "int main() {}\n",
    "scripts/run": "#!/bin/sh\n",
}

# (law, the file written, its text, what the answer must contain)
BREACHES = [
    ("floors", "include/corbel/base/up.hpp", "#pragma once\n\n#include <corbel/http/reply.hpp>\n",
     "include/corbel/base/up.hpp:3: base/ (floor 0) includes http/ (floor 2)"),
    ("floors", "src/http/up.cpp", '#include "corbel/schema/rule.hpp"\n', "src/http/up.cpp:1: http/ includes schema/, its neighbour"),
    ("floors", "src/base/relative.cpp", '\n#include "../http/wire.hpp"\n', "src/base/relative.cpp:2: base/ (floor 0)"),
    ("floors", "src/base/private.cpp", '  #  include "http/wire.hpp"\n', "src/base/private.cpp:1: base/ (floor 0)"),
    ("floors", "include/corbel/http/inside.hpp", '#pragma once\n#include "../../../src/base/hidden.hpp"\n',
     "include/corbel/http/inside.hpp:2: a public header includes the private src/base/hidden.hpp"),
    ("floors", "src/base/whole.cpp", "#include <corbel/corbel.hpp>\n", "src/base/whole.cpp:1: the library includes its own umbrella"),
    ("floors", "src/base/gone.cpp", "#include <corbel/base/gone.hpp>\n", "src/base/gone.cpp:1: <corbel/base/gone.hpp> does not exist"),
    ("floors", "src/attic/old.cpp", "\n", 'src/attic/old.cpp:1: "attic" is no folder'),
    ("floors", "src/loose.cpp", "\n", "src/loose.cpp:1: this file lies in no folder"),
    ("headers", "include/corbel/base/needy.hpp", "#pragma once\n\nstd::string needy();\n",
     "include/corbel/base/needy.hpp:3: this header does not compile alone"),
    ("headers", "include/corbel/base/twice.hpp", "struct twice {};\n", "include/corbel/base/twice.hpp:1: this header does not"),
    ("headers", "include/corbel/http/beast.hpp", "#pragma once\n#include <boost/beast/core/error.hpp>\n",
     "include/corbel/http/beast.hpp:2: <boost/beast/core/error.hpp> brings Boost.Beast"),
    ("headers", "include/corbel/http/deep.hpp", "#pragma once\n#include <corbel/schema/rule.hpp>\n",
     "include/corbel/schema/rule.hpp:2: <nlohmann/json.hpp> brings nlohmann's full header into <corbel/http/deep.hpp>"),
    ("headers", "include/corbel/data/rows.hpp", "#pragma once\n#include <pqxx/row.hxx>\n", "include/corbel/data/rows.hpp:2: "),
    ("headers", "include/corbel/data/traits.hpp", "#pragma once\n#include <corbel/data/postgres/string_traits.hpp>\n",
     "include/corbel/data/postgres/string_traits.hpp:2: <pqxx/strconv> brings libpqxx into <corbel/data/traits.hpp>"),
    ("headers", "include/corbel/data/postgres/string_traits.hpp", "#pragma once\n#include <valijson/schema.hpp>\n",
     "include/corbel/data/postgres/string_traits.hpp:2: "),
    ("headers", "include/corbel/schema/check.hpp", "#pragma once\n#include <valijson/schema.hpp>\n",
     "include/corbel/schema/check.hpp:2: "),
    ("flaky", "tests/flaky.txt", "# why\n\nserver 2020-01-01 a busy machine\n", "tests/flaky.txt:3: server has been flaky since 2020-01-01"),
    ("flaky", "tests/flaky.txt", "server\n", 'tests/flaky.txt:1: "server" is no entry'),
    ("flaky", "tests/flaky.txt", "server 2020-13-01 a busy machine\n", "tests/flaky.txt:1: 2020-13-01 is no day"),
    ("docs", "docs/loose.md", "# Loose\n\n```cpp\nint n = 0;\n```\n", "docs/loose.md:3: this C++ block is compiled by nothing"),
    ("docs", "docs/drift.md", "<!-- snippet: words.cpp#greet -->\n```cpp\nint n = 1;\n```\n", "docs/drift.md:2: the block differs"),
    ("docs", "docs/gone.md", "<!-- snippet: words.cpp#part -->\n```cpp\nint n = 0;\n```\n", "docs/gone.md:2: docs/snippets/words.cpp has no"),
    ("docs", "docs/file.md", "<!-- snippet: gone.cpp -->\n```cpp\n```\n", "docs/file.md:2: there is no docs/snippets/gone.cpp"),
    ("docs", "README.md", "[map](docs/map.md)\n", "README.md:1: the link leads to docs/map.md"),
    ("includes", "src/base/small.hpp", "#pragma once\n\n#include <string>\n\nenum class small : std::uint8_t {};\n",
     "src/base/small.hpp:5: `std::uint8_t` without its header\n    To mend: #include <cstdint>"),
    ("includes", "src/base/sorting.cpp", "#include <corbel/base/word.hpp>\nvoid f(std::string& s) { std::ranges::sort(s); }\n",
     "src/base/sorting.cpp:2: `std::sort` without its header"),
    ("includes", "src/base/failed.cpp", "#include <string>\nint f() { return errno; }\n", "src/base/failed.cpp:2: `errno` without"),
    ("layout", "src/base/wide.cpp", "int  wide( )   ;\n", "src/base/wide.cpp:1: the layout is not clang-format's"),
    ("words", "src/base/number.cpp", "// fine\nint n = std::stoul(text);\n", "src/base/number.cpp:2: `std::stoul`"),
    ("words", "src/base/c.cpp", 'long n = strtol("1", nullptr, 10);\n', "src/base/c.cpp:1: `strtol`"),
    ("words", "src/base/a.cpp", "int n = atoi(text);\n", "src/base/a.cpp:1: `atoi`"),
    ("words", "include/corbel/base/re.hpp", "#pragma once\n#include <regex>\n", "include/corbel/base/re.hpp:2: `#include <regex>`"),
    ("words", "src/base/print.cpp", 'auto r = R"(")"; int n = sprintf(b, "");\n', "src/base/print.cpp:1: `sprintf`"),
    ("words", "src/base/out.cpp", "void f() { std::cout << 1'000 << x; }\n", "src/base/out.cpp:1: `std::cout`"),
    ("tidiness", "src/base/long.hpp", "#pragma once\n" + "\n" * 500, "src/base/long.hpp:501: 501 lines"),
    ("tidiness", "src/base/orphan.cpp", "\n", "src/base/orphan.cpp:1: src/base/CMakeLists.txt does not list it"),
    ("tidiness", "examples/dead/CMakeLists.txt", "corbel_example(dead main.cpp ANSWERS /=200)\n",
     "examples/dead/CMakeLists.txt:1: examples/CMakeLists.txt does not add it"),
    ("tidiness", "examples/hello/CMakeLists.txt", "corbel_example(hello main.cpp)\n",
     "examples/hello/CMakeLists.txt:1: no test runs this example"),
    ("tidiness", "src/base/guard.hpp", "struct guard {};\n", "src/base/guard.hpp:1: a header without"),
    ("tidiness", "docs/later.md", "later\nTO" "DO: write\n", "docs/later.md:2: a note of unfinished work"),
    ("tidiness", "docs/here.txt", "see /home/" "someone/corbel\n", "docs/here.txt:1: a path that exists on one machine"),
    ("tidiness", "docs/merge.md", "<<<<<<" "< HEAD\n", "docs/merge.md:1: a conflict marker"),
    ("tidiness", "docs/room.txt", "room \n", "docs/room.txt:1: white space"),
    ("tidiness", "docs/end.txt", "no end", "docs/end.txt:1: the last line does not end"),
    ("tidiness", "scripts/dead", "#!/bin/sh\n", "scripts/dead:1: a script without its run bit"),
    ("tidiness", "projects.db", "", "projects.db:1: the output of a program"),
    ("tidiness", "docs/logo.txt", "\0\0", "docs/logo.txt:1: a binary file"),
]
# Files that a breach leans on, which are lawful or irrelevant to its law.
BESIDE = {
    ("floors", "src/http/up.cpp"): {"include/corbel/schema/rule.hpp": "#pragma once\n"},
    ("floors", "include/corbel/http/inside.hpp"): {"src/base/hidden.hpp": "#pragma once\n"},
    ("headers", "include/corbel/http/deep.hpp"):
        {"include/corbel/schema/rule.hpp": "#pragma once\n#include <nlohmann/json.hpp>\n"},
    # Stand-ins: the law goes by the name, so it holds also where the library is not installed.
    ("headers", "include/corbel/data/rows.hpp"): {"libraries/pqxx/row.hxx": "\n"},
    ("headers", "include/corbel/data/traits.hpp"):
        {"libraries/pqxx/strconv": "\n",
         "include/corbel/data/postgres/string_traits.hpp": "#pragma once\n#include <pqxx/strconv>\n"},
    ("headers", "include/corbel/data/postgres/string_traits.hpp"): {"libraries/valijson/schema.hpp": "\n"},
    ("headers", "include/corbel/schema/check.hpp"): {"libraries/valijson/schema.hpp": "\n"},
}
SKIPPED = 77


def write(tree, name, text):
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def ask(law, tree, *extra):
    done = subprocess.run([sys.executable, str(HERE / f"{law}.py"), str(tree), *extra], capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def main():
    failures = []
    skipped = set()
    with tempfile.TemporaryDirectory(prefix="corbel-laws-") as room:
        tree = pathlib.Path(room) / "tree"
        for name, text in LAWFUL.items():
            write(tree, name, text)
        shutil.copy(HERE.parent.parent / ".clang-format", tree)
        (tree / "scripts/run").chmod(0o755)
        for law in sorted({b[0] for b in BREACHES}):
            code, answer = ask(law, tree)
            if code == SKIPPED:
                skipped.add(law)
            elif code != 0:
                failures.append(f"{law}.py refuses a lawful tree:\n{answer}")
        for law, name, text, expected in BREACHES:
            if law in skipped:
                continue
            planted = {**BESIDE.get((law, name), {}), name: text}
            for file, content in planted.items():
                write(tree, file, content)
            extra = ["--include", str(tree / "libraries"), "--only", name] if law == "headers" else []
            code, answer = ask(law, tree, *extra)
            if code != 1 or expected not in answer:
                failures.append(f"{law}.py on a breach in {name}: exit code {code}, expected 1 and `{expected}` in\n{answer}")
            for file in planted:
                (tree / file).unlink()
                if file in LAWFUL:
                    write(tree, file, LAWFUL[file])
    print("\n".join(failures) or f"{len(BREACHES)} planted breaches were found"
          + (f"; not asked, for want of its program: {', '.join(skipped)}" if skipped else ""))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
