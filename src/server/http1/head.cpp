#include "server/http1/head.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "http/request_access.hpp"

namespace corbel::http1 {
namespace {

namespace beast = boost::beast;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

/// Beast reads the lines; the fields it finds stay where they are. Its own ideas of framing are not used:
/// they let pass what a stricter peer reads differently (see framing.cpp).
class line_parser final : public beast::http::basic_parser<true> {
 public:
  explicit line_parser(request& out) : out_(out) {
    header_limit(~std::uint32_t{0});
    body_limit(boost::none);
  }

 private:
  using error_code = beast::error_code;

  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version,
                       error_code&) override {
    out_.start_line(view(method), view(target), version);
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     error_code&) override {
    out_.add_header(view(name), view(value));
  }
  void on_header_impl(error_code&) override {}
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  request_access out_;
};

/// "HTTP/2.0" is a version we do not speak; anything else in its place is no version at all, and a version
/// that we do speak was not what the line broke on.
bool names_another_version(std::string_view head) {
  const auto line = head.substr(0, head.find('\r'));
  if (line.size() < 8) return false;
  const auto version = line.substr(line.size() - 8);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version == "HTTP/1.1" || version == "HTTP/1.0") return false;
  return version.substr(0, 5) == "HTTP/" && digit(version[5]) && version[6] == '.' && digit(version[7]);
}

error unreadable(beast::error_code why, std::string_view head) {
  using beast::http::error;
  if (why == error::bad_version && names_another_version(head))
    return {error_kind::version_not_supported, "version_not_supported",
            "Only HTTP/1.0 and HTTP/1.1 are spoken here."};
  if (why == error::bad_method) return malformed("The method is no token.", "malformed_request");
  if (why == error::bad_target)
    return malformed("The request target holds a character it may not.", "malformed_request");
  if (why == error::bad_version)
    return malformed("The request line does not end in HTTP/1.1.", "malformed_request");
  if (why == error::bad_field)
    return malformed("A header name is no token followed by a colon.", "malformed_request");
  if (why == error::bad_content_length || why == error::multiple_content_length)
    return malformed("Content-Length must be one decimal number.", "malformed_framing");
  if (why == error::bad_transfer_encoding)
    return malformed("Transfer-Encoding and Content-Length contradict each other.", "malformed_framing");
  return malformed("The request's head is malformed.", "malformed_request");
}

}  // namespace

std::optional<error> parse_head(std::string_view head, request& out, message_framing& framing) {
  while (head.substr(0, 2) == "\r\n") head.remove_prefix(2);
  line_parser parser(out);
  beast::error_code failed;
  parser.put(boost::asio::const_buffer(head.data(), head.size()), failed);
  if (failed && failed != beast::http::error::need_more) return unreadable(failed, head);
  if (!parser.is_header_done()) return malformed("The request's head is malformed.", "malformed_request");
  return decide_framing(out, framing);
}

}  // namespace corbel::http1
