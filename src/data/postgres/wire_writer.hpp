#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "corbel/data/value.hpp"

namespace corbel::postgres {

/// How a column travels.
enum class wire_format : std::int16_t { text = 0, binary = 1 };

/// Appends messages of the frontend to a buffer (PostgreSQL documentation, "Frontend/Backend Protocol",
/// version 3.0). It knows the form of each message, not when it may be sent.
class wire_writer {
 public:
  explicit wire_writer(std::string& out) : out_(out) {}
  /// The server reads no longer one, and what does not fit into its length would be read as further messages.
  static constexpr std::size_t most_message = 0x3fff'ffff;

  /// Parameter types are left to the server.
  void parse(std::string_view name, std::string_view sql);
  void describe_statement(std::string_view name);
  /// The columns that `describe_portal` tells are those of the statement bound last.
  void describe_portal();
  /// `formats` empty asks for text in every column. Throws `failure` (invalid) for more than 65,535 values.
  void bind(std::string_view statement, std::span<const data::value> values,
            std::span<const wire_format> formats);
  /// The portal bound last, all rows.
  void execute();
  void sync();
  void close_statement(std::string_view name);
  /// The simple protocol: several statements, text rows.
  void query(std::string_view sql);
  void terminate();

 private:
  /// Writes a message's type and leaves room for its length, which `end` fills in.
  void begin(char type);
  void end();
  void put16(std::size_t n);
  void put_text(std::string_view text);  // with its NUL

  std::string& out_;
  std::size_t length_at_ = 0;
};

}  // namespace corbel::postgres
