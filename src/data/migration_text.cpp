#include <algorithm>

#include "corbel/data/migrations.hpp"
#include "data/migration_header.hpp"
#include "data/migration_history.hpp"

namespace corbel::data {

using namespace detail;

namespace {

void pad(std::string& line, std::size_t from, std::size_t width) {
  const auto used = line.size() - from;
  line.append(used < width ? width - used : 0, ' ');
}

using row = std::vector<std::string>;

std::string table_of(const std::vector<row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& each : rows)
    for (std::size_t i = 0; i < each.size(); ++i) widths[i] = std::max(widths[i], each[i].size());
  std::string text;
  for (const auto& each : rows) {
    for (std::size_t i = 0; i < each.size(); ++i) {
      const auto start = text.size();
      text += each[i];
      if (i + 1 < each.size()) pad(text, start, widths[i] + 2);
    }
    text += '\n';
  }
  return text;
}

/// "0001" of "0001_add_tasks.sql"
std::string number_of(const std::string& file) {
  return file.substr(0, file.find('_'));
}

void append_step(std::string& plan, const migration& file) {
  plan += "-- " + file.file();
  plan += file.no_transaction() ? " (without a transaction, statement by statement)\n" : "\n";
  const auto sql = without_mark(file.sql);
  plan += sql;
  plan += sql.ends_with('\n') || sql.empty() ? "\n" : "\n\n";
}

}  // namespace

std::string to_text(const migration_status& status) {
  std::vector<row> rows{{"version", "name", "applied at", "duration"}};
  for (const auto& done : status.applied)
    rows.push_back({number_of(file_of(done)), done.name, corbel::to_text(done.applied_at),
                    std::to_string(done.duration_ms) + " ms"});
  for (const auto& file : status.pending)
    rows.push_back({number_of(file.file()), file.name,
                    file.no_transaction() ? "pending, without a transaction" : "pending"});
  return table_of(rows);
}

task<result<std::string>> migrations_plan(database db, migration_set set) {
  auto status = co_await migrations_status(std::move(db), std::move(set));
  if (!status) co_return std::move(status).error();
  std::string plan;
  for (const auto& file : status->pending) append_step(plan, file);
  if (!plan.empty()) {
    plan.pop_back();  // the empty line after the last file
  } else if (status->applied.empty()) {
    plan = "-- There is nothing to do: there are no migrations.\n";
  } else {
    plan = "-- There is nothing to do: the database is at " + file_of(status->applied.back()) + ".\n";
  }
  co_return plan;
}

}  // namespace corbel::data
