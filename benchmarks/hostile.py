#!/usr/bin/env python3
"""What hostile clients cost the others, and the server's memory.

    hostile.py PROGRAM [--attackers N] [--seconds N]

PROGRAM is the overload_server of the build. A few well-behaved clients ask at a steady pace; their p99 is taken in quiet
times right before, and right behind, each attack, and during it. The ratio is that of the two in the same run.
"""

import argparse
import os
import random
import resource
import socket
import struct
import sys
import threading
import time

from overload import Server

RATE = 400  # requests a second of the well-behaved
SERVER_PATIENCE = 3000  # milliseconds


class Calm(threading.Thread):
    """Well-behaved clients, in a process of their own, so that the attackers' work is not theirs."""

    @staticmethod
    def p99(port, seconds):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            times = Calm.ask(port, seconds)
            times.sort()
            os.write(write, struct.pack("ddd", times[len(times) // 2], times[int(len(times) * 0.99)], times[-1]))
            os._exit(0)
        os.close(write)
        text = os.read(read, 24)
        os.close(read)
        os.waitpid(child, 0)
        if len(text) != 24:
            raise SystemExit("a well-behaved client was not answered")
        return struct.unpack("ddd", text)

    @staticmethod
    def ask(port, seconds):
        def connect():
            made = socket.create_connection(("127.0.0.1", port), 10)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return made

        lines, times = [connect() for _ in range(4)], []
        start = due = time.perf_counter()
        for turn in range(int(seconds * RATE)):
            due = start + turn / RATE
            if (early := due - time.perf_counter()) > 0:
                time.sleep(early)
            line = lines[turn % len(lines)]
            line.sendall(b"GET /plaintext HTTP/1.1\r\nHost: calm\r\n\r\n")
            text = line.recv(4096)
            if not text.startswith(b"HTTP/1.1 200 "):
                os._exit(1)
            if b"\r\nConnection: close" in text:
                lines[turn % len(lines)] = connect()
            times.append(time.perf_counter() - due)
        return times


class Attack:
    """Keeps `count` connections in a bad state until told to stop."""

    def __init__(self, port, count):
        self.port, self.count = port, count
        self.lines = []
        self.stop = threading.Event()

    def connect(self):
        made = socket.socket()
        made.settimeout(5)
        made.connect(("127.0.0.1", self.port))
        made.setblocking(False)
        return made

    def fill(self):
        while len(self.lines) < self.count and not self.stop.is_set():
            line = self.connect()
            self.begin(line)
            self.lines.append(line)
            if len(self.lines) % 50 == 0:
                time.sleep(0.01)

    def begin(self, line):
        pass

    def go_on(self, line):
        pass

    def run(self):
        try:
            self.fill()
            while not self.stop.is_set():
                for at, line in enumerate(self.lines):
                    try:
                        self.go_on(line)
                    except BlockingIOError:
                        pass
                    except OSError:  # evicted: the next one
                        line.close()
                        self.lines[at] = self.connect()
                        self.begin(self.lines[at])
                    if at % 20 == 0:
                        time.sleep(0.01)
                    if self.stop.is_set():
                        break
                time.sleep(0.05)
        except OSError:
            pass

    def end(self):
        for line in self.lines:
            line.close()


class SlowHeader(Attack):
    """a head, byte by byte"""

    def begin(self, line):
        line.send(b"GET /plaintext HTTP/1.1\r\nHost: slow\r\nX: ")

    def go_on(self, line):
        line.send(b"x")


class SlowBody(Attack):
    """a body, byte by byte"""

    def begin(self, line):
        line.send(b"POST /body HTTP/1.1\r\nHost: slow\r\nContent-Length: 100000\r\n\r\n" + b"x" * 1000)

    go_on = SlowHeader.go_on


class SlowUpload(Attack):
    """a streamed body, byte by byte"""

    def begin(self, line):
        line.send(b"POST /upload HTTP/1.1\r\nHost: slow\r\nContent-Length: 100000\r\n\r\n")

    go_on = SlowHeader.go_on


class SlowReader(Attack):
    """a large answer, hardly read"""

    def connect(self):
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        made.settimeout(5)
        made.connect(("127.0.0.1", self.port))
        made.setblocking(False)
        return made

    def begin(self, line):
        line.send(b"GET /large HTTP/1.1\r\nHost: slow\r\n\r\n")

    def go_on(self, line):
        if not line.recv(1):
            raise ConnectionResetError


class Idle(Attack):
    """nothing at all"""

    def go_on(self, line):
        if not line.recv(1):
            raise ConnectionResetError


class Reset(Attack):
    """a reset behind half a request, again and again"""

    def run(self):
        gone = struct.pack("ii", 1, 0)
        while not self.stop.is_set():
            for _ in range(20):
                try:
                    line = self.connect()
                    line.send(b"GET /plaintext HTTP/1.1\r\nHo")
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, gone)
                    line.close()
                except OSError:
                    pass
            time.sleep(0.02)


class Churn(Attack):
    """a connection for each request"""

    def run(self):
        while not self.stop.is_set():
            for _ in range(10):
                try:
                    line = self.connect()
                    line.setblocking(True)
                    line.send(b"GET /plaintext HTTP/1.1\r\nHost: churn\r\nConnection: close\r\n\r\n")
                    line.recv(4096)
                    line.close()
                except OSError:
                    pass
            time.sleep(0.02)


class Garbage(Attack):
    """what is no HTTP"""

    def run(self):
        random_ = random.Random(1)
        while not self.stop.is_set():
            for _ in range(10):
                try:
                    line = self.connect()
                    line.send(random_.randbytes(300))
                    line.close()
                except OSError:
                    pass
            time.sleep(0.02)


ATTACKS = {"slow header": (SlowHeader, 1), "slow body": (SlowBody, 1), "slow upload": (SlowUpload, 1),
           "slow reader": (SlowReader, 0.02), "idle": (Idle, 1), "reset": (Reset, 0), "churn": (Churn, 0),
           "garbage": (Garbage, 0)}


def attack(kind, port, count):
    """In a process of its own; give its id a signal to end it."""
    child = os.fork()
    if child != 0:
        return child
    os.nice(19)  # it shares a core with the well-behaved, and shall cost them the server's time, not that core's
    one = kind(port, count)
    threading.Thread(target=one.run, daemon=True).start()
    time.sleep(3600)
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--attackers", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--only", choices=sorted(ATTACKS))
    asked = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[1]})
    failed = False
    print("attack        attackers   quiet p99 ms  attacked p99 ms   ratio    memory MiB   KiB per attacker")
    for name, (kind, share) in ATTACKS.items():
        if asked.only and name != asked.only:
            continue
        count = int(asked.attackers * share)
        with Server(asked.program, "--patience", str(SERVER_PATIENCE), cpu=cores[0]) as server:
            before = Calm.p99(server.port, asked.seconds)[1]
            memory = server.resident()
            child = attack(kind, server.port, count)
            try:
                time.sleep(1 + count / 4000)
                attacked = Calm.p99(server.port, asked.seconds)[1]
                grown = server.resident() - memory
            finally:
                os.kill(child, 9)
                os.waitpid(child, 0)
            time.sleep(1)
            quiet = max(before, Calm.p99(server.port, asked.seconds)[1])
        each = grown / count / 1024 if count else 0
        print(f"{name:14} {count:8} {quiet * 1000:14.2f} {attacked * 1000:16.2f} {attacked / quiet:7.2f}"
              f" {(memory + grown) / 2**20:13.1f} {each:18.2f}", flush=True)
        failed |= attacked > 2 * quiet
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
