"""A wrong handler, middleware or description fails to compile with ONE error: the sentence that says what to write."""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# Read by the compiler once, for all cases.
HEADERS = """
#include <array>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>
#include <corbel/http/middleware.hpp>
#include <corbel/observe/log.hpp>
#include <corbel/routing/body_stream.hpp>
#include <corbel/routing/router.hpp>
"""
PREAMBLE = """
using namespace corbel;

struct project { std::string name; int priority = 0; };
constexpr auto describe(tag<project>) {
  using namespace corbel::rules;
  return object(field("name", &project::name, text().min(3)), field("priority", &project::priority));
}
struct unknown { int x = 0; };
struct service { int n = 0; };
enum class color { red };
task<void> wait();
void wire(route_group routes, service& s) {
"""
AFTER = "\n(void)routes; (void)s;\n}\n"

TAKES = "a parameter of this handler is none of these"
GIVES = "this handler's result is none of these"
BODY_ONCE = "a handler takes the body once"
STREAM_WAITS = "takes the body while it arrives has to wait for it"
CAPTURES = "must not be a lambda that captures"
HANDLER = "a handler is a function or an object with one call operator"
MIDDLEWARE = "this type has none of them"
SIGNATURE = "has one of these names with another signature"
CONST = "write const behind the parameters"
MEMBER = "write a handler that takes one as state<T> and calls it"
TEMPORARY = "give it a name first, or share it: provide(std::make_shared<T>(...))"
POINTER = "is a value, not a pointer to one; use std::optional<T>"
SET = "use std::vector<T>, with list_of(...).unique()"
NAMESPACE = "beside this type, in its namespace"



def holder(member):
    """A type with one member of that type, on line 5."""
    return f"""
        struct holder {{ {member} held; }};
        constexpr auto describe(tag<holder>) {{
          using namespace corbel::rules;
          return object(
              field("held", &holder::held));
        }}"""


# (what it is, the body of a function, declarations before it, a piece of the sentence; None where it is right)
CASES = [
    ("handlers that are right", """
        routes.get("/", [] { return std::string(); });
        routes.get("/", [](const request& in) { return std::string(in.path()); });
        routes.get("/", [&s](request&, path<int, "id">) { return s.n; });
        routes.post("/", [](body<project> in) -> task<created<project>> { co_return created(*in); });
        routes.get("/", [](state<service>, query<project>) -> task<result<void>> { co_return result<void>(); });
        routes.get("/", [](logger log, path<int>) -> task<void> { log.info("found"); co_return; });
        """, "", None),
    ("middleware that is right", """
        struct hooks {
          flow before(request&, response&) const { return flow::proceed; }
          void after(const request&, response&) const {}
        };
        struct around_it { task<response> around(request&, next rest) const { return rest(); } };
        routes.use(hooks{}).use(around_it{}).use([](request&, next rest) -> task<response> { return rest(); });
        """, "", None),

    ("a body twice", 'routes.post("/", [](body<project>, body<project>) {});', "", BODY_ONCE),
    ("a body whole and streamed", 'routes.post("/", [](body<project>, body_stream) -> task<void> { co_return; });', "",
     BODY_ONCE),
    ("a streamed body in a plain function", 'routes.post("/", [](body_stream) {});', "", STREAM_WAITS),
    ("a parameter of a plain type", 'routes.get("/", [](int) {});', "", TAKES),
    ("a string as a parameter", 'routes.get("/", [](std::string) {});', "", TAKES),
    ("a view as a parameter", 'routes.get("/", [](std::string_view) {});', "", TAKES),
    ("a view as a coroutine's parameter",
     'routes.get("/", [](std::string_view) -> task<void> { co_return; });', "", TAKES),
    ("a described type without body<>", 'routes.post("/", [](project) {});', "", TAKES),
    ("a body by reference", 'routes.post("/", [](const body<project>&) {});', "", TAKES),
    ("a body by reference in a coroutine",
     'routes.post("/", [](const body<project>&) -> task<void> { co_return; });', "", TAKES),
    ("a request by value", 'routes.get("/", [](request) {});', "", TAKES),
    ("a response as a parameter", 'routes.get("/", [](request&, response&) {});', "", TAKES),
    ("a service without state<>", 'routes.get("/", [](service&) {});', "", TAKES),
    ("a bad parameter among good ones", 'routes.get("/", [](path<int>, long, query<project>) {});', "", TAKES),
    ("a bad parameter and a bad result", 'routes.get("/", [](int) { return unknown{}; });', "", TAKES),

    ("a type without a description", 'routes.get("/", [] { return unknown{}; });', "", GIVES),
    ("a list of such", 'routes.get("/", [] { return std::vector<unknown>(); });', "", GIVES),
    ("a map of such", 'routes.get("/", [] { return std::map<std::string, unknown>(); });', "", GIVES),
    ("a created such", 'routes.get("/", [] { return created(unknown{}); });', "", GIVES),
    ("a json_with such", 'routes.get("/", [] { return json_with(status::ok, unknown{}); });', "", GIVES),
    ("a result of such", 'routes.get("/", []() -> result<unknown> { return unknown{}; });', "", GIVES),
    ("a task of such", 'routes.get("/", []() -> task<unknown> { co_return unknown{}; });', "", GIVES),
    ("a list of responses", 'routes.get("/", [] { return std::vector<response>(); });', "", GIVES),
    ("a created response", 'routes.get("/", [] { return created(response()); });', "", GIVES),
    ("a literal", 'routes.get("/", [] { return "text"; });', "", GIVES),
    ("a view", 'routes.get("/", [] { return std::string_view("text"); });', "", GIVES),
    ("a pointer", 'routes.get("/", []() -> project* { return nullptr; });', "", GIVES),
    ("an enumeration without a description", 'routes.get("/", [] { return color::red; });', "", GIVES),
    ("a char", 'routes.get("/", [] { return \'c\'; });', "", "a char is no number and no text"),
    ("an optional", 'routes.get("/", [] { return std::optional<project>(); });', "", GIVES),

    ("a coroutine that captures",
     'routes.get("/", [&s]() -> task<void> { (void)s; co_return; });', "", CAPTURES),
    ("a coroutine object that holds",
     'struct held { int n; task<void> operator()() const { co_return; } }; routes.get("/", held{1});', "", CAPTURES),

    ("a generic lambda", 'routes.get("/", [](auto) {});', "", HANDLER),
    ("no function", 'routes.get("/", 42);', "", HANDLER),
    ("a text", 'routes.get("/", "handler");', "", HANDLER),
    ("an object without a call", 'routes.get("/", service{});', "", HANDLER),
    ("two call operators",
     'struct two { void operator()() const {} void operator()(path<int>) const {} }; routes.get("/", two{});',
     "", HANDLER),
    ("a mutable lambda", 'routes.get("/", [n = 1]() mutable { return ++n; });', "", HANDLER),
    ("a member function", 'struct m { void go() {} }; routes.get("/", &m::go);', "", MEMBER),
    ("a const member function", 'struct m { int go(path<int>) const { return 1; } }; routes.get("/", &m::go);', "",
     MEMBER),
    ("a member", 'routes.get("/", &service::n);', "", MEMBER),
    ("a temporary that is provided", "services all; all.provide(service{});", "", TEMPORARY),
    ("a pointer that is provided", "services all; all.provide(&s);", "", TEMPORARY),
    ("a unique pointer that is provided", "services all; all.provide(std::make_unique<service>());", "", TEMPORARY),
    ("what may be provided", """
        services all;
        auto shared = std::make_shared<service>();
        all.provide(s); all.provide(shared); all.provide(std::make_shared<service>());
        """, "", None),

    ("no middleware", "routes.use(service{});", "", MIDDLEWARE),
    ("a plain function as middleware", "routes.use([](request&) {});", "", MIDDLEWARE),
    ("a before that may change itself", """
        struct layer { flow before(request&, response&) { return flow::proceed; }
                       void after(const request&, response&) const {} };
        routes.use(layer{});""", "", CONST),
    ("such a before alone", """
        struct layer { flow before(request&, response&) { return flow::proceed; } };
        routes.use(layer{});""", "", CONST),
    ("an after that may change itself", """
        struct layer { void after(const request&, response&) {} };
        routes.use(layer{});""", "", CONST),
    ("an around that may change itself", """
        struct layer { task<response> around(request&, next rest) { return rest(); } };
        routes.use(layer{});""", "", CONST),
    ("a mutable lambda as middleware",
     "routes.use([n = 1](request&, next rest) mutable -> task<response> { ++n; return rest(); });", "", CONST),
    ("a before that returns nothing", """
        struct layer { void before(request&, response&) const {}
                       void after(const request&, response&) const {} };
        routes.use(layer{});""", "", SIGNATURE),
    ("a before alone that returns nothing", """
        struct layer { void before(request&, response&) const {} };
        routes.use(layer{});""", "", "corbel: a middleware"),
    ("an after that takes less", """
        struct layer { flow before(request&, response&) const { return flow::proceed; }
                       void after(response&) const {} };
        routes.use(layer{});""", "", SIGNATURE),
    ("guards that are right", """
        struct at_once { result<void> guard(request&) const { return {}; } };
        struct waits { task<result<void>> guard(request&) const { co_return result<void>{}; } };
        routes.use(at_once{}).use(waits{});
        """, "", None),
    ("a guard that says yes or no", """
        struct layer { bool guard(request&) const { return true; }
                       void after(const request&, response&) const {} };
        routes.use(layer{});""", "", SIGNATURE),
    ("a guard with a variant beside it", """
        struct layer { result<void> guard(request&, int) const { return {}; }
                       void guard(int) const {}
                       void after(const request&, response&) const {} };
        routes.use(layer{});""", "", SIGNATURE),
    ("a private guard", """
        class layer { result<void> guard(request&) const { return {}; }
         public: void after(const request&, response&) const {} };
        routes.use(layer{});""", "", SIGNATURE),
    ("a guard that may change itself", """
        struct layer { result<void> guard(request&) { return {}; } };
        routes.use(layer{});""", "", CONST),
    ("an around that gives no task", """
        struct layer { flow before(request&, response&) const { return flow::proceed; }
                       response around(request&, next) const { return {}; } };
        routes.use(layer{});""", "", SIGNATURE),

    ("a member of a type without a description", 'routes.post("/", [](body<holder>) {});', """
        struct holder { unknown inner; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("inner", &holder::inner));
        }""", "write `constexpr auto describe(corbel::tag<T>)` beside this type"),
    ("a body of a type without a description", 'routes.post("/", [](body<unknown>) {});', "",
     "write `constexpr auto describe(corbel::tag<T>)` beside this type"),
    ("a description in another namespace", 'routes.post("/", [](body<elsewhere::thing>) {});', """
        namespace elsewhere { struct thing { int n = 0; }; }
        constexpr auto describe(tag<elsewhere::thing>) {
          return corbel::rules::object(corbel::rules::field("n", &elsewhere::thing::n));
        }""", NAMESPACE),
    ("an enumeration's description in another namespace", 'routes.post("/", [](body<holder>) {});', """
        namespace elsewhere { enum class kind { one }; }
        constexpr auto describe(tag<elsewhere::kind>) {
          return corbel::rules::enumeration(corbel::rules::value("one", elsewhere::kind::one));
        }
        struct holder { elsewhere::kind k{}; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("k", &holder::k));
        }""", "in its namespace"),
    ("a member that is a view", 'routes.post("/", [](body<holder>) {});', """
        struct holder { std::string_view name; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("name", &holder::name));
        }""", "owns its data; use std::string"),
    ("a member that is a pointer", 'routes.post("/", [](body<holder>) {});', """
        struct holder { int* n = nullptr; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("n", &holder::n));
        }""", "owns its data; use std::string"),
    ("a member that is a set", 'routes.post("/", [](body<holder>) {});', holder("std::set<std::string>"), SET),
    ("a member that is a set in an optional", 'routes.post("/", [](body<holder>) {});', holder("std::optional<std::set<int>>"), SET),
    ("a member that is a unique pointer", 'routes.post("/", [](body<holder>) {});', holder("std::unique_ptr<project>"), POINTER),
    ("a member that is a shared pointer", 'routes.post("/", [](body<holder>) {});', holder("std::shared_ptr<project>"), POINTER),
    ("a member that is a list of unique pointers", 'routes.post("/", [](body<holder>) {});', holder("std::vector<std::unique_ptr<project>>"), POINTER),
    ("a member that is a map of shared pointers", 'routes.post("/", [](body<holder>) {});', holder("std::map<std::string, std::shared_ptr<project>>"), POINTER),
    ("a member that is an array", 'routes.post("/", [](body<holder>) {});', holder("std::array<int, 3>"), "use it instead of another container"),
    ("a member that is a linked list", 'routes.post("/", [](body<holder>) {});', holder("std::list<int>"), "use it instead of another container"),
    ("a member that is a char", 'routes.post("/", [](body<holder>) {});', """
        struct holder { char c = 0; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("c", &holder::c));
        }""", "a char is no number and no text"),
    ("an enumeration member without a description", 'routes.post("/", [](body<holder>) {});', """
        struct holder { color c = color::red; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("c", &holder::c));
        }""", "beside this enumeration"),
    ("an optional of an optional", 'routes.post("/", [](body<holder>) {});', """
        struct holder { std::optional<std::optional<int>> n; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("n", &holder::n));
        }""", "an optional of an optional has no JSON form"),
    ("a list of bools", 'routes.post("/", [](body<holder>) {});', """
        struct holder { std::vector<bool> all; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("all", &holder::all));
        }""", "std::vector<bool> has no elements to point to"),
    ("text rules on a number", 'routes.post("/", [](body<holder>) {});', """
        struct holder { int n = 0; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("n", &holder::n, corbel::rules::text().min(1)));
        }""", "text() rules stand on std::string members only"),
    ("number rules on a text", 'routes.post("/", [](body<holder>) {});', """
        struct holder { std::string n; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("n", &holder::n, corbel::rules::number().min(1)));
        }""", "number() rules stand on integer and floating members only"),
    ("list rules on a text", 'routes.post("/", [](body<holder>) {});', """
        struct holder { std::string n; };
        constexpr auto describe(tag<holder>) {
          using namespace corbel::rules;
          return object(field("n", &holder::n, list_of(text()).max(1)));
        }""", "list_of() rules stand on std::vector and map members only"),
    ("a check of another type", 'routes.post("/", [](body<holder>) {});', """
        struct holder { std::string n; };
        constexpr auto describe(tag<holder>) {
          using namespace corbel::rules;
          return object(field("n", &holder::n, text().refine([](int) { return true; }, "no")));
        }""", "refine() takes a lambda whose parameter is exactly the member's type"),
    ("a type that cannot be made empty", 'routes.get("/", [] { return holder(1); });', """
        struct holder { explicit holder(int v) : n(v) {} int n; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("n", &holder::n));
        }""", "a described type needs a default constructor"),
    ("a type that cannot be copied", 'routes.post("/", [](body<holder>) {});', """
        struct holder { holder() = default; holder(holder&&) = default; holder& operator=(holder&&) = default;
                        int n = 0; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("n", &holder::n));
        }""", "a described type can be copied"),
    ("a variant without a description", 'routes.post("/", [](body<holder>) {});', """
        struct holder { std::variant<int, std::string> v; };
        constexpr auto describe(tag<holder>) {
          return corbel::rules::object(corbel::rules::field("v", &holder::v));
        }""", "with one_of(...) for this variant"),
    ("a path parameter that is no scalar", 'routes.get("/:id", [](path<project, "id">) {});', "", "corbel: path<T>"),
    ("a path parameter that is a view", 'routes.get("/:id", [](path<std::string_view, "id">) {});', "",
     "corbel: path<T>"),
    ("a path parameter that may be missing", 'routes.get("/:id", [](path<std::optional<int>, "id">) {});', "",
     "corbel: path<T>"),
    ("a header that is no scalar", 'routes.get("/", [](header<project, "X-A">) {});', "", "corbel: header<T"),
    ("a cookie that is a list", 'routes.get("/", [](cookie<std::vector<int>, "a">) {});', "", "corbel: cookie<T"),
]


def precompile(command, room):
    """The command that finds HEADERS read already, in the folder `room`."""
    header = pathlib.Path(room) / "headers.hpp"
    header.write_text(HEADERS, encoding="utf-8")
    made = f"{header}.pch" if "clang" in command[0] else f"{header}.gch"
    subprocess.run([*command, "-x", "c++-header", str(header), "-o", made], check=True)
    return [*command, "-fsyntax-only", "-include", str(header)]


def run(command, case):
    name, body, before, sentence = case
    source = PREAMBLE.replace("task<void> wait();", before) + body + AFTER
    done = subprocess.run([*command, "-x", "c++", "-"], input=source, text=True, capture_output=True, check=False)
    errors = re.findall(r"^.*\berror: .*$", done.stderr, re.M)
    if sentence is None:
        return None if done.returncode == 0 else f"{name}: this should compile:\n" + "\n".join(errors[:5])
    if done.returncode == 0:
        return f"{name}: this should not compile"
    # Compilers print a sentence escaped as the source has it.
    said = [e for e in errors if sentence in e.replace('\\"', '"')]
    if len(errors) == 1 and said:
        line = source[:source.find('field("held"')].count("\n") + 1
        # The compiler's way to the error goes over the user's own line.
        if 'field("held"' in source and not re.search(rf"<stdin>:{line}:", done.stderr):
            return f"{name}: the line of the description is not named:\n{done.stderr}"
        return None
    return f"{name}: expected the one error \"...{sentence}...\", got {len(errors)}:\n" + "\n".join(errors[:8])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--include", default="", help="the libraries' folders, separated by ;")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    arguments = parser.parse_args()
    folders = [f for f in arguments.include.split(";") if f and f not in ("/usr/include", "/usr/local/include")]
    command = [arguments.compiler, "-std=c++20", f"-I{arguments.root / 'include'}",
               *[f"-isystem{f}" for f in folders if pathlib.Path(f) != arguments.root / "include"]]
    cases = [c for c in CASES if arguments.only in c[0]]
    with tempfile.TemporaryDirectory(prefix="corbel-sentences-") as room, \
            concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        quick = precompile(command, room)
        failures = [f for f in pool.map(lambda c: run(quick, c), cases) if f]
    for failure in failures:
        print(failure, "\n")
    print(f"{len(cases)} wrong and right pieces of code, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
