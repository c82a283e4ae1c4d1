#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corbel::file_access {

/// The Content-Type of a file by its extension, without case; application/octet-stream when that is unknown.
/// `own` comes before the table.
std::string_view content_type_of(std::string_view path,
                                 const std::vector<std::pair<std::string, std::string>>& own) noexcept;

}  // namespace corbel::file_access
