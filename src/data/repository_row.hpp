#pragma once

#include "corbel/data/repository.hpp"

/// What the writing operations of a repository share.
namespace corbel::data::detail {

value encoded(const entity::column& c, const void* object);
/// Whether the row's key is still to be made.
bool is_nil(const entity::column& key, const void* object);
/// Sets key, version and timestamps of a row that is new at `now`.
void prepare_new(const entity& of, void* object, timestamp now);
/// Expected outcomes are values: a broken constraint is one, a database that is gone is not.
task<result<entity_store::rows_ptr>> run_expecting(source where, statement what);

}  // namespace corbel::data::detail
