"""Our reading of cookies, forms, dates and signatures against that of Python's libraries, on random input."""

import base64
import datetime
import email.message
import email.utils
import hashlib
import hmac
import http.cookies
import random
import string
import subprocess
import sys
import urllib.parse

SEED = 20260313
NOW = 1_767_323_045


def hexed(text):
    return (text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")).hex()


class Case:
    """One question and its answer; `judge` gives the answer that is right, or None where the two may differ."""

    def __init__(self, question, right, about):
        self.question, self.right, self.about = question, right, about


def dates(rng):
    """email.utils on dates that exist, in all three forms; the two-digit year as RFC 9110, 5.6.7 has it."""
    for _ in range(3000):
        seconds = rng.randrange(-2_000_000_000, 6_000_000_000)
        moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
        fixed = email.utils.format_datetime(moment, usegmt=True)
        form = rng.randrange(3)
        if form == 0:
            text = fixed
        elif form == 1:
            text = moment.strftime("%a %b ") + f"{moment.day:2d}" + moment.strftime(" %H:%M:%S %Y")
        else:
            if not NOW - 40 * 31_556_952 < seconds < NOW + 40 * 31_556_952:
                continue
            text = moment.strftime("%A, %d-%b-%y %H:%M:%S GMT")
        read = email.utils.parsedate_to_datetime(text).replace(tzinfo=datetime.timezone.utc)
        assert read == moment, (text, read)
        yield Case(f"date {hexed(text)}", f"{seconds} {hexed(fixed)}", text)


def forms(rng):
    """urllib.parse, where every escape is whole and no byte is NUL; it is lenient with the rest, and we are not."""
    pieces = ["a", "b", "name", "=", "&", "&", "+", "%20", "%26", "%3D", "%C3%A4", "%2B", ";", "x", "%25", "é", "%ff"]
    for _ in range(3000):
        text = "".join(rng.choice(pieces) for _ in range(rng.randrange(14)))
        pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="surrogateescape")
        right = "".join(f"={hexed(name)}:{hexed(value)}" for name, value in pairs)
        yield Case(f"form {hexed(text)}", right, text)
    for _ in range(500):
        fields = [("".join(rng.choice(string.printable) for _ in range(rng.randrange(1, 9))),
                   "".join(chr(rng.choice([rng.randrange(1, 128), rng.randrange(160, 0xd7ff)])) for _ in range(rng.randrange(9))))
                  for _ in range(rng.randrange(5))]
        text = urllib.parse.urlencode(fields)
        yield Case(f"form {hexed(text)}", "".join(f"={hexed(n)}:{hexed(v)}" for n, v in fields), text)


def cookies(rng):
    """http.cookies, on what browsers send: names that are tokens, values without quotes."""
    octets = "".join(c for c in map(chr, range(0x21, 0x7f)) if c not in '",;\\')
    names = ["a", "b", "sid", "A", "x-y", "theme"]
    for _ in range(2000):
        sent, first = [], {}
        for _ in range(rng.randrange(6)):
            name = rng.choice(names)
            value = "".join(rng.choice(octets) for _ in range(rng.randrange(8)))
            sent.append(f"{name}={value}")
            first.setdefault(name, value)
        text = "; ".join(sent)
        unique = "; ".join(f"{n}={v}" for n, v in first.items())
        read = {n: m.coded_value for n, m in http.cookies.SimpleCookie(unique).items()}
        if read != first:
            continue  # it knows fewer value characters than RFC 6265
        name = rng.choice(names)
        yield Case(f"cookie {hexed(name)} {hexed(text)}", f"={hexed(read[name])}" if name in read else "-", text)
    for _ in range(1000):
        value = "".join(chr(rng.choice([rng.randrange(1, 256), rng.randrange(32, 127)])) for _ in range(rng.randrange(20)))
        yield Case(f"set-cookie {hexed('name')} {hexed(value)}", SetCookie(value), value)


class SetCookie:
    """Compares by what http.cookies makes of the field."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, answer):
        field = bytes.fromhex(answer).decode("ascii")
        jar = http.cookies.SimpleCookie()
        jar.load(field)
        if "name" not in jar:
            return False
        morsel = jar["name"]
        return (urllib.parse.unquote(morsel.coded_value) == self.value and morsel["secure"] is True
                and morsel["httponly"] is True and morsel["path"] == "/" and morsel["max-age"] == "7"
                and morsel["samesite"] == "Lax")

    def __repr__(self):
        return f"a Set-Cookie that says {self.value!r}"


def signatures(rng):
    """hmac and base64."""
    def mac(key, data):
        return hmac.new(key, data, hashlib.sha256).digest()

    def url_safe(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    root = mac(b"corbel cookies v1", b"a secret that only tests may know of!!")
    for _ in range(300):
        name = "".join(rng.choice(string.ascii_letters) for _ in range(rng.randrange(1, 9)))
        value = rng.randbytes(rng.randrange(40))
        said = url_safe(value) + b"."
        right = said + b"." + url_safe(mac(mac(root, b"signed cookie\0" + name.encode() + b"\1"), said))
        yield Case(f"sign {hexed(name)} {value.hex()}", right.decode(), name)
        yield Case(f"base64 {value.hex()}", "=" + base64.b64encode(value).decode(), value)


def media_types(rng):
    """email.message, which reads Content-Type for mail."""
    for _ in range(500):
        kind = rng.choice(["text/plain", "Application/JSON", "multipart/form-data", "a/b+c"])
        charset = rng.choice(["utf-8", "UTF-8", '"utf-8"', "latin1", '"a\\"b"', None])
        other = rng.choice(["", '; b="x;charset=no"', "; boundary=abc", " ;a=1"])
        text = kind + other + ("" if charset is None else f"; charset={charset}")
        message = email.message.Message()
        message["Content-Type"] = text
        main, sub = kind.split("/")
        assert message.get_content_type() == kind.lower()
        yield Case(f"media {hexed(text)}", f"{hexed(main)} {hexed(sub)} {hexed(message.get_param('charset') or '')}", text)


def main():
    rng = random.Random(SEED)
    cases = [case for kind in (dates, forms, cookies, signatures, media_types) for case in kind(rng)]
    asked = "".join(case.question + "\n" for case in cases)
    done = subprocess.run([sys.argv[1]], input=asked, capture_output=True, text=True, check=True, timeout=120)
    answers = done.stdout.split("\n")[:-1]
    assert len(answers) == len(cases), f"{len(answers)} answers to {len(cases)} questions"
    wrong = [(case, answer) for case, answer in zip(cases, answers) if not case.right == answer]
    for case, answer in wrong[:20]:
        print(f"{case.about!r}: asked {case.question}\n  answered {answer}\n  right is {case.right!r}")
    print(f"{len(cases)} questions (seed {SEED}), {len(wrong)} answered otherwise than Python does")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
