#pragma once

#include <corbel/app/app.hpp>
#include <corbel/data/database.hpp>

/// Puts the service together on `server`: what `main` runs, and what the tests send requests to.
void add_service(corbel::app& server, corbel::data::database db);
