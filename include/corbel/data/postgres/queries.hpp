#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <corbel/base/error.hpp>
#include <corbel/data/database.hpp>
#include <corbel/data/entity.hpp>
#include <corbel/data/list_query.hpp>

namespace corbel::postgres {

/// What becomes of a row that someone else has locked.
enum class locked_rows : std::uint8_t {
  wait,     ///< until it is free
  no_wait,  ///< a conflict at once, "row_locked"
  skip,     ///< passed over
};

/// What to look for: `text_search("apollo").excerpt_of("body").limited_to(5)`, or a named one whose members
/// are set.
struct text_search {
  /// It is no aggregate, so that a temporary may stand in a `co_await` with every compiler.
  text_search() = default;
  explicit text_search(std::string words) : text(std::move(words)) {}

  std::string text;                  ///< as a person types it: `apollo -"moon landing" or gemini`
  std::string vector = "search";     ///< the tsvector column, in SQL's spelling
  std::string language = "english";  ///< the text search configuration that the column was made with
  std::string highlight{};           ///< the field, by wire name, of which the hits show an excerpt
  std::size_t limit = 20;
  std::size_t offset = 0;

  text_search& in_column(std::string tsvector) & {
    vector = std::move(tsvector);
    return *this;
  }
  text_search& in_language(std::string configuration) & {
    language = std::move(configuration);
    return *this;
  }
  text_search& excerpt_of(std::string field) & {
    highlight = std::move(field);
    return *this;
  }
  text_search& limited_to(std::size_t most, std::size_t skipped = 0) & {
    limit = most;
    offset = skipped;
    return *this;
  }
  text_search&& in_column(std::string tsvector) && { return std::move(in_column(std::move(tsvector))); }
  text_search&& in_language(std::string configuration) && {
    return std::move(in_language(std::move(configuration)));
  }
  text_search&& excerpt_of(std::string field) && { return std::move(excerpt_of(std::move(field))); }
  text_search&& limited_to(std::size_t most, std::size_t skipped = 0) && {
    return std::move(limited_to(most, skipped));
  }
};

template <class T>
struct search_hit {
  T row;
  double rank = 0;  ///< by `ts_rank_cd`: more is better; comparable within one search
  /// HTML that is safe to show: what was found stands between <mark> and </mark>, all else of the row is
  /// escaped.
  std::string highlight;
};

namespace detail {
using rows_ptr = std::unique_ptr<data::result_set>;
task<rows_ptr> lock_rows(data::transaction* tx, const data::entity* of, data::list_query which,
                         locked_rows held, bool limited);
error not_found_in(const data::entity& of);
task<rows_ptr> search_rows(data::source in, const data::entity* of, text_search what);
double rank_at(const data::result_set& hits, std::size_t row);
std::string highlight_at(const data::result_set& hits, std::size_t row);

template <class T>
task<result<T>> get_locked(data::transaction* tx, data::list_query which, locked_rows held) {
  const auto rows = co_await lock_rows(tx, &data::entity_of<T>(), std::move(which), held, false);
  auto found = data::one_as<T>(*rows);
  if (!found) co_return not_found_in(data::entity_of<T>());
  co_return std::move(*found);
}

template <class T>
task<std::vector<T>> claim(data::transaction* tx, data::list_query which) {
  const auto rows = co_await lock_rows(tx, &data::entity_of<T>(), std::move(which), locked_rows::skip, true);
  co_return data::rows_as<T>(*rows);
}

template <class T>
task<std::vector<search_hit<T>>> search(data::source in, text_search what) {
  const auto found = co_await search_rows(std::move(in), &data::entity_of<T>(), std::move(what));
  auto rows = data::rows_as<T>(*found);
  std::vector<search_hit<T>> hits(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    hits[i].row = std::move(rows[i]);
    hits[i].rank = rank_at(*found, i);
    hits[i].highlight = highlight_at(*found, i);
  }
  co_return hits;
}
}  // namespace detail

/// How a materialized view is kept fresh: `refresh_schedule(5min)`, or a named one whose members are set.
struct refresh_schedule {
  /// It is no aggregate, so that a temporary may stand in a `co_await` with every compiler.
  refresh_schedule() = default;
  explicit refresh_schedule(std::chrono::milliseconds pause) : every(pause) {}

  std::chrono::milliseconds every{60'000};
  /// Readers go on meanwhile; the view needs a unique index on its columns.
  bool concurrently = true;
  /// Told of what failed; the next turn comes all the same.
  std::function<void(const error&)> on_error{};
};

}  // namespace corbel::postgres
