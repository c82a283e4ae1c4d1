"""The documentation: every C++ block is a compiled region, and every relative link leads somewhere.

A block of C++ in a page stands below `<!-- snippet: FILE#REGION -->`. FILE lies in docs/snippets/, or is a path
from the top of the tree; without #REGION the whole file is meant. A region lies between `// region: NAME` and
`// end: NAME`. With --mend the pages are rewritten from the regions.
"""

import pathlib
import re

import law

MARKER = re.compile(r"^<!-- snippet: ([^#\s]+)(?:#(\S+))? -->$")
REGION_LINE = re.compile(r"^\s*// (?:region|end): \S+\s*$")
FENCE = re.compile(r"^\s*(```+)\s*(\S*)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CPP = ("cpp", "c++", "cxx", "cc", "hpp")
SNIPPETS = pathlib.PurePosixPath("docs/snippets")


def pages(root):
    return [f for f in law.files(root) if f.suffix == ".md"]


def dedented(block):
    indents = [len(t) - len(t.lstrip()) for t in block if t.strip()]
    cut = min(indents, default=0)
    return [t[cut:].rstrip() for t in block]


def region(root, name, wanted):
    """The lines of a region, or a sentence that says why there are none."""
    path = pathlib.PurePosixPath(name) if "/" in name else SNIPPETS / name
    if not (root / path).is_file():
        return f"there is no {path}"
    text = law.lines(root, path)
    if not wanted:
        return [t for t in text if not REGION_LINE.match(t)][:-1]
    try:
        first = next(i for i, t in enumerate(text) if t.strip() == f"// region: {wanted}")
        last = next(i for i, t in enumerate(text) if i > first and t.strip() == f"// end: {wanted}")
    except StopIteration:
        return f"{path} has no `// region: {wanted}` with its `// end: {wanted}`"
    return dedented([t for t in text[first + 1:last] if not REGION_LINE.match(t)])


def blocks(text):
    """(first line, end line, language) of each fenced block; the lines between them are its text."""
    opened = None
    for i, line in enumerate(text):
        fence = FENCE.match(line)
        if not fence:
            continue
        if opened is None:
            opened = (i, fence.group(1), fence.group(2).lower())
        elif line.strip() == opened[1]:
            yield opened[0], i, opened[2]
            opened = None


def check_page(root, report, page, mend):
    text = law.lines(root, page)
    changed = list(text)
    for start, end, language in reversed(list(blocks(text))):
        if language not in CPP:
            continue
        above = next((t for t in reversed(text[:start]) if t.strip()), "")
        marker = MARKER.match(above.strip())
        if not marker:
            report.breach(page, start + 1, "this C++ block is compiled by nothing",
                          "move the code into a region of docs/snippets/ and put `<!-- snippet: file.cpp#region -->` "
                          "above the block")
            continue
        wanted = region(root, *marker.groups())
        if isinstance(wanted, str):
            report.breach(page, start + 1, wanted, "name a region that exists")
        elif [t.rstrip() for t in text[start + 1:end]] != wanted:
            if mend:
                changed[start + 1:end] = wanted
            else:
                report.breach(page, start + 1, f"the block differs from its region {'#'.join(filter(None, marker.groups()))}",
                              "python3 tests/law/docs.py . --mend")
    if changed != text:
        (root / page).write_text("\n".join(changed), encoding="utf-8")


def check_links(root, report, page):
    text = law.lines(root, page)
    fenced = {i for start, end, _ in blocks(text) for i in range(start, end + 1)}
    for i, line in enumerate(text):
        for target in LINK.findall(line) if i not in fenced else []:
            plain = target.split("#")[0]
            if not plain or re.match(r"^[a-z]+:", plain) or (root / page.parent / plain).exists():
                continue
            report.breach(page, i + 1, f"the link leads to {plain}, which does not exist", "name a file of the tree")


def check(root, arguments):
    report = law.Report("documentation")
    all_pages = pages(root)
    for page in all_pages:
        check_page(root, report, page, arguments.mend)
        check_links(root, report, page)
    return report.finish(f"{len(all_pages)} pages")


if __name__ == "__main__":
    law.main(check, __doc__, lambda parser: parser.add_argument("--mend", action="store_true"))
