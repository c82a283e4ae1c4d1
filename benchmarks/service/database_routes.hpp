#pragma once

#include <corbel/routing/router.hpp>

/// The routes of the database scenarios; they take the `data::database` that the application provides:
///   GET /db            one random row of `world`
///   GET /queries?n=20  as many, each by a statement of its own
///   GET /fortunes      the 12 rows of `fortune`, sorted here by their message
void add_database_routes(corbel::route_group root);
