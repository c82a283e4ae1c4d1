"""Functions that have no place in the library, each with its reason."""

import re

import law

FORBIDDEN = [
    (r"\bstd\s*::\s*w?regex\b|#\s*include\s*<regex>", "std::regex overflows the stack on long input",
     "a hand-written matcher, or RE2 through schema/"),
    (r"\b(?:std\s*::\s*)?sto(?:i|l|ll|ul|ull|f|d|ld)\s*\(", "it accepts signs, blanks and trailing text, and throws",
     "std::from_chars, and a check that everything was read"),
    (r"\b(?:std\s*::\s*)?strto(?:l|ll|ul|ull|imax|umax|f|d|ld)\s*\(",
     "it accepts signs and blanks, reads past views and follows the locale",
     "std::from_chars, and a check that everything was read"),
    (r"\b(?:std\s*::\s*)?ato(?:i|l|ll|f)\s*\(", "overflow is undefined and errors are silent",
     "std::from_chars, and a check that everything was read"),
    (r"\b(?:std\s*::\s*)?v?s(?:scan|print)f\s*\(", "it bounds neither what it reads nor what it writes",
     "std::from_chars and std::to_chars, or std::snprintf"),
    (r"\b(?:std\s*::\s*)?(?:gets|strcpy|strcat|strtok)\s*\(", "it knows no bounds", "std::string and std::string_view"),
    (r"(?<![\w.>:])(?:std\s*::\s*)?s?rand\s*\(", "its numbers can be guessed", "getrandom(2), or crypto/random"),
    (r"\b(?:std\s*::\s*)?(?:gmtime|localtime|ctime|asctime)\s*\(", "it answers in a buffer that all threads share",
     "<chrono>, and base/time for text"),
    (r"\bstd\s*::\s*(?:cout|cerr|clog)\b", "a library does not write to its host's terminal",
     "the logger it was given"),
    (r"\busing\s+namespace\s+std\s*;", "it draws in every name of the standard library", "name what is used"),
]
COMPILED = [(re.compile(pattern), why, instead) for pattern, why, instead in FORBIDDEN]


def check(root, _arguments):
    report = law.Report("words")
    all_sources = law.sources(root, "include", "src")
    for path in all_sources:
        text = law.without_comments((root / path).read_text(encoding="utf-8", errors="replace"))
        for number, line in enumerate(text.split("\n"), 1):
            for pattern, why, instead in COMPILED:
                found = pattern.search(line)
                if found:
                    report.breach(path, number, f"`{found.group().strip(' (')}`: {why}", f"use {instead}")
    return report.finish(f"{len(all_sources)} files")


if __name__ == "__main__":
    law.main(check, __doc__)
