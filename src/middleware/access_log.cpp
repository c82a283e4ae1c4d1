#include "corbel/middleware/access_log.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "corbel/observe/log.hpp"

namespace corbel {
namespace {

log_level level_of(int code) {
  return code >= 500 ? log_level::error : code >= 400 ? log_level::warn : log_level::info;
}

/// Null where there is no route, so that nobody counts it as one that is called "".
log_value or_null(std::string_view route) {
  return route.empty() ? log_value(nullptr) : log_value(route);
}

/// The line of a response whose length is known when it has been sent. The request may be gone by then.
class late_line {
 public:
  late_line(const request& in, int code)
      : log_(in.log()),
        method_(in.method_name()),
        path_(in.path()),
        route_(in.route_path()),
        client_(in.client()),
        code_(code),
        began_(std::chrono::steady_clock::now() - in.elapsed()) {}
  late_line(const late_line&) = delete;
  late_line& operator=(const late_line&) = delete;
  ~late_line() { write(); }

  void add(std::size_t bytes) noexcept { bytes_ += bytes; }
  void write() noexcept {
    if (std::exchange(written_, true)) return;
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - began_;
    log_.write(level_of(code_), "request",
               {{"method", method_},
                {"path", path_},
                {"route", or_null(route_)},
                {"status", code_},
                {"durationMs", took},
                {"bytes", bytes_},
                {"client", client_}});
  }

 private:
  logger log_;
  std::string method_, path_, route_, client_;
  int code_;
  std::chrono::steady_clock::time_point began_;
  std::uint64_t bytes_ = 0;
  bool written_ = false;
};

class counting_sink final : public body_sink {
 public:
  counting_sink(body_sink& to, late_line& line) : to_(to), line_(line) {}
  ~counting_sink() override { line_.write(); }  // also when the stream was cut short
  task<> write(std::string_view bytes) override {
    line_.add(bytes.size());
    return to_.write(bytes);
  }
  task<> flush() override { return to_.flush(); }

 private:
  body_sink& to_;
  late_line& line_;
};

struct counted_stream {
  body_producer produce;
  std::shared_ptr<late_line> line;
  task<> operator()(body_sink& to) const {
    counting_sink through(to, *line);
    co_await produce(through);
  }
};

bool sends_body(const request& in, int code) {
  return in.method() != method::head && code != 204 && code != 304;
}

}  // namespace

void access_log::after(const request& in, response& out) const {
  const auto code = static_cast<int>(out.status());
  if (const auto* streamed = out.streams(); streamed && sends_body(in, code)) {
    if (!in.log().enabled(level_of(code))) return;
    out.replace_stream({counted_stream{streamed->produce, std::make_shared<late_line>(in, code)},
                        streamed->length, streamed->endless});
    return;
  }
  in.log().write(level_of(code), "request",
                 {{"method", in.method_name()},
                  {"path", in.path()},
                  {"route", or_null(in.route_path())},
                  {"status", code},
                  {"durationMs", in.elapsed()},
                  {"bytes", out.body().size()},
                  {"client", in.client()}});
}

}  // namespace corbel
