#pragma once

#include <string_view>

#include "corbel/base/json/decode.hpp"
#include "corbel/base/json/reader.hpp"

namespace corbel::json {

/// One decoding of one text. Every reading function gives false once the text proved malformed, and true
/// otherwise, violations or not: the whole text is always read.
class decoder {
 public:
  decoder(std::string_view text, const decode_options& options)
      : in_(text, options.limits), found_(options.in, options.most_violations), checker_(options.checker) {}

  result<void> run(const type_descriptor& type, void* out, decode_mode mode);

 private:
  /// `fresh` is a value that a merge patch brings into being: whole, but null means absent (RFC 7396).
  enum class manner { whole, merge, partial, fresh };

  bool value(const type_descriptor& type, const constraints& rules, void* out, const path& at, manner how);
  bool optional(const type_descriptor& type, const constraints& rules, void* out, const path& at, manner how);
  bool container(const type_descriptor& type, const constraints& rules, void* out, const path& at,
                 manner how);
  bool boolean(void* out);
  bool integer(const type_descriptor& type, const constraints& rules, void* out, const path& at);
  bool floating(const type_descriptor& type, const constraints& rules, void* out, const path& at);
  bool text(void* out);
  bool scalar_text(const type_descriptor& type, void* out, const path& at);
  bool list(const type_descriptor& type, const constraints& rules, void* out, const path& at);
  bool map(const type_descriptor& type, const constraints& rules, void* out, const path& at, manner how);
  bool merge_map(const type_descriptor& type, const constraints& rules, void* out, const path& at,
                 manner how);
  bool object(const object_descriptor& type, void* out, const path& at, manner how,
              std::string_view discriminator);
  bool field(const object_descriptor& type, const field_descriptor& field, void* out, const path& at,
             manner how);
  bool unknown(const object_descriptor& type, std::string_view key, const path& at);
  bool one_of(const union_descriptor& type, void* out, const path& at, manner how);
  bool json(void* out, manner how);

  bool mismatch(const type_descriptor& type, value_kind found, const path& at);
  void out_of_range(const type_descriptor& type, const constraints& rules, bool above, const path& at);

  reader in_;
  violation_list found_;
  value_checker* checker_;
};

}  // namespace corbel::json
