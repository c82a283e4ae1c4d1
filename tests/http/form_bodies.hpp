#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "corbel/http/multipart.hpp"

namespace forms {

struct part {
  std::string name;
  std::string filename;
  std::string content_type;
  std::string data;
  bool is_file = false;

  friend bool operator==(const part&, const part&) = default;
};

/// One part as a client would write it.
inline std::string written(std::string_view boundary, std::string_view head, std::string_view data) {
  std::string text = "--";
  return text.append(boundary).append("\r\n").append(head).append("\r\n\r\n").append(data).append("\r\n");
}
inline std::string field(std::string_view boundary, std::string_view name, std::string_view data) {
  return written(boundary, "Content-Disposition: form-data; name=\"" + std::string(name) + "\"", data);
}
inline std::string file(std::string_view boundary, std::string_view name, std::string_view filename,
                        std::string_view type, std::string_view data) {
  return written(boundary,
                 "Content-Disposition: form-data; name=\"" + std::string(name) + "\"; filename=\"" +
                     std::string(filename) + "\"\r\nContent-Type: " + std::string(type),
                 data);
}
inline std::string closing(std::string_view boundary) {
  return "--" + std::string(boundary) + "--\r\n";
}

struct outcome {
  std::vector<part> parts;
  std::string error;  ///< its code and message; empty when all was well

  friend bool operator==(const outcome&, const outcome&) = default;
};

/// Feeds a body in pieces; `cut` says how long the next one is, given what is left.
inline outcome parse(std::string_view boundary, std::string_view body,
                     const std::function<std::size_t(std::size_t)>& cut,
                     corbel::multipart_limits limits = {}) {
  outcome made;
  corbel::multipart_parser parser(boundary, limits);
  const auto failed = [&](const corbel::error& e) {
    made.error = e.code() + ": " + e.message();
    return made;
  };
  while (!body.empty()) {
    // A copy with an end of its own: what reads past it is seen by the sanitizer.
    const std::string piece(body.substr(0, cut(body.size())));
    body.remove_prefix(piece.size());
    for (std::string_view left = piece;;) {
      const auto event = parser.next(left);
      if (!event) return failed(event.error());
      if (*event == corbel::multipart_event::part)
        made.parts.push_back({parser.head().name, parser.head().filename.value_or(""),
                              parser.head().content_type, "", parser.head().filename.has_value()});
      if (*event == corbel::multipart_event::data) made.parts.back().data += parser.data();
      if (*event == corbel::multipart_event::more || (*event == corbel::multipart_event::end && left.empty()))
        break;
    }
  }
  if (const auto done = parser.finish(); !done) return failed(done.error());
  return made;
}
inline outcome parse(std::string_view boundary, std::string_view body, corbel::multipart_limits limits = {}) {
  return parse(
      boundary, body, [](std::size_t left) { return left; }, limits);
}

}  // namespace forms
