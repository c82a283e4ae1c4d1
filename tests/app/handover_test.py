"""Processes that replace each other on one port, under load: nothing that a client asks is lost.

    handover_test.py PROGRAM [TEST...]
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest

RESTARTS = 20
CLIENTS = 6
PATIENCE = 60  # seconds; a sanitized build on a busy machine is slow
program = None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """One process, with its log."""

    def __init__(self, room, name, port, path, wait=True, pass_fds=(), **environment):
        self.log = pathlib.Path(room) / f"{name}.log"
        variables = {**os.environ, "PORT": str(port), "HANDOVER_SOCKET": path, "THREADS": "2", **environment}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([program], stdout=log, stderr=log, cwd=room, env=variables,
                                            pass_fds=pass_fds)
        if wait:
            self.says("listening")

    def lines(self):
        found = []
        for line in self.log.read_text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"msg": line})
        return found

    def says(self, message):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for line in self.lines():
                if message in line["msg"]:
                    return line
            if self.process.poll() is not None and not any(message in line["msg"] for line in self.lines()):
                break
            time.sleep(0.01)
        raise AssertionError(f'the service never said "{message}":\n{self.log.read_text()}')

    def end(self):
        """Its exit code, behind SIGTERM if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)


class Client(threading.Thread):
    """Asks without pause; every answer must come. Its connection lasts until the server says otherwise."""

    def __init__(self, port, keep_alive, path):
        super().__init__()
        self.port, self.keep_alive, self.path = port, keep_alive, path
        self.answers, self.failures, self.connections = 0, [], 0
        self.enough = threading.Event()

    def connect(self):
        self.connections += 1
        made = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def ask(self, line):
        close = "" if self.keep_alive else "Connection: close\r\n"
        line.sendall(f"GET {self.path} HTTP/1.1\r\nHost: test\r\n{close}\r\n".encode())
        text = b""
        while b"\r\n\r\n" not in text:
            piece = line.recv(4096)
            if not piece:
                raise OSError(f"the connection ended inside an answer: {text!r}")
            text += piece
        head, _, body = text.partition(b"\r\n\r\n")
        length = int([h for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")][0].split(b":")[1])
        while len(body) < length:
            piece = line.recv(4096)
            if not piece:
                raise OSError("the connection ended inside a body")
            body += piece
        if not head.startswith(b"HTTP/1.1 200 "):
            raise OSError(f"refused: {head!r}")
        return b"connection: close" not in head.lower()

    def run(self):
        line = None
        while not self.enough.is_set():
            try:
                line = line or self.connect()
                if not self.ask(line):
                    line.close()
                    line = None
                self.answers += 1
            except OSError as failed:
                self.failures.append(f"{self.path}, keep-alive {self.keep_alive}: {failed!r}")
                line = None
            time.sleep(0.002)
        if line:
            line.close()


def ask_once(port, path):
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as line:
        Client(port, False, path).ask(line)


class HandoverTest(unittest.TestCase):
    def setUp(self):
        self.room = tempfile.TemporaryDirectory(prefix="corbel-handover-")
        self.addCleanup(self.room.cleanup)
        self.path = str(pathlib.Path(self.room.name) / "api.sock")
        self.port = free_port()
        self.started = 0

    def start(self, **more):
        self.started += 1
        service = Service(self.room.name, f"service{self.started}", more.pop("port", self.port), self.path, **more)
        self.addCleanup(service.end)
        return service

    def load(self):
        clients = [Client(self.port, i % 3 != 0, "/nap" if i % 2 else "/ping") for i in range(CLIENTS)]
        for each in clients:
            each.start()
        return clients

    def settle(self, clients):
        for each in clients:
            each.enough.set()
        for each in clients:
            each.join()
        self.assertEqual([f for each in clients for f in each.failures], [])
        self.assertTrue(all(each.answers > 0 for each in clients))
        return sum(each.answers for each in clients)

    def answers(self):
        ask_once(self.port, "/ping")

    def test_restarts_under_load_lose_nothing(self):
        current = self.start()
        clients = self.load()
        for number in range(RESTARTS):
            following = self.start(THREADS=str(1 + number % 3))
            following.says("took over the port")
            current.says("the port was taken over")
            self.assertEqual(current.process.wait(timeout=PATIENCE), 0)
            current = following
            time.sleep(0.2)
        count = self.settle(clients)
        self.assertEqual(current.end(), 0)
        self.assertFalse(os.path.exists(self.path))
        print(f"{RESTARTS} restarts, {count} requests, none lost")

    def test_a_successor_that_fails_changes_nothing(self):
        current = self.start()
        clients = self.load()
        self.assertEqual(self.start(wait=False, FAIL="1").process.wait(timeout=PATIENCE), 1)
        # One that asks for the sockets and vanishes.
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self.path)
            _, sockets, _, _ = socket.recv_fds(line, 256, 64)
            for fd in sockets:
                os.close(fd)
        current.says("the port was not taken over")
        # And one that says something else.
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self.path)
            line.sendall(b"nonsense, and more of it\n")
            with contextlib.suppress(ConnectionResetError):
                while line.recv(256):
                    pass
        self.settle(clients)
        self.assertIsNone(current.process.poll())
        self.answers()
        following = self.start()
        current.says("the port was taken over")
        self.assertEqual(current.end(), 0)
        self.assertEqual(following.end(), 0)

    def test_a_crash_leaves_a_socket_that_is_replaced(self):
        crashed = self.start()
        crashed.process.kill()
        crashed.process.wait()
        self.assertTrue(os.path.exists(self.path))
        current = self.start()
        self.answers()
        self.assertEqual(current.end(), 0)

    def test_the_socket_is_for_its_user_alone_and_replaces_no_file(self):
        current = self.start()
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        self.assertEqual(current.end(), 0)
        pathlib.Path(self.path).write_text("mine")
        other = self.start(wait=False)
        self.assertEqual(other.process.wait(timeout=PATIENCE), 1)
        self.assertEqual(pathlib.Path(self.path).read_text(), "mine")

    def test_another_port_is_listened_on_and_the_old_one_given_up(self):
        current = self.start()
        other = free_port()
        following = self.start(port=other)
        following.says("the address has changed")
        self.assertEqual(current.process.wait(timeout=PATIENCE), 0)
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1)
        socket.create_connection(("127.0.0.1", other), PATIENCE).close()
        self.assertEqual(following.end(), 0)

    def test_sockets_of_a_service_manager(self):
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(64)
            port = listening.getsockname()[1]
            # Whoever comes before the service waits in the queue.
            early = socket.create_connection(("127.0.0.1", port), PATIENCE)
            # Descriptor 3 and our own process id, as systemd does it: by a shell that becomes the service.
            fd = listening.fileno()
            shell = f'exec 3<&{fd}; export LISTEN_FDS=1 LISTEN_PID=$$; exec "{program}"'
            with subprocess.Popen(["/bin/bash", "-c", shell], pass_fds=[fd], stderr=subprocess.DEVNULL,
                                  env={**os.environ, "PORT": "1", "THREADS": "3"}) as service:
                try:
                    self.assertTrue(Client(port, True, "/ping").ask(early))
                    early.close()
                    for _ in range(20):
                        ask_once(port, "/nap")
                finally:
                    service.send_signal(signal.SIGTERM)
                self.assertEqual(service.wait(timeout=PATIENCE), 0)
            # The socket outlives the service: nobody is refused in between.
            socket.create_connection(("127.0.0.1", port), PATIENCE).close()

    def test_a_service_manager_is_told(self):
        path = str(pathlib.Path(self.room.name) / "notify.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(PATIENCE)
            current = self.start(NOTIFY_SOCKET=path)
            self.assertEqual(manager.recv(100), b"READY=1")
            self.assertEqual(current.end(), 0)
            self.assertEqual(manager.recv(100), b"STOPPING=1")


if __name__ == "__main__":
    program = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
