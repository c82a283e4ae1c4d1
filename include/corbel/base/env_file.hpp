#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace corbel::settings {

/// One assignment, and where it stands.
struct variable {
  std::string name;
  std::string value;
  std::string origin;  ///< "the environment", or a file with its line: ".env, line 3"
};

/// What a `.env` file says. A broken line costs itself only, so that all are reported at once.
struct env_file {
  std::vector<variable> variables;
  std::vector<std::string> problems;  ///< sentences: ".env, line 4: the quote is never closed."
};

/// Reads the text of a `.env` file; `name` is what messages call it.
///
///     # a comment
///     PORT=8080                       # blanks around a plain value are dropped; a comment needs one before
///     it export GREETING="one\ntwo"      # escapes: \n \r \t \\ \" \$ PATTERN='taken $literally'      #
///     quoted values may span lines
///
/// Nothing is interpolated. A name is letters, digits and `_`, and is set once.
env_file parse_env_file(std::string_view text, std::string_view name);

/// The same from the disk. A file that does not exist is empty; one that cannot be read, or is larger than
/// 1 MiB, is a problem.
env_file read_env_file(const std::string& path);

}  // namespace corbel::settings
