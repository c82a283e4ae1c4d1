// Fifty lines as users write them, in a program of theirs, for natural_lines.py to compile and run under ASan
// with every supported compiler. It links the library and nothing of its tests.
//
// g++ 12 refuses the lines that stand in TAKEN(n); the script compiles it with LINE=n to read the refusal.
// Those in MISCOMPILED pass no function of Corbel's that could refuse them: g++ 12 gets them wrong, and the
// check that is installed as corbel-check-awaits has to find each of them.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <corbel/corbel.hpp>
#include <corbel/data/repository.hpp>
#include <corbel/data/sqlite/sqlite.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#ifndef LINE
#define LINE 0
#endif
#define TAKEN(n) (!CORBEL_REFUSES_TEMPORARIES || LINE == (n))
#define MISCOMPILED (!CORBEL_REFUSES_TEMPORARIES)

using namespace corbel;
using namespace std::chrono_literals;

struct project {
  std::int64_t id = 0;
  std::string name;
  std::vector<std::string> tags;
};
constexpr auto describe(tag<project>) {
  using namespace rules;
  return object(field("id", &project::id), field("name", &project::name, text().min(3)),
                field("tags", &project::tags));
}
constexpr auto table(tag<project>) {
  return data::table("projects");
}

struct news {
  std::string title;
  std::string text;
};
constexpr auto describe(tag<news>) {
  using namespace rules;
  return object(field("title", &news::title), field("text", &news::text));
}

namespace {

const std::string apollo = "Apollo, a name that no small string can hold";
std::set<int> seen;

/// Ends the program at the first line that does not give what it should.
void line(int n, bool right) {
  if (!right) {
    std::printf("line %d gave something else than it should\n", n);
    std::exit(1);
  }
  seen.insert(n);
}

task<void> make_table(data::database db) {
  co_await db.execute(
      "create table projects (id integer primary key, name text not null, tags text not null)");
}

task<void> rows(data::database db) {
  data::repository<project> projects(db);
  const project made{0, apollo, {"moon"}};
  line(1, (co_await projects.insert(made))->name == apollo);
#if TAKEN(2)
  line(2, (co_await projects.insert({0, apollo, {}}))->name == apollo);
#endif
#if TAKEN(3)
  line(3, (co_await projects.insert(project{0, apollo, {}}))->name == apollo);
#endif
#if TAKEN(4)
  line(4, (co_await projects.insert({.name = apollo}))->name == apollo);
#endif
  project second{0, "Gemini", {"orbit"}};
#if TAKEN(5)  // right with g++ 12, too, which cannot tell it from a temporary
  auto stored = co_await projects.insert(std::move(second));
#else
  auto stored = co_await projects.insert(second);
#endif
  line(5, stored->name == "Gemini");
#if TAKEN(6)
  line(6, (co_await projects.update({stored->id, apollo, {}}))->name == apollo);
#endif
#if TAKEN(7)
  line(7, (co_await projects.patch(project{stored->id, apollo, {}}, "name"))->name == apollo);
#endif
#if TAKEN(8)
  line(8, (co_await projects.upsert({stored->id, apollo, {}}))->id == stored->id);
#endif
  line(9, (co_await projects.find(stored->id))->id == stored->id);
  line(10, (co_await projects.get(stored->id)).value().id == stored->id);
  line(11, (co_await projects.find_by("id", stored->id)).has_value());
  line(12, co_await projects.exists(stored->id));
  line(13, co_await projects.count() > 0);
  line(14, co_await projects.count(data::list_query().where("name", apollo)) > 0);
  line(15, !(co_await projects.list(data::list_query().order_by("name").paged(1, 5))).data.empty());
  line(16, !(co_await projects.list({})).data.empty());  // check-awaits: safe
  line(17, !(co_await projects.scan(data::list_query{}.order_by("name", true))).value().data.empty());
  std::vector<project> several{{0, apollo, {}}, {0, apollo, {}}};
  line(18, (co_await projects.insert_many(std::move(several)))->size() == 2);
  auto later = projects.insert(made);
  line(19, (co_await std::move(later)).has_value());
  if (auto again = co_await projects.update(*stored); again) line(20, again->name == "Gemini");
  line(21, (co_await projects.remove(stored->id)).has_value());
}

task<std::string> rename_in(data::transaction& tx, project with, std::string name) {
  with.name = std::move(name);
  auto done = co_await data::repository<project>(tx).insert(with);
  co_return done.value().name;
}

task<void> statements(data::database db) {
  const project made{0, "Mercury", {}};
  line(22, co_await db.execute("insert into projects (name, tags) values ($1, $2)", apollo, "[]") == 1);
  line(23, (co_await db.query_one<std::string>("select name from projects where name = $1 limit 1",
                                               apollo)) == apollo);
#if TAKEN(24)
  line(24, !(co_await db.query_one<project>("select * from projects where tags = $1", news{"t", apollo})));
#endif
  line(25,
       !(co_await db.query<project>("select * from projects where name = $1", std::string(apollo))).empty());
  line(26, co_await db.transact(&rename_in, made, apollo) == apollo);
#if TAKEN(27)
  line(27, co_await db.transact(&rename_in, project{0, apollo, {}}, apollo) == apollo);
#endif
  line(28,
       co_await db.transact(data::serializable().retry(3), &rename_in, made, std::string(apollo)) == apollo);
  auto tx = co_await db.begin({.use = data::transaction_use::read});  // check-awaits: safe
  line(29, co_await tx.query_one<int>("select 1") == 1);
}

task<void> calls(const client* http) {
  const news made{"landed", apollo};
  line(30, (co_await http->get("http://news.example/")).value().body() == "null");
  line(31, (co_await http->send(outbound::post("http://news.example/").json(made).bearer(apollo)))->body() !=
               "null");
#if TAKEN(32)
  line(32, (co_await http->send(outbound::post("http://news.example/").json(news{"landed", apollo})))->ok());
#endif
  auto asked = outbound::put("http://news.example/").header("X-Title", apollo).timeout(2s);
  line(33, (co_await http->send(std::move(asked)))->ok());
#if TAKEN(34)
  auto produced = outbound::post("http://news.example/");
  line(34, (co_await http->send(std::move(produced).stream(
                [text = apollo](body_sink& to) -> task<> { co_await to.write(text); }, "text/plain")))
               ->ok());
#endif
}

task<void> blocking(blocking_pool* pool) {
  line(35, co_await pool->run([](const std::string& text) { return text.size(); }, apollo) == apollo.size());
#if TAKEN(36)
  line(36, co_await pool->run([text = apollo] { return text.size(); }) == apollo.size());
#endif
  const auto work = [text = apollo] { return text.size(); };
  line(37, co_await pool->run(work) == apollo.size());
  int sum = 0;
  line(38, co_await pool->run([&sum, more = 2] { return sum += more; }) == 2);  // check-awaits: safe
#if TAKEN(39)
  line(39, co_await pool->run([](const project& p) { return p.name; }, project{1, apollo, {}}) == apollo);
#endif
  auto unique = std::make_unique<std::string>(apollo);
  line(40,
       co_await pool->run([](std::unique_ptr<std::string> p) { return p->size(); }, std::move(unique)) > 9);
#if TAKEN(41)
  line(41, co_await pool->run_shielded([text = apollo] { return text; }) == apollo);
#endif
}

task<response> send_file(request& in, state<file_folder> folder) {
  if (in.query() == "named")
    co_return co_await folder->reply(in, "a.txt", file_options().download("Ä long name.txt"));
  co_return co_await folder->reply(in, "a.txt");
}

event_stream tell(state<std::string> text) {
  return event_stream([text = *text](event_sink& to) -> task<> {
    const news made{"landed", text};
    co_await to.send_json(made, server_event().event("news").id("7"));
#if TAKEN(42)
    co_await to.send_json(news{"landed", text});
    line(42, true);
#endif
    co_await to.send(server_event(text).event("plain"));
  });
}

task<created<project>> add(body<project> in, state<data::repository<project>> projects) {
  co_return created(co_await projects->insert(*in));
}

task<std::string> name_of(project from) {
  co_return from.name;
}

task<project> copy_of(std::int64_t id) {
#if MISCOMPILED
  co_return project{id, co_await name_of(project{id, apollo, {}}), {}};
#else
  project made{id, apollo, {}};
  made.name = co_await name_of(made);
  co_return made;
#endif
}

task<void> own_functions() {
  line(43, (co_await copy_of(7)).name == apollo);
#if MISCOMPILED
  line(44, co_await name_of({1, apollo, {}}) == apollo);
  std::vector<project> all;
  all.push_back({1, co_await name_of({1, apollo, {}}), {}});
  line(45, all.front().name == apollo);
  line(
      46, co_await [text = apollo]() -> task<std::string> { co_return text; }() == apollo);
#endif
}

/// What a client of the fake service is answered: the body that it sent, or null.
result<client_response> echo(const outbound& asked) {
  return client_response(status::ok, asked.body().empty() ? "null" : asked.body());
}

void run(std::function<task<void>()> what) {
  boost::asio::io_context loop;
  boost::asio::co_spawn(loop, std::move(what), [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
  loop.run();
}

void serve(const std::filesystem::path& folder, const data::database& db) {
  std::ofstream(folder / "a.txt") << apollo;
  file_folder files(folder.string());
  std::string text = apollo;
  data::repository<project> projects(db);
  app server;
  server.provide(files).provide(text).provide(projects);
  server.get("/file", &send_file);
  server.get("/news", &tell);
  server.post("/projects", &add);
  line(47, server.inject(get("/file")).body() == apollo);
  line(48, server.inject(get("/file?named")).body() == apollo);
  line(49, server.inject(get("/news")).body().find("event: plain") != std::string::npos);
  line(50, server.inject(post("/projects").json(R"({"id":0,"name":"Voyager","tags":[]})")).code() == 201);
}

}  // namespace

int main(int, char** arguments) {
  const std::filesystem::path folder = arguments[1];
  const auto db = data::connect("sqlite:" + (folder / "lines.db").string(), {sqlite::driver()});
  const auto http = client::fake(&echo);
  blocking_pool pool(1, 10);
  run([&] { return make_table(db); });
  run([&] { return rows(db); });
  run([&] { return statements(db); });
  run([&] { return calls(&http); });
  run([&] { return blocking(&pool); });
  run(&own_functions);
  serve(folder, db);
  pool.stop();
  db.stop();
  std::printf("%zu lines ran\n", seen.size());
}
