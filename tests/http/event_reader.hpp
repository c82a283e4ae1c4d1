#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace events {

struct seen {
  std::string event;  ///< "message" unless it says otherwise
  std::string data;
  std::string last_id;

  friend bool operator==(const seen&, const seen&) = default;
};

/// What an EventSource makes of a stream: the algorithm of WHATWG HTML, 9.2.6, written down from there. It
/// knows nothing of the code under test. Bytes may come in any pieces.
class reader {
 public:
  void feed(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n' && after_cr_) {
        after_cr_ = false;
        continue;
      }
      after_cr_ = c == '\r';
      if (c != '\r' && c != '\n') {
        line_ += c;
        continue;
      }
      end_line();
      line_.clear();
    }
  }

  std::vector<seen> all;
  std::vector<std::string> comments;
  std::string last_id;
  std::optional<std::string> retry;

 private:
  void end_line() {
    if (line_.empty()) return dispatch();
    if (line_.front() == ':') return comments.push_back(line_.substr(1));
    const auto colon = line_.find(':');
    const auto name = line_.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : line_.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.erase(0, 1);
    if (name == "event") event_ = value;
    if (name == "data") data_ += value + '\n';
    if (name == "id" && value.find('\0') == std::string::npos) id_ = value;
    if (name == "retry" && !value.empty() && value.find_first_not_of("0123456789") == std::string::npos)
      retry = value;
  }
  void dispatch() {
    last_id = id_;
    if (!data_.empty()) {
      data_.pop_back();
      all.push_back({event_.empty() ? "message" : event_, data_, last_id});
    }
    data_.clear();
    event_.clear();
  }

  bool after_cr_ = false;
  std::string line_;
  std::string event_;
  std::string data_;
  std::string id_;
};

}  // namespace events
