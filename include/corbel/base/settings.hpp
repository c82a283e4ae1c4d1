#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <corbel/base/describe/type.hpp>
#include <corbel/base/env_file.hpp>
#include <corbel/base/result.hpp>

namespace corbel::json {
class value_checker;
}

namespace corbel::settings {

/// Variables by name, and what was wrong with the files they came from.
class source {
 public:
  source() = default;
  /// The process's environment, and behind it a `.env` file: what the environment sets wins. No other thread
  /// may change the environment meanwhile. An empty path reads no file.
  static source environment(const std::string& env_file_path = ".env");

  /// Adds a variable, unless one of that name is there already.
  source& add(std::string name, std::string value, std::string origin = "the program");
  source& add(env_file file);

  /// Null when it is not set. A variable that is set to nothing counts as not set.
  const variable* find(std::string_view name) const noexcept;
  /// Whether any set variable's name begins so.
  bool any_below(std::string_view prefix) const noexcept;
  const std::vector<std::string>& problems() const noexcept { return problems_; }

 private:
  std::vector<variable> variables_;
  std::vector<std::string> problems_;
};

/// "databaseUrl" is "DATABASE_URL"; `prefix` goes in front with a `_`, unless it is empty.
std::string variable_name(std::string_view prefix, std::string_view wire_name);

/// Fills `out`, a fresh value of a described struct. `<corbel/app/settings.hpp>` is the way in for programs:
/// it passes the checker that knows the rules of `describe`; null checks types alone.
///
/// A member `databaseUrl` is read from DATABASE_URL, and `server` with its `port` from SERVER_PORT. Scalars
/// are as `read_text` has them. A list is separated by commas, blanks around its elements dropped; or it is
/// JSON when it starts with '['. Maps, unions, json, and lists of anything but scalars are JSON. An optional
/// or defaulted struct is read when any of its variables is set.
///
/// The error lists every missing and bad variable, each with what is expected and an example, and every
/// broken line of the files. `violation::path` is the JSON pointer of the member ("/server/port"), the
/// message a whole sentence that names the variable. No value is ever repeated: it may be a secret.
result<void> read_into(const type_descriptor& type, void* out, const source& from,
                       std::string_view prefix = {}, json::value_checker* checker = nullptr);

}  // namespace corbel::settings
