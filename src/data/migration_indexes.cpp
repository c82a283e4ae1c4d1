#include <set>
#include <vector>

#include "data/migration_header.hpp"
#include "data/sql_tokens.hpp"

namespace corbel::data::detail {
namespace {

/// The tokens of one statement, from the first.
class words {
 public:
  explicit words(const std::vector<sql_token>& all) : all_(all) {}

  bool take(std::string_view keyword) {
    if (at_ == all_.size() || !all_[at_].is_word(keyword)) return false;
    return ++at_, true;
  }
  bool take(char symbol) {
    if (at_ == all_.size() || !all_[at_].is_symbol(symbol)) return false;
    return ++at_, true;
  }
  /// The last part of a name that may have a schema before it.
  std::string take_name() {
    std::string name;
    do {
      if (at_ < all_.size()) name = all_[at_++].name();
    } while (take('.'));
    return name;
  }

 private:
  const std::vector<sql_token>& all_;
  std::size_t at_ = 0;
};

class index_check {
 public:
  index_check(std::string_view file, bool bare)
      : start_("The migration \"" + std::string(file) + "\" "), bare_(bare) {}

  void look_at(const std::vector<sql_token>& statement) {
    words reading(statement);
    if (reading.take("create")) {
      reading.take("unique");
      if (reading.take("index") && reading.take("concurrently")) look_at_create(reading);
    } else if (reading.take("drop")) {
      if (reading.take("index")) look_at_drop(reading);
    }
  }

 private:
  void require_bare() const {
    if (!bare_)
      refuse_migration(start_ +
                       "uses INDEX CONCURRENTLY, which Postgres does not allow in a transaction. Put it into "
                       "a file of its own that begins with the line \"-- corbel: no-transaction\".");
  }

  void look_at_create(words reading) const {
    require_bare();
    const bool keeps = reading.take("if");
    reading.take("not");
    reading.take("exists");
    if (reading.take("on"))
      refuse_migration(start_ +
                       "makes an index CONCURRENTLY without naming it, so a second attempt after an "
                       "interruption would make a second one. Name it, and write: " +
                       pattern("NAME"));
    const auto name = reading.take_name();
    if (keeps)
      refuse_migration(start_ + "makes the index " + name +
                       " CONCURRENTLY and IF NOT EXISTS. An interrupted attempt leaves an INVALID index, "
                       "which IF NOT EXISTS would keep for good. Write: " +
                       pattern(name));
    if (!dropped_.contains(name))
      refuse_migration(start_ + "makes the index " + name +
                       " CONCURRENTLY. An interrupted attempt leaves an INVALID index, at which the next one "
                       "would fail. Write: " +
                       pattern(name));
  }

  void look_at_drop(words reading) {
    if (reading.take("concurrently")) require_bare();
    if (!reading.take("if")) return;
    reading.take("exists");
    do dropped_.insert(reading.take_name());
    while (reading.take(','));
  }

  static std::string pattern(const std::string& name) {
    return "drop index concurrently if exists " + name + "; create index concurrently " + name + " on ...";
  }

  const std::string start_;
  const bool bare_;
  std::set<std::string> dropped_;
};

}  // namespace

void check_concurrent_indexes(std::string_view file, std::string_view sql) {
  index_check check(file, says_no_transaction(sql));
  std::vector<sql_token> statement;
  sql_tokens tokens(without_mark(sql));
  for (auto token = tokens.next(); token; token = tokens.next()) {
    if (token->is == sql_token::kind::comment) continue;
    if (!token->is_symbol(';')) {
      statement.push_back(*token);
      continue;
    }
    check.look_at(statement);
    statement.clear();
  }
  check.look_at(statement);
}

}  // namespace corbel::data::detail
