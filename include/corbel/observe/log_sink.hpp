#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace corbel {

/// Where log lines go. Called from any thread, several at once.
class log_sink {
 public:
  virtual ~log_sink() = default;
  /// Takes one line, whole, its newline included. False when it was lost. Must neither wait nor throw: event
  /// loops log.
  virtual bool write(std::string_view line) noexcept = 0;
  /// A person reads it as it is written.
  virtual bool is_terminal() const noexcept { return false; }
};

/// Writes each line by one write(2) to a descriptor that stays the caller's and open. Lines of several
/// threads never mix. A pipe, terminal or socket whose reader is slow or gone costs the lines it has no room
/// for, never time: nothing waits, and no SIGPIPE is left behind. A regular file is written to directly.
std::shared_ptr<log_sink> log_to_descriptor(int descriptor);

/// Keeps lines for a test to look at.
class captured_log final : public log_sink {
 public:
  bool write(std::string_view line) noexcept override;
  /// What was written so far, each without its newline.
  std::vector<std::string> lines() const;
  /// Whether any line holds the text.
  bool contains(std::string_view text) const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace corbel
