#include "corbel/data/postgres/copy.hpp"

#include <algorithm>

#include "data/names.hpp"
#include "data/postgres/backend.hpp"
#include "data/postgres/blocking_side.hpp"
#include "data/postgres/copy_session.hpp"
#include "data/postgres/copy_text.hpp"
#include "data/postgres/names.hpp"
#include "data/postgres/oids.hpp"
#include "data/postgres/rows.hpp"
#include "data/postgres/script.hpp"
#include "data/postgres/wire_reader.hpp"

namespace corbel::postgres {

struct detail::copy_state {
  copy_state(std::shared_ptr<blocking_side> on, blocking_side::lease taken)
      : side(std::move(on)), seat(std::move(taken)) {}

  std::shared_ptr<blocking_side> side;
  blocking_side::lease seat;
  columns_ptr shape;    // of typed rows
  bool ended = false;   // failed, was cancelled, or is stored
  bool at_end = false;  // everything was read
};

namespace {

using detail::copy_state;
using state_ptr = std::shared_ptr<copy_state>;

constexpr std::size_t piece_size = 64 * 1024;

/// What would follow a COPY in the same text could undo it when its end was told already.
void require_one_statement(std::string_view sql) {
  if (split_script(sql).size() > 1)
    throw failure(
        internal_error("a COPY is one statement: run the others by themselves: " + std::string(sql)));
}

/// A statement whose values stand in its text.
struct literal_statement {
  explicit literal_statement(const data::statement& from)
      : text(from.text()),
        values(from.parameters().begin(), from.parameters().end()),
        sql(with_literals(text, values)) {}

  /// `query` is the part of it that the values are for.
  void write_lists_on(copy_session& on, std::string_view query) {
    if (query.empty() || !has_lists(values)) return;
    write_lists(values, on.array_parameters(std::string(query)));
    sql = with_literals(text, values);
  }

  std::string text;
  std::vector<data::value> values;
  std::string sql;
};

/// A function for a session, as work.
template <class F>
struct job final : detail::blocking_work {
  explicit job(F f) : does(std::move(f)) {}
  void run(detail::blocking_session& on) override { does(static_cast<copy_session&>(on)); }
  F does;
};

template <class F>
task<void> on_session(state_ptr state, F does) {
  auto work = std::make_shared<job<F>>(std::move(does));
  return blocking_side::run(state->side, state->seat.seat(), copy_session::maker(state->side->how()),
                            std::move(work));
}

task<state_ptr> take_seat(std::shared_ptr<backend> of) {
  auto side = of->state()->blocking();
  auto seat = co_await blocking_side::take(side, copy_session::maker(side->how()).kind);
  co_return std::make_shared<copy_state>(std::move(side), std::move(seat));
}

void require_open(const copy_state& state) {
  if (state.ended)
    throw failure(
        internal_error("a COPY was used after it had ended: it failed before, was cancelled, or is done"));
}

/// Runs the work; whatever happens in it ends the copy. GCC 12 destroys a capturing lambda twice when it
/// stands in a `co_await`: below, each has a name.
template <class F>
task<void> go_on(state_ptr state, F does) {
  require_open(*state);
  state->ended = true;
  co_await on_session(state, std::move(does));
  state->ended = false;
}

/// What a coroutine and a thread share: either may leave first.
template <class T>
struct answer {
  std::shared_ptr<T> value = std::make_shared<T>();
};

task<void> write_piece(state_ptr state, std::string piece) {
  auto kept = std::make_shared<const std::string>(std::move(piece));
  return go_on(std::move(state), [kept](copy_session& on) { on.send(*kept); });
}

task<std::int64_t> finish_writing(state_ptr state) {
  const answer<std::int64_t> rows;
  auto does = [rows](copy_session& on) { *rows.value = on.finish_in(); };
  co_await go_on(state, std::move(does));
  state->ended = true;
  co_return *rows.value;
}

task<std::optional<std::string>> read_piece(state_ptr state) {
  struct piece {
    std::string text;
    bool more = true;
  };
  if (state->at_end) co_return std::nullopt;
  const answer<piece> got;
  auto does = [got](copy_session& on) {
    auto& p = *got.value;
    while (p.more && p.text.size() < piece_size) p.more = on.receive(p.text);
  };
  co_await go_on(state, std::move(does));
  state->at_end = !got.value->more;
  if (got.value->text.empty()) co_return std::nullopt;
  co_return std::move(got.value->text);
}

/// Fills `out` with the text of rows from `from` on; gives the first that is left.
std::size_t write_rows(const detail::row_span& rows, const std::vector<std::uint32_t>& arrays,
                       std::size_t from, std::string& out) {
  out.clear();
  const auto* bytes = static_cast<const std::byte*>(rows.first);
  for (; from < rows.count && out.size() < piece_size; ++from) {
    const void* object = bytes + from * rows.stride;
    std::size_t column = 0;
    for (const auto& field : *rows.type->object) {
      if (column > 0) out += '\t';
      append_copy_field(out, data::encode(*field.type, field.member_of(object)), arrays[column++]);
    }
    out += '\n';
  }
  return from;
}

std::int64_t copy_all(copy_session& on, const std::string& table, const detail::row_span& rows) {
  std::vector<std::string> names;
  std::string list;
  for (const auto& field : *rows.type->object) {
    names.push_back(data::snake_case(field.name));
    list += (list.empty() ? "" : ", ") + quoted_name(names.back(), "a column");
  }
  const auto arrays = on.array_types(table, names);
  on.begin_in("copy " + table + " (" + list + ") from stdin");
  std::string text;
  for (std::size_t at = 0; at < rows.count;) {
    at = write_rows(rows, arrays, at, text);
    on.send(text);
  }
  return on.finish_in();
}

}  // namespace

task<void> copy_writer::write(std::string piece) {
  return write_piece(state_, std::move(piece));
}

task<std::int64_t> copy_writer::finish() {
  return finish_writing(state_);
}

task<std::optional<std::string>> copy_reader::next() {
  return read_piece(state_);
}

namespace detail {

task<std::int64_t> copy_rows_in(std::shared_ptr<backend> to, std::string table, row_span rows) {
  table = quoted_path(table, "a table");
  if (rows.count == 0) co_return 0;
  const auto state = co_await take_seat(std::move(to));
  const answer<std::int64_t> stored;
  auto does = [stored, table, rows](copy_session& on) { *stored.value = copy_all(on, table, rows); };
  co_await go_on(state, std::move(does));
  co_return *stored.value;
}

task<copy_writer> begin_copy_in(std::shared_ptr<backend> to, data::statement what) {
  require_one_statement(what.text());
  auto state = co_await take_seat(std::move(to));
  const std::string sql(what.text());
  auto does = [sql](copy_session& on) {
    on.begin();
    on.begin_in(sql);
  };
  co_await go_on(state, std::move(does));
  co_return copy_writer(std::move(state));
}

task<copy_reader> begin_copy_out(std::shared_ptr<backend> from, data::statement what) {
  require_one_statement(what.text());
  const auto statement = std::make_shared<literal_statement>(what);
  auto state = co_await take_seat(std::move(from));
  auto does = [statement](copy_session& on) {
    on.begin();
    statement->write_lists_on(on, copied_query(statement->text));
    on.begin_out(statement->sql);
  };
  co_await go_on(state, std::move(does));
  co_return copy_reader(std::move(state));
}

task<std::shared_ptr<copy_state>> begin_rows_out(std::shared_ptr<backend> from, data::statement what) {
  require_one_statement(what.text());
  const auto statement = std::make_shared<literal_statement>(what);
  auto state = co_await take_seat(std::move(from));
  const answer<columns> shape;
  auto does = [statement, shape](copy_session& on) {
    on.begin();
    statement->write_lists_on(on, statement->text);
    *shape.value = on.describe(statement->sql);
    for (auto& one : *shape.value)
      if (one.type == oid::bytea) one.format = wire_format::binary;
    on.begin_out("copy (" + statement->sql + "\n) to stdout");
  };
  co_await go_on(state, std::move(does));
  state->shape = shape.value;
  co_return state;
}

task<std::unique_ptr<data::result_set>> next_rows(std::shared_ptr<copy_state> from) {
  const auto text = co_await read_piece(from);
  if (!text) co_return nullptr;
  auto some = std::make_unique<rows>(from->shape);
  std::string payload;
  try {
    for (std::string_view rest = *text; !rest.empty();) {
      const auto end = rest.find('\n');
      copy_row_to_payload(rest.substr(0, end), *from->shape, payload);
      some->add(payload);
      rest.remove_prefix(std::min(end, rest.size() - 1) + 1);
    }
  } catch (const protocol_error& wrong) {
    throw failure(internal_error(std::string("the server broke the protocol: ") + wrong.what()));
  }
  co_return some;
}

}  // namespace detail
}  // namespace corbel::postgres
