#include "corbel/schema/parse.hpp"

namespace corbel::schema {

result<void> parse_into(const type_descriptor& type, void* out, std::string_view text,
                        const parse_options& options) {
  rule_checker rules;
  json::decode_options how;
  how.in = options.in;
  how.limits = options.limits;
  how.checker = &rules;
  return json::decode(type, out, text, how);
}

}  // namespace corbel::schema
