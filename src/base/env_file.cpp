#include "corbel/base/env_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <tuple>
#include <utility>

namespace corbel::settings {
namespace {

constexpr std::size_t most_bytes = 1 << 20;

bool starts_name(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

class parser {
 public:
  parser(std::string_view text, std::string_view name) : text_(text), name_(name) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  }

  env_file run() {
    while (!text_.empty()) {
      start_ = line_;
      if (const char* problem = statement()) {
        problems_.push_back(place() + ": " + problem);
        rest_of_line();
      }
    }
    return {std::move(variables_), std::move(problems_)};
  }

 private:
  /// One line, its newline included. A sentence when it is broken.
  const char* statement() {
    skip_blanks();
    if (at_end_of_statement()) return rest_of_line(), nullptr;
    std::string name = word();
    if (name == "export" && !text_.empty() && is_blank(text_.front())) {
      skip_blanks();
      name = word();
    }
    skip_blanks();
    if (name.empty() || text_.empty() || text_.front() != '=')
      return "this is no assignment; write NAME=value, with letters, digits and _ in the name.";
    take();
    skip_blanks();
    std::string value;
    if (const char* problem = this->value(value)) return problem;
    skip_blanks();
    if (!at_end_of_statement())
      return "there is text behind the closing quote; put the whole value into one pair of quotes.";
    rest_of_line();
    const auto same = [&](const variable& v) { return v.name == name; };
    if (std::any_of(variables_.begin(), variables_.end(), same))
      return problems_.push_back(place() + ": " + name + " is set a second time; keep one of the two."),
             nullptr;
    variables_.push_back({std::move(name), std::move(value), place()});
    return nullptr;
  }

  const char* value(std::string& out) {
    if (!text_.empty() && text_.front() == '\'') return single_quoted(out);
    if (!text_.empty() && text_.front() == '"') return double_quoted(out);
    const auto end = std::min(text_.find('\n'), text_.size());
    auto plain = text_.substr(0, end);
    for (std::size_t i = 0; i < plain.size(); ++i)
      if (plain[i] == '#' && (i == 0 || is_blank(plain[i - 1]))) plain = plain.substr(0, i);
    while (!plain.empty() && (is_blank(plain.back()) || plain.back() == '\r')) plain.remove_suffix(1);
    if (plain.find('\0') != plain.npos) return "the value holds a NUL byte, which no variable can.";
    out = plain;
    text_.remove_prefix(end);
    return nullptr;
  }

  const char* single_quoted(std::string& out) {
    const auto end = text_.find('\'', 1);
    if (end == text_.npos) return "the quote ' is never closed.";
    for (take(); text_.front() != '\'';) out += take();
    take();
    return nullptr;
  }

  const char* double_quoted(std::string& out) {
    const auto before = std::pair(text_, line_);
    const auto fail = [&](const char* problem) {
      std::tie(text_, line_) = before;
      return problem;
    };
    take();
    while (!text_.empty()) {
      const char c = take();
      if (c == '"') return nullptr;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (text_.empty()) break;
      switch (const char escaped = take()) {
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        case '\\':
        case '"':
        case '$': out += escaped; break;
        default: return fail("a \\ is followed by none of n r t \\ \" $; write \\\\ for a backslash.");
      }
    }
    return fail("the quote \" is never closed.");
  }

  std::string word() {
    std::string out;
    while (!text_.empty() &&
           (starts_name(text_.front()) || (!out.empty() && text_.front() >= '0' && text_.front() <= '9')))
      out += take();
    return out;
  }

  char take() {
    const char c = text_.front();
    text_.remove_prefix(1);
    if (c == '\n') ++line_;
    return c;
  }
  void skip_blanks() {
    while (!text_.empty() && is_blank(text_.front())) text_.remove_prefix(1);
  }
  bool at_end_of_statement() const {
    return text_.empty() || text_.front() == '\n' || text_.front() == '#' || text_.starts_with("\r\n") ||
           text_ == "\r";
  }
  void rest_of_line() {
    while (!text_.empty())
      if (take() == '\n') return;
  }
  std::string place() const { return std::string(name_) + ", line " + std::to_string(start_); }

  std::string_view text_;
  std::string_view name_;
  std::size_t line_ = 1;
  std::size_t start_ = 1;  // of the statement being read
  std::vector<variable> variables_;
  std::vector<std::string> problems_;
};

}  // namespace

env_file parse_env_file(std::string_view text, std::string_view name) {
  return parser(text, name).run();
}

env_file read_env_file(const std::string& path) {
  const auto refuse = [&](std::string why) { return env_file{{}, {path + " cannot be read: " + why}}; };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) return errno == ENOENT ? env_file{} : refuse(std::string(std::strerror(errno)) + ".");
  std::string text(most_bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get())) return refuse(std::string(std::strerror(errno)) + ".");
  if (text.size() > most_bytes) return refuse("it is larger than 1 MiB.");
  return parse_env_file(text, path);
}

}  // namespace corbel::settings
