#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "corbel/app/app.hpp"
#include "corbel/files/files.hpp"

/// A folder of its own for one test, gone with the object.
class test_folder {
 public:
  test_folder() {
    std::string made = (std::filesystem::temp_directory_path() / "corbel-files-XXXXXX").string();
    if (!::mkdtemp(made.data())) throw std::runtime_error("no temporary folder");
    path_ = made;
  }
  ~test_folder() { std::filesystem::remove_all(path_); }
  test_folder(const test_folder&) = delete;
  test_folder& operator=(const test_folder&) = delete;

  std::filesystem::path at(const std::string& name) const { return path_ / name; }
  std::string text() const { return path_.string(); }

  /// With a time that lies `age` in the past: fresh files have weak tags.
  void write(const std::string& name, std::string_view content,
             std::chrono::seconds age = std::chrono::hours(1)) {
    std::filesystem::create_directories(at(name).parent_path());
    std::ofstream(at(name), std::ios::binary) << content;
    const auto then = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - age);
    const timespec times[2] = {{then, 0}, {then, 0}};
    ::utimensat(AT_FDCWD, at(name).c_str(), times, 0);
  }

 private:
  std::filesystem::path path_;
};

inline corbel::app_settings quiet() {
  corbel::app_settings settings;
  settings.log = corbel::logger();
  settings.default_middleware = false;
  settings.health_routes = false;
  return settings;
}

/// Text of which every window is different.
inline std::string numbered(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i * i) + ' ';
  text.resize(size);
  return text;
}
