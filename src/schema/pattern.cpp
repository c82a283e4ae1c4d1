#include "corbel/schema/pattern.hpp"

#include <re2/re2.h>

#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

namespace corbel::schema {
namespace {

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

std::unique_ptr<re2::RE2> compile(std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return std::make_unique<re2::RE2>(piece(pattern), options);
}

/// Every pattern of the program. Entries never move and never go, so views and pointers into it last.
class pattern_store {
 public:
  struct entry {
    std::string text;
    std::unique_ptr<re2::RE2> compiled;
  };
  const entry& get(std::string_view pattern) {
    const std::lock_guard lock(mutex_);
    auto at = all_.find(pattern);
    if (at == all_.end()) {
      auto made = std::make_unique<entry>(entry{std::string(pattern), compile(pattern)});
      const std::string_view key = made->text;
      at = all_.emplace(key, std::move(made)).first;
    }
    return *at->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string_view, std::unique_ptr<entry>> all_;
};

const re2::RE2& compiled(std::string_view pattern) {
  static pattern_store shared;
  // A copy of the pointers per thread keeps the lock off the path of a request.
  thread_local std::unordered_map<std::string_view, const re2::RE2*> known;
  if (const auto at = known.find(pattern); at != known.end()) return *at->second;
  const auto& entry = shared.get(pattern);
  known.emplace(entry.text, entry.compiled.get());
  return *entry.compiled;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  const re2::RE2& re = compiled(pattern);
  if (!re.ok())
    throw std::invalid_argument("corbel: the pattern " + std::string(pattern) +
                                " does not compile: " + re.error() +
                                ". Patterns are RE2's, without look-around and back-references.");
  return re2::RE2::PartialMatch(piece(text), re);
}

std::optional<std::string> pattern_problem(std::string_view pattern) {
  const auto re = compile(pattern);
  if (re->ok()) return {};
  return re->error();
}

}  // namespace corbel::schema
