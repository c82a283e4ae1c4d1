#include "corbel/testing/multipart.hpp"

#include <algorithm>
#include <utility>

namespace corbel::testing {
namespace {

/// As HTML's forms write a name in quotes: with these three escaped, and all else as it is.
std::string quoted_in_form(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"')
      out += "%22";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else
      out += c;
  }
  return out + '"';
}

}  // namespace

multipart_form& multipart_form::field(std::string name, std::string value) & {
  parts_.push_back(
      {"Content-Disposition: form-data; name=" + quoted_in_form(name) + "\r\n", std::move(value)});
  return *this;
}

multipart_form& multipart_form::file(std::string name, std::string file_name, std::string content,
                                     std::string type) & {
  parts_.push_back({"Content-Disposition: form-data; name=" + quoted_in_form(name) +
                        "; filename=" + quoted_in_form(file_name) + "\r\nContent-Type: " + type + "\r\n",
                    std::move(content)});
  return *this;
}

multipart_form&& multipart_form::field(std::string name, std::string value) && {
  return std::move(field(std::move(name), std::move(value)));
}

multipart_form&& multipart_form::file(std::string name, std::string file_name, std::string content,
                                      std::string type) && {
  return std::move(file(std::move(name), std::move(file_name), std::move(content), std::move(type)));
}

std::string multipart_form::boundary() const {
  for (std::size_t n = 1;; ++n) {
    auto candidate = "corbel-form-" + std::to_string(n);
    const bool taken = std::any_of(parts_.begin(), parts_.end(), [&](const part& each) {
      return each.content.find(candidate) != std::string::npos;
    });
    if (!taken) return candidate;
  }
}

std::string multipart_form::body() const {
  const auto between = "--" + boundary();
  std::string all;
  for (const auto& each : parts_) all += between + "\r\n" + each.head + "\r\n" + each.content + "\r\n";
  return all + between + "--\r\n";
}

std::string multipart_form::content_type() const {
  return "multipart/form-data; boundary=" + boundary();
}

}  // namespace corbel::testing
