#pragma once

#include <concepts>

#include <corbel/data/list_query.hpp>
#include <corbel/data/page.hpp>
#include <corbel/routing/extract.hpp>
#include <corbel/routing/reply.hpp>

/// Lists over HTTP: the query that asks for one, and the page that answers, with its `Link` header.
namespace corbel {

/// What a client asks of a list of T: `?status=active&sort=createdAt:desc&page=1&limit=20`. What it may ask
/// is said beside T:
///
///     inline corbel::data::list_rules list_rules(corbel::tag<project>) {
///       return {.filterable = {"status"}, .sortable = {"createdAt"}, .default_sort = "createdAt:desc"};
///     }
template <class T>
struct list_query : extracted<data::list_query> {
  using extracted::extracted;
};

namespace detail {

template <class T>
concept has_list_rules = requires {
  { list_rules(tag<T>{}) } -> std::same_as<data::list_rules>;
};

template <class T>
const data::list_rules& rules_of_list() {
  static const data::list_rules rules = list_rules(tag<T>{});
  return rules;
}

void read_list_query(const request& in, const data::list_rules& allowed, const type_descriptor& type,
                     void* scratch, data::list_query& out, extraction& failed);
void write_page(const request& in, response& out, const type_descriptor& type, const void* page,
                const data::page_meta& meta);
void write_page(const request& in, response& out, const type_descriptor& type, const void* page,
                const data::cursor_meta& meta);

template <class T>
struct parameter<list_query<T>> : value_parameter<list_query<T>> {
  static_assert(has_list_rules<T>,
                "corbel: list_query<T> needs `inline corbel::data::list_rules list_rules(corbel::tag<T>)` "
                "beside T, which says what a client may filter and sort by");
  static void fill(const request& in, list_query<T>& into, extraction& failed) {
    T scratch{};
    read_list_query(in, rules_of_list<T>(), type_of<T>(), &scratch, *into, failed);
  }
  static void note(endpoint_contract& c) {
    for (auto& mistake : data::check(rules_of_list<T>(), type_of<T>()))
      c.mistakes.push_back(std::move(mistake));
  }
};

}  // namespace detail

/// `{"data":[...],"meta":{...}}` with `Link` to the pages around it.
template <class T>
struct reply<data::page_of<T>> {
  static void write(const request& in, response& out, const data::page_of<T>& page) {
    detail::write_page(in, out, type_of<data::page_of<T>>(), &page, page.meta);
  }
};
template <class T>
struct reply<data::cursor_page_of<T>> {
  static void write(const request& in, response& out, const data::cursor_page_of<T>& page) {
    detail::write_page(in, out, type_of<data::cursor_page_of<T>>(), &page, page.meta);
  }
};

}  // namespace corbel
