#pragma once

#include <filesystem>
#include <string>

#include <corbel/data/database.hpp>

namespace corbel::testing {

/// A folder that is gone when this is.
class temporary_folder {
 public:
  temporary_folder();
  ~temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// An empty SQLite database in a file of its own, stopped and removed when this is destroyed. Event loops
/// that used it may live longer, their coroutines may not.
class temporary_database {
 public:
  /// `url_options` such as "readers=1&checkout_timeout=100ms".
  explicit temporary_database(const std::string& url_options = "synchronous=off");
  ~temporary_database();
  temporary_database(const temporary_database&) = delete;
  temporary_database& operator=(const temporary_database&) = delete;

  const data::database& operator*() const noexcept { return database_; }
  const data::database* operator->() const noexcept { return &database_; }
  /// For a second connection to the same file, such as another process's.
  const std::string& url() const noexcept { return url_; }

 private:
  temporary_folder folder_;
  std::string url_;
  data::database database_;
};

}  // namespace corbel::testing
