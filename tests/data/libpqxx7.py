"""What users of libpqxx 6.4 compile, compiles with libpqxx 7, too.

    libpqxx7.py COMPILER TREE FOLDERS       FOLDERS of further headers, between semicolons

The headers are in the folder that CORBEL_TEST_LIBPQXX7 names; scripts/test fetches them.
"""

import os
import pathlib
import subprocess
import sys

SKIPPED = 77
SOURCES = ("string_traits_test.cpp", "postgres_features/own_scalars_test.cpp", "postgres_features/pqxx_test.cpp")
# On the command line, so that a stray libpqxx 6 in the way of the right one is no success.
JUDGE = "#include <pqxx/version>\nstatic_assert(PQXX_VERSION_MAJOR >= 7);\n"


def main():
    compiler, tree, folders = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3].split(";")
    headers = os.environ.get("CORBEL_TEST_LIBPQXX7")
    if not headers:
        print("CORBEL_TEST_LIBPQXX7 is not set: scripts/test fetches the headers of libpqxx 7 and sets it")
        return SKIPPED
    # 7.10 deprecates what 6.4 has nothing else for, such as exec_params.
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations",
               "-isystem", headers,
               *(f"-I{tree / folder}" for folder in ("include", "src", "tests")), *(f"-I{one}" for one in folders if one)]
    failed = subprocess.run([*command, "-x", "c++", "-"], input=JUDGE, text=True, check=False).returncode
    for source in SOURCES:
        failed |= subprocess.run([*command, str(tree / "tests/data" / source)], check=False).returncode
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
