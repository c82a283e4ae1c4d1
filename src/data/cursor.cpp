#include "data/cursor.hpp"

#include <bit>
#include <cstdint>

#include "corbel/base/encoding.hpp"

namespace corbel::data {
namespace {

/// FNV-1a, 64 bits.
std::uint64_t checksum(std::string_view list, std::string_view payload) {
  std::uint64_t sum = 14695981039346656037u;
  const auto mix = [&](std::string_view text) {
    for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u;
    sum = (sum ^ 0x100) * 1099511628211u;
  };
  mix(list);
  mix(payload);
  return sum;
}

void put_number(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 255);
}

bool take_number(std::string_view& in, std::uint64_t& number) {
  if (in.size() < 8) return false;
  number = 0;
  for (int i = 0; i < 8; ++i)
    number = number << 8 | static_cast<unsigned char>(in[static_cast<std::size_t>(i)]);
  in.remove_prefix(8);
  return true;
}

bool take_value(std::string_view& in, value& out) {
  if (in.empty()) return false;
  const char kind = in.front();
  in.remove_prefix(1);
  if (kind == 'n') return out = value{}, true;
  std::uint64_t number = 0;
  if (!take_number(in, number)) return false;
  if (kind == 'i') return out = static_cast<std::int64_t>(number), true;
  if (kind == 'd') return out = std::bit_cast<double>(number), true;
  if (kind != 't' || number > in.size()) return false;
  out = std::string(in.substr(0, number));
  in.remove_prefix(number);
  return true;
}

}  // namespace

std::string make_cursor(std::string_view list, const std::vector<value>& place) {
  std::string payload;
  for (const auto& v : place) {
    if (const auto* n = std::get_if<std::int64_t>(&v)) {
      payload += 'i';
      put_number(payload, static_cast<std::uint64_t>(*n));
    } else if (const auto* d = std::get_if<double>(&v)) {
      payload += 'd';
      put_number(payload, std::bit_cast<std::uint64_t>(*d));
    } else if (const auto* text = std::get_if<std::string>(&v)) {
      payload += 't';
      put_number(payload, text->size());
      payload += *text;
    } else {
      payload += 'n';
    }
  }
  std::string whole;
  put_number(whole, checksum(list, payload));
  return to_base64url(whole + payload);
}

std::optional<std::vector<value>> read_cursor(std::string_view list, std::string_view text,
                                              std::size_t count) {
  constexpr std::size_t longest = 16'384;
  if (text.size() > longest) return {};
  const auto whole = from_base64url(text);
  if (!whole) return {};
  std::string_view rest = *whole;
  std::uint64_t sum = 0;
  if (!take_number(rest, sum) || sum != checksum(list, rest)) return {};
  std::vector<value> place(count);
  for (auto& v : place)
    if (!take_value(rest, v)) return {};
  if (!rest.empty()) return {};
  return place;
}

}  // namespace corbel::data
