"""The floors: a folder includes only folders on strictly lower floors."""

import pathlib
import posixpath
import re

import law

# docs/architecture.md explains the table. A new folder gets its line here first.
FLOORS = {
    "base": 0,
    "crypto": 1, "observe": 1, "runtime": 1,
    "http": 2, "net": 2, "schema": 2, "data": 2, "redis": 2,
    "server": 3, "client": 3, "routing": 3, "cache": 3, "jobs": 3,
    "middleware": 4, "session": 4, "storage": 4, "openapi": 4, "realtime": 4, "health": 4, "files": 4,
    "auth": 5, "graphql": 5,
    "app": 6,
    "testing": 7,
}
UMBRELLA = pathlib.PurePosixPath("include/corbel/corbel.hpp")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def folder_of(path):
    """The floor's folder of a file below include/corbel/ or src/; None for a file that lies in neither."""
    parts = path.parts
    if parts[:2] == ("include", "corbel"):
        return parts[2] if len(parts) > 3 else ""
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else ""
    return None


def target_of(root, path, bracket, name):
    """The file of this tree that an include names; None for the libraries' headers."""
    candidates = []
    if bracket == '"':
        candidates.append(path.parent / name)
        candidates.append(pathlib.PurePosixPath("src") / name)
    candidates.append(pathlib.PurePosixPath("include") / name)
    for candidate in candidates:
        plain = pathlib.PurePosixPath(posixpath.normpath(str(candidate)))
        if (root / plain).is_file():
            return plain
    return None


def check_include(report, path, line, here, target):
    there = folder_of(target)
    if there is None or there == here:
        return
    if path.parts[0] == "include" and target.parts[0] == "src":
        report.breach(path, line, f"a public header includes the private {target}",
                      "move what users need below include/corbel/, or hide it behind a declaration")
    if target == UMBRELLA:
        report.breach(path, line, "the library includes its own umbrella header",
                      "include the one header that is needed")
        return
    if there not in FLOORS or here not in FLOORS:
        return  # reported once, for the folder
    if FLOORS[there] == FLOORS[here]:
        report.breach(path, line, f"{here}/ includes {there}/, its neighbour on floor {FLOORS[here]}",
                      "move what both need to a lower floor, or join them on a higher one")
    elif FLOORS[there] > FLOORS[here]:
        report.breach(path, line, f"{here}/ (floor {FLOORS[here]}) includes {there}/ (floor {FLOORS[there]}) above it",
                      f"let {there}/ pass what {here}/ needs, as a value, a function or an interface of {here}/")


def check(root, _arguments):
    report = law.Report("floors")
    all_sources = law.sources(root, "include", "src")
    for path in all_sources:
        if path == UMBRELLA:
            continue
        here = folder_of(path)
        if here not in FLOORS:
            report.breach(path, 1, f'"{here}" is no folder of the floors table' if here else "this file lies in no folder",
                          "move it to the folder it belongs to, or add the folder to FLOORS in tests/law/floors.py "
                          "and to docs/architecture.md")
            continue
        for number, text in enumerate(law.lines(root, path), 1):
            found = INCLUDE.match(text)
            if not found:
                continue
            target = target_of(root, path, *found.groups())
            if target is not None:
                check_include(report, path, number, here, target)
            elif found.group(2).startswith("corbel/"):
                report.breach(path, number, f"<{found.group(2)}> does not exist", "name a header that exists")
    return report.finish(f"{len(all_sources)} files")


if __name__ == "__main__":
    law.main(check, __doc__)
