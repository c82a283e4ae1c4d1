#pragma once

#include <corbel/routing/extract.hpp>

namespace corbel {

/// The fields of an HTML form, sent as application/x-www-form-urlencoded, as a described struct of scalars
/// and lists of scalars; every rule of its description checked, and every violation listed with
/// `"in":"body"`. A list takes every occurrence of its name. Two habits of browsers are met: an empty field
/// is an absent one where the member is an optional that is no text, and a ticked checkbox without a value
/// ("on") is true. An unticked one is not sent, so give such a member a default.
template <class T>
struct form : extracted<T> {
  using extracted<T>::extracted;
};

/// More pairs than this in one form are refused, whatever the size of the body.
inline constexpr std::size_t most_form_fields = 1000;

namespace detail {

void read_form(const request& in, const type_descriptor& type, void* out, extraction& failed);

template <class T>
struct parameter<form<T>> : value_parameter<form<T>> {
  static constexpr bool whole_body = true;
  static void fill(const request& in, form<T>& into, extraction& failed) {
    read_form(in, type_of<T>(), &*into, failed);
  }
  static void note(endpoint_contract& c) {
    c.inputs.push_back(&type_of<T>());
    c.field_inputs.push_back(&type_of<T>());
  }
};

}  // namespace detail
}  // namespace corbel
