#include "corbel/observe/log.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <utility>

#include "observe/log_format.hpp"

namespace corbel {
namespace {

constexpr std::array<std::string_view, 7> level_names{"trace", "debug", "info", "warn",
                                                      "error", "fatal", "off"};

/// The convention of no-color.org, and terminals that cannot.
bool colours_wanted() {
  const char* no = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return !(no && *no) && !(terminal && std::string_view(terminal) == "dumb");
}

observe::line_format format_for(const log_sink& sink, const log_options& options) {
  const bool terminal = sink.is_terminal();
  const bool json =
      options.format == log_format::json || (options.format == log_format::automatic && !terminal);
  return {json, terminal && colours_wanted(), {options.secrets, options.revealed}};
}

}  // namespace

std::string_view to_text(log_level level) noexcept {
  const auto index = static_cast<std::size_t>(level);
  return index < level_names.size() ? level_names[index] : "unknown";
}

std::optional<log_level> parse_log_level(std::string_view text) noexcept {
  for (std::size_t i = 0; i < level_names.size(); ++i)
    if (level_names[i] == text) return static_cast<log_level>(i);
  return {};
}

struct logger::core {
  core(std::shared_ptr<log_sink> to, const log_options& options)
      : sink(std::move(to)), format(format_for(*sink, options)), clock(options.clock) {}

  void lose(std::uint64_t lines) noexcept {
    lost.fetch_add(lines, std::memory_order_relaxed);
    unreported.fetch_add(lines, std::memory_order_relaxed);
  }

  void write(std::string_view line) noexcept {
    if (!sink->write(line)) return lose(1);
    if (unreported.load(std::memory_order_relaxed) == 0) return;
    if (const auto count = unreported.exchange(0, std::memory_order_relaxed)) report(count);
  }

  void report(std::uint64_t count) noexcept {
    bool told = false;
    try {
      told = sink->write(
          format.line(clock->now(), log_level::warn, "log lines were lost", {}, {{"lost", count}}));
    } catch (...) {  // no memory for the line: it is told later
    }
    if (!told) unreported.fetch_add(count, std::memory_order_relaxed);
  }

  const std::shared_ptr<log_sink> sink;
  const observe::line_format format;
  const corbel::clock* const clock;
  std::atomic<std::uint64_t> lost{0};
  std::atomic<std::uint64_t> unreported{0};
};

logger::logger(std::shared_ptr<log_sink> sink, const log_options& options)
    : core_(std::make_shared<core>(std::move(sink), options)), level_(options.level) {}

void logger::write_enabled(log_level level, std::string_view message, log_fields fields) const noexcept {
  if (!core_) return;
  try {
    core_->write(core_->format.line(core_->clock->now(), level, message, bound_, fields));
  } catch (...) {  // no memory for the line: the service matters more
    core_->lose(1);
  }
}

logger logger::with(log_fields fields) const {
  logger child = *this;
  if (core_)
    for (const auto& field : fields) core_->format.append_field(child.bound_, field);
  return child;
}

logger logger::at(log_level level) const {
  logger other = *this;
  if (core_) other.level_ = level;
  return other;
}

std::uint64_t logger::lost() const noexcept {
  return core_ ? core_->lost.load(std::memory_order_relaxed) : 0;
}

logger log_to_stderr(const log_options& options) {
  return {log_to_descriptor(STDERR_FILENO), options};
}

}  // namespace corbel
