#include "corbel/base/json/path.hpp"

namespace corbel::json {

void append_pointer(std::string& pointer, std::string_view name) {
  pointer.push_back('/');
  for (const char c : name) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer.push_back(c);
  }
}

void path::append_to(std::string& out) const {
  if (!parent_) return;
  parent_->append_to(out);
  if (in_list_)
    out.append("/").append(std::to_string(index_));
  else
    append_pointer(out, name_);
}

std::string path::pointer() const {
  std::string out;
  append_to(out);
  return out;
}

void violation_list::add(const path& at, std::string_view rule, std::string message) {
  add(at, {}, rule, std::move(message));
}

void violation_list::add(const path& at, std::string_view below, std::string_view rule, std::string message) {
  if (++count_ > most_) return;
  all_.push_back({std::string(in_), at.pointer().append(below), std::string(rule), std::move(message)});
}

}  // namespace corbel::json
