#include <corbel/data/postgres/postgres.hpp>

#include "service/database.hpp"

corbel::data::database open_database(std::string_view url) {
  return corbel::data::connect(url, {corbel::postgres::driver()});
}
