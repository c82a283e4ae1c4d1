#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <corbel/http/multipart.hpp>
#include <corbel/routing/body_stream.hpp>

namespace corbel {

/// A form (multipart/form-data) as it arrives, as a handler's parameter: its files may be larger than memory.
/// The handler's route states the limit by `body_limit(bytes)`; other limits are those of the
/// `multipart_settings` that the app provides. Lives as long as the request; 415 for another body.
///
///     task<no_content> store(multipart_stream form, state<archive> files) {
///       while (auto* part = co_await form.next())
///         for (auto piece = co_await part->read(); !piece.empty(); piece = co_await part->read())
///           co_await files->append(part->name(), piece);
///       co_return no_content{};
///     }
class multipart_stream {
  struct reader;

 public:
  /// One part of the form, until the next call of `next`.
  class part {
   public:
    const std::string& name() const noexcept { return head().name; }
    /// Empty for a field that is no file. As the client sent it: never a path to open.
    const std::optional<std::string>& filename() const noexcept { return head().filename; }
    std::string safe_name() const { return head().safe_name(); }
    /// As the client sent it: a claim, not a fact.
    const std::string& content_type() const noexcept { return head().content_type; }
    const part_head& head() const noexcept;

    /// The next piece, valid until the next call of anything here; empty at the part's end, and ever after.
    /// Throws `failure` as `body_source::read` does, and malformed for a broken form.
    task<std::string_view> read();
    /// All that is left, in memory. Throws `failure` (payload_too_large) for more than `limit` bytes.
    task<std::string> read_all(std::size_t limit = 64 * 1024);

   private:
    friend struct reader;
    explicit part(reader& from) : from_(&from) {}
    reader* from_;
  };

  multipart_stream(const request& in, std::string_view boundary);
  multipart_stream(multipart_stream&&) noexcept;
  ~multipart_stream();

  /// The next part; what is left of the present one is skipped. Null when the form has ended.
  task<part*> next();

 private:
  std::unique_ptr<reader> reader_;
};

namespace detail {

/// Whether the request brings a form; its boundary then, a refusal otherwise.
void read_boundary(const request& in, std::string& boundary, extraction& failed);

template <>
struct parameter<multipart_stream> {
  static constexpr bool known = true;
  static constexpr bool streams = true;
  using slot = std::string;
  static void fill(const request& in, slot& boundary, extraction& failed) {
    read_boundary(in, boundary, failed);
  }
  static multipart_stream give(request& in, slot& boundary) { return multipart_stream(in, boundary); }
  static void note(endpoint_contract&) {}
};

}  // namespace detail
}  // namespace corbel
