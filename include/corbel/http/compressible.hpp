#pragma once

#include <string_view>

namespace corbel {

/// Whether a body of this Content-Type grows smaller when it is compressed: text/*, JSON, XML, JavaScript,
/// SVG, WebAssembly and their like. Pictures, films, archives and fonts of the web are compressed already.
bool is_compressible(std::string_view content_type) noexcept;

}  // namespace corbel
