#!/usr/bin/env python3
"""Where a request's instructions go: bench_server under callgrind, as a table of inclusive shares.

    scripts/bench --profile [SCENARIO]

Valgrind counts user-mode instructions of the server alone; the kernel's part is not in it. Warm requests are counted by
the difference of two runs, so that starting and stopping drop out.
"""

import http.client
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import scenario  # noqa: E402
from harness.machine import Trouble  # noqa: E402
from harness.servers import Server  # noqa: E402

FEW, MANY = 200, 2200
# In the order of a request's life; each is counted with all it calls.
PARTS = (
    ("one wake-up and all below it", r"corbel::connection::on_ready"),
    ("recv", r"^recv$|^__libc_recv|^recv@|^__recv"),
    ("read the head, when it comes in one piece", r"corbel::http1::read_head"),
    ("guard over the raw bytes", r"corbel::http1::scan_head"),
    ("parse the head, framing rules included", r"corbel::http1::parse_head"),
    ("... of it the framing rules", r"corbel::http1::decide_framing"),
    ("route, layers, handler", r"corbel::router::serve\("),
    ("... of it the path tree", r"corbel::path_tree::find"),
    ("... of it the layers and the handler", r"corbel::pipeline::serve\("),
    ("... of it reading and checking the body", r"corbel::schema::parse_into"),
    ("serialise the response", r"corbel::http1::append_response"),
    ("send", r"^send$|^__libc_send|^send@|^__send"),
)
LINE = re.compile(r"^\s*([\d,]+) \([\d. ]+%\)\s+(?:\S*?:)?(.*?)(?: \[[^\]]*\])?$")


def instructions(program, chosen, requests):
    """Inclusive instruction counts by function, and their total."""
    with tempfile.TemporaryDirectory(prefix="corbel-profile-") as room:
        out = pathlib.Path(room) / "callgrind.out"
        command = (f"valgrind --tool=callgrind --callgrind-out-file={out} --quiet "
                   f"{program} --port {{port}} --threads 1")
        with Server("bench_server", command, 0) as server:
            asked = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            r = chosen.request
            for i in range(requests):
                asked.request(r.method, r.path, body=r.body or None, headers=dict(h.split(": ", 1) for h in r.headers))
                reply = asked.getresponse()
                reply.read()
                if reply.status != r.status:
                    raise Trouble(f"request {i} got {reply.status}")
            asked.close()
        text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", "--show-percs=yes", str(out)],
                              capture_output=True, text=True, check=True).stdout
    found, total = {}, 0
    for line in text.splitlines():
        if "PROGRAM TOTALS" in line:
            total = int(line.split()[0].replace(",", ""))
        elif match := LINE.match(line):
            name = match.group(2)
            found[name] = max(found.get(name, 0), int(match.group(1).replace(",", "")))
    return found, total


def main(program, name="plaintext"):
    chosen = scenario.choose([name], scenario.BUILT_IN)[0]
    few, few_total = instructions(program, chosen, FEW)
    many, many_total = instructions(program, chosen, MANY)
    each = (many_total - few_total) / (MANY - FEW)
    print(f"| {name} | instructions | share |\n|---|---|---|\n| a request in all | {each:.0f} | 100 % |")
    for said, pattern in PARTS:
        names = [n for n in many if re.search(pattern, n)]
        spent = max(((many[n] - few.get(n, 0)) / (MANY - FEW) for n in names), default=0)
        if spent >= 1:
            print(f"| {said} | {spent:.0f} | {spent / each:.0%} |")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Trouble as trouble:
        sys.exit(f"profile: {trouble}")
