"""An example program serves: it starts on a free port, answers each path with its status, and stops on SIGTERM.

    serves.py PROGRAM PATH=STATUS...
"""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

START_WITHIN = 60  # seconds; a sanitized build on a busy machine is slow
STOP_WITHIN = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, program):
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        if program.poll() is not None:
            raise SystemExit(f"the program ended with code {program.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"the program does not listen on port {port} after {START_WITHIN} s")


def status_of(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as reply:
            return reply.status
    except urllib.error.HTTPError as refused:
        return refused.code


def main(binary, *answers):
    failures = []
    with tempfile.TemporaryDirectory(prefix="corbel-example-") as room:
        port = free_port()
        environment = {**os.environ, "PORT": str(port), "DATABASE_URL": f"sqlite:{pathlib.Path(room) / 'example.db'}"}
        # Its output goes to ours, which ctest shows when the test fails.
        with subprocess.Popen([binary], cwd=room, env=environment) as program:
            try:
                wait_for(port, program)
                for answer in answers:
                    path, _, status = answer.rpartition("=")
                    got = status_of(port, path)
                    if got != int(status):
                        failures.append(f"GET {path} answered {got}, expected {status}")
                program.send_signal(signal.SIGTERM)
                if program.wait(timeout=STOP_WITHIN) != 0:
                    failures.append(f"after SIGTERM it ended with code {program.returncode}, expected 0")
            except subprocess.TimeoutExpired:
                failures.append(f"it still runs {STOP_WITHIN} s after SIGTERM")
            finally:
                if program.poll() is None:
                    program.kill()
    print("\n".join(failures) or f"{len(answers)} answers as expected, and a clean stop")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
