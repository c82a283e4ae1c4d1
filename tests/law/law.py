"""What the law tests share: the files of a tree, and a report that names file, line, rule and mending."""

import argparse
import pathlib
import subprocess
import sys

SOURCE_SUFFIXES = (".hpp", ".cpp")
NEVER_ENTERED = {".git", "build", ".cache", "__pycache__"}


def files(root):
    """Every file that belongs to the tree, as sorted paths relative to `root`. Ignored files do not belong."""
    asked = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False)
    if asked.returncode == 0 and (root / ".git").exists():
        names = [pathlib.PurePosixPath(n) for n in asked.stdout.decode().split("\0") if n]
    else:  # a release archive, or a planted tree: there is no git to ask
        names = [pathlib.PurePosixPath(p.relative_to(root).as_posix()) for p in root.rglob("*") if p.is_file()]
    names = {n for n in names if not NEVER_ENTERED.intersection(n.parts) and (root / n).is_file()}
    return sorted(names)


def sources(root, *folders):
    """The C++ files below the given top folders."""
    return [f for f in files(root) if f.suffix in SOURCE_SUFFIXES and f.parts[0] in folders]


def lines(root, path):
    return (root / path).read_text(encoding="utf-8", errors="replace").split("\n")


class Report:
    """Collects breaches of one law. `finish` prints them all and gives the exit code."""

    def __init__(self, law):
        self.law = law
        self.breaches = []

    def breach(self, path, line, what, mend):
        self.breaches.append(f"{path}:{line}: {what}\n    To mend: {mend}")

    def finish(self, checked):
        if not self.breaches:
            print(f"law of {self.law}: kept ({checked})")
            return 0
        print(f"law of {self.law}: {len(self.breaches)} broken\n")
        print("\n".join(self.breaches))
        return 1


def main(check, doc, add_arguments=None):
    """Runs `check(root, arguments) -> exit code` on the tree given on the command line."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("root", type=pathlib.Path, help="the top folder of the tree to check")
    if add_arguments:
        add_arguments(parser)
    arguments = parser.parse_args()
    sys.exit(check(arguments.root.resolve(), arguments))


def without_comments(text):
    """C++ text with comments and literals blanked out, line by line as long as before."""
    out = []
    i, n = 0, len(text)
    while i < n:
        two = text[i:i + 2]
        if two == "//":
            end = text.find("\n", i)
            end = n if end < 0 else end
        elif two == "/*":
            end = text.find("*/", i + 2)
            end = n if end < 0 else end + 2
        elif text[i] == '"' and i > 0 and text[i - 1] == "R" and (end := raw_string_end(text, i)):
            pass
        elif text[i] == '"' or (text[i] == "'" and not (i > 0 and text[i - 1].isalnum())):
            end = literal_end(text, i)
        else:
            out.append(text[i])
            i += 1
            continue
        out.append("".join(c if c == "\n" else " " for c in text[i:end]))
        i = end
    return "".join(out)


def literal_end(text, start):
    i = start + 1
    while i < len(text) and text[i] != text[start] and text[i] != "\n":
        i += 2 if text[i] == "\\" else 1
    return min(i + 1, len(text))


def raw_string_end(text, quote):
    opening = text.find("(", quote)
    if opening < 0 or opening - quote > 17:
        return 0
    closing = text.find(")" + text[quote + 1:opening] + '"', opening)
    return 0 if closing < 0 else closing + opening - quote + 1
