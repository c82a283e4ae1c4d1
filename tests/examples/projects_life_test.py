"""The projects example under its operator's hands: crowds of clients, kill -9, restarts, drains, wrong settings.

    projects_life_test.py PROGRAM [TEST...]
"""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import projects_service
import serves
from projects_service import PATIENCE, Service, at_once

LIST = "/api/v1/projects"


class Crowd(projects_service.ServiceTest):
    def test_of_many_who_want_a_name_one_gets_it(self):
        for _ in range(15):
            name = self.name()
            statuses = at_once(12, lambda _, n=name: self.alone("POST", LIST, {"name": n}).status)
            self.assertEqual(sorted(statuses), [201] + [409] * 11)

    def test_of_many_who_rename_to_it_one_gets_it(self):
        projects = [self.create() for _ in range(8)]
        name = self.name()
        statuses = at_once(8, lambda n: self.alone("PATCH", f"{LIST}/{projects[n]['id']}", {"name": name}).status)
        self.assertEqual(sorted(statuses), [200] + [409] * 7)

    def test_changes_of_different_members_at_once_all_count(self):
        url = f"{LIST}/{self.create()['id']}"
        patches = [{"priority": 5}, {"description": "d"}, {"tags": ["t"]}, {"dueDate": "2026-12-31"},
                   {"status": "archived"}]
        at_once(5, lambda n: self.alone("PATCH", url, patches[n]))
        project = self.client.get(url).json
        for patch in patches:
            self.assertEqual({key: project[key] for key in patch}, patch)

    def test_no_task_joins_a_project_that_is_archived_or_gone(self):
        for method, content, left in (("PATCH", {"status": "archived"}, 422), ("DELETE", None, 404)):
            project = self.create()
            url = f"{LIST}/{project['id']}"

            def act(number, url=url, method=method, content=content):
                if number == 0:
                    return self.alone(method, url, content)
                return self.alone("POST", f"{url}/tasks", {"title": "late"})

            replies = at_once(10, act)
            self.assertIn(replies[0].status, (200, 204))
            self.assertLessEqual({r.status for r in replies[1:]}, {201, left})
            self.assertEqual(self.alone("POST", f"{url}/tasks", {"title": "later"}).status, left)
            for reply in replies[1:]:
                if reply.status == 201 and method == "DELETE":
                    self.assertEqual(self.client.get(reply.headers["Location"]).status, 404)

    def alone(self, method, path, content):
        client = self.service.client()
        try:
            return client.call(method, path, content)
        finally:
            client.close()


class KillAndRestart(unittest.TestCase):
    def test_what_was_acknowledged_survives_kill_9(self):
        service = Service()
        self.addCleanup(service.close)
        for wave in range(3):
            known = {}  # path -> what the service acknowledged last; None for a deletion
            unsure = set()  # paths whose last change was never answered
            writers = [threading.Thread(target=self.write, args=(service.port, wave, n, known, unsure))
                       for n in range(8)]
            for writer in writers:
                writer.start()
            deadline = time.monotonic() + PATIENCE
            while len(known) < 150 and time.monotonic() < deadline:
                time.sleep(0.01)
            service.kill()
            for writer in writers:
                writer.join()
            self.assertGreaterEqual(len(known), 150)
            service.start()
            client = service.client()
            for path, acknowledged in known.items():
                reply = client.get(path)
                if path in unsure:
                    continue
                if acknowledged is None:
                    self.assertEqual(reply.status, 404, path)
                else:
                    self.assertEqual((reply.status, reply.json), (200, acknowledged), path)
            client.close()

    def write(self, port, wave, number, known, unsure):
        """Creates, changes and deletes until the service is gone."""
        client = projects_service.Client(port)
        path = None
        try:
            for count in range(100_000):
                path = None
                made = client.post(LIST, {"name": f"{wave} {number} {count:05}"})
                if made.status != 201:
                    raise AssertionError(made)
                path = made.headers["Location"]
                known[path] = made.json
                if count % 3 == 1:
                    known[path] = client.patch(path, {"priority": 5}).json
                if count % 3 == 2:
                    client.delete(path)
                    known[path] = None
        except (OSError, http.client.HTTPException):
            if path:
                unsure.add(path)
        finally:
            client.close()

    def test_a_restart_finds_everything(self):
        service = Service()
        self.addCleanup(service.close)
        client = service.client()
        made = client.post(LIST, {"name": "Here to stay", "tags": ["é"]}).json
        client.close()
        self.assertEqual(service.terminate(), 0)
        service.start()
        client = service.client()
        self.assertEqual(client.get(f"{LIST}/{made['id']}").json, made)
        self.assertEqual(client.get(LIST).json["meta"]["total"], 1)
        client.close()


class Drain(unittest.TestCase):
    def test_sigterm_loses_no_request_of_kept_connections(self):
        self.stream_into_sigterm(keep=True)

    def test_sigterm_loses_no_request_of_new_connections(self):
        self.stream_into_sigterm(keep=False)

    def stream_into_sigterm(self, keep):
        """What was sent before the signal is answered, and what was answered is kept."""
        service = Service()
        self.addCleanup(service.close)
        acknowledged, lost, stopped = [], [], threading.Event()
        gate = threading.Lock()  # so that each request is sent wholly before the signal or wholly after it

        def stream(number):
            client = service.client()
            for count in range(100_000):
                name = f"Stream {number} {count:05}"
                late = True
                try:
                    with gate:
                        late = stopped.is_set()
                        client.connection.request("POST", LIST, json.dumps({"name": name}),
                                                  {"Content-Type": "application/json"})
                    reply = client.connection.getresponse()
                    reply.read()
                    if reply.status == 201:
                        acknowledged.append(name)
                except (OSError, http.client.HTTPException) as failed:
                    client.close()
                    if not late:
                        lost.append((name, repr(failed)))
                    break
                if not keep:
                    client.close()
                time.sleep(0.005)
            client.close()

        threads = [threading.Thread(target=stream, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        with gate:
            stopped.set()
            service.process.terminate()
        self.assertEqual(service.process.wait(PATIENCE), 0)
        for thread in threads:
            thread.join()
        self.assertEqual(lost, [])
        self.assertGreater(len(acknowledged), 30)
        service.start()
        client = service.client()
        names = set()
        for number in range(1, 1000):
            data = client.get(f"{LIST}?limit=100&page={number}").json["data"]
            names.update(p["name"] for p in data)
            if not data:
                break
        client.close()
        self.assertEqual(set(acknowledged) - names, set())

    def test_what_is_on_its_way_at_sigterm_is_answered(self):
        for wave in range(5):
            service = Service()
            self.addCleanup(service.close)
            clients = [service.client() for _ in range(60)]
            for client in clients[:30]:  # kept and idle; the others have yet to connect
                self.assertEqual(client.get("/livez").status, 200)
            for number, client in enumerate(clients):
                client.connection.request("POST", LIST, json.dumps({"name": f"On its way {wave} {number}"}),
                                          {"Content-Type": "application/json"})
            service.process.terminate()
            statuses = []
            for client in clients:
                try:
                    statuses.append(client.connection.getresponse().status)
                except (OSError, http.client.HTTPException) as failed:
                    statuses.append(repr(failed))
                client.close()
            self.assertEqual(statuses, [201] * 60)
            self.assertEqual(service.process.wait(PATIENCE), 0)

    def test_a_request_that_has_begun_is_answered(self):
        service = Service()
        self.addCleanup(service.close)
        body = b'{"name":"Half sent"}'
        with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as wire:
            wire.sendall(f"POST {LIST} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                         f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:7])
            time.sleep(0.3)
            service.process.terminate()
            time.sleep(0.5)
            self.assertIsNone(service.process.poll(), "it waits for the request")
            wire.sendall(body[7:])
            answer = b""
            while more := wire.recv(65536):
                answer += more
        self.assertTrue(answer.startswith(b"HTTP/1.1 201 "), answer)
        self.assertIn(b"connection: close", answer.lower())
        self.assertEqual(service.process.wait(PATIENCE), 0)

    def test_idle_connections_do_not_hold_it_up(self):
        service = Service()
        self.addCleanup(service.close)
        idle = [service.client() for _ in range(20)]
        for client in idle:
            self.assertEqual(client.get("/livez").status, 200)
        begun = time.monotonic()
        self.assertEqual(service.terminate(), 0)
        self.assertLess(time.monotonic() - begun, 8, "the drain timeout is 10 s")
        for client in idle:
            client.close()


class Settings(unittest.TestCase):
    def start(self, **environment):
        """Exit code and what is said of a start that is expected to fail."""
        with tempfile.TemporaryDirectory(prefix="corbel-projects-") as room:
            keep = {n: v for n, v in os.environ.items() if n not in ("PORT", "DATABASE_URL", "HOST", "LOG_LEVEL")}
            done = subprocess.run([projects_service.program], cwd=room, capture_output=True, timeout=PATIENCE,
                                  env={**keep, "PORT": str(serves.free_port()), **environment}, check=False)
            return done.returncode, done.stderr.decode()

    def test_all_wrong_settings_are_told_at_once(self):
        code, said = self.start(PORT="http", LOG_LEVEL="loud", DRAIN_TIMEOUT="soon")
        self.assertEqual(code, 78)
        for part in ("PORT", "LOG_LEVEL", "info", "DRAIN_TIMEOUT"):
            self.assertIn(part, said)

    def test_ports(self):
        for port in ("-1", "65536", "8080x", "0x50", "1e3"):
            code, said = self.start(PORT=port)
            self.assertEqual(code, 78, said)
            self.assertIn("PORT", said)

    def test_a_port_that_is_taken(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            code, said = self.start(PORT=str(holder.getsockname()[1]))
        self.assertEqual(code, 1)
        self.assertIn("in use", said)

    def test_database_urls(self):
        for url, part in (("mysql://x", "sqlite"), ("nonsense", "sqlite"), ("sqlite:", "sqlite:"),
                          ("sqlite:x.db?fast=1", "fast"), ("sqlite:/nowhere/at/all/x.db", "/nowhere/at/all/x.db")):
            with self.subTest(url=url):
                code, said = self.start(DATABASE_URL=url)
                self.assertNotEqual(code, 0)
                self.assertGreater(code, 0, "no signal, no crash")
                self.assertIn(part, said)
                self.assertNotIn("terminate called", said)

    def test_a_file_that_is_no_database(self):
        with tempfile.TemporaryDirectory(prefix="corbel-projects-") as room:
            path = pathlib.Path(room) / "x.db"
            path.write_bytes(b"this is no database " * 500)
            code, said = self.start(DATABASE_URL=f"sqlite:{path}")
            self.assertGreater(code, 0)
            self.assertIn("x.db", said)
            self.assertEqual(path.read_bytes(), b"this is no database " * 500)

    def test_it_says_where_it_listens_and_what_to_try(self):
        with tempfile.TemporaryDirectory(prefix="corbel-projects-") as room:
            port = serves.free_port()
            with subprocess.Popen([projects_service.program], cwd=room, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL,
                                  env={**os.environ, "PORT": str(port), "DATABASE_URL": "sqlite:projects.db"}) as process:
                try:
                    serves.wait_for(port, process)
                    time.sleep(0.5)
                finally:
                    process.terminate()
                said = process.stdout.read().decode()
            self.assertIn(f"http://127.0.0.1:{port}", said)
            lines = [line.strip() for line in said.splitlines() if line.strip().startswith("curl ")]
            self.assertEqual(len(lines), 3, said)


if __name__ == "__main__":
    projects_service.main()
