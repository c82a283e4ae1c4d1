#pragma once

#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <valijson/internal/adapter.hpp>
#include <valijson/internal/basic_adapter.hpp>
#include <valijson/internal/frozen_value.hpp>

/// nlohmann's DOM in valijson's form. Valijson brings one of its own, which hides the value: our checks need
/// it for exact numbers. This one also takes 3.0 for the integer it is, and no unsigned number for a
/// negative.
namespace corbel::schema {

class dom_adapter;
using dom_member = std::pair<std::string, dom_adapter>;

template <class Item>
class dom_iterator {
 public:
  using iterator_category = std::bidirectional_iterator_tag;
  using value_type = Item;
  using difference_type = std::ptrdiff_t;
  using pointer = Item*;
  using reference = Item&;

  explicit dom_iterator(nlohmann::json::const_iterator at) : at_(at) {}
  Item operator*() const;
  valijson::adapters::DerefProxy<Item> operator->() const {
    return valijson::adapters::DerefProxy<Item>(**this);
  }
  bool operator==(const dom_iterator& other) const { return at_ == other.at_; }
  bool operator!=(const dom_iterator& other) const { return at_ != other.at_; }
  const dom_iterator& operator++() {
    ++at_;
    return *this;
  }
  dom_iterator operator++(int) {
    const dom_iterator before = *this;
    ++at_;
    return before;
  }
  const dom_iterator& operator--() {
    --at_;
    return *this;
  }
  void advance(std::ptrdiff_t n) { at_ += n; }

 private:
  nlohmann::json::const_iterator at_;
};

inline const nlohmann::json& empty_dom(nlohmann::json::value_t kind) {
  static const nlohmann::json array = nlohmann::json::array();
  static const nlohmann::json object = nlohmann::json::object();
  return kind == nlohmann::json::value_t::array ? array : object;
}

// A pointer, since a reference would have the compiler ask whether the DOM can be made from this container.
class dom_array {
 public:
  using const_iterator = dom_iterator<dom_adapter>;
  using iterator = const_iterator;
  dom_array() : value_(&empty_dom(nlohmann::json::value_t::array)) {}
  explicit dom_array(const nlohmann::json* value) : value_(value) {}
  const_iterator begin() const;
  const_iterator end() const;
  std::size_t size() const { return value_->size(); }

 private:
  const nlohmann::json* value_;
};

class dom_object {
 public:
  using const_iterator = dom_iterator<dom_member>;
  using iterator = const_iterator;
  dom_object() : value_(&empty_dom(nlohmann::json::value_t::object)) {}
  explicit dom_object(const nlohmann::json* value) : value_(value) {}
  const_iterator begin() const;
  const_iterator end() const;
  const_iterator find(const std::string& name) const;
  std::size_t size() const { return value_->size(); }

 private:
  const nlohmann::json* value_;
};

/// Valijson keeps the operands of its own `enum` and `const` in copies such as this one.
class frozen_dom final : public valijson::adapters::FrozenValue {
 public:
  explicit frozen_dom(nlohmann::json value) : value_(std::move(value)) {}
  FrozenValue* clone() const override { return new frozen_dom(value_); }
  bool equalTo(const valijson::adapters::Adapter& other, bool strict) const override;

 private:
  nlohmann::json value_;
};

class dom_value {
 public:
  dom_value() : value_(&empty_dom(nlohmann::json::value_t::object)) {}
  explicit dom_value(const nlohmann::json& value) : value_(&value) {}

  valijson::adapters::FrozenValue* freeze() const { return new frozen_dom(*value_); }
  std::optional<dom_array> getArrayOptional() const {
    if (!isArray()) return {};
    return dom_array(value_);
  }
  std::optional<dom_object> getObjectOptional() const {
    if (!isObject()) return {};
    return dom_object(value_);
  }
  bool getArraySize(std::size_t& result) const {
    if (isArray()) result = value_->size();
    return isArray();
  }
  bool getObjectSize(std::size_t& result) const {
    if (isObject()) result = value_->size();
    return isObject();
  }
  bool getBool(bool& result) const {
    if (isBool()) result = value_->get<bool>();
    return isBool();
  }
  bool getDouble(double& result) const {
    result = isDouble() ? value_->get<double>() : 0;  // GCC 12 asks for a value in any case
    return isDouble();
  }
  bool getInteger(std::int64_t& result) const {
    result = 0;
    if (!isInteger()) return false;
    result = value_->is_number_float() ? static_cast<std::int64_t>(value_->get<double>())
                                       : value_->get<std::int64_t>();
    return true;
  }
  bool getString(std::string& result) const {
    if (isString()) result = value_->get_ref<const std::string&>();
    return isString();
  }

  static bool hasStrictTypes() { return true; }
  bool isArray() const { return value_->is_array(); }
  bool isBool() const { return value_->is_boolean(); }
  bool isDouble() const { return value_->is_number() && !isInteger(); }
  /// Of what is a whole number, whatever its spelling, what 64 bits with a sign hold.
  bool isInteger() const {
    if (value_->is_number_unsigned())
      return value_->get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    if (!value_->is_number_float()) return value_->is_number_integer();
    const double number = value_->get<double>();
    return number == std::trunc(number) && std::abs(number) < 9e18;
  }
  bool isNull() const { return value_->is_null(); }
  bool isNumber() const { return value_->is_number(); }
  bool isObject() const { return value_->is_object(); }
  bool isString() const { return value_->is_string(); }

 private:
  const nlohmann::json* value_;
};

class dom_adapter
    : public valijson::adapters::BasicAdapter<dom_adapter, dom_array, dom_member, dom_object, dom_value> {
 public:
  dom_adapter() : dom_(&empty_dom(nlohmann::json::value_t::object)) {}
  dom_adapter(const nlohmann::json& value) : BasicAdapter(dom_value(value)), dom_(&value) {}
  const nlohmann::json& dom() const { return *dom_; }

 private:
  const nlohmann::json* dom_;
};

template <>
inline dom_adapter dom_iterator<dom_adapter>::operator*() const {
  return dom_adapter(*at_);
}
template <>
inline dom_member dom_iterator<dom_member>::operator*() const {
  return {at_.key(), dom_adapter(at_.value())};
}

inline dom_array::const_iterator dom_array::begin() const {
  return const_iterator(value_->cbegin());
}
inline dom_array::const_iterator dom_array::end() const {
  return const_iterator(value_->cend());
}
inline dom_object::const_iterator dom_object::begin() const {
  return const_iterator(value_->cbegin());
}
inline dom_object::const_iterator dom_object::end() const {
  return const_iterator(value_->cend());
}
inline dom_object::const_iterator dom_object::find(const std::string& name) const {
  return const_iterator(value_->find(name));
}

inline bool frozen_dom::equalTo(const valijson::adapters::Adapter& other, bool strict) const {
  return dom_adapter(value_).equalTo(other, strict);
}

}  // namespace corbel::schema

template <>
struct valijson::adapters::AdapterTraits<corbel::schema::dom_adapter> {
  using DocumentType = nlohmann::json;
  static std::string adapterName() { return "dom_adapter"; }
};
