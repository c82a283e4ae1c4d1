#include "corbel/routing/offer.hpp"

#include "corbel/http/accept.hpp"

namespace corbel {

void reply<offer>::write(const request& in, response& out, offer&& offered) {
  std::vector<std::string_view> types;
  for (const auto& [type, write] : offered.forms_) types.push_back(type);
  const auto chosen = best_type(in, types);
  for (const auto& [type, write] : offered.forms_)
    if (!chosen.empty() && chosen.data() == type.data()) {
      write(out, offered.status_);
      vary(out, "Accept");
      return;
    }
  std::string available;
  for (const auto type : types) {
    if (!available.empty()) available += ", ";
    available += type;
  }
  detail::write_error(
      in, out,
      error(error_kind::not_acceptable, "not_acceptable",
            "It is not to be had in the form that Accept asks for; details.available lists its forms.")
          .detail("available", available));
  vary(out, "Accept");
}

}  // namespace corbel
