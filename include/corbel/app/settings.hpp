#pragma once

#include <string>
#include <utility>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/result.hpp>
#include <corbel/base/settings.hpp>

namespace corbel::settings {

struct environment_options {
  std::string prefix;             ///< "APP" reads APP_DATABASE_URL for `databaseUrl`
  std::string env_file = ".env";  ///< relative to the working folder; need not exist; empty reads none
};

/// Fills `out`, a fresh value of a described struct, from the variables and applies the rules of `describe`.
/// See <corbel/base/settings.hpp> for names and forms.
result<void> read(const type_descriptor& type, void* out, const source& from, const std::string& prefix = {});

/// What is wrong, one setting a line, and how to mend it: for a person at a terminal.
std::string explain(const error& problems);

/// Prints `explain` to standard error and ends the process with code 78 (EX_CONFIG of sysexits.h).
[[noreturn]] void stop_for(const error& problems);

/// A T that satisfies its rules, or every problem at once.
template <class T>
result<T> read(const source& from, const std::string& prefix = {}) {
  T value = T();
  if (auto done = read(type_of<T>(), &value, from, prefix); !done) return std::move(done).error();
  return value;
}

/// The same from the environment and `.env`, for programs that handle the error themselves.
template <class T>
result<T> try_from_environment(const environment_options& options = {}) {
  return read<T>(source::environment(options.env_file), options.prefix);
}

/// The first line of a `main`: the settings, or an explanation and the end of the process.
template <class T>
T from_environment(const environment_options& options = {}) {
  auto value = try_from_environment<T>(options);
  if (!value) stop_for(value.error());
  return *std::move(value);
}

}  // namespace corbel::settings
