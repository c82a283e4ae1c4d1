#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace {

// region: multipart
struct postcard {
  std::string text;
  corbel::upload photo;
  std::vector<corbel::upload> more;
};
constexpr auto describe(corbel::tag<postcard>) {
  using namespace corbel::rules;
  return object(field("text", &postcard::text, text().trim().min(1).max(500)),
                field("photo", &postcard::photo, file().max_bytes(5 << 20).types("image/png", "image/jpeg")),
                field("more", &postcard::more, list_of(file().max_bytes(1 << 20)).max(3).defaulted()));
}

struct album {
  std::string directory;
};

corbel::task<std::string> send_card(corbel::multipart<postcard> card, corbel::state<album> photos) {
  const auto name = card->photo.safe_name();  // filename() is what the client says: only to be shown
  co_await card->photo.save_as(photos->directory + '/' + name);  // 409 when it is there already
  co_return name + ", " + std::to_string(card->photo.size()) + " bytes";
}
// end: multipart

// region: multipart-stream
// Part by part, while it arrives: for what is larger than a disk should hold, or goes elsewhere at once.
corbel::task<std::string> measure(corbel::multipart_stream form) {
  std::string sizes;
  while (auto* part = co_await form.next()) {
    std::size_t size = 0;
    for (auto piece = co_await part->read(); !piece.empty(); piece = co_await part->read())
      size += piece.size();
    sizes += part->name() + '=' + std::to_string(size) + ' ';
  }
  co_return sizes;
}
// end: multipart-stream

// region: events
struct score {
  std::string team;
  int goals = 0;
};
constexpr auto describe(corbel::tag<score>) {
  using namespace corbel::rules;
  return object(field("team", &score::team), field("goals", &score::goals));
}

// The channel keeps the latest events: a client that comes back names the last one it has seen, and goes on
// from there.
corbel::event_stream watch(corbel::state<corbel::event_channel> scores, corbel::last_event_id last) {
  return corbel::event_stream(scores->subscribe(last)).retry(std::chrono::seconds(2));
}

corbel::no_content goal(corbel::body<score> scored, corbel::state<corbel::event_channel> scores) {
  scores->publish_json(*scored, corbel::server_event().event("goal"));
  return {};
}

// Or a producer of your own: it may capture, and is cancelled when its client vanishes.
corbel::event_stream countdown(corbel::path<int, "from"> from) {
  return corbel::event_stream([n = *from](corbel::event_sink& to) -> corbel::task<> {
    for (int i = n; i > 0; --i) co_await to.send(std::to_string(i));
    co_await to.send(corbel::server_event("lift-off").event("end").id("0"));
  });
}
// end: events

}  // namespace

TEST_CASE("the forms and events of the HTTP page do what the page says") {
  album photos{std::filesystem::temp_directory_path().string()};
  corbel::event_channel scores;
  corbel::app_settings settings;
  settings.log = corbel::logger();
  corbel::app server(std::move(settings));
  server.provide(photos).provide(scores);
  // region: mount
  corbel::multipart_settings uploads;
  uploads.file_memory = 16 * 1024;  // larger files go to disk
  corbel::blocking_pool disk(2, 100);
  server.provide(uploads).provide(disk);
  server.post("/cards", &send_card).body_limit(10 << 20);
  // end: mount
  server.post("/measure", &measure).body_limit(1 << 30);
  server.get("/scores", &watch);
  server.post("/goals", &goal);
  server.get("/countdown/:from", &countdown);

  const auto part = [](std::string head, std::string body) {
    return "--b\r\nContent-Disposition: form-data; " + head + "\r\n\r\n" + body + "\r\n";
  };
  const auto send = [&](std::string path, std::string body) {
    return server.inject(
        corbel::post(std::move(path)).body(body + "--b--\r\n", "multipart/form-data; boundary=b"));
  };
  const auto name = "corbel-docs-" + corbel::to_text(corbel::uuid::v7()) + ".png";
  const auto photo =
      part("name=photo; filename=\"../" + name + "\"\r\nContent-Type: image/png", std::string(20'000, 'x'));
  CHECK(send("/cards", part("name=text", "Sea") + photo).body() == name + ", 20000 bytes");
  CHECK(send("/cards", part("name=text", "Sea") + photo).code() == 409);
  CHECK(send("/cards", part("name=text", " ")).body().find(R"("path":"/photo")") != std::string::npos);
  CHECK(std::remove((photos.directory + '/' + name).c_str()) == 0);
  CHECK(send("/measure", part("name=a", "12") + photo).body() == "a=2 photo=20000 ");

  CHECK(server.inject(corbel::post("/goals").json(R"({"team":"A","goals":1})")).code() == 204);
  scores.close();
  const auto first = server.inject(corbel::get("/scores").header("Last-Event-ID", "unknown"));
  CHECK(first.body().find("event: missed\n") != std::string::npos);
  CHECK(first.body().find(R"(data: {"team":"A","goals":1})") != std::string::npos);
  const auto count = server.inject(corbel::get("/countdown/2"));
  CHECK(count.header("Content-Type") == "text/event-stream");
  CHECK(count.body() == ":\n\ndata: 2\n\ndata: 1\n\nevent: end\nid: 0\ndata: lift-off\n\n");
}
