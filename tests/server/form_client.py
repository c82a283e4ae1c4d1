"""Sends forms made by the standard library: form_client.py PORT PATH. Prints each answer's status and body."""

import email.generator
import email.mime.application
import email.mime.multipart
import email.mime.text
import http.client
import io
import sys

port, path = int(sys.argv[1]), sys.argv[2]


def form(parts):
    """A body as `email` writes it, which chooses the boundary and the line ends."""
    whole = email.mime.multipart.MIMEMultipart("form-data")
    for part, disposition in parts:
        del part["MIME-Version"]
        part.add_header("Content-Disposition", "form-data", **disposition)
        whole.attach(part)
    out = io.BytesIO()
    policy = whole.policy.clone(linesep="\r\n", max_line_length=0)
    email.generator.BytesGenerator(out, policy=policy, mangle_from_=False).flatten(whole)
    head, _, body = out.getvalue().partition(b"\r\n\r\n")
    kind = next(line for line in head.decode().replace("\r\n ", " ").split("\r\n") if line.startswith("Content-Type"))
    return kind.partition(": ")[2], body


def binary(data):
    return email.mime.application.MIMEApplication(data, _encoder=lambda part: part.set_payload(data.decode("latin-1")))


def text(value):
    return email.mime.text.MIMEText(value, "plain", "us-ascii")


def send(parts, pieces=None):
    kind, body = form(parts)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    if pieces:
        chunks = (body[i:i + pieces] for i in range(0, len(body), pieces))
        connection.request("POST", path, body=chunks, headers={"Content-Type": kind}, encode_chunked=True)
    else:
        connection.request("POST", path, body=body, headers={"Content-Type": kind})
    reply = connection.getresponse()
    print(reply.status, reply.read().decode())


fields = [(text("Sea"), {"name": "title"})]
files = [(binary(b"one"), {"name": "files", "filename": "a b.txt"}), (binary(b"x" * 5000), {"name": "files", "filename": "big"})]
for part, _ in fields + files:
    del part["Content-Transfer-Encoding"]
send(fields + files)
for part, _ in fields + files:
    del part["Content-Disposition"]
send(fields + files, pieces=7)
encoded = email.mime.application.MIMEApplication(b"one")
send([(text("Sea"), {"name": "title"}), (encoded, {"name": "files", "filename": "base64"})])
