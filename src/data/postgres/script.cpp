#include "data/postgres/script.hpp"

#include <algorithm>

#include "corbel/data/sql.hpp"
#include "data/sql_words.hpp"

namespace corbel::postgres {
namespace {

using data::detail::begins_word;
using data::detail::is_digit;

class splitter {
 public:
  explicit splitter(std::string_view script) : sql_(script) {}

  std::vector<script_statement> split() {
    while (at_ < sql_.size()) step();
    finish(sql_.size());
    return std::move(all_);
  }

 private:
  void step() {
    const char c = sql_[at_];
    const auto two = sql_.substr(at_, 2);
    if (two == "--")
      at_ = std::min(sql_.find('\n', at_), sql_.size());
    else if (two == "/*")
      skip_comment();
    else if (c == ';' && depth_ == 0)
      finish(at_++);
    else if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == ';')
      ++at_;
    else
      inside(c);
  }

  /// Something of a statement.
  void inside(char c) {
    if (start_ == none) start_ = at_;
    if (c == '\'' || c == '"')
      skip_quoted(false);
    else if (c == '$')
      skip_dollars();
    else if (begins_word(c))
      word();
    else
      ++at_;
  }

  void word() {
    const auto from = at_;
    while (at_ < sql_.size() && (begins_word(sql_[at_]) || is_digit(sql_[at_]) || sql_[at_] == '$')) ++at_;
    const auto text = sql_.substr(from, at_ - from);
    if (data::is_word(text, "e") && at_ < sql_.size() && sql_[at_] == '\'') return skip_quoted(true);
    // BEGIN ATOMIC ... END, with CASE ... END inside.
    if (data::is_word(text, "atomic") && data::is_word(last_word_, "begin"))
      ++depth_;
    else if (depth_ > 0 && data::is_word(text, "case"))
      ++depth_;
    else if (depth_ > 0 && data::is_word(text, "end"))
      --depth_;
    last_word_ = text;
  }

  void skip_quoted(bool backslashes) {
    const auto end = data::detail::skip_quoted(sql_, at_, backslashes);
    at_ = end == std::string_view::npos ? sql_.size() : end;
  }

  /// $tag$ ... $tag$, or a lone dollar.
  void skip_dollars() {
    auto end = at_ + 1;
    while (end < sql_.size() && (begins_word(sql_[end]) || is_digit(sql_[end]))) ++end;
    const bool is_tag = end < sql_.size() && sql_[end] == '$' && (end == at_ + 1 || !is_digit(sql_[at_ + 1]));
    if (!is_tag) {
      at_ = end;
      return;
    }
    const auto tag = sql_.substr(at_, end + 1 - at_);
    const auto close = sql_.find(tag, end + 1);
    at_ = close == std::string_view::npos ? sql_.size() : close + tag.size();
  }

  void skip_comment() {
    int open = 0;
    while (at_ < sql_.size()) {
      const auto two = sql_.substr(at_, 2);
      if (two == "/*") {
        ++open;
        at_ += 2;
      } else if (two == "*/") {
        at_ += 2;
        if (--open == 0) return;
      } else {
        ++at_;
      }
    }
  }

  void finish(std::size_t end) {
    if (start_ != none) {
      line_ += static_cast<std::size_t>(std::count(sql_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                                   sql_.begin() + static_cast<std::ptrdiff_t>(start_), '\n'));
      counted_ = start_;
      all_.push_back({sql_.substr(start_, end - start_), line_});
    }
    start_ = none;
    depth_ = 0;
    last_word_ = {};
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::string_view sql_;
  std::size_t at_ = 0;
  std::size_t start_ = none;
  std::size_t line_ = 1;
  std::size_t counted_ = 0;
  int depth_ = 0;
  std::string_view last_word_;
  std::vector<script_statement> all_;
};

}  // namespace

std::vector<script_statement> split_script(std::string_view script) {
  return splitter(script).split();
}

}  // namespace corbel::postgres
