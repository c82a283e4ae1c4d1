"""scripts/check-awaits finds what g++ 12 gets wrong, and leaves alone what is right."""

import pathlib
import subprocess
import sys
import tempfile

# (what it is, the source, the lines that have to be told of)
CASES = [
    ("a typed temporary", "task<> f() {\n  co_await g(thing{1, text});\n}", [2]),
    ("braces without a type", "task<> f() {\n  co_await g({1, text});\n}", [2]),
    ("designated braces", "task<> f() {\n  co_await g({.name = text});\n}", [2]),
    ("a template's braces", "task<> f() {\n  co_await g(box<int, std::string>{1, text});\n}", [2]),
    ("an array", "task<> f() {\n  co_await g(std::array<std::string, 2>{a, b});\n}", [2]),
    ("a name in another namespace", "task<> f() {\n  co_await g(my::thing{1});\n}", [2]),
    ("over several lines", "task<> f() {\n  auto x = co_await g(\n      1,\n      thing{\n        1});\n}", [4]),
    ("within a chain", "task<> f() {\n  auto r = co_await http->send(post(u).json(news{t}).timeout(2s));\n}", [2]),
    ("of a temporary's own call", "task<> f() {\n  co_await job{1, text}.run();\n}", [2]),
    ("around an await, returned", "task<thing> f() {\n  co_return thing{co_await g(), text};\n}", [2]),
    ("around an await, in a variable", "task<> f() {\n  thing made{co_await g(), text};\n}", [2]),
    ("around an await, assigned", "task<> f() {\n  made = thing{co_await g(), text};\n}", [2]),
    ("around an await, pushed", "task<> f() {\n  all.push_back({co_await g(), text});\n}", [2]),
    ("in the head of an if", "task<> f() {\n  if (auto r = co_await g(thing{1}); r) {\n    h();\n  }\n}", [2]),
    ("in the head of a loop", "task<> f() {\n  while (co_await g(thing{1}))\n    h();\n}", [2]),
    ("in a range", "task<> f() {\n  for (auto& x : co_await g(thing{1})) {\n    h(x);\n  }\n}", [2]),
    ("behind an if without braces", "task<> f() {\n  if (a)\n    co_await g(thing{1});\n}", [3]),
    ("in a lambda's body", "void f() {\n  a.get(\"/\", [](int n) -> task<> {\n    co_await g(thing{n});\n  });\n}", [3]),
    ("in a lambda that is named", "void f() {\n  auto w = [](int n) -> task<int> { co_return co_await g(thing{n}); };\n}",
     [2]),
    ("in a function with a trailing type", "auto f() -> task<void> {\n  co_await g(thing{1});\n}", [2]),
    ("in a member function", "class c {\n  task<> f() const {\n    co_await g(thing{1});\n  }\n};", [3]),
    ("behind a constructor's members", "c::c() : a(1), b{2} {\n  go([]() -> task<> { co_await g(thing{1}); });\n}", [2]),
    ("with co_yield", "gen f() {\n  co_yield thing{1};\n}", [2]),
    ("a lambda that captures a value", "task<> f() {\n  co_await pool.run([text] { return text; });\n}", [2]),
    ("a lambda that captures everything", "task<> f() {\n  co_await pool.run([=] { return text; });\n}", [2]),
    ("a lambda with a capture of its own", "task<> f() {\n  co_await pool.run([&a, b = g()](int) mutable { h(); }, 1);\n}",
     [2]),
    ("a lambda that captures its object", "task<> f() {\n  co_await pool.run([*this] { h(); });\n}", [2]),
    ("a lambda that is awaited", "task<> f() {\n  co_await [text]() -> task<> { co_return; }();\n}", [2]),
    ("a choice", "task<> f() {\n  auto r = a ? co_await g() : text;\n}", [2]),
    ("a choice of what is made", "task<> f() {\n  co_await (a ? g(x) : g(y));\n}", [2]),
    ("each once", "task<> f() {\n  co_await g(thing{1, {2}, inner{3}});\n}", [2]),
    ("in both branches of an #if", "task<> f() {\n#if A\n  co_await g(thing{1});\n#else\n  co_await g(thing{2});\n#endif\n}",
     [3, 5]),
    ("behind a raw text", "auto t = R\"x(a \" { b)x\";\ntask<> f() {\n  co_await g(thing{1});\n}", [3]),
    ("behind a number with separators", "int n = 1'000'000;\ntask<> f() {\n  co_await g(thing{1});\n}", [3]),

    ("a name", "task<> f() {\n  const thing made{1, text};\n  co_await g(made);\n}", []),
    ("a moved name", "task<> f() {\n  thing made{1, text};\n  co_await g(std::move(made));\n}", []),
    ("a task that is named", "task<> f() {\n  auto t = g(thing{1});\n  co_await std::move(t);\n}", []),
    ("a call", "task<> f() {\n  co_await g(make(1), text);\n}", []),
    ("a constructor's call", "task<> f() {\n  co_await g(thing(1));\n}", []),
    ("braces without an await", "task<thing> f() {\n  co_return thing{1, text};\n}", []),
    ("an await in the next statement", "task<> f() {\n  thing made{1};\n  co_await g();\n  h(thing{2});\n}", []),
    ("an await beside, in the block of an if", "task<> f() {\n  if (h(thing{1})) {\n    co_await g();\n  }\n}", []),
    ("an await in a lambda's body", "void f() {\n  run(thing{1}, []() -> task<> { co_await g(); });\n}", []),
    ("a capturing lambda without an await", "task<> f() {\n  auto w = [text] { return text; };\n  co_await pool.run(w);\n}", []),
    ("a lambda without captures", "task<> f() {\n  co_await pool.run([](int n) { return n; }, 1);\n}", []),
    ("a lambda that captures references", "task<> f() {\n  co_await pool.run([&] { h(); });\n"
     "  co_await pool.run([&a, this] { h(); });\n}", []),
    ("standard classes", "task<> f() {\n  co_await g(std::string{a}, std::vector<int>{1, 2}, std::chrono::seconds{5});\n}", []),
    ("a class with a constructor", "struct thing {\n  explicit thing(int n);\n};\ntask<> f() {\n  co_await g(thing{1});\n}", []),
    ("an enumeration", "enum class color { red };\ntask<> f() {\n  co_await g(color{1});\n}", []),
    ("numbers", "task<> f() {\n  int n{co_await g()};\n  co_await g(int{1});\n  auto x{co_await g()};\n}", []),
    ("Corbel's options", "task<> f() {\n  co_await folder.reply(in, p, file_options{}.download(n));\n}", []),
    ("a choice without an await", "task<> f() {\n  const auto x = a ? g(1) : g(2);\n  co_await h(x);\n}", []),
    ("a choice of names", "task<> f() {\n  co_await g(a ? &b : nullptr);\n}", []),
    ("a mark", "task<> f() {\n  co_await g(thing{1});  // check-awaits: safe\n}", []),
    ("a comment and a text", "task<> f() {\n  // co_await g(thing{1});\n  h(\"co_await g(thing{1});\");\n  co_await g();\n}", []),
    ("a subscript", "task<> f() {\n  co_await g(all[i], all[j]);\n}", []),
    ("an attribute", "task<> f() {\n  [[maybe_unused]] auto x = co_await g();\n}", []),
    ("blocks", "namespace a {\nclass b : public c {\n  task<> f() override {\n    try {\n      co_await g();\n"
     "    } catch (const e& x) {\n      h();\n    }\n    switch (n) {\n      case 1: {\n        co_await g();\n      }\n"
     "    }\n    do {\n      co_await g();\n    } while (n);\n  }\n};\n}", []),
]


def told(script, source, *more):
    with tempfile.TemporaryDirectory() as room:
        path = pathlib.Path(room) / "source.cpp"
        path.write_text(source + "\n", encoding="utf-8")
        done = subprocess.run([sys.executable, "-B", str(script), str(path), *more], capture_output=True, text=True,
                              check=False)
        lines = [int(line[len(str(path)) + 1:].split(":")[0]) for line in done.stdout.split("\n")
                 if line.startswith(f"{path}:")]
        return done.returncode, lines, done.stdout + done.stderr


def main():
    root = pathlib.Path(sys.argv[1])
    script = root / "scripts" / "check-awaits"
    failures = []
    for name, source, wanted in CASES:
        status, lines, said = told(script, source)
        if lines != wanted or status != (1 if wanted else 0):
            failures.append(f"{name}: expected lines {wanted}, got {lines}, exit status {status}:\n{said}")
    status, lines, said = told(script, "task<> f() {\n  co_await g(thing{1});\n}", "--safe", "thing")
    if status != 0 or lines:
        failures.append(f"--safe is not heard:\n{said}")
    done = subprocess.run([sys.executable, "-B", str(script), "no/such/file.cpp"], capture_output=True, text=True, check=False)
    if done.returncode != 2 or "give files or folders that exist" not in done.stderr:
        failures.append(f"a file that is not there: exit status {done.returncode}:\n{done.stderr}")
    with tempfile.TemporaryDirectory() as room:
        for place in ("src", "build/x", ".git"):
            folder = pathlib.Path(room) / place
            folder.mkdir(parents=True)
            (folder / "a.cpp").write_text("task<> f() { co_await g(thing{1}); }\n", encoding="utf-8")
        done = subprocess.run([sys.executable, "-B", str(script), room], capture_output=True, text=True, check=False)
        if done.stdout.count("a.cpp:") != 1:
            failures.append(f"a folder is read but for what is built or hidden:\n{done.stdout}")
    own = [root / "include", root / "src", root / "examples", root / "docs", root / "benchmarks",
           *(folder for folder in (root / "tests").iterdir() if folder.is_dir() and folder.name != "compilers")]
    done = subprocess.run([sys.executable, "-B", str(script), *map(str, own)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        failures.append(f"this tree is to be written as its users are told to:\n{done.stdout}{done.stderr}")
    for failure in failures:
        print(failure)
    print(f"{len(CASES) + 4} cases, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
