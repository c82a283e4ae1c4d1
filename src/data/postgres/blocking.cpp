#include "corbel/data/postgres/blocking.hpp"

#include "corbel/data/postgres/database.hpp"
#include "data/postgres/backend.hpp"
#include "data/postgres/blocking_side.hpp"
#include "data/postgres/errors.hpp"

namespace corbel::postgres::detail {
namespace {

task<void> run_there(std::shared_ptr<blocking_side> side, session_maker how,
                     std::shared_ptr<blocking_work> work) {
  const auto mine = co_await blocking_side::take(side, how.kind);
  co_await blocking_side::run(side, mine.seat(), how, std::move(work));
}

/// libpq's text: "ERROR:  what happened\nDETAIL:  more\n".
std::string line_behind(const std::string& text, std::string_view label) {
  const auto at = text.find(label);
  if (at == text.npos) return {};
  auto rest = text.substr(at + label.size());
  rest.erase(0, rest.find_first_not_of(' '));
  return rest.substr(0, rest.find('\n'));
}

/// The n-th name in double quotes, from the end when n is negative.
std::vector<std::string> quoted_in(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t at = text.find('"'); at != text.npos; at = text.find('"', at + 1)) {
    const auto end = text.find('"', at + 1);
    if (end == text.npos) break;
    all.push_back(text.substr(at + 1, end - at - 1));
    at = end;
  }
  return all;
}

/// What the server's report would have said in fields of its own. The words may be translated; the names keep
/// their order.
void guess_names(server_report& said) {
  const auto names = quoted_in(said.message);
  if (names.empty() || !said.sql_state.starts_with("23")) return;
  if (said.sql_state == "23502") {
    said.column = names.front();
    if (names.size() > 1) said.table = names[1];
  } else if (said.sql_state == "23503" && names.size() > 2) {
    said.constraint = names[1];
    said.table = names[2];
  } else {
    said.constraint = names.back();
    if (names.size() > 1) said.table = names.front();
  }
}

}  // namespace

task<void> run_blocking(const postgres::database& on, session_maker how,
                        std::shared_ptr<blocking_work> work) {
  return run_there(on.internals().state()->blocking(), how, std::move(work));
}

error reported_error(std::string state, const std::string& what, const std::string& sql) {
  server_report said;
  said.sql_state = std::move(state);
  const auto colon = what.find(":  ");
  said.severity = colon == what.npos ? "ERROR" : what.substr(0, colon);
  said.message = colon == what.npos ? what : line_behind(what, what.substr(0, colon + 1));
  said.detail = line_behind(what, "DETAIL:");
  said.hint = line_behind(what, "HINT:");
  guess_names(said);
  return to_error(std::move(said), sql);
}

error broken_error(const std::string& what, bool in_doubt) {
  return in_doubt ? unknown_outcome(what) : connection_error(what);
}

}  // namespace corbel::postgres::detail
