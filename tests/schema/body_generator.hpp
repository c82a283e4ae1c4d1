#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

/// Makes bodies that are valid, nearly valid and absurd out of a few valid ones.
class body_generator {
 public:
  body_generator(std::uint64_t seed, std::vector<nlohmann::json> valid)
      : random_(seed), valid_(std::move(valid)) {}

  nlohmann::json next() {
    nlohmann::json body = valid_[below(valid_.size())];
    for (std::size_t changes = below(4); changes > 0; --changes) change(body);
    return body;
  }

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

 private:
  using json = nlohmann::json;

  /// Changes one place, reached by a random walk from the root.
  void change(json& at) {
    if (at.is_structured() && !at.empty() && below(8) != 0) {
      const auto child = std::next(at.begin(), static_cast<std::ptrdiff_t>(below(at.size())));
      if (below(6) == 0) {
        at.erase(child);
        return;
      }
      return change(*child);
    }
    switch (below(4)) {
      case 0:
        if (at.is_array() && !at.empty()) return at.push_back(at[below(at.size())]);
        break;
      case 1:
        if (at.is_array()) {
          for (std::size_t more = below(14); more > 0; --more) at.push_back(value(1));
          return;
        }
        break;
      case 2:
        if (at.is_object()) {
          at[name()] = value(1);
          return;
        }
        break;
      default: break;
    }
    at = value(0);
  }

  std::string name() {
    static const char* const names[] = {"name",   "extra", "kind",  "a/b",     "c~d",  "",
                                        "status", "tags",  "lines", "sku",     "side", "size",
                                        "id",     "note",  "shape", "\xc3\xa9"};
    return names[below(std::size(names))];
  }

  json value(int depth) {
    switch (below(depth > 2 ? 7 : 9)) {
      case 0: return nullptr;
      case 1: return below(2) == 0;
      case 2: return static_cast<std::int64_t>(below(24)) - 4;
      case 3: {
        static const json numbers[] = {0.5,         3.0,           -0.0,          1e2,        1e300,
                                       -1e300,      127,           128,           -129,       255,
                                       256,         65536,         1.5e-7,        2147483647, 2147483648,
                                       -2147483649, 4294967295,    4294967296,    99.99999,   1e15,
                                       -3000000000, 3.4028236e+38, 3.4028235e+38, 2.0000001,  12.0};
        return numbers[below(std::size(numbers))];
      }
      case 4: {
        static const char* const texts[] = {"",
                                            "active",
                                            "archived",
                                            "circle",
                                            "square",
                                            "2026-12-31",
                                            "2026-02-30",
                                            "2026-01-02T03:04:05Z",
                                            "0190a5b0-6c1e-7cc0-8000-0123456789ab",
                                            "ada@example.org",
                                            "AB-12",
                                            "null",
                                            "https://example.org/x"};
        return texts[below(std::size(texts))];
      }
      case 5: return std::string(below(24), 'x');
      case 6: {
        std::string text;
        for (std::size_t n = below(110); n > 0; --n) text += below(3) == 0 ? "\xe2\x82\xac" : "y";
        return text;
      }
      case 7: {
        json list = json::array();
        for (std::size_t n = below(4); n > 0; --n) list.push_back(value(depth + 1));
        return list;
      }
      default: {
        json object = json::object();
        for (std::size_t n = below(4); n > 0; --n) object[name()] = value(depth + 1);
        return object;
      }
    }
  }

  std::mt19937_64 random_;
  std::vector<json> valid_;
};
