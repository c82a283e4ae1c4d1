#pragma once

#include <string>
#include <string_view>

namespace corbel::file_access {

/// `attachment; filename="report.pdf"` (RFC 6266). A name that is not plain ASCII comes twice: for those that
/// read `filename*` (RFC 8187), and with '_' in place of what the others would misread. Folders are cut off,
/// control characters left out.
std::string attachment(std::string_view name);

}  // namespace corbel::file_access
