#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "corbel/files/settings.hpp"
#include "corbel/http/conditional.hpp"
#include "corbel/http/request.hpp"
#include "files/reading.hpp"

namespace corbel::file_access {

/// A coding that a file may have been given beforehand, and the ending of the file that has it.
struct variant {
  std::string_view coding;
  std::string_view ending;
};

/// Those that the client takes, its favourite first.
std::vector<variant> variants_for(const request& in);

/// What was found under a path.
struct look {
  found what = found::nothing;
  std::shared_ptr<const open_file> file;  ///< of `found::file`
  std::string_view coding;                ///< empty: as it is
};

/// The first variant that is there, otherwise the file itself. Thread-safe.
look look_for(const root_folder& root, const std::string& path, const std::vector<variant>& variants,
              patience how);

/// The tag is strong once the file has rested for two seconds: within a tick of its clock a file can change
/// and keep its time, and who resumes a download by a tag relies on every byte (RFC 9110, 8.8.1).
validators validators_of(const look& seen, file_settings::tag how);

}  // namespace corbel::file_access
