"""Figures for people, and for tools that read Google Benchmark's JSON."""

import datetime
import json
import os
import pathlib
import platform

from .machine import Trouble


def _number(value, form):
    return "-" if value is None else format(value, form)


def rows(measured):
    """The header and the cells of a table: one line for each scenario and server."""
    yield ("scenario", "server", "CPU us/request", "ratio", "requests/s", "of raw's", "p50 us", "p95 us", "p99 us", "p95 ratio", "at rate/s",
           "bytes/idle connection")
    for m in measured:
        for name in m.names():
            is_reference = name == m.reference
            yield (m.scenario.said(), name, _number(m.cpu(name), ".2f"),
                   _number(1.0 if is_reference and m.closed else m.cpu_ratio(name), ".3f"),
                   _number(m.per_second(name) if m.scenario.database else None, ".0f"),
                   _number(m.rate_ratio(name) if m.scenario.database else None, ".2f"),
                   *(_number(m.latency(name, q), ".0f") for q in ("p50", "p95", "p99")),
                   _number(1.0 if is_reference and m.late else m.latency_ratio(name), ".2f"),
                   _number(m.rate or None, ".0f"), _number(m.idle.get(name), ".0f"))


def table(measured):
    """In Markdown, so that it can be pasted into a page, padded, so that it can be read in a terminal."""
    lines = list(rows(measured))
    keep = [i for i in range(len(lines[0])) if any(line[i] != "-" for line in lines[1:])]
    return padded([[line[i] for i in keep] for line in lines])


def padded(lines):
    """The first of the lines is the header."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = []
    for number, line in enumerate(lines):
        text.append("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")
        if number == 0:
            text.append("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


BEGIN, END = "<!-- figures: written by scripts/bench --fill -->", "<!-- end of figures -->"


def fill(page, measured, plan):
    """Puts the figures between a page's two marks, with what a reader needs to judge them."""
    path = pathlib.Path(page)
    text = path.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise Trouble(f"{page} has no place for figures: it needs the lines {BEGIN} and {END}")
    disturbed = [m.scenario.name for m in measured if max(m.trouble()) > 0.5]
    noted = (f"{processor()}, {os.cpu_count()} cores, Linux {platform.release().split('-')[0]}, {datetime.date.today().isoformat()}: "
             f"medians of {plan.rounds} rounds of {plan.seconds} s for CPU, and of {plan.late_rounds} for latency.")
    if disturbed:
        noted += f" Other programs disturbed most rounds of {', '.join(disturbed)}."
    before, after = text[:text.index(BEGIN)], text[text.index(END):]
    path.write_text(f"{before}{BEGIN}\n{noted}\n\n{table(measured)}\n{after}", encoding="utf-8")


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            return next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def as_google_benchmark(measured):
    """cpu_time is the server's CPU for a request, real_time the median latency at a constant rate, or, where there is none,
    the time between two replies. The other figures are counters."""
    entries = []
    for m in measured:
        for name in m.names():
            cpu, rate, p50 = m.cpu(name), m.per_second(name), m.latency(name, "p50")
            figures = m.closed or m.late
            entry = {
                "name": f"{m.scenario.name}/{name}", "run_name": f"{m.scenario.name}/{name}", "run_type": "iteration",
                "repetitions": 1, "repetition_index": 0, "threads": 1,
                "iterations": sum(r[name]["requests"] for r in figures),
                "real_time": p50 if p50 is not None else 1e6 / rate, "cpu_time": cpu or 0.0, "time_unit": "us",
                "cpu_us_per_request": cpu, "cpu_ratio": m.cpu_ratio(name), "requests_per_second": rate,
                "rate_ratio": m.rate_ratio(name) if m.scenario.database else None,
                "p50_us": p50, "p95_us": m.latency(name, "p95"), "p99_us": m.latency(name, "p99"),
                "p95_ratio": m.latency_ratio(name), "constant_rate": m.rate or None,
                "bytes_per_idle_connection": m.idle.get(name),
                "disturbed_cpu_rounds": m.trouble()[0], "disturbed_latency_rounds": m.trouble()[1],
            }
            entries.append({k: v for k, v in entry.items() if v is not None})
    return {
        "context": {
            "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"), "host_name": platform.node(),
            "executable": "scripts/bench", "num_cpus": os.cpu_count(), "processor": processor(),
            "library_build_type": "release", "load_avg": list(os.getloadavg()),
        },
        "benchmarks": entries,
    }


def save_json(name, measured):
    pathlib.Path(name).write_text(json.dumps(as_google_benchmark(measured), indent=1) + "\n", encoding="utf-8")
