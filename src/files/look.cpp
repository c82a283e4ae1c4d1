#include "files/look.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "corbel/base/clock.hpp"
#include "corbel/http/accept.hpp"

namespace corbel::file_access {
namespace {

constexpr variant known[] = {{"br", ".br"}, {"gzip", ".gz"}};

look made_of(opened&& there, std::string_view coding) {
  look made{there.what, nullptr, coding};
  if (there.what == found::file)
    made.file = std::make_shared<const open_file>(open_file{std::move(there.file), there.facts});
  return made;
}

void append_hex(std::string& out, std::int64_t value) {
  char digits[17];
  out += '-';
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value, 16).ptr);
}

std::chrono::nanoseconds since_epoch(const timespec& t) {
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

}  // namespace

std::vector<variant> variants_for(const request& in) {
  std::vector<variant> wanted;
  std::vector<std::string_view> left;
  for (const auto& each : known) left.push_back(each.coding);
  while (!left.empty()) {
    const auto at = std::find(left.begin(), left.end(), preferred_encoding(in, left));
    if (at == left.end()) break;
    wanted.push_back(
        *std::find_if(std::begin(known), std::end(known), [&](const variant& v) { return v.coding == *at; }));
    left.erase(at);
  }
  return wanted;
}

look look_for(const root_folder& root, const std::string& path, const std::vector<variant>& variants,
              patience how) {
  for (const auto& each : variants) {
    auto there = root.open(path + std::string(each.ending), how);
    if (there.what != found::nothing && there.what != found::folder)
      return made_of(std::move(there), each.coding);
  }
  return made_of(root.open(path, how), {});
}

validators validators_of(const look& seen, file_settings::tag how) {
  const auto& facts = seen.file->facts;
  const auto modified = since_epoch(facts.st_mtim);
  std::string opaque(seen.coding.empty() ? "f" : seen.coding);
  append_hex(opaque, modified.count());
  append_hex(opaque, facts.st_size);
  if (how == file_settings::tag::changed) {
    append_hex(opaque, since_epoch(facts.st_ctim).count());
    append_hex(opaque, static_cast<std::int64_t>(facts.st_ino));
  }
  const timestamp changed(std::chrono::floor<std::chrono::milliseconds>(modified));
  const bool rested = changed + std::chrono::seconds(2) < system_clock().now();
  return {rested ? entity_tag::strong(opaque) : entity_tag::weak(opaque + "-new"), changed, true};
}

}  // namespace corbel::file_access
