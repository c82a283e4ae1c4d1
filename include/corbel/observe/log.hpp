#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <corbel/base/clock.hpp>
#include <corbel/base/describe/describe.hpp>
#include <corbel/observe/log_sink.hpp>
#include <corbel/observe/log_value.hpp>

namespace corbel {

enum class log_level : std::uint8_t { trace, debug, info, warn, error, fatal, off };

/// So that a service's settings can have a `logLevel`, read from LOG_LEVEL.
constexpr auto describe(tag<log_level>) {
  using namespace rules;
  return enumeration(value("trace", log_level::trace), value("debug", log_level::debug),
                     value("info", log_level::info), value("warn", log_level::warn),
                     value("error", log_level::error), value("fatal", log_level::fatal),
                     value("off", log_level::off));
}

/// "info"; "unknown" for a value that is no level.
std::string_view to_text(log_level level) noexcept;
/// Empty for any other text. Case matters.
std::optional<log_level> parse_log_level(std::string_view text) noexcept;

enum class log_format : std::uint8_t {
  automatic,  ///< text on a terminal, otherwise json
  json,       ///< {"time":"2026-01-02T03:04:05.678Z","level":"info","msg":"project created","durationMs":3}
  text,       ///< 03:04:05.678 INFO  project created durationMs=3
};

struct log_options {
  log_level level = log_level::info;  ///< the lowest that is written
  log_format format = log_format::automatic;
  /// A field is shown as "***" when its name holds one of these words; case, `-` and `_` do not count, so
  /// "token" covers "accessToken" and "X-Refresh-Token".
  std::vector<std::string> secrets = {"password",      "passwd", "passphrase", "secret",     "token",
                                      "authorization", "cookie", "apikey",     "privatekey", "credential"};
  /// Whole names that are shown although they hold such a word, such as "tokenCount".
  std::vector<std::string> revealed = {};
  const corbel::clock* clock = &system_clock();  ///< outlives the logger
};

/// Structured logs. A small value: pass it on, copy it, keep it. Every call may come from any thread. Logging
/// neither waits nor throws; a line that finds no place is lost and counted, and the next line that
/// finds one is followed by a line that says how many were lost.
///
/// Texts cannot forge lines: control characters and bytes that are not UTF-8 are escaped, and texts are
/// cut at 8 KiB. The password of a URL ("postgres://app:...@host") is shown as "***" wherever it stands.
class logger {
 public:
  /// Writes nothing.
  logger() = default;
  logger(std::shared_ptr<log_sink> sink, const log_options& options = {});

  /// Whether a line of this level would be written; for fields that are dear to compute.
  bool enabled(log_level level) const noexcept { return level >= level_ && level < log_level::off; }

  /// `message` is a constant sentence without values, so that lines can be grouped; values are fields.
  /// A field named time, level or msg gets a `_` behind its name.
  void write(log_level level, std::string_view message, log_fields fields = {}) const noexcept {
    if (enabled(level)) write_enabled(level, message, fields);
  }
  void trace(std::string_view m, log_fields f = {}) const noexcept { write(log_level::trace, m, f); }
  void debug(std::string_view m, log_fields f = {}) const noexcept { write(log_level::debug, m, f); }
  void info(std::string_view m, log_fields f = {}) const noexcept { write(log_level::info, m, f); }
  void warn(std::string_view m, log_fields f = {}) const noexcept { write(log_level::warn, m, f); }
  void error(std::string_view m, log_fields f = {}) const noexcept { write(log_level::error, m, f); }
  /// For what ends the service. It only logs.
  void fatal(std::string_view m, log_fields f = {}) const noexcept { write(log_level::fatal, m, f); }

  /// A logger that adds these fields to every line, such as `{"requestId", id}`. They are rendered now, once.
  logger with(log_fields fields) const;
  /// The same logger with another lowest level.
  logger at(log_level level) const;

  /// Lines that were lost since the sink was given, for all loggers that came of it.
  std::uint64_t lost() const noexcept;

 private:
  struct core;
  void write_enabled(log_level level, std::string_view message, log_fields fields) const noexcept;

  std::shared_ptr<core> core_;
  std::string bound_;  // the fields of `with`, as the lines' format has them
  log_level level_ = log_level::off;
};

/// A logger to standard error.
logger log_to_stderr(const log_options& options = {});

}  // namespace corbel
