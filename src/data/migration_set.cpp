#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include "corbel/data/migrations.hpp"

namespace corbel::data {
namespace {

[[noreturn]] void refuse(std::string message) {
  throw failure(error{error_kind::invalid, "bad_migrations", std::move(message)});
}

struct file_name {
  std::int64_t version;
  std::string_view name;
};

std::optional<file_name> read_name(std::string_view file) {
  const auto underscore = file.find('_');
  constexpr std::string_view suffix = ".sql";
  if (underscore == std::string_view::npos || underscore < 4 || underscore > 18 || !file.ends_with(suffix))
    return {};
  std::int64_t version = 0;
  const auto [end, wrong] = std::from_chars(file.data(), file.data() + underscore, version);
  const auto name = file.substr(underscore + 1, file.size() - underscore - 1 - suffix.size());
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (wrong != std::errc{} || end != file.data() + underscore || version < 1 || name.empty() || !plain)
    return {};
  return file_name{version, name};
}

}  // namespace

std::string migration::file() const {
  std::string digits = std::to_string(version);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return digits + "_" + name + ".sql";
}

std::string migration::checksum() const {
  std::string text;
  text.reserve(sql.size());
  for (std::size_t i = 0; i < sql.size(); ++i)
    if (sql[i] != '\r' || i + 1 == sql.size() || sql[i + 1] != '\n') text += sql[i];
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &length, EVP_sha256(), nullptr) != 1)
    throw failure(internal_error("OpenSSL has no SHA-256"));
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

migration_set& migration_set::add(std::string_view file, std::string sql) {
  const auto name = read_name(file);
  if (!name)
    refuse("The migration \"" + std::string(file) +
           "\" is misnamed. Name it after its place and purpose, such as 0003_add_tasks.sql: four digits or "
           "more, then lower-case letters, digits and underscores.");
  const auto at = std::lower_bound(all_.begin(), all_.end(), name->version,
                                   [](const migration& m, std::int64_t v) { return m.version < v; });
  if (at != all_.end() && at->version == name->version)
    refuse("The migrations \"" + at->file() + "\" and \"" + std::string(file) +
           "\" have the same number. Give the newer one the next free number.");
  all_.insert(at, {name->version, std::string(name->name), std::move(sql)});
  return *this;
}

migration_set migration_set::from_folder(const std::filesystem::path& folder) {
  std::error_code wrong;
  std::filesystem::directory_iterator entries(folder, wrong);
  if (wrong)
    refuse("The folder of migrations \"" + folder.string() + "\" cannot be read (" + wrong.message() +
           "). Check the path and its permissions.");
  migration_set set;
  for (const auto& entry : entries) {
    if (entry.path().extension() != ".sql") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::string sql{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in) refuse("The migration \"" + entry.path().string() + "\" cannot be read. Check its permissions.");
    set.add(entry.path().filename().string(), std::move(sql));
  }
  return set;
}

}  // namespace corbel::data
