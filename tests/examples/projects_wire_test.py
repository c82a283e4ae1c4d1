"""What the projects example says on the wire: headers, envelopes, methods, and answers to hostile input.

    projects_wire_test.py PROGRAM [TEST...]
"""

import concurrent.futures
import json
import random

import projects_service
from projects_service import INSTANT, UUID_V7, ServiceTest

LIST = "/api/v1/projects"


class Envelope(ServiceTest):
    def test_problem_json_on_request(self):
        reply = self.client.post(LIST, {"name": ""}, headers={"Accept": "application/problem+json"})
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (400, "application/problem+json"))
        problem = reply.json
        self.assertEqual((problem["title"], problem["status"], problem["instance"]), ("Bad Request", 400, LIST))
        self.assertEqual(problem["code"], "validation_failed")
        self.assertEqual(problem["details"]["errors"][0]["path"], "/name")
        self.assertTrue(problem["detail"] and problem["type"])

    def test_request_ids(self):
        for sent in ("abc", "A-1_b.2", "x" * 128):
            self.assertEqual(self.client.get(LIST, headers={"X-Request-Id": sent}).headers["X-Request-Id"], sent)
        made = set()
        for sent in (None, "", "x" * 129, "with space", "semi;colon", "<script>"):
            headers = {} if sent is None else {"X-Request-Id": sent}
            made.add(self.client.get(LIST, headers=headers).headers["X-Request-Id"])
        self.assertEqual(len(made), 6)
        for each in made:
            self.assertRegex(each, UUID_V7)
        self.assertRefused(self.client.get("/nothing", headers={"X-Request-Id": "here"}), 404)

    def test_security_headers_on_every_answer(self):
        for reply in (self.client.get(LIST), self.client.get("/nothing"), self.client.post(LIST, b"{"),
                      self.client.get("/health")):
            self.assertEqual(reply.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(reply.headers["Content-Security-Policy"], "default-src 'none'; frame-ancestors 'none'")
            self.assertNotIn("Strict-Transport-Security", reply.headers)
            self.assertRegex(reply.headers["Date"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
            self.assertNotIn("Server", reply.headers)

    def test_health(self):
        reply = self.client.get("/health")
        self.assertEqual((reply.status, reply.json),
                         (200, {"status": "healthy", "database": "connected", "version": "1.0.0"}))
        self.assertEqual(self.client.get("/livez").status, 200)
        self.assertEqual(self.client.get("/readyz").status, 200)


class Methods(ServiceTest):
    def test_head_is_get_without_its_body(self):
        project = self.create()
        for path in (LIST, f"{LIST}/{project['id']}", "/health"):
            get, head = self.client.get(path), self.client.call("HEAD", path)
            self.assertEqual((head.status, head.body), (get.status, b""))
            for name in ("Content-Type", "Content-Length", "Link"):
                self.assertEqual(head.headers[name], get.headers[name])
        self.assertEqual(self.client.call("HEAD", f"{LIST}/7").status, 400)

    def test_options_and_405_name_the_methods(self):
        methods = {LIST: {"GET", "HEAD", "OPTIONS", "POST"},
                   f"{LIST}/1": {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"},
                   f"{LIST}/1/tasks": {"GET", "HEAD", "OPTIONS", "POST"},
                   "/api/v1/tasks/1": {"GET", "HEAD", "OPTIONS", "PATCH", "DELETE"},
                   "/health": {"GET", "HEAD", "OPTIONS"}}
        for path, allowed in methods.items():
            with self.subTest(path=path):
                options = self.client.call("OPTIONS", path)
                self.assertIn(options.status, (200, 204))
                self.assertEqual(set(options.headers["Allow"].split(", ")), allowed)
                for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "PURGE"} - allowed:
                    refused = self.client.call(method, path)
                    self.assertRefused(refused, 405, "method_not_allowed")
                    self.assertEqual(set(refused.headers["Allow"].split(", ")), allowed)

    def test_unknown_paths(self):
        for path in ("/", "/api", "/api/v1", "/api/v1/project", LIST + "/", "//api/v1/projects", LIST + "/1/2/3",
                     "/API/v1/projects"):
            self.assertRefused(self.client.get(path), 404, "not_found")

    def test_no_byte_follows_a_204(self):
        project = self.create()
        answer = self.service.raw(f"DELETE {LIST}/{project['id']} HTTP/1.1\r\nHost: x\r\n"
                                  "Connection: close\r\n\r\n".encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 204 "), answer)
        self.assertEqual(body, b"")
        self.assertNotIn(b"content-length", head.lower())


class Bodies(ServiceTest):
    def test_content_types(self):
        for accepted in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON;charset=\"UTF-8\"",
                         "application/vnd.planner+json"):
            body = json.dumps({"name": self.name()}).encode()
            self.assertEqual(self.client.post(LIST, body, headers={"Content-Type": accepted}).status, 201, accepted)
        for refused in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                        "application/json; charset=latin1", "application/jsonp", "json", ""):
            body = json.dumps({"name": self.name()}).encode()
            reply = self.client.post(LIST, body, headers={"Content-Type": refused})
            self.assertRefused(reply, 415, "unsupported_media_type")
        project = self.create()
        for method, path in (("PUT", f"{LIST}/{project['id']}"), ("PATCH", f"{LIST}/{project['id']}"),
                             ("POST", f"{LIST}/{project['id']}/tasks")):
            reply = self.client.call(method, path, b"{}", headers={"Content-Type": "text/plain"})
            self.assertRefused(reply, 415, "unsupported_media_type")

    def test_malformed_json_says_at_which_byte(self):
        for body, byte in ((b"{", 1), (b'{"name":}', 8), (b'{"name":"abc"', 13), (b'{"name":"abc"} x', 15),
                           (b"{'name':1}", 1), (b'{"name":"a\nbc"}', 10), (b'{"name":01}', 9), (b"nul", 3),
                           (b'{"name":"abc",}', 14), (b'{"name":"\\x"}', 9)):
            with self.subTest(body=body):
                envelope = self.assertRefused(self.client.post(LIST, body), 400, "malformed_json")
                self.assertIn(int(envelope["details"]["byte"]), range(byte - 1, byte + 3), envelope)
                self.assertRegex(envelope["message"], r"\bbyte \d+")

    def test_no_body_at_all(self):
        self.assertRefused(self.client.call("POST", LIST), 400)
        self.assertRefused(self.client.post(LIST, b""), 400)
        self.assertRefused(self.client.post(LIST, b"  \n"), 400, "malformed_json")

    def test_duplicate_keys(self):
        for body in (b'{"name":"Twice one","name":"Twice two"}', b'{"name":"Twice","foo":1,"foo":2}',
                     b'{"name":"Twice","na\\u006de":"Escaped"}'):
            self.assertRefused(self.client.post(LIST, body), 400)

    def test_invalid_utf8(self):
        for bad in (b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"):
            with self.subTest(bad=bad):
                self.assertRefused(self.client.post(LIST, b'{"name":"abc' + bad + b'"}'), 400, "malformed_json")
                self.assertRefused(self.client.post(LIST, b'{"name":"abc","' + bad + b'":1}'), 400)
        self.assertRefused(self.client.post(LIST, b'{"name":"abc\\ud800"}'), 400)
        self.assertEqual(self.create(name="Pair \U0001F680")["name"], "Pair \U0001F680")

    def test_deep_nesting(self):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            for depth in (65, 1000, 10_000, 100_000):
                deep = b'{"name":' + opening * depth + b"1" + closing * depth + b"}"
                self.assertRefused(self.client.post(LIST, deep), 400)
                self.assertRefused(self.client.post(LIST, b'{"foo":' + opening * depth), 400)
        self.assertEqual(self.client.get("/livez").status, 200)

    def test_huge_numbers(self):
        for number in (b"1e400", b"-1e400", b"9" * 400, b"99999999999999999999", b"-9223372036854775809",
                       b"2147483648", b"4294967296", b"18446744073709551617", b"1e-400", b"0." + b"1" * 5000):
            with self.subTest(number=number[:30]):
                reply = self.client.post(LIST, b'{"name":"Huge number","priority":' + number + b"}")
                self.assertRefused(reply, 400)

    def test_oversized_bodies(self):
        limit = 1024 * 1024
        head = f"POST {LIST} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        declared = self.service.raw(f"{head}Content-Length: {limit + 1}\r\n\r\n".encode(), b"x" * (limit + 1))
        self.assert_raw_envelope(declared, 413)
        self.assert_raw_envelope(self.service.raw(f"{head}Content-Length: 922337203685477580\r\n\r\n".encode()), 413)
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        chunked = self.service.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(), *[chunk] * 17, b"0\r\n\r\n")
        self.assert_raw_envelope(chunked, 413)
        asked_first = self.service.raw(f"{head}Content-Length: {limit + 1}\r\nExpect: 100-continue\r\n\r\n".encode())
        self.assert_raw_envelope(asked_first, 413)
        body = json.dumps({"name": self.name()}).encode()
        fits = self.client.post(LIST, body + b" " * (limit - len(body)))
        self.assertEqual(fits.status, 201, "a body of exactly the limit")

    def test_chunked_body(self):
        body = json.dumps({"name": self.name()}).encode()
        reply = self.client.call("POST", LIST, None, headers={"Content-Type": "application/json"})
        self.assertEqual(reply.status, 400)
        parts = b"".join(f"{1:x}\r\n".encode() + body[n:n + 1] + b"\r\n" for n in range(len(body)))
        answer = self.service.raw((f"POST {LIST} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                   "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n").encode(), parts, b"0\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 201 "), answer)

    def test_requests_that_smuggle(self):
        body = b'{"name":"Smuggled"}'
        for lines in ("Content-Length: 19\r\nTransfer-Encoding: chunked", "Content-Length: 19\r\nContent-Length: 20",
                      "Transfer-Encoding: gzip", "Content-Length: 19, 19", "Content-Length: +19",
                      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"):
            with self.subTest(lines=lines):
                answer = self.service.raw((f"POST {LIST} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                           f"{lines}\r\n\r\n").encode() + body)
                self.assertIn(int(answer.split(b" ")[1]), (400, 501), answer)
                self.assertEqual(answer.count(b"HTTP/1.1"), 1, answer)

    def assert_raw_envelope(self, answer, status):
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(f"HTTP/1.1 {status} ".encode()), answer[:300])
        self.assertRegex(json.loads(body)["timestamp"], INSTANT)


class Random(ServiceTest):
    def test_mangled_bodies_never_break_it(self):
        dice = random.Random(20260102)
        whole = json.dumps({"name": "Mangled", "description": "d", "status": "active", "priority": 3,
                            "tags": ["a", "é"], "dueDate": "2026-12-31"}, ensure_ascii=False).encode()

        def mangled():
            body = bytearray(whole)
            for _ in range(dice.randint(1, 6)):
                at = dice.randrange(len(body))
                kind = dice.randrange(4)
                if kind == 0:
                    body[at] = dice.randrange(256)
                elif kind == 1:
                    del body[at:at + dice.randint(1, 8)]
                elif kind == 2:
                    body[at:at] = dice.choice([b'"', b"{", b"[", b"\x00", b"\xff", b"\\u", b"null", b"1e9", b","])
                else:
                    body[at:at] = body[dice.randrange(len(body)):][:dice.randint(1, 20)]
                if not body:
                    body = bytearray(b"?")
            return bytes(body)

        bodies = [mangled() for _ in range(400)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(self.post_alone, bodies))
        self.assertLessEqual(set(statuses), {201, 400, 409})
        self.assertGreater(statuses.count(400), 200)

    def post_alone(self, body):
        client = self.service.client()
        try:
            reply = client.post(LIST, body)
            if reply.status != 201:
                self.assertIn("code", reply.json)
            return reply.status
        finally:
            client.close()

    def test_random_bytes_at_the_socket(self):
        dice = random.Random(7)
        for _ in range(100):
            answer = self.service.raw(dice.randbytes(dice.randint(1, 2000)) + b"\r\n\r\n")
            if answer:
                self.assertRegex(answer[:13], rb"^HTTP/1\.[01] [45]\d\d ")
        self.assertEqual(self.client.get("/livez").status, 200)


if __name__ == "__main__":
    projects_service.main()
