#pragma once

#include <corbel/app/app.hpp>
#include <corbel/data/database.hpp>
#include <corbel/data/migrations.hpp>

/// The migrations for this kind of database. Throws `corbel::failure` when there are none.
const corbel::data::migration_set& schema_of(const corbel::data::database& db);

/// Puts the service together on `server`: what `main` runs, and what the tests send requests to.
void add_service(corbel::app& server, corbel::data::database db);
