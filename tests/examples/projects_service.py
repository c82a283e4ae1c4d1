"""The projects example as a process, and a client of it: Python's http.client, which knows nothing of Corbel."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import uuid

import serves

UUID_V7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
PATIENCE = 120  # seconds; a sanitized build on a busy machine is slow

program = None  # the binary under test, set by main()
postgres = None  # the server to keep projects on, or None: SQLite


class PostgresDatabase:
    """An empty database on the server, dropped by `close`."""

    def __init__(self):
        self.name = f"corbel_{uuid.uuid4().hex}"
        self.run(f"create database {self.name}")
        self.url = re.sub(r"/[^/?]*($|\?)", rf"/{self.name}\1", postgres)

    @staticmethod
    def run(sql):
        subprocess.run(["psql", "-q", "-d", postgres, "-c", sql], check=True, timeout=PATIENCE)

    def close(self):
        self.run(f"drop database if exists {self.name} with (force)")


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


class Client:
    """One connection, kept alive. A closed one is opened anew for the next request, never for the same one."""

    def __init__(self, port):
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def call(self, method, path, content=None, headers=None, **options):
        """`content`: bytes are sent as they are, anything else as JSON."""
        headers = dict(headers or {})
        if content is not None and not isinstance(content, bytes):
            content = json.dumps(content).encode()
        if content is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            self.connection.request(method, path, body=content, headers=headers, **options)
            answer = self.connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, content, **more):
        return self.call("POST", path, content, **more)

    def put(self, path, content, **more):
        return self.call("PUT", path, content, **more)

    def patch(self, path, content, **more):
        return self.call("PATCH", path, content, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    def close(self):
        self.connection.close()


class Service:
    """The program on a free port and a database of its own; `kill` and `start` as often as a test likes."""

    def __init__(self, **environment):
        self.room = tempfile.TemporaryDirectory(prefix="corbel-projects-")
        self.port = serves.free_port()
        self.database = PostgresDatabase() if postgres else None
        kept = {"DATABASE_URL": self.database.url} if self.database else {}
        self.environment = {"PORT": str(self.port), "LOG_LEVEL": "warn", **kept, **environment}
        self.log = open(pathlib.Path(self.room.name) / "log", "w+b")
        self.start()

    def start(self):
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("PORT", "DATABASE_", "HOST"))}
        self.process = subprocess.Popen([program], cwd=self.room.name, env={**keep, **self.environment},
                                        stdout=subprocess.DEVNULL, stderr=self.log)
        serves.wait_for(self.port, self.process)

    def client(self):
        return Client(self.port)

    def raw(self, *parts):
        """Sends bytes over a socket of their own and gives all that comes back until the service closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as wire:
            try:
                for part in parts:
                    wire.sendall(part)
            except OSError:
                pass  # it may answer and close before it has read everything
            answer = b""
            try:
                while more := wire.recv(65536):
                    answer += more
            except ConnectionResetError:
                pass
            return answer

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def close(self):
        if self.process.poll() is None and self.terminate() != 0:
            self.log.seek(0)
            sys.stderr.write(self.log.read().decode(errors="replace"))
            raise AssertionError(f"the service ended with code {self.process.returncode}")
        self.log.close()
        self.room.cleanup()
        if self.database:
            self.database.close()


class ServiceTest(unittest.TestCase):
    """One service for all tests of a class; each makes projects of its own."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.counter = 0

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def setUp(self):
        self.client = self.service.client()
        self.addCleanup(self.client.close)

    def name(self):
        type(self).counter += 1
        return f"Project {self.counter:05}"

    def create(self, **fields):
        made = self.client.post("/api/v1/projects", {"name": self.name(), **fields})
        self.assertEqual(made.status, 201, made)
        return made.json

    def create_task(self, project, **fields):
        made = self.client.post(f"/api/v1/projects/{project['id']}/tasks", {"title": "A task", **fields})
        self.assertEqual(made.status, 201, made)
        return made.json

    def assertRefused(self, reply, status, code=None, rules=()):
        """The envelope, exactly; `rules` are (path, rule) pairs of details.errors, all of them."""
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        envelope = reply.json
        self.assertEqual(set(envelope), {"code", "message", "details", "timestamp", "path", "requestId"})
        self.assertRegex(envelope["timestamp"], INSTANT)
        self.assertEqual(envelope["requestId"], reply.headers["X-Request-Id"])
        self.assertTrue(envelope["message"].endswith("."), envelope["message"])
        if code:
            self.assertEqual(envelope["code"], code, envelope)
        if rules:
            found = [(e["path"], e["rule"]) for e in envelope["details"]["errors"]]
            self.assertEqual(sorted(found), sorted(rules))
            for each in envelope["details"]["errors"]:
                self.assertEqual(set(each), {"in", "path", "rule", "message"})
        return envelope


def at_once(count, work):
    """Runs work(0) .. work(count - 1) on threads that all begin together; gives their results, or raises."""
    gate = threading.Barrier(count)
    results = [None] * count

    def one(index):
        gate.wait()
        try:
            results[index] = work(index)
        except BaseException as failed:  # pylint: disable=broad-except
            results[index] = failed

    threads = [threading.Thread(target=one, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def main():
    """`some_test.py PROGRAM [--postgres] [TEST...]`"""
    global program, postgres
    program, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    if "--postgres" in words:
        words.remove("--postgres")
        postgres = os.environ.get("CORBEL_TEST_POSTGRES_URL")
        if not postgres:
            sys.exit("CORBEL_TEST_POSTGRES_URL names no server to test with: run scripts/test, which starts one.")
    unittest.main(argv=[sys.argv[0], *words], module="__main__", verbosity=2)
