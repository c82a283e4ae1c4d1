#include "corbel/data/postgres/queries.hpp"
#include "data/postgres/names.hpp"
#include "data/sql_builder.hpp"

namespace corbel::postgres::detail {
namespace {

/// Characters for private use, which are taken out of the text first, so that no text can make a mark.
constexpr std::string_view begin_mark = "\xEE\x80\x80";  // U+E000
constexpr std::string_view end_mark = "\xEE\x80\x81";    // U+E001

std::string safe_html(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.starts_with(begin_mark) || text.starts_with(end_mark)) {
      out += text.starts_with(begin_mark) ? "<mark>" : "</mark>";
      text.remove_prefix(begin_mark.size());
      continue;
    }
    switch (text[0]) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += text[0];
    }
    text.remove_prefix(1);
  }
  return out;
}

data::cell cell_named(const data::result_set& rows, std::size_t row, std::string_view name) {
  for (std::size_t i = 0; i < rows.column_count(); ++i)
    if (rows.column_name(i) == name) return rows.at(row, i);
  return {};
}

}  // namespace

task<rows_ptr> search_rows(data::source in, const data::entity* of, text_search what) {
  require_postgres(in.language().name, "Full-text search");
  const auto vector = quoted_name(what.vector, "a tsvector column");
  data::sql_builder sql(in.language(), "select " + of->sql_columns() + ", ts_rank_cd(" + vector +
                                           ", corbel_query)::float8 as corbel_rank");
  if (!what.highlight.empty()) {
    const std::string marks = std::string(begin_mark) + std::string(end_mark);
    const auto options = "StartSel=" + std::string(begin_mark) + ", StopSel=" + std::string(end_mark) +
                         ", MaxFragments=2, MinWords=8, MaxWords=24, ShortWord=0";
    sql.add(", ts_headline(").bind(what.language).add("::regconfig, translate(coalesce(");
    sql.add(data::column_of(*of, what.highlight).sql)
        .add("::text, ''), ")
        .bind(marks)
        .add(", ''), corbel_query, ");
    sql.bind(options).add(") as corbel_highlight");
  }
  sql.add(" from ").add(of->sql_name()).add(", websearch_to_tsquery(");
  sql.bind(what.language).add("::regconfig, ").bind(what.text).add(") as corbel_query");
  data::add_where(sql, *of, {});
  sql.add(of->deleted() ? " and " : " where ").add(vector).add(" @@ corbel_query");
  sql.add(" order by corbel_rank desc, ").add(of->key().sql);
  data::add_limit(sql, what.limit, what.offset);
  return in.runner()->run(std::move(sql).take());
}

double rank_at(const data::result_set& hits, std::size_t row) {
  const auto cell = cell_named(hits, row, "corbel_rank");
  const auto* rank = std::get_if<double>(&cell);
  return rank ? *rank : 0;
}

std::string highlight_at(const data::result_set& hits, std::size_t row) {
  const auto cell = cell_named(hits, row, "corbel_highlight");
  const auto* text = std::get_if<std::string_view>(&cell);
  return text ? safe_html(*text) : std::string();
}

}  // namespace corbel::postgres::detail
