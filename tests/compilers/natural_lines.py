"""Fifty lines as users write them run clean under ASan with each compiler at hand, or are refused in one sentence."""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# What docs/compilers.md promises.
SUPPORTED = ["g++ 12", "g++ 13", "g++ 14", "clang 16", "clang 19"]
NAMES = ["c++", "g++", *(f"g++-{n}" for n in range(12, 17)), "clang++", *(f"clang++-{n}" for n in range(16, 23))]
SENTENCE = "corbel: g++ 12 destroys this temporary twice when the call is awaited; give it a name first"
SOURCE = pathlib.Path(__file__).with_name("natural_lines.cpp")
LINES = 50


def compilers(first):
    """Each compiler once, by what it calls itself: {"g++ 12": path}."""
    found = {}
    for name in [first, *NAMES]:
        path = shutil.which(name)
        if not path:
            continue
        said = subprocess.run([path, "-dM", "-E", "-x", "c++", os.devnull], capture_output=True, text=True, check=False)
        macros = dict(re.findall(r"#define (__GNUC__|__clang_major__) (\d+)", said.stdout))
        kind = f"clang {macros['__clang_major__']}" if "__clang_major__" in macros else f"g++ {macros.get('__GNUC__')}"
        found.setdefault(kind, path)
    return found


def refuses(kind):
    return kind.startswith("g++") and int(kind.split()[1]) < 13


def regions(source):
    """The lines between `#if TAKEN(n)` or `#if MISCOMPILED` and what ends it: [(n or 0, first, last)]."""
    found, begun = [], None
    for number, line in enumerate(source.split("\n"), 1):
        opened = re.match(r"#if (?:TAKEN\((\d+)\)|MISCOMPILED)", line)
        if opened:
            begun = (int(opened[1] or 0), number)
        elif begun and line.startswith(("#else", "#endif")):
            found.append((*begun, number))
            begun = None
    return found


def run_lines(command, libraries, kind, room):
    """What is wrong with the program, or None."""
    program = room / kind.replace(" ", "")
    built = subprocess.run([*command, "-O1", "-g1", "-fsanitize=address", "-fno-omit-frame-pointer", str(SOURCE), "-o",
                            str(program), *libraries], capture_output=True, text=True, check=False)
    if built.returncode != 0:
        return f"{kind}: does not compile:\n{built.stderr}"
    folder = program.with_suffix(".room")
    folder.mkdir()
    done = subprocess.run([str(program), str(folder)], capture_output=True, text=True, check=False)
    left_out = len(set(re.findall(r"line\(\s*(\d+),", left_out_of(SOURCE.read_text(encoding="utf-8")))))
    wanted = f"{LINES - left_out if refuses(kind) else LINES} lines ran"
    if done.returncode != 0 or wanted not in done.stdout:
        return f"{kind}: expected \"{wanted}\", exit status {done.returncode}:\n{done.stdout}{done.stderr}"
    print(f"{kind}: {wanted}, under ASan", flush=True)
    return None


def left_out_of(source):
    lines = source.split("\n")
    return "\n".join(line for _, first, last in regions(source) for line in lines[first:last - 1]
                     if "#else" not in lines[last - 1])


def precompile(command, kind, room):
    """The headers of the source, compiled once for the many times that it is compiled: the options that use them."""
    header = room / f"{kind.replace(' ', '')}.headers.hpp"
    header.write_text("".join(f"{line}\n" for line in SOURCE.read_text(encoding="utf-8").split("\n")
                              if line.startswith("#include")), encoding="utf-8")
    subprocess.run([*command, "-x", "c++-header", str(header), "-o", f"{header}.gch"], check=True)
    return ["-include", str(header)]


def refuse_line(command, kind, number):
    done = subprocess.run([*command, "-fsyntax-only", f"-DLINE={number}", str(SOURCE)], capture_output=True, text=True,
                          check=False)
    errors = re.findall(r"^.*\berror: .*$", done.stderr, re.M)
    if len(errors) == 1 and SENTENCE in errors[0]:
        return None
    return f"{kind}: line {number} has to be refused with the one error \"{SENTENCE}...\":\n" + "\n".join(errors[:8])


def check_found(script):
    """The check for users finds what g++ 12 refuses or gets wrong, and nothing else."""
    done = subprocess.run([sys.executable, "-B", str(script), str(SOURCE)], capture_output=True, text=True, check=False)
    told = {int(n) for n in re.findall(rf"^{re.escape(str(SOURCE))}:(\d+):", done.stdout, re.M)}
    wrong = []
    within = set()
    for number, first, last in regions(SOURCE.read_text(encoding="utf-8")):
        inside = set(range(first, last))
        within |= inside
        if number != 5 and not told & inside:  # a std::move, which is right
            wrong.append(f"{SOURCE}:{first}: check-awaits does not tell of this")
    wrong += [f"{SOURCE}:{n}: check-awaits tells of this, which is right" for n in sorted(told - within)]
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--include", default="", help="the libraries' folders, separated by ;")
    parser.add_argument("--libraries", default="", help="what the program is linked with, separated by ;")
    parser.add_argument("--only", default="", help="a compiler, such as \"clang 19\"")
    arguments = parser.parse_args()
    folders = [f for f in arguments.include.split(";") if f and f not in ("/usr/include", "/usr/local/include")]
    flags = ["-std=c++20", "-w", f"-I{arguments.root / 'include'}", *[f"-isystem{f}" for f in folders]]
    libraries = [one for one in arguments.libraries.split(";") if one]

    failures = check_found(arguments.root / "scripts" / "check-awaits")
    at_hand = compilers(arguments.compiler)
    for kind in SUPPORTED:
        if kind not in at_hand:
            print(f"{kind} is not installed: skipped")
    numbers = [number for number, _, _ in regions(SOURCE.read_text(encoding="utf-8")) if number]
    with tempfile.TemporaryDirectory() as room, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = []
        for kind, path in at_hand.items():
            if arguments.only not in ("", kind):
                continue
            command = [path, *flags]
            jobs.append(pool.submit(run_lines, command, libraries, kind, pathlib.Path(room)))
            if refuses(kind):
                command = [*command, *precompile(command, kind, pathlib.Path(room))]
                jobs += [pool.submit(refuse_line, command, kind, number) for number in numbers]
        failures += [failed for failed in (job.result() for job in jobs) if failed]
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
