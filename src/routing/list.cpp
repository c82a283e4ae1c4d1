#include "corbel/routing/list.hpp"

namespace corbel::detail {
namespace {

template <class Meta>
void write(const request& in, response& out, const type_descriptor& type, const void* page,
           const Meta& meta) {
  write_json(out, status::ok, type, page);
  const auto& params = in.query_params();
  const auto pairs = params ? params->pairs() : std::span<const data::query_pair>();
  if (const auto links = data::link_header(in.path(), pairs, meta); !links.empty()) out.set("Link", links);
}

}  // namespace

void read_list_query(const request& in, const data::list_rules& allowed, const type_descriptor& type,
                     void* scratch, data::list_query& out, extraction& failed) {
  const auto& params = in.query_params();
  if (!params) return failed.refuse(broken_query());
  auto read = data::detail::parse_list_query(params->pairs(), allowed, type, scratch);
  if (read)
    out = *std::move(read);
  else
    failed.add(std::move(read).error());
}

void write_page(const request& in, response& out, const type_descriptor& type, const void* page,
                const data::page_meta& meta) {
  write(in, out, type, page, meta);
}

void write_page(const request& in, response& out, const type_descriptor& type, const void* page,
                const data::cursor_meta& meta) {
  write(in, out, type, page, meta);
}

}  // namespace corbel::detail
