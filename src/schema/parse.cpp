#include "corbel/schema/parse.hpp"

#include "corbel/schema/merge_patch.hpp"

namespace corbel::schema {
namespace {

result<void> read(const type_descriptor& type, void* out, std::string_view text, const parse_options& options,
                  json::decode_mode mode) {
  rule_checker rules;
  json::decode_options how;
  how.in = options.in;
  how.limits = options.limits;
  how.mode = mode;
  how.checker = &rules;
  return json::decode(type, out, text, how);
}

}  // namespace

result<void> parse_into(const type_descriptor& type, void* out, std::string_view text,
                        const parse_options& options) {
  return read(type, out, text, options, json::decode_mode::whole);
}

result<void> check_patch(const type_descriptor& type, void* scratch, std::string_view patch,
                         const parse_options& options) {
  return read(type, scratch, patch, options, json::decode_mode::partial);
}

result<void> apply_patch(const type_descriptor& type, void* target, std::string_view patch,
                         const parse_options& options) {
  return read(type, target, patch, options, json::decode_mode::merge);
}

}  // namespace corbel::schema
