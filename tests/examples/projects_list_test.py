"""Lists of the projects example against an oracle: the same filters, order and pages, worked out here.

    projects_list_test.py PROGRAM [TEST...]
"""

import random
import re
import urllib.parse

import projects_service
from projects_service import ServiceTest

LIST = "/api/v1/projects"
FIELDS = ("name", "status", "priority", "dueDate", "createdAt", "updatedAt")


def order_of(project, field):
    """Nothing is the least; texts are ordered as their bytes in UTF-8."""
    value = project.get(field)
    if value is None:
        return (0,)
    return (1, value.encode() if isinstance(value, str) else value)


def expected(projects, filters, sort):
    kept = [p for p in projects if all(passes(p, *f) for f in filters)]
    keys = [key.partition(":")[::2] for key in sort.split(",")]
    kept.sort(key=lambda p: p["id"], reverse=keys[-1][1] == "desc")
    for field, direction in reversed(keys):
        kept.sort(key=lambda p, f=field: order_of(p, f), reverse=direction == "desc")
    return [p["id"] for p in kept]


def passes(project, field, how, value):
    has = project.get(field)
    if how == "":
        return has == value
    if how == "[ne]":
        return has != value
    if has is None:
        return False
    if how == "[contains]":
        return value.lower() in has.lower()
    return {"[lt]": has < value, "[lte]": has <= value, "[gt]": has > value, "[gte]": has >= value}[how]


def links(reply):
    return {rel: uri for uri, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', reply.headers["Link"] or "")}


class Lists(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        dice = random.Random(42)
        client = cls.service.client()
        cls.projects = []
        for number in range(57):
            fields = {"name": f"{dice.choice(('apollo', 'Gemini', 'éclair', '50%_off', 'Zarya'))} {number}",
                      "status": dice.choice(("active", "archived")), "priority": dice.randrange(6)}
            if dice.random() < 0.7:
                fields["dueDate"] = f"2026-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
            made = client.post(LIST, fields)
            assert made.status == 201, made
            cls.projects.append(made.json)
        for project in dice.sample(cls.projects, 10):  # createdAt and updatedAt shall not be one order
            project.update(client.patch(f"{LIST}/{project['id']}", {}).json)
        client.close()

    def ask(self, path):
        reply = self.client.get(path)
        self.assertEqual(reply.status, 200, reply)
        return reply

    def test_newest_first_by_default(self):
        page = self.ask(LIST).json
        self.assertEqual(page["meta"], {"page": 1, "limit": 20, "total": 57, "totalPages": 3})
        self.assertEqual([p["id"] for p in page["data"]], expected(self.projects, [], "createdAt:desc")[:20])
        self.assertEqual(page["data"][0], next(p for p in self.projects if p["id"] == page["data"][0]["id"]))

    def test_the_query_of_the_documentation(self):
        page = self.ask(f"{LIST}?status=active&sort=createdAt:desc&page=1&limit=20").json
        self.assertEqual([p["id"] for p in page["data"]],
                         expected(self.projects, [("status", "", "active")], "createdAt:desc")[:20])

    def test_random_queries_agree_with_the_oracle(self):
        dice = random.Random(1)
        for _ in range(150):
            filters = [self.random_filter(dice) for _ in range(dice.choice((0, 0, 1, 1, 2)))]
            filters = list({(f, how): (f, how, v) for f, how, v in filters}.values())
            sort = ",".join(f"{field}:{dice.choice(('asc', 'desc'))}"
                            for field in dice.sample(FIELDS, dice.choice((1, 1, 2, 3))))
            limit = dice.choice((1, 3, 7, 20, 57, 100))
            query = [(field + how, str(value)) for field, how, value in filters]
            query += [("sort", sort), ("limit", str(limit))]
            with self.subTest(query=query):
                wanted = expected(self.projects, filters, sort)
                self.assertEqual(self.walk(urllib.parse.urlencode(query), limit, len(wanted)), wanted)

    def random_filter(self, dice):
        kind = dice.randrange(5)
        ordered = dice.choice(("", "[ne]", "[lt]", "[lte]", "[gt]", "[gte]"))
        some = dice.choice(self.projects)
        if kind == 0:
            return ("status", dice.choice(("", "[ne]")), dice.choice(("active", "archived")))
        if kind == 1:
            return ("priority", ordered, dice.randrange(6))
        if kind == 2:
            return ("dueDate", ordered, f"2026-{dice.randint(1, 12):02}-15")
        if kind == 3:
            return ("name", "[contains]", dice.choice(("APO", "%", "_", "1", "\\", "n 2", "éc", "'")))
        return ("createdAt", ordered, some["createdAt"])

    def walk(self, query, limit, total):
        """All ids, by following the links from page to page."""
        uri, ids, page = f"{LIST}?{query}", [], 0
        pages = max(-(-total // limit), 0)
        while uri:
            page += 1
            reply = self.ask(uri)
            self.assertEqual(reply.json["meta"], {"page": page, "limit": limit, "total": total, "totalPages": pages})
            found = links(reply)
            self.assertEqual("next" in found, page < pages)
            self.assertEqual("prev" in found, page > 1)
            self.assertIn("first", found)
            self.assertIn("last", found)
            ids += [p["id"] for p in reply.json["data"]]
            uri = found.get("next")
        return ids

    def test_bounds_of_pages(self):
        self.assertEqual(self.ask(f"{LIST}?page=4").json["data"], [])
        self.assertEqual(self.ask(f"{LIST}?page=4").json["meta"]["total"], 57)
        self.assertEqual(len(self.ask(f"{LIST}?limit=100").json["data"]), 57)
        self.assertEqual(self.ask(f"{LIST}?limit=10&page=6").json["meta"]["totalPages"], 6)

    def test_what_is_refused(self):
        for query, path in (("limit=0", "/limit"), ("limit=101", "/limit"), ("limit=-1", "/limit"),
                            ("limit=abc", "/limit"), ("limit=1.5", "/limit"), ("limit=", "/limit"),
                            ("limit=99999999999999999999", "/limit"), ("page=0", "/page"), ("page=x", "/page"),
                            ("page=1000000000000", "/page"), ("colour=red", "/colour"), ("sort=colour", "/sort"),
                            ("sort=name:up", "/sort"), ("sort=", "/sort"), ("sort=name,name:desc", "/sort"),
                            ("sort=tags", "/sort"), ("tags=a", "/tags"), ("description=x", "/description"),
                            ("status=open", "/status"), ("priority=many", "/priority"), ("dueDate=soon", "/dueDate"),
                            ("status[lt]=active", "/status[lt]"), ("name[like]=x", "/name[like]"),
                            ("status=active&status=archived", "/status"), ("due_date=2026-01-01", "/due_date"),
                            ("cursor=abc", "/cursor"), ("sort=id;drop table projects", "/sort"),
                            ("id=1%20or%201=1", "/id")):
            with self.subTest(query=query):
                envelope = self.assertRefused(self.client.get(f"{LIST}?{query.replace(' ', '%20')}"), 400,
                                              "validation_failed")
                self.assertEqual([(e["in"], e["path"]) for e in envelope["details"]["errors"]], [("query", path)])
        envelope = self.assertRefused(self.client.get(f"{LIST}?limit=0&page=0&x=1"), 400)
        self.assertEqual(len(envelope["details"]["errors"]), 3)
        for broken in ("name=%", "name=%zz", "%=1"):
            self.assertRefused(self.client.get(f"{LIST}?{broken}"), 400)

    def test_quotes_and_wildcards_are_data(self):
        for text in ("' or '1'='1", "%", "_", "\\", "\"", "; drop table projects; --", "$1", "?"):
            query = urllib.parse.urlencode({"name": text})
            self.assertEqual(self.ask(f"{LIST}?{query}").json["meta"]["total"], 0)
        self.assertEqual(self.ask(LIST).json["meta"]["total"], 57)


if __name__ == "__main__":
    projects_service.main()
