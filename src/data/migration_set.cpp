#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <system_error>

#include "corbel/data/migrations.hpp"
#include "data/migration_header.hpp"

namespace corbel::data {

using detail::refuse_migration;
namespace fs = std::filesystem;

namespace {

struct file_name {
  std::int64_t version;
  std::string_view name;
  bool down;
};

std::optional<file_name> read_name(std::string_view file) {
  const auto underscore = file.find('_');
  const bool down = file.ends_with(".down.sql");
  const std::string_view suffix = down ? ".down.sql" : ".sql";
  if (underscore == std::string_view::npos || underscore < 4 || underscore > 18 || !file.ends_with(suffix) ||
      file.size() < underscore + 1 + suffix.size())
    return {};
  std::int64_t version = 0;
  const auto [end, wrong] = std::from_chars(file.data(), file.data() + underscore, version);
  const auto name = file.substr(underscore + 1, file.size() - underscore - 1 - suffix.size());
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (wrong != std::errc{} || end != file.data() + underscore || version < 1 || name.empty() || !plain)
    return {};
  return file_name{version, name, down};
}

std::string stem(const migration& m) {
  std::string digits = std::to_string(m.version);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return digits + "_" + m.name;
}

std::string in_quotes(std::string_view file) {
  return "\"" + std::string(file) + "\"";
}

fs::directory_iterator entries_of(const fs::path& folder) {
  std::error_code wrong;
  fs::directory_iterator entries(folder, wrong);
  if (wrong)
    refuse_migration("The folder of migrations " + in_quotes(folder.string()) + " cannot be read (" +
                     wrong.message() + "). Check the path and its permissions.");
  return entries;
}

bool is_sql(const fs::path& path) {
  return path.extension() == ".sql";
}

/// The folders in it that hold .sql files, by name.
std::vector<std::string> dialects_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : entries_of(folder)) {
    std::error_code wrong;
    if (!entry.is_directory(wrong) || is_sql(entry.path())) continue;
    for (const auto& inner : entries_of(entry.path()))
      if (is_sql(inner.path())) {
        names.push_back(entry.path().filename().string());
        break;
      }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string list(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& one : names) all += (all.empty() ? "" : ", ") + one;
  return all;
}

}  // namespace

std::string migration::file() const {
  return stem(*this) + ".sql";
}

std::string migration::down_file() const {
  return stem(*this) + ".down.sql";
}

bool migration::no_transaction() const {
  return detail::says_no_transaction(sql);
}

bool migration::down_no_transaction() const {
  return down && detail::says_no_transaction(*down);
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
    refuse_migration("The migration " + in_quotes(file) +
                     " is misnamed. Name it after its place and purpose, such as 0003_add_tasks.sql: four "
                     "digits or more, then lower-case letters, digits and underscores. What undoes it is "
                     "0003_add_tasks.down.sql.");
  detail::check_header(file, sql);
  detail::check_concurrent_indexes(file, sql);
  if (name->down) {
    add_down(file, name->version, name->name, std::move(sql));
    return *this;
  }
  const auto at = std::lower_bound(all_.begin(), all_.end(), name->version,
                                   [](const migration& m, std::int64_t v) { return m.version < v; });
  if (at != all_.end() && at->version == name->version)
    refuse_migration("The migrations " + in_quotes(at->file()) + " and " + in_quotes(file) +
                     " have the same number. Give the newer one the next free number.");
  all_.insert(at, {name->version, std::string(name->name), std::move(sql)});
  return *this;
}

void migration_set::add_down(std::string_view file, std::int64_t version, std::string_view name,
                             std::string sql) {
  const auto up =
      std::find_if(all_.begin(), all_.end(), [&](const migration& m) { return m.version == version; });
  const auto wanted = migration{version, std::string(name), {}}.file();
  if (up == all_.end())
    refuse_migration("The migration " + in_quotes(file) + " undoes " + in_quotes(wanted) +
                     ", which is not there. Add that file, or delete this one.");
  if (up->name != name)
    refuse_migration("The migration " + in_quotes(file) + " undoes " + in_quotes(wanted) +
                     ", but that number is " + in_quotes(up->file()) + ". Name it " +
                     in_quotes(up->down_file()) + ".");
  if (up->down)
    refuse_migration("The migration " + in_quotes(up->file()) +
                     " has two down files. Delete the one whose number has more zeros.");
  up->down = std::move(sql);
}

void migration_set::read(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : entries_of(folder))
    if (is_sql(entry.path())) paths.push_back(entry.path());
  // A down file comes after its up file; otherwise by name, so that what is told first is always the same.
  std::sort(paths.begin(), paths.end(), [](const fs::path& a, const fs::path& b) {
    const auto is_down = [](const fs::path& p) { return p.stem().extension() == ".down"; };
    return is_down(a) == is_down(b) ? a < b : is_down(b);
  });
  for (const auto& path : paths) {
    std::error_code wrong;
    std::ifstream in(path, std::ios::binary);
    if (!in || !fs::is_regular_file(path, wrong))
      refuse_migration("The migration " + in_quotes(path.string()) +
                       " cannot be read. Check that it is a file, and its permissions.");
    std::string sql{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    add(path.filename().string(), std::move(sql));
  }
}

migration_set migration_set::from_folder(const fs::path& folder) {
  if (const auto dialects = dialects_in(folder); !dialects.empty())
    refuse_migration("The folder of migrations " + in_quotes(folder.string()) + " has folders by dialect: " +
                     list(dialects) + ". Say which: migration_set::from_folder(path, db.language()).");
  migration_set set;
  set.read(folder);
  return set;
}

migration_set migration_set::from_folder(const fs::path& folder, const dialect& of) {
  const auto dialects = dialects_in(folder);
  const bool is_there = std::find(dialects.begin(), dialects.end(), of.name) != dialects.end();
  if (!dialects.empty() && !is_there) detail::refuse_dialect(folder.string(), list(dialects), of);
  migration_set set;
  set.read(folder);
  if (is_there) set.read(folder / of.name);
  return set;
}

void detail::refuse_dialect(std::string_view folder, std::string_view folders, const dialect& of) {
  const std::string name(of.name);
  refuse_migration("The folder of migrations " + in_quotes(folder) + " has files for " +
                   std::string(folders) + " but not for " + name + ". Add the folder " + std::string(folder) +
                   "/" + name + " with the schema for it, or use one of those databases.");
}

}  // namespace corbel::data
