#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace corbel::testing {

/// A form with files as browsers send it (RFC 7578), for a request of a test:
///
///     auto form = testing::multipart_form().field("text", "Hello").file("photo", "moon.png", png,
///     "image/png"); api.post("/cards").multipart(form).expect(status::ok);
///
/// With `app::inject`: `post("/cards").body(form.body(), form.content_type())`.
class multipart_form {
 public:
  multipart_form& field(std::string name, std::string value) &;
  multipart_form& file(std::string name, std::string file_name, std::string content,
                       std::string type = "application/octet-stream") &;
  multipart_form&& field(std::string name, std::string value) &&;
  multipart_form&& file(std::string name, std::string file_name, std::string content,
                        std::string type = "application/octet-stream") &&;

  std::string body() const;
  /// With the boundary, which stands in none of the contents.
  std::string content_type() const;

 private:
  struct part {
    std::string head;
    std::string content;
  };
  std::string boundary() const;
  std::vector<part> parts_;
};

}  // namespace corbel::testing
