"""Servers as child processes: pinned, awaited, asked once, stopped."""

import http.client
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time

from . import machine
from .machine import Trouble

START_WITHIN = 60  # seconds
STOP_WITHIN = 10


class Server:
    """A command with `{port}` in it, or one that reads PORT from its environment. Its output is kept for complaints."""

    def __init__(self, name, command, core, folder=None, urgent=False):
        self.name, self.command, self.core, self.folder, self.urgent = name, command, core, folder, urgent
        self.port = None
        self.process = None
        self.log = None

    def __enter__(self):
        self.port = machine.free_port()
        self.log = tempfile.TemporaryFile("w+", errors="replace")
        words = shlex.split(self.command.replace("{port}", str(self.port)))
        try:
            self.process = subprocess.Popen(
                words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                env={**os.environ, "PORT": str(self.port)}, preexec_fn=machine.alone_on(self.core, self.urgent),
                start_new_session=True)
        except OSError as failed:
            self.log.close()
            raise Trouble(f"{self.name} cannot be started: {failed}") from failed
        try:
            self._await()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    def pids(self):
        return machine.descendants(self.process.pid)

    def said(self):
        """The last lines of its output."""
        self.log.seek(0)
        return "".join(self.log.readlines()[-15:]).strip()

    def probe(self, request):
        """Asks once. Returns the body's length; complains about another status than the expected one."""
        fields = dict(h.split(": ", 1) for h in request.headers)
        try:
            asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            asked.request(request.method, request.path, body=request.body or None, headers=fields)
            reply = asked.getresponse()
            body = reply.read()
            asked.close()
        except (OSError, http.client.HTTPException) as failed:
            raise Trouble(f"{self.name} does not answer {request.method} {request.path}: {failed}\n{self.said()}") from failed
        if reply.status != request.status:
            raise Trouble(f"{self.name} answers {request.method} {request.path} with {reply.status}, expected is "
                          f"{request.status}: {body[:300].decode(errors='replace')}")
        return len(body)

    def steady_length(self, request):
        """The body's length, when three replies agree on it; None otherwise."""
        lengths = {self.probe(request) for _ in range(3)}
        return lengths.pop() if len(lengths) == 1 else None

    def _await(self):
        deadline = time.monotonic() + START_WITHIN
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Trouble(f"{self.name} ended with code {self.process.returncode} before it listened:\n{self.said()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Trouble(f"{self.name} does not listen on port {self.port} after {START_WITHIN} s; its command needs "
                      f"{{port}}, or it must read PORT from its environment:\n{self.said()}")

    def _stop(self):
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, how)
            except ProcessLookupError:
                pass
            try:
                self.process.wait(STOP_WITHIN)
                break
            except subprocess.TimeoutExpired:
                continue
        self.log.close()
