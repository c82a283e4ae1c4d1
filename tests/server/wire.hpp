#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A small blocking HTTP client of our own: it sends exactly the bytes it is given, and shares no code with
/// the server it tests.
namespace wire {

struct reply {
  int code = 0;
  std::string head;  ///< status line and fields, each with its CR LF
  std::string body;

  /// The first field of that name, compared without case.
  std::optional<std::string> header(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  /// The envelope's "code".
  std::string error_code() const;
};

/// "GET /path HTTP/1.1" with a Host.
std::string get(std::string_view path, std::string_view more_headers = {});
std::string post(std::string_view path, std::string_view body, std::string_view type = "text/plain");
std::string chunked(std::string_view path, const std::vector<std::string>& chunks);

class client {
 public:
  struct options {
    int receive_buffer = 0;  ///< bytes; 0 leaves it to the kernel
  };

  explicit client(std::uint16_t port) : client(port, options{}) {}
  client(std::uint16_t port, options with);
  ~client();
  client(client&& other) noexcept : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}
  client& operator=(client&&) = delete;

  /// False when the server has closed.
  bool send(std::string_view bytes);
  /// One piece for each byte, so that the server reads them one by one.
  bool send_bytewise(std::string_view bytes);
  /// Says that nothing more is sent; answers can still be read.
  void half_close();
  /// Vanishes with a reset.
  void reset();

  /// The next response; nothing when the connection ends, or after ten seconds. Interim responses are skipped
  /// and counted.
  std::optional<reply> read(bool without_body = false);
  int interim = 0;
  /// One response to one request.
  std::optional<reply> ask(std::string_view bytes, bool without_body = false);
  /// Whether the server closes without sending another byte.
  bool ends();
  /// Everything up to the end.
  std::string drain();
  int fd() const noexcept { return fd_; }

 private:
  bool more();
  int fd_;
  std::string buffer_;
};

/// Takes one response off the front of `text`: nothing when it is not all there.
std::optional<reply> take(std::string& text);
/// One connection, one request, everything that comes back.
std::string talk(std::uint16_t port, std::string_view bytes);
/// The responses in such a text. Fails the test when it is no sequence of responses.
std::vector<reply> split(std::string_view text);

}  // namespace wire
