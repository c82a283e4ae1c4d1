#pragma once

#include <memory>
#include <string>
#include <vector>

#include "corbel/data/driver.hpp"

namespace corbel::sqlite {

/// Rows copied out of SQLite: fixed-size slots, and all text and bytes in one buffer.
class stored_rows final : public data::result_set {
 public:
  using names = std::shared_ptr<const std::vector<std::string>>;

  std::size_t column_count() const noexcept override { return names_ ? names_->size() : 0; }
  std::string_view column_name(std::size_t column) const override { return (*names_)[column]; }
  std::size_t row_count() const noexcept override {
    return column_count() == 0 ? 0 : slots_.size() / column_count();
  }
  std::int64_t affected() const noexcept override { return affected_; }

  data::cell at(std::size_t row, std::size_t column) const override {
    const slot& s = slots_[row * column_count() + column];
    switch (s.kind) {
      case cell_kind::integer: return s.integer;
      case cell_kind::floating: return s.floating;
      case cell_kind::text: return std::string_view(bytes_).substr(s.offset, s.length);
      case cell_kind::blob:
        return std::span(reinterpret_cast<const std::byte*>(bytes_.data()) + s.offset, s.length);
      case cell_kind::null: break;
    }
    return {};
  }

  void set_names(names n) { names_ = std::move(n); }
  void set_affected(std::int64_t n) { affected_ = n; }
  void add_null() { slots_.push_back({}); }
  void add(std::int64_t n) {
    slot s{cell_kind::integer, 0, {}};
    s.integer = n;
    slots_.push_back(s);
  }
  void add(double n) {
    slot s{cell_kind::floating, 0, {}};
    s.floating = n;
    slots_.push_back(s);
  }
  void add(const void* data, std::size_t length, bool is_text) {
    slot s{is_text ? cell_kind::text : cell_kind::blob, length, {}};
    s.offset = bytes_.size();
    if (length > 0) bytes_.append(static_cast<const char*>(data), length);
    slots_.push_back(s);
  }

 private:
  enum class cell_kind : std::uint8_t { null, integer, floating, text, blob };
  struct slot {
    cell_kind kind = cell_kind::null;
    std::size_t length = 0;
    union {
      std::int64_t integer = 0;
      double floating;
      std::size_t offset;
    };
  };

  names names_;
  std::vector<slot> slots_;
  std::string bytes_;
  std::int64_t affected_ = 0;
};

}  // namespace corbel::sqlite
