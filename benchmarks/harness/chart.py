"""A page that draws what a comparison judged: --html. It needs nothing but itself, and every drawing has its figures in a table,
a title, and shapes beside its colours."""

import html
import math
import pathlib

from . import interval
from .against import HEADER, whole
from .machine import Trouble
from .pairs import quantile

OLD, NEW, PASSED, FAILED, OPEN = "#1f4e8c", "#a13d00", "#1b6e3c", "#a80f1f", "#5c5c5c"
COLOUR = {interval.PASSED: PASSED, interval.FAILED: FAILED, interval.UNDECIDED: OPEN}
WIDTH, LABELS, RIGHT = 760, 150, 70
MOST_RUNS = 40  # of the history

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; font-weight: 600; }
th, td { border: 1px solid #767676; padding: .25rem .6rem; text-align: left; font-variant-numeric: tabular-nums; }
th { background: #f0f0f0; }
svg { max-width: 100%; height: auto; }
.scroll { overflow-x: auto; }
"""


def page(judged, old, new, when, entries):
    """The whole page. `entries` are the history's, this run's last."""
    esc = html.escape
    title = f"{esc(new)} against {esc(old)}: {whole(judged)}"
    parts = [f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
             f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{esc(when)}</p>\n",
             "<ul>\n" + "".join(f"<li><strong>{j.verdict}</strong> {esc(j.said())}</li>\n" for j in judged) + "</ul>\n",
             "<h2>Ratios</h2>\n<p>1 means unchanged, more means slower. A bar is the interval in which the true ratio is, all "
             "but surely; a fine line is what begins to matter, a dashed one what must not go unnoticed.</p>\n",
             ratios(judged), table("What was judged", HEADER, (j.row() for j in judged)),
             "<h2>Latencies</h2>\n<p>All turns of each side together, the time from when a request was due.</p>\n"]
    for j in judged:
        if j.measure.kind == "p95" and all(j.measure.buckets):
            parts += [latencies(j, old, new), shares(j, old, new)]
    parts += ["<h2>History</h2>\n", *(drawn for j in judged for drawn in history(j.name, entries))]
    return "".join(parts) + "</main>\n</body>\n</html>\n"


def write(name, text_of_page):
    try:
        pathlib.Path(name).write_text(text_of_page, encoding="utf-8")
    except OSError as failed:
        raise Trouble(f"{name} cannot be written: {failed.strerror}") from failed


def table(caption, header, rows):
    def line(cells, tag):
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in cells) + "</tr>\n"
    head = "<tr>" + "".join(f'<th scope="col">{html.escape(c)}</th>' for c in header) + "</tr>\n"
    return (f'<div class="scroll" tabindex="0"><table><caption>{html.escape(caption)}</caption>\n<thead>{head}</thead>\n<tbody>\n'
            + "".join(line(r, "td") for r in rows) + "</tbody></table></div>\n")


def svg(title, height, content):
    return (f'<svg role="img" aria-label="{html.escape(title)}" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'font-family="system-ui, sans-serif" font-size="13">\n<title>{html.escape(title)}</title>\n{content}</svg>\n')


def text(x, y, words, anchor="start", fill="#1a1a1a"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{html.escape(words)}</text>\n'


def line(x1, y1, x2, y2, stroke="#767676", width=1.0, dashes=""):
    more = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" stroke-width="{width}"{more}/>\n'


def mark(x, y, verdict):
    """One shape for each verdict."""
    colour = COLOUR[verdict]
    if verdict == interval.FAILED:
        return line(x - 5, y - 5, x + 5, y + 5, colour, 3) + line(x - 5, y + 5, x + 5, y - 5, colour, 3)
    fill = colour if verdict == interval.PASSED else "#fff"
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{fill}" stroke="{colour}" stroke-width="2"/>\n'


def scale(low, high, begin, end):
    """A function from ratios between low and high to a place, by their logarithms; what is beyond is put at the end."""
    a, b = math.log(low), math.log(high)
    return lambda v: begin + (min(max(math.log(max(v, 1e-9)), a), b) - a) / (b - a) * (end - begin)


def span(ratios_and_bounds):
    values = [v for v in ratios_and_bounds if 0 < v < math.inf]
    return max(0.25, min([0.9, *values])) * 0.97, min(4.0, max([1.3, *values])) * 1.03


def ratios(judged):
    low, high = span([v for j in judged for v in (j.ratio.low, j.ratio.high)])
    at = scale(low, high, LABELS, WIDTH - RIGHT)
    height = 34 * len(judged) + 30
    drawn = [line(at(1), 5, at(1), height - 25, "#1a1a1a", 1.5)]
    for tick in (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0):
        if low <= tick <= high:
            drawn += [line(at(tick), height - 25, at(tick), height - 20), text(at(tick), height - 6, f"{tick:g}", "middle")]
    for row, j in enumerate(judged):
        y = 20 + 34 * row
        bounds = interval.THRESHOLDS[j.measure.kind]
        drawn += [text(0, y + 4, j.name), line(at(j.ratio.low), y, at(j.ratio.high), y, COLOUR[j.verdict], 4),
                  line(at(1 + bounds.matters), y - 11, at(1 + bounds.matters), y + 11),
                  line(at(1 + bounds.promised), y - 11, at(1 + bounds.promised), y + 11, dashes="3 3"),
                  mark(at(j.ratio.value), y, j.verdict), text(WIDTH - RIGHT + 8, y + 4, j.verdict, fill=COLOUR[j.verdict])]
    return svg("Ratio of new to old, with its interval, for each measure", height, "".join(drawn))


LEVELS = (0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99, 0.999)


def quantiles(buckets):
    ordered = sorted(buckets.items())
    return [quantile(ordered, level) for level in LEVELS]


def latencies(j, old, new):
    """How often which latency came, by its logarithm: as a line for each side, the old one's dashed."""
    sides = j.measure.buckets
    steps = 80
    low = min(min(b) for b in sides) * 0.9
    high = max(quantiles(b)[-1] for b in sides) * 1.1
    at = scale(low, max(high, low * 1.5), LABELS, WIDTH - RIGHT)
    counts = []
    for buckets in sides:
        bins = [0.0] * steps
        for end, n in buckets.items():
            place = int((at(end) - LABELS) / (WIDTH - RIGHT - LABELS) * steps)
            bins[min(steps - 1, max(0, place))] += n / sum(buckets.values())
        counts.append(bins)
    top = max(max(b) for b in counts) or 1.0
    drawn = [line(LABELS, 190, WIDTH - RIGHT, 190)]
    for tick in sorted(base * 10 ** power for power in range(-1, 7) for base in (1, 2, 5)):
        if low <= tick <= high:
            drawn += [line(at(tick), 190, at(tick), 195), text(at(tick), 210, f"{tick:g} us", "middle")]
    for number, (bins, colour, dashes) in enumerate(zip(counts, (OLD, NEW), ("6 4", ""))):
        step = (WIDTH - RIGHT - LABELS) / steps
        points = " ".join(f"{LABELS + (i + 0.5) * step:.1f},{190 - 165 * v / top:.1f}" for i, v in enumerate(bins))
        more = f' stroke-dasharray="{dashes}"' if dashes else ""
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{more}/>\n')
        place = at(quantiles(sides[number])[5])
        drawn += [line(place, 20 + 14 * number, place, 190, colour, 1.5, dashes),
                  text(place - 4, 28 + 14 * number, f"p95 {(old, new)[number][:24]}", "end", colour),
                  line(0, 20 + 20 * number, 26, 20 + 20 * number, colour, 2, dashes),
                  text(32, 24 + 20 * number, (old, new)[number][:16], fill=colour)]
    return svg(f"Latencies of {j.measure.scenario.name} at {j.measure.rate:.0f} requests a second", 220, "".join(drawn))


def shares(j, old, new):
    rows = [[f"p{level * 100:g}", f"{a:.1f} us", f"{b:.1f} us", f"{b / a:.3f}"]
            for level, a, b in zip(LEVELS, *map(quantiles, j.measure.buckets)) if a > 0]
    return table(f"Latencies of {j.measure.scenario.name} at {j.measure.rate:.0f} requests a second", ("quantile", old, new, "ratio"), rows)


def history(name, entries):
    """This measure over the runs, as a drawing and a table."""
    runs = [e for e in entries if name in e["measures"]][-MOST_RUNS:]
    if not runs:
        return
    found = [e["measures"][name] for e in runs]
    low, high = span([v for m in found for v in (m["low"], m["high"])])
    at = scale(low, high, 150, 15)
    step = (WIDTH - RIGHT - LABELS) / max(1, len(runs))
    drawn = [text(0, 20, name), line(LABELS, at(1), WIDTH - RIGHT, at(1), "#1a1a1a", 1.5), text(LABELS - 8, at(1) + 4, "1", "end")]
    for number, m in enumerate(found):
        x = LABELS + (number + 0.5) * step
        drawn += [line(x, at(m["low"]), x, at(m["high"]), COLOUR[m["verdict"]], 3), mark(x, at(m["ratio"]), m["verdict"])]
    drawn += [text(LABELS, 172, runs[0]["date"][:10]), text(WIDTH - RIGHT, 172, runs[-1]["date"][:10], "end")]
    yield svg(f"{name} in the last {len(runs)} comparisons", 180, "".join(drawn))
    yield ("<details><summary>The same as a table</summary>" + table(
        f"{name}, earlier comparisons", ("date", "old", "new", "ratio", "interval", "verdict"),
        ([e["date"], e["old"], e["new"], f"{m['ratio']:.3f}", f"{m['low']:.3f} to {m['high']:.3f}", m["verdict"]]
         for e, m in zip(runs, found))) + "</details>\n")
