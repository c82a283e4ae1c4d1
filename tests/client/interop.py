"""The client against servers that others wrote: Python's http.server and ssl, openssl s_server, nginx.

What a machine does not have is skipped, and said so.
"""

import gzip
import http.server
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

FETCH = None


def fetch(*arguments):
    """(exit code, [(status line, fields, body)]) of one run of the client."""
    done = subprocess.run([FETCH, *arguments], capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")


class Handler(http.server.BaseHTTPRequestHandler):
    connections = 0

    def setup(self):
        super().setup()
        type(self).connections += 1

    def log_message(self, *_):
        pass

    def answer(self, code, body, **fields):
        self.send_response(code)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        if self.protocol_version != "HTTP/1.0":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        if self.path == "/redirect":
            self.answer(302, b"gone", Location="/plain?from=there")
        elif self.path == "/gzip":
            self.answer(200, gzip.compress(b"zipped " * 1000), Content_Encoding="gzip")
        elif self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (b"one ", b"two ", b"three"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.answer(200, b"hello " + self.path.encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201, b"got " + body)


class Handler11(Handler):
    protocol_version = "HTTP/1.1"


class PythonServer:
    def __init__(self, handler, context=None):
        self.handler = type("Counted", (handler,), {"connections": 0})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Certificates:
    """An authority and what it issued, made by the openssl program."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = self.path("authority.pem")
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", "/CN=Interop Authority", "-keyout", self.path("authority.key"), "-out", self.authority)
        self.server, self.server_key = self.issue("server", "DNS:localhost,IP:127.0.0.1")
        self.client, self.client_key = self.issue("client", "DNS:client")

    def path(self, name):
        return str(self.folder / name)

    def run(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def issue(self, name, names):
        key, request, made, extra = (self.path(name + end) for end in (".key", ".csr", ".pem", ".ext"))
        pathlib.Path(extra).write_text(f"subjectAltName={names}\n", encoding="ascii")
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                 "-keyout", key, "-out", request)
        self.run("x509", "-req", "-in", request, "-CA", self.authority, "-CAkey", self.path("authority.key"),
                 "-CAcreateserial", "-days", "2", "-extfile", extra, "-out", made)
        return made, key


class Interop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="corbel-interop-"))
        cls.certificates = Certificates(cls.folder) if shutil.which("openssl") else None

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def needs(self, program, found):
        if not found:
            self.skipTest(f"SKIPPED: this machine has no {program}")

    def talk(self, port, scheme="http", *options):
        base = f"{scheme}://localhost:{port}"
        code, out = fetch(*options, "--repeat", "xxx", base + "/plain?a=b")
        self.assertEqual(code, 0, out)
        self.assertEqual(out.count("200 " + base + "/plain?a=b\n"), 3, out)
        self.assertEqual(out.count("hello /plain?a=b\n"), 3, out)
        code, out = fetch(*options, base + "/redirect")
        self.assertIn(f"200 {base}/plain?from=there\n", out)
        code, out = fetch(*options, base + "/gzip")
        self.assertIn("\n\n" + "zipped " * 1000, out)
        code, out = fetch(*options, "--post", "b" * 100000, base + "/post")
        self.assertIn("201 ", out)
        self.assertIn("got " + "b" * 100000, out)

    def test_python_1_1(self):
        with PythonServer(Handler11) as server:
            self.talk(server.port)
            self.assertEqual(server.handler.connections, 4)  # three calls shared one
            self.assertIn("\n\none two three\n", fetch(f"http://localhost:{server.port}/chunked")[1])

    def test_python_1_0(self):
        with PythonServer(Handler) as server:
            self.talk(server.port)

    def test_python_ssl(self):
        self.needs("openssl", self.certificates)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.server, self.certificates.server_key)
        with PythonServer(Handler11, context) as server:
            self.talk(server.port, "https", "--authority", self.certificates.authority)
            code, out = fetch(f"https://localhost:{server.port}/")
            self.assertEqual((code, out.split("\n")[0]), (1, "tls_failed"))

    def test_python_client_certificate(self):
        self.needs("openssl", self.certificates)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.server, self.certificates.server_key)
        context.load_verify_locations(self.certificates.authority)
        context.verify_mode = ssl.CERT_REQUIRED
        trust = ("--authority", self.certificates.authority)
        own = ("--certificate", self.certificates.client, "--key", self.certificates.client_key)
        with PythonServer(Handler11, context) as server:
            self.talk(server.port, "https", *trust, *own)
            self.assertEqual(fetch(*trust, f"https://localhost:{server.port}/")[0], 1)

    def test_openssl_s_server(self):
        self.needs("openssl", self.certificates)
        for version in ("-tls1_2", "-tls1_3"):
            port = free_port()
            with subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", "-quiet", version,
                                   "-cert", self.certificates.server, "-key", self.certificates.server_key],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
                try:
                    wait_for(port)
                    code, out = fetch("--authority", self.certificates.authority, f"https://localhost:{port}/")
                    self.assertEqual(code, 0, out)
                    self.assertIn("TLSv1.2" if version == "-tls1_2" else "TLSv1.3", out)
                    code, out = fetch("--authority", self.certificates.client, f"https://localhost:{port}/")
                    self.assertEqual(out.split("\n")[0], "tls_failed")
                finally:
                    server.terminate()

    def test_nginx(self):
        program = shutil.which("nginx") or (os.path.exists("/usr/sbin/nginx") and "/usr/sbin/nginx")
        self.needs("nginx", program)
        self.needs("openssl", self.certificates)
        plain, secure = free_port(), free_port()
        with PythonServer(Handler11) as behind:
            settings = self.folder / "nginx.conf"
            settings.write_text(f"""
daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; gzip on; gzip_types *; gzip_min_length 1; client_max_body_size 110000; client_body_buffer_size 256k;
  client_body_temp_path {self.folder}/a; proxy_temp_path {self.folder}/b; fastcgi_temp_path {self.folder}/c;
  uwsgi_temp_path {self.folder}/d; scgi_temp_path {self.folder}/e;
  server {{
    listen 127.0.0.1:{plain}; listen 127.0.0.1:{secure} ssl;
    ssl_certificate {self.certificates.server}; ssl_certificate_key {self.certificates.server_key};
    location / {{ proxy_pass http://127.0.0.1:{behind.port}; proxy_redirect off; }}
    location = /fixed {{ default_type text/plain; return 200 "fixed fixed fixed fixed"; }}
  }}
}}
""", encoding="utf-8")
            with subprocess.Popen([program, "-c", str(settings), "-p", str(self.folder)],
                                  stderr=subprocess.DEVNULL) as server:
                try:
                    wait_for(plain)
                    self.talk(plain)
                    trust = ("--authority", self.certificates.authority)
                    self.talk(secure, "https", *trust)
                    for options in ((f"http://localhost:{plain}/fixed",), (*trust, f"https://localhost:{secure}/fixed")):
                        out = fetch("--repeat", "xxxx", *options)[1]
                        self.assertEqual(out.count("\nfixed fixed fixed fixed\n"), 4, out)
                    self.assertIn("413 ", fetch("--post", "x" * 120000, f"http://localhost:{plain}/post")[1])
                finally:
                    server.terminate()


if __name__ == "__main__":
    FETCH = sys.argv.pop(1)
    unittest.main(verbosity=2)
