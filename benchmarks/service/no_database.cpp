#include "service/database.hpp"

corbel::data::database open_database(std::string_view) {
  throw corbel::failure(corbel::error(corbel::error_kind::unavailable, "no_driver",
                                      "this build has no driver for Postgres: it takes libpq (libpq-dev)"));
}
