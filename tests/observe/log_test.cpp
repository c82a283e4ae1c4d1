#include "corbel/observe/log.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;
using corbel::captured_log;
using corbel::log_format;
using corbel::log_level;
using corbel::log_options;
using corbel::logger;

namespace {

class still_clock final : public corbel::clock {
 public:
  corbel::timestamp now() const noexcept override {
    return *corbel::parse_timestamp("2026-01-02T03:04:05.678Z");
  }
  std::chrono::steady_clock::time_point steady() const noexcept override { return {}; }
};
const still_clock still;

struct captured {
  explicit captured(log_options options = {}) {
    options.clock = &still;
    log = logger(sink, options);
  }
  std::string last() const { return sink->lines().back(); }

  std::shared_ptr<captured_log> sink = std::make_shared<captured_log>();
  logger log;
};

log_options readable() {
  log_options options;
  options.format = log_format::text;
  return options;
}

}  // namespace

TEST_CASE("a line is one JSON object: time, level, message, fields in their order") {
  captured c;
  const auto id = *corbel::parse_uuid("0190a5b0-6c1e-7cc0-8000-0123456789ab");
  c.log.info("project created", {{"projectId", id}, {"durationMs", 12ms}});
  CHECK(c.last() == R"({"time":"2026-01-02T03:04:05.678Z","level":"info","msg":"project created",)"
                    R"("projectId":"0190a5b0-6c1e-7cc0-8000-0123456789ab","durationMs":12})");
}

TEST_CASE("every kind of value has its JSON form") {
  captured c;
  const std::string text = "owned";
  c.log.warn("kinds", {{"a", nullptr},
                       {"b", true},
                       {"c", -1},
                       {"d", std::numeric_limits<std::uint64_t>::max()},
                       {"e", std::numeric_limits<std::int64_t>::min()},
                       {"f", 0.5},
                       {"g", std::numeric_limits<double>::infinity()},
                       {"h", text},
                       {"i", std::string_view("view")},
                       {"j", static_cast<const char*>(nullptr)},
                       {"k", still.now()},
                       {"l", 1500us},
                       {"m", std::optional<int>{}},
                       {"n", std::optional<std::string>{"there"}},
                       {"o", std::uint8_t{7}},
                       {"p", std::runtime_error("broken")}});
  const auto line = nlohmann::json::parse(c.last());
  CHECK(line["a"].is_null());
  CHECK(line["b"] == true);
  CHECK(line["c"] == -1);
  CHECK(line["d"] == std::numeric_limits<std::uint64_t>::max());
  CHECK(line["e"] == std::numeric_limits<std::int64_t>::min());
  CHECK(line["f"] == 0.5);
  CHECK(line["g"].is_null());
  CHECK(line["h"] == "owned");
  CHECK(line["i"] == "view");
  CHECK(line["j"] == "");
  CHECK(line["k"] == "2026-01-02T03:04:05.678Z");
  CHECK(line["l"] == 1.5);
  CHECK(line["m"].is_null());
  CHECK(line["n"] == "there");
  CHECK(line["o"] == 7);
  CHECK(line["p"] == "broken");
}

TEST_CASE("an error is logged with what its client never sees") {
  captured c;
  auto e = corbel::invalid({{"body", "/name", "minLength", "must be at least 3 characters long"}});
  c.log.error("refused", {{"error", std::move(e).because("postgres://app:s3cret@db broke")}});
  const auto line = nlohmann::json::parse(c.last())["error"];
  CHECK(line["kind"] == "invalid");
  CHECK(line["code"] == "validation_failed");
  CHECK(line["cause"] == "postgres://app:***@db broke");
  CHECK(line["violations"][0] == "body/name: must be at least 3 characters long");
}

TEST_CASE("lines below the level are not written, nor is anything without a sink") {
  captured c;
  c.log.debug("unseen");
  CHECK(c.sink->lines().empty());
  CHECK_FALSE(c.log.enabled(log_level::debug));
  CHECK(c.log.enabled(log_level::info));
  const auto chatty = c.log.at(log_level::trace);
  chatty.trace("seen");
  CHECK(c.sink->lines().size() == 1);
  c.log.at(log_level::off).fatal("unseen");
  c.log.write(log_level::off, "unseen");
  CHECK(c.sink->lines().size() == 1);

  const logger silent;
  CHECK_FALSE(silent.enabled(log_level::fatal));
  silent.fatal("unseen");
  silent.with({{"a", 1}}).at(log_level::trace).fatal("unseen");
  CHECK(silent.lost() == 0);
}

TEST_CASE("a child adds its fields to every line, and its parent stays as it was") {
  captured c;
  std::string id = "r-1";
  const auto request = c.log.with({{"requestId", id}});
  id = "changed later";
  request.with({{"userId", 7}}).info("hello", {{"n", 1}});
  CHECK(c.last().ends_with(R"("msg":"hello","requestId":"r-1","userId":7,"n":1})"));
  c.log.info("plain");
  CHECK(c.last().ends_with(R"("msg":"plain"})"));
}

TEST_CASE("secrets are hidden by their name, in lines and in bound fields") {
  log_options options;
  options.secrets.push_back("pin");
  options.revealed = {"spinCount"};
  captured c(options);
  c.log.with({{"Authorization", "Bearer abc"}})
      .info("GET postgres://u:abc@h", {{"pin", 1234}, {"set-cookie", "sid=abc"}, {"spinCount", 2}});
  CHECK(c.last().find("abc") == std::string::npos);
  CHECK(c.last().find("1234") == std::string::npos);
  CHECK(c.last().ends_with(R"("Authorization":"***","pin":"***","set-cookie":"***","spinCount":2})"));
}

TEST_CASE("no text forges a line, a field or a terminal's command") {
  const std::string evil =
      "x\n{\"level\":\"fatal\"}\r\x1b[2J\x7f\x00y\xc2\x9b"
      "31m\xff\"";
  captured json;
  json.log.info(evil, {{evil, evil}, {"level", "fatal"}});
  CHECK(json.sink->lines().size() == 1);
  const auto line = nlohmann::json::parse(json.last());
  CHECK(line["level"] == "info");
  CHECK(line["level_"] == "fatal");

  captured text(readable());
  text.log.info(evil, {{evil, evil}});
  for (const char c : text.last()) CHECK((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
  CHECK(text.last().find("\xc2\x9b") == std::string::npos);
}

TEST_CASE("random bytes always make one valid line") {
  captured json;
  captured text(readable());
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (auto& b : bytes) b = static_cast<char>(random());
    json.sink->clear();
    json.log.info(bytes, {{bytes, bytes}});
    REQUIRE(json.sink->lines().size() == 1);
    REQUIRE(nlohmann::json::accept(json.last()));
    text.sink->clear();
    text.log.info(bytes, {{bytes, bytes}});
    REQUIRE(text.last().find('\n') == std::string::npos);
    REQUIRE(text.last().find('\x1b') == std::string::npos);
  }
}

TEST_CASE("a huge text is cut, at a character's border") {
  captured c;
  std::string huge(8191, 'a');
  for (int i = 0; i < 5000; ++i) huge += "\xc3\xa9";
  c.log.info("big", {{"text", huge}});
  const std::string text = nlohmann::json::parse(c.last())["text"];
  CHECK(text.substr(8191) == "... (10000 more bytes)");
}

TEST_CASE("the readable form is for a person") {
  captured c(readable());
  c.log.warn("slow \"query\"", {{"sql", "select 1"}, {"took", 1500us}, {"rows", 3}, {"table", "projects"}});
  CHECK(c.last() == "03:04:05.678 WARN  slow \"query\" sql=\"select 1\" took=1.5ms rows=3 table=projects");
  c.log.error("refused", {{"error", corbel::conflict("The name is taken.").because("unique index")}});
  CHECK(c.last() == "03:04:05.678 ERROR refused error=conflict: The name is taken. (unique index)");
}

TEST_CASE("lost lines are counted, and told when there is room again") {
  class narrow final : public corbel::log_sink {
   public:
    bool write(std::string_view line) noexcept override { return open && kept.write(line); }
    bool open = false;
    captured_log kept;
  };
  const auto sink = std::make_shared<narrow>();
  const logger log(sink);
  log.info("one");
  log.with({{"a", 1}}).info("two");
  CHECK(log.lost() == 2);
  sink->open = true;
  log.info("three");
  log.info("four");
  const auto lines = sink->kept.lines();
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].ends_with(R"("level":"warn","msg":"log lines were lost","lost":2})"));
  CHECK(log.lost() == 2);
}

TEST_CASE("level names read back") {
  for (const auto level : {log_level::trace, log_level::debug, log_level::info, log_level::warn,
                           log_level::error, log_level::fatal, log_level::off})
    CHECK(corbel::parse_log_level(corbel::to_text(level)) == level);
  CHECK_FALSE(corbel::parse_log_level("INFO"));
  CHECK_FALSE(corbel::parse_log_level(""));
}

TEST_CASE("loggers are used from many threads") {
  captured c;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&c, t] {
      const auto mine = c.log.with({{"thread", t}});
      for (int i = 0; i < 500; ++i) mine.info("step", {{"i", i}});
    });
  for (auto& t : threads) t.join();
  const auto lines = c.sink->lines();
  CHECK(lines.size() == 4000);
  for (const auto& line : lines) REQUIRE(nlohmann::json::accept(line));
}
