"""Every endpoint of the projects example, with good and bad input, over a socket.

    projects_api_test.py PROGRAM [TEST...]
"""

import json
import subprocess

import projects_service
from projects_service import INSTANT, UUID_V7, ServiceTest

NOBODY = "0190a5b0-6c1e-7cc0-8000-0123456789ab"


class Projects(ServiceTest):
    def test_create_answers_201_with_location(self):
        name = self.name()
        sent = {"name": f" \t{name}\n", "description": " To the moon ", "status": "archived", "priority": 5,
                "tags": [" a ", "b" * 20], "dueDate": "2024-02-29"}
        made = self.client.post("/api/v1/projects", sent)
        self.assertEqual(made.status, 201, made)
        project = made.json
        self.assertRegex(project["id"], UUID_V7)
        self.assertRegex(project["createdAt"], INSTANT)
        self.assertEqual(project["createdAt"], project["updatedAt"])
        expected = {**sent, "name": name, "description": "To the moon", "tags": ["a", "b" * 20]}
        self.assertEqual({k: project[k] for k in expected}, expected)
        self.assertEqual(made.headers["Location"], f"/api/v1/projects/{project['id']}")
        self.assertEqual(made.headers["Content-Type"], "application/json")
        self.assertEqual(self.client.get(made.headers["Location"]).json, project)

    def test_defaults(self):
        project = self.create()
        self.assertEqual((project["status"], project["priority"], project["tags"]), ("active", 0, []))
        self.assertIsNone(project.get("description"))
        self.assertIsNone(project.get("dueDate"))
        null = self.create(description=None, dueDate=None)
        self.assertIsNone(null.get("description"))

    def test_bounds_hold_on_both_sides(self):
        for fields in ({"name": "n" * 3}, {"name": "\U0001F680" * 100}, {"name": "  " + "x" * 100 + "  "},
                       {"description": ""}, {"description": "d" * 1000}, {"priority": 0}, {"priority": 5},
                       {"tags": []}, {"tags": [str(n) for n in range(10)]}, {"tags": ["é" * 20]},
                       {"name": "\u0001\u0002\u0003"}, {"dueDate": "0001-01-01"}):
            with self.subTest(fields=fields):
                project = self.create(**fields)
                again = self.client.get(f"/api/v1/projects/{project['id']}").json
                for key, value in fields.items():
                    self.assertEqual(again[key], value.strip() if isinstance(value, str) else value)

    def test_nul_is_a_character_where_the_database_has_it(self):
        fields = {"name": "NUL \u0000 inside", "description": "\u0000"}
        if not projects_service.postgres:
            self.assertEqual(self.create(**fields)["name"], fields["name"])
        else:
            self.assertRefused(self.client.post("/api/v1/projects", fields), 400, "nul_in_text")
            self.assertRefused(self.client.post("/api/v1/projects", {"name": self.name(), "tags": ["\u0000"]}), 400)

    def test_every_rule_is_checked(self):
        name = self.name()
        for fields, rule in (({"name": "ab"}, ("/name", "minLength")), ({"name": "  ab  "}, ("/name", "minLength")),
                             ({"name": "n" * 101}, ("/name", "maxLength")), ({"name": 7}, ("/name", "type")),
                             ({"name": None}, ("/name", "type")),
                             ({"description": "d" * 1001}, ("/description", "maxLength")),
                             ({"status": "open"}, ("/status", "enum")), ({"status": "Active"}, ("/status", "enum")),
                             ({"priority": 6}, ("/priority", "maximum")), ({"priority": -1}, ("/priority", "minimum")),
                             ({"priority": "3"}, ("/priority", "type")), ({"priority": 1.5}, ("/priority", "type")),
                             ({"priority": True}, ("/priority", "type")), ({"tags": "a"}, ("/tags", "type")),
                             ({"tags": [str(n) for n in range(11)]}, ("/tags", "maxItems")),
                             ({"tags": ["ok", ""]}, ("/tags/1", "minLength")),
                             ({"tags": ["   "]}, ("/tags/0", "minLength")),
                             ({"tags": ["t" * 21]}, ("/tags/0", "maxLength")), ({"tags": [1]}, ("/tags/0", "type")),
                             ({"dueDate": "2025-02-29"}, ("/dueDate", "format")),
                             ({"dueDate": "31.12.2026"}, ("/dueDate", "format")),
                             ({"dueDate": "2026-12-31T00:00:00Z"}, ("/dueDate", "format")),
                             ({"owner": 1}, ("/owner", "additionalProperties")),
                             ({"id": NOBODY}, ("/id", "additionalProperties")),
                             ({"createdAt": "2026-01-01T00:00:00.000Z"}, ("/createdAt", "additionalProperties"))):
            with self.subTest(fields=fields):
                body = {"name": name, **fields}
                self.assertRefused(self.client.post("/api/v1/projects", body), 400, "validation_failed", [rule])
        self.assertRefused(self.client.post("/api/v1/projects", {}), 400, "validation_failed", [("/name", "required")])
        self.assertRefused(self.client.post("/api/v1/projects", []), 400, "validation_failed", [("", "type")])

    def test_all_broken_rules_are_told_at_once(self):
        self.assertRefused(
            self.client.post("/api/v1/projects", {"name": "", "priority": 9, "tags": ["", "x" * 21], "foo": 1}), 400,
            "validation_failed", [("/name", "minLength"), ("/priority", "maximum"), ("/tags/0", "minLength"),
                                  ("/tags/1", "maxLength"), ("/foo", "additionalProperties")])

    def test_a_name_is_taken_once(self):
        first, second = self.create(), self.create()
        taken = {"name": f"  {first['name']} "}
        for reply in (self.client.post("/api/v1/projects", taken),
                      self.client.put(f"/api/v1/projects/{second['id']}", taken),
                      self.client.patch(f"/api/v1/projects/{second['id']}", taken)):
            envelope = self.assertRefused(reply, 409, "project_name_taken")
            self.assertEqual(envelope["details"]["field"], "name")
            self.assertNotIn("sql", reply.body.decode().lower())
        self.assertEqual(self.client.get(f"/api/v1/projects/{second['id']}").json, second)
        self.assertEqual(self.client.put(f"/api/v1/projects/{first['id']}", taken).status, 200, "its own name is free")
        self.client.delete(f"/api/v1/projects/{first['id']}")
        self.assertEqual(self.client.post("/api/v1/projects", taken).status, 201, "a deleted name is free")

    def test_put_resets_what_it_leaves_out(self):
        full = self.create(description="d", status="archived", priority=4, tags=["x"], dueDate="2026-12-31")
        put = self.client.put(f"/api/v1/projects/{full['id']}", {"name": full["name"]})
        self.assertEqual(put.status, 200, put)
        self.assertEqual((put.json["id"], put.json["createdAt"]), (full["id"], full["createdAt"]))
        self.assertEqual((put.json["status"], put.json["priority"], put.json["tags"]), ("active", 0, []))
        self.assertIsNone(put.json.get("description"))
        self.assertIsNone(put.json.get("dueDate"))
        self.assertGreaterEqual(put.json["updatedAt"], full["updatedAt"])
        self.assertRefused(self.client.put(f"/api/v1/projects/{full['id']}", {"priority": 1}), 400,
                           "validation_failed", [("/name", "required")])

    def test_patch_merges(self):
        full = self.create(description="d", priority=4, tags=["x", "y"], dueDate="2026-12-31")
        url = f"/api/v1/projects/{full['id']}"
        for patch, changed in (({}, {}), ({"priority": 2}, {"priority": 2}), ({"tags": ["z"]}, {"tags": ["z"]}),
                               ({"description": None}, {"description": None}), ({"dueDate": None}, {"dueDate": None}),
                               ({"name": " Renamed! "}, {"name": "Renamed!"}), ({"tags": None}, {"tags": []}),
                               ({"status": "archived", "priority": None}, {"status": "archived", "priority": 0})):
            with self.subTest(patch=patch):
                before = self.client.get(url).json
                after = self.client.patch(url, patch, headers={"Content-Type": "application/merge-patch+json"})
                self.assertEqual(after.status, 200, after)
                self.assertGreaterEqual(after.json["updatedAt"], before["updatedAt"])
                expected = {**before, **changed, "updatedAt": after.json["updatedAt"]}
                self.assertEqual(after.json, {k: v for k, v in expected.items() if v is not None})
                self.assertEqual(self.client.get(url).json, after.json)
        for patch, rule in (({"name": None}, ("/name", "type")), ({"name": "x"}, ("/name", "minLength")),
                            ({"colour": 1}, ("/colour", "additionalProperties")), ([], ("", "type")),
                            ({"updatedAt": None}, ("/updatedAt", "additionalProperties"))):
            with self.subTest(patch=patch):
                before = self.client.get(url).json
                refused = self.client.patch(url, patch)
                self.assertEqual(refused.status, 400, refused)
                found = [e["path"] for e in refused.json["details"]["errors"]]
                self.assertEqual(found, [rule[0]])
                self.assertEqual(self.client.get(url).json, before)

    def test_delete(self):
        project = self.create()
        url = f"/api/v1/projects/{project['id']}"
        gone = self.client.delete(url)
        self.assertEqual((gone.status, gone.body), (204, b""))
        for reply in (self.client.get(url), self.client.delete(url), self.client.patch(url, {"priority": 1}),
                      self.client.put(url, {"name": project["name"]})):
            self.assertRefused(reply, 404, "project_not_found")

    def test_an_id_that_is_no_uuid_is_400(self):
        for bad in ("7", "x" * 36, NOBODY[:-1], NOBODY + "0", "%7B%7D", "%C3%A9", "0190a5b06c1e7cc080000123456789ab"):
            for method, path in (("GET", "projects/{}"), ("DELETE", "projects/{}"), ("GET", "projects/{}/tasks"),
                                 ("GET", "tasks/{}"), ("DELETE", "tasks/{}")):
                with self.subTest(method=method, path=path, id=bad):
                    reply = self.client.call(method, "/api/v1/" + path.format(bad))
                    self.assertRefused(reply, 400, "validation_failed", [("/id", "format")])
        self.assertEqual(self.client.get(f"/api/v1/projects/{self.create()['id'].upper()}").status, 200)


class Tasks(ServiceTest):
    def test_life_of_a_task(self):
        project = self.create()
        tasks = f"/api/v1/projects/{project['id']}/tasks"
        made = self.client.post(tasks, {"title": " Land ", "dueDate": "2026-07-20"})
        self.assertEqual(made.status, 201, made)
        task = made.json
        self.assertRegex(task["id"], UUID_V7)
        self.assertEqual((task["title"], task["status"], task["dueDate"], task["projectId"]),
                         ("Land", "todo", "2026-07-20", project["id"]))
        self.assertEqual(made.headers["Location"], f"/api/v1/tasks/{task['id']}")
        url = made.headers["Location"]
        self.assertEqual(self.client.get(url).json, task)
        self.assertEqual(self.client.get(tasks).json["data"], [task])
        changed = self.client.patch(url, {"status": "done", "dueDate": None}).json
        self.assertEqual((changed["status"], changed["title"], changed.get("dueDate")), ("done", "Land", None))
        self.assertEqual(changed["createdAt"], task["createdAt"])
        self.assertEqual(self.client.delete(url).status, 204)
        self.assertRefused(self.client.get(url), 404, "task_not_found")
        self.assertRefused(self.client.patch(url, {"status": "todo"}), 404, "task_not_found")
        self.assertRefused(self.client.delete(url), 404, "task_not_found")

    def test_rules(self):
        tasks = f"/api/v1/projects/{self.create()['id']}/tasks"
        for fields, rule in (({"title": ""}, ("/title", "minLength")), ({"title": " \n"}, ("/title", "minLength")),
                             ({"title": "t" * 201}, ("/title", "maxLength")), ({}, ("/title", "required")),
                             ({"title": "t", "status": "active"}, ("/status", "enum")),
                             ({"title": "t", "dueDate": "soon"}, ("/dueDate", "format")),
                             ({"title": "t", "projectId": NOBODY}, ("/projectId", "additionalProperties"))):
            with self.subTest(fields=fields):
                self.assertRefused(self.client.post(tasks, fields), 400, "validation_failed", [rule])
        for title in ("t", "\U0001F680" * 200, "\u0001"):
            self.assertEqual(self.client.post(tasks, {"title": title}).json["title"], title)

    def test_no_project_no_tasks(self):
        tasks = f"/api/v1/projects/{NOBODY}/tasks"
        self.assertRefused(self.client.get(tasks), 404, "project_not_found")
        self.assertRefused(self.client.post(tasks, {"title": "t"}), 404, "project_not_found")

    def test_an_archived_project_takes_no_new_tasks(self):
        project = self.create(status="archived")
        tasks = f"/api/v1/projects/{project['id']}/tasks"
        self.assertRefused(self.client.post(tasks, {"title": "t"}), 422, "project_archived")
        self.assertEqual(self.client.get(tasks).json["meta"]["total"], 0)
        self.client.patch(f"/api/v1/projects/{project['id']}", {"status": "active"})
        self.assertEqual(self.client.post(tasks, {"title": "t"}).status, 201)

    def test_deleting_a_project_deletes_its_tasks_alone(self):
        doomed, spared = self.create(), self.create()
        lost = [self.create_task(doomed) for _ in range(5)]
        kept = self.create_task(spared)
        self.assertEqual(self.client.delete(f"/api/v1/projects/{doomed['id']}").status, 204)
        for task in lost:
            self.assertRefused(self.client.get(f"/api/v1/tasks/{task['id']}"), 404, "task_not_found")
        self.assertEqual(self.client.get(f"/api/v1/tasks/{kept['id']}").json, kept)

    def test_tasks_of_one_project_are_listed(self):
        mine, other = self.create(), self.create()
        tasks = [self.create_task(mine, title=f"Task {n}", status=("todo", "doing", "done")[n % 3]) for n in range(7)]
        self.create_task(other)
        listed = self.client.get(f"/api/v1/projects/{mine['id']}/tasks?limit=3&page=2")
        self.assertEqual([t["title"] for t in listed.json["data"]], ["Task 3", "Task 2", "Task 1"])
        self.assertEqual(listed.json["meta"], {"page": 2, "limit": 3, "total": 7, "totalPages": 3})
        doing = self.client.get(f"/api/v1/projects/{mine['id']}/tasks?status=doing&sort=title").json["data"]
        self.assertEqual([t["id"] for t in doing], [tasks[1]["id"], tasks[4]["id"]])
        self.assertRefused(self.client.get(f"/api/v1/projects/{mine['id']}/tasks?projectId={other['id']}"), 400)


class Curl(ServiceTest):
    """What a person types first."""

    def curl(self, *arguments):
        done = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", *arguments], capture_output=True, timeout=60,
                              check=True)
        body, _, status = done.stdout.decode().rpartition("\n")
        return int(status), body

    def test_the_first_lines(self):
        base = f"http://127.0.0.1:{self.service.port}"
        try:
            status, body = self.curl(f"{base}/api/v1/projects", "--json", '{"name":"By curl","priority":3}')
        except FileNotFoundError:
            self.skipTest("curl is not installed")
        self.assertEqual((status, json.loads(body)["priority"]), (201, 3))
        status, body = self.curl(f"{base}/api/v1/projects?status=active&sort=createdAt:desc")
        self.assertEqual((status, json.loads(body)["data"][0]["name"]), (200, "By curl"))
        status, body = self.curl(f"{base}/health")
        self.assertEqual((status, body), (200, '{"status":"healthy","database":"connected","version":"1.0.0"}'))
        status, _ = self.curl(f"{base}/api/v1/projects", "-d", '{"name":"By curl"}')
        self.assertEqual(status, 415, "curl -d is a form, not JSON")


if __name__ == "__main__":
    projects_service.main()
