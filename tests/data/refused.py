"""Mistakes with the data layer do not compile, and the compiler says why in one sentence."""

import pathlib
import subprocess
import sys

WORDS = {
    1: "this_SQL_has_more_placeholders_than_arguments",
    2: "this_SQL_has_fewer_placeholders_than_arguments",
    3: "this_SQL_skips_a_placeholder_use_each_of_them_from_1_up",
    4: "this_SQL_has_a_quote_that_never_ends",
    5: "this_SQL_has_a_comment_that_never_ends",
    6: "placeholders_are_counted_from_1_to_1000",
    7: "corbel: the body of a transaction captures nothing; pass what it needs as further arguments",
    8: "corbel: the version of table(...) is no field of describe(...)",
    9: "corbel: write `constexpr auto table(corbel::tag<T>)` beside this type",
    11: "placeholders_are_written_as_a_dollar_sign_and_a_number",
    12: "placeholders_are_written_as_a_dollar_sign_and_a_number",
    13: "placeholders_are_written_as_a_dollar_sign_and_a_number",
    10: "corbel: SQL is a literal, with $1, $2, ... for values",
}


def main():
    compiler, includes = sys.argv[1], sys.argv[2].split(";")
    source = pathlib.Path(__file__).with_name("refused.cpp")
    failed = 0
    for case in range(len(WORDS) + 1):
        done = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", f"-DCASE={case}",
                               *(f"-I{folder}" for folder in includes), str(source)],
                              capture_output=True, text=True, check=False)
        errors = [line for line in done.stderr.split("\n") if "error:" in line]
        if case == 0 and done.returncode != 0:
            print(f"case 0 must compile:\n{done.stderr}")
            failed += 1
        elif case != 0 and (done.returncode == 0 or WORDS[case] not in done.stderr):
            print(f"case {case} must be refused with: {WORDS[case]}\n{done.stderr}")
            failed += 1
        elif case != 0 and len(errors) != 1:
            print(f"case {case} must be refused with one error, not {len(errors)}:\n{done.stderr}")
            failed += 1
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
