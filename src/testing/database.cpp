#include "corbel/testing/database.hpp"

#include <system_error>

#include "corbel/base/uuid.hpp"
#include "corbel/data/sqlite/sqlite.hpp"

namespace corbel::testing {

temporary_folder::temporary_folder()
    : path_(std::filesystem::temp_directory_path() / ("corbel-" + to_text(uuid::v7()))) {
  std::filesystem::create_directories(path_);
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

temporary_database::temporary_database(const std::string& url_options)
    : url_("sqlite:" + (folder_.path() / "test.db").string() +
           (url_options.empty() ? "" : "?" + url_options)),
      database_(sqlite::open(url_)) {}

temporary_database::~temporary_database() {
  database_.stop();
}

}  // namespace corbel::testing
