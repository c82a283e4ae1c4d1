#!/usr/bin/env python3
"""What a server still does at three times its capacity.

    overload.py PROGRAM [--seconds N] [--shed no]

PROGRAM is the overload_server of the build. For each route it finds the capacity with a closed loop, then offers half,
once and three times of it in an open loop: requests are due at random times, whether or not the server keeps up,
and each that is answered 200 within a second of being due is goodput. Every ratio is of one run.
"""

import argparse
import collections
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time

PATIENCE = 1.0  # seconds, of every client
CONNECTIONS = 1000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, program, *options, cpu=None):
        self.port = free_port()
        command = [program, "--port", str(self.port), *options]
        pin = (lambda: os.sched_setaffinity(0, {cpu})) if cpu is not None else None
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=pin)
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise
                time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def resident(self):
        """Bytes of memory."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Load:
    """Keep-alive connections, each with one request at a time; what is due waits for a free one."""

    def __init__(self, port, path, connections):
        self.request = f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
        self.port = port
        self.poll = select.epoll()
        self.lines = {}
        self.free = []
        self.sent = {}  # since when the request on a connection was due
        self.kept = {}
        for _ in range(connections):
            self.connect()

    def connect(self):
        line = socket.create_connection(("127.0.0.1", self.port), 10)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setblocking(False)
        self.lines[line.fileno()] = line
        self.poll.register(line.fileno(), select.EPOLLIN)
        self.free.append(line.fileno())

    def close(self):
        for line in self.lines.values():
            line.close()
        self.poll.close()

    def send(self, due):
        number = self.free.pop()
        self.sent[number] = due
        try:
            self.lines[number].send(self.request)
        except OSError:
            pass  # its end is read below

    def receive(self, wait, answer):
        for number, _ in self.poll.poll(wait):
            try:
                text = self.lines[number].recv(65536)
            except OSError:
                text = b""
            if not text:
                due = self.sent.pop(number, None)
                if number in self.free:
                    self.free.remove(number)
                self.poll.unregister(number)
                self.lines.pop(number).close()
                self.connect()
                if due is not None:
                    answer(due, 0)
                continue
            text = self.kept.pop(number, b"") + text
            head, blank, body = text.partition(b"\r\n\r\n")
            if not blank or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
                self.kept[number] = text
                continue
            self.free.append(number)
            answer(self.sent.pop(number), int(text[9:12]))


def capacity(port, path, connections, seconds):
    """Answers a second of a closed loop."""
    load, count = Load(port, path, connections), 0

    def answer(_, status):
        nonlocal count
        count += status == 200

    start = time.perf_counter()
    while (now := time.perf_counter()) < start + seconds:
        while load.free:
            load.send(now)
        load.receive(0.1, answer)
    load.close()
    return count / seconds


def offer(port, path, rate, seconds):
    """What becomes of `rate` requests a second."""
    load = Load(port, path, CONNECTIONS)
    random_ = random.Random(1)
    seen, times, waiting = collections.Counter(), [], collections.deque()

    def answer(due, status):
        took = time.perf_counter() - due
        if status == 200 and took <= PATIENCE:
            seen["good"] += 1
            times.append(took)
        else:
            seen["late" if status == 200 else status] += 1

    start = time.perf_counter()
    following = start
    while (now := time.perf_counter()) < start + seconds + PATIENCE:
        while following <= min(now, start + seconds):
            waiting.append(following)
            seen["due"] += 1
            following += random_.expovariate(rate)
        while waiting and load.free:
            due = waiting.popleft()
            if now - due > PATIENCE:
                seen["late"] += 1  # nobody waits for it any more
            else:
                load.send(due)
        if following > start + seconds and not waiting and not load.sent:
            break
        load.receive(max(0.0, min(following - time.perf_counter(), 0.01)), answer)
    load.close()
    times.sort()
    p50, p99 = (times[int(len(times) * q)] * 1000 if times else 0 for q in (0.5, 0.99))
    return {"goodput": seen["good"] / seconds, "p50": p50, "p99": p99,
            "shed": seen[503] / max(1, seen["due"]), "late": seen["late"] / max(1, seen["due"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--shed", default="yes", choices=["yes", "no"])
    asked = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[1]})
    failed = False
    print("route     load   offered/s  goodput/s  of peak     p50 ms   p99 ms     shed    late")
    for path, connections in (("/spin", 8), ("/queue", 8)):
        with Server(asked.program, "--shed", asked.shed, cpu=cores[0]) as server:
            most = capacity(server.port, path, connections, 3)
            peak = 0
            for times in (0.5, 1, 3):
                got = offer(server.port, path, most * times, asked.seconds)
                peak = max(peak, got["goodput"], most if times == 1 else 0)
                print(f"{path:9} {times:4}x {most * times:10.0f} {got['goodput']:10.0f} {got['goodput'] / peak:8.2f}"
                      f" {got['p50']:10.1f} {got['p99']:8.1f} {got['shed']:8.1%} {got['late']:7.1%}", flush=True)
            failed |= asked.shed == "yes" and got["goodput"] < 0.9 * peak
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
