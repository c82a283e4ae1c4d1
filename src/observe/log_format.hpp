#pragma once

#include <string>
#include <string_view>

#include "corbel/observe/log.hpp"
#include "observe/redact.hpp"

namespace corbel::observe {

/// Renders log lines, as JSON or for a person at a terminal.
class line_format {
 public:
  line_format(bool json, bool coloured, secret_names secrets)
      : json_(json), coloured_(coloured), secrets_(std::move(secrets)) {}

  /// A whole line with its newline; `bound` was made by `append_field`.
  std::string line(timestamp time, log_level level, std::string_view message, std::string_view bound,
                   log_fields fields) const;
  void append_field(std::string& out, const log_field& field) const;

 private:
  void append_json(std::string& out, const log_field& field) const;
  void append_readable(std::string& out, const log_field& field) const;

  bool json_;
  bool coloured_;
  secret_names secrets_;
};

}  // namespace corbel::observe
