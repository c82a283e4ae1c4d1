#pragma once

#include <corbel/data/database.hpp>

#include <string>
#include <utility>

/// Shown on the page, and run on each database: SQLite alone would hide a change that depends on a read
/// before it.
namespace {

using namespace corbel;

// region: transaction
task<result<int>> lend(data::transaction& tx, uuid id, std::string reader) {
  const auto book = co_await tx.query_one<int>("select 1 from books where id = $1", id);
  if (!book) co_return not_found("There is no such book.", "book_not_found");
  const auto left = co_await tx.query_one<int>(
      "update books set copies = copies - 1 where id = $1 and copies > 0 returning copies", id);
  if (!left) co_return unprocessable("Every copy is lent.", "no_copy");
  co_await tx.execute("insert into loans (book_id, reader) values ($1, $2)", id, reader);
  co_return *left;
}

task<result<int>> lend_one(data::database db, uuid id, std::string reader) {
  co_return co_await db.transact(&lend, id, std::move(reader));
}
// end: transaction

}  // namespace
