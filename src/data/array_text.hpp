#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Postgres's text form of arrays: `{1,2,NULL,"a \"b\"",{3}}`, perhaps behind bounds: `[0:2]={1,2,3}`.
namespace corbel::data {

/// Whether the text is meant as an array and not as JSON; one that opens as an array may still be malformed.
bool opens_array(std::string_view text) noexcept;

/// Reads one array literal, as the server writes it, strictly: no white space between elements. Call `open`,
/// then `next` until the outermost `end`, then `finish`. The text must outlive the reader.
class array_reader {
 public:
  enum class item : std::uint8_t {
    text,  ///< an element, unescaped
    null,
    list,  ///< a nested list begins; its own `end` comes before the next element of this one
    end,
    malformed,
  };

  explicit array_reader(std::string_view literal) noexcept : text_(literal) {}

  bool open() noexcept;
  /// `element` is set for `text` alone, and holds until the next call.
  item next(std::string_view& element);
  /// Whether everything was read.
  bool finish() const noexcept { return depth_ == 0 && text_.empty(); }

 private:
  item quoted(std::string_view& element);
  item bare(std::string_view& element) noexcept;

  std::string_view text_;
  std::string scratch_;
  std::size_t depth_ = 0;
  bool fresh_ = false;  // right behind a '{'
};

/// What the elements of an array parameter are in the database, where their JSON alone does not tell.
enum class array_elements : std::uint8_t {
  plain,  ///< text, numbers, booleans, times, ids, enumerations
  json,   ///< json[] and jsonb[]: each element of the list is one JSON text
  bytes,  ///< bytea[]: the strings are base64
};

/// The array literal of a list in the JSON form that `encode` gives it: [1,null,["a"]] is {1,NULL,{"a"}}.
/// Booleans become t and f, objects their JSON text. An empty list is {}, whatever the dimensions.
///
/// What JSON could not say is lost before: a NaN or an infinity in the list is NULL here. Throws `failure`:
/// internal when the text is no JSON list, or its elements are not of the kind; unprocessable when a text
/// has the character U+0000, which Postgres stores nowhere.
std::string array_literal(std::string_view json_list, array_elements of = array_elements::plain);

}  // namespace corbel::data
