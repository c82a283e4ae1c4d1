#include "routing/path_tree.hpp"

#include <algorithm>
#include <cstring>

#include "corbel/http/field.hpp"
#include "corbel/http/url.hpp"
#include "http/request_access.hpp"
#include "routing/pipeline.hpp"

namespace corbel {

std::optional<std::string> path_pattern::parse(std::string_view text, path_pattern& out) {
  if (text.empty() || text.front() != '/') return "must begin with /";
  std::string_view rest = text.substr(1);
  for (bool more = true; more;) {
    const auto slash = rest.find('/');
    const auto part = rest.substr(0, slash);
    more = slash != std::string_view::npos;
    rest = more ? rest.substr(slash + 1) : std::string_view{};
    segment made{segment::kind::literal, {}};
    if (!part.empty() && (part.front() == ':' || part.front() == '*')) {
      made.what = part.front() == ':' ? segment::kind::param : segment::kind::rest;
      made.text = part.substr(1);
      if (!is_token(made.text)) return "has a parameter without a name; write :id or *rest";
      if (made.what == segment::kind::rest && more)
        return "has something behind *" + made.text + "; a rest stands last";
      for (const auto& other : out.segments)
        if (other.what != segment::kind::literal && other.text == made.text)
          return "names the parameter " + made.text + " twice";
    } else if (!percent_decode(part, made.text)) {
      return "has a broken percent escape";
    }
    out.segments.push_back(std::move(made));
  }
  if (out.segments.size() > path_tree::most_segments) return "has more than 32 segments";
  return {};
}

struct path_tree::node {
  struct child {
    std::string text;
    std::unique_ptr<node> below;
  };
  std::vector<child> literals;  // sorted by length, then by bytes
  std::unique_ptr<node> param;
  std::vector<route_entry> routes;
  std::vector<route_entry> rest_routes;
  std::string allow;
  std::string rest_allow;

  static bool less(std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() < b.size() : std::memcmp(a.data(), b.data(), a.size()) < 0;
  }
  std::vector<child>::iterator place(std::string_view text) {
    return std::lower_bound(literals.begin(), literals.end(), text,
                            [](const child& c, std::string_view t) { return less(c.text, t); });
  }
  const node* literal(std::string_view text) const {
    const auto at = std::lower_bound(literals.begin(), literals.end(), text,
                                     [](const child& c, std::string_view t) { return less(c.text, t); });
    return at != literals.end() && at->text == text ? at->below.get() : nullptr;
  }
};

namespace {

/// As many views as a path may need, none of them written before it is used.
class view_list {
 public:
  view_list() noexcept {}  // NOLINT: the storage stays uninitialised on purpose
  std::string_view operator[](std::size_t i) const noexcept { return {at_[i].data, at_[i].size}; }
  void set(std::size_t i, std::string_view view) noexcept { at_[i] = {view.data(), view.size()}; }

 private:
  struct part {
    const char* data;
    std::size_t size;
  };
  part at_[path_tree::most_segments];
};

}  // namespace

struct path_tree::split_path {
  view_list segments;  // decoded
  view_list tails;     // from that segment to the end, as sent
  std::size_t count = 0;
};

struct path_tree::captures {
  view_list values;
  std::size_t count = 0;
  bool rest = false;  // the last one is a rest
};

path_tree::path_tree() : root_(std::make_unique<node>()) {}
path_tree::~path_tree() = default;

namespace {

const route_entry* find_method(const std::vector<route_entry>& routes, method m, std::string_view name) {
  for (const auto& route : routes)
    if (route.method == m && (m != method::other || route.method_name == name)) return &route;
  return nullptr;
}

std::string allow_list(const std::vector<route_entry>& routes) {
  std::string list;
  const auto put = [&](std::string_view name) {
    if (!list.empty()) list += ", ";
    list += name;
  };
  bool options = false;
  for (const auto& route : routes) {
    put(route.method_name);
    if (route.method == method::get && !find_method(routes, method::head, {})) put("HEAD");
    options |= route.method == method::options;
  }
  if (!options) put("OPTIONS");
  return list;
}

}  // namespace

bool path_tree::add(route_entry entry, const path_pattern& pattern, std::string& taken) {
  node* at = root_.get();
  bool rest = false;
  for (const auto& segment : pattern.segments) {
    if (segment.what == path_pattern::segment::kind::rest) {
      rest = true;
    } else if (segment.what == path_pattern::segment::kind::param) {
      if (!at->param) at->param = std::make_unique<node>();
      at = at->param.get();
    } else {
      auto place = at->place(segment.text);
      if (place == at->literals.end() || place->text != segment.text)
        place = at->literals.insert(place, {segment.text, std::make_unique<node>()});
      at = place->below.get();
    }
    if (segment.what != path_pattern::segment::kind::literal) entry.params.push_back(segment.text);
  }
  auto& routes = rest ? at->rest_routes : at->routes;
  if (const auto* there = find_method(routes, entry.method, entry.method_name)) {
    taken = there->path;
    return false;
  }
  routes.push_back(std::move(entry));
  return true;
}

void path_tree::finish() {
  const auto visit = [](const auto& self, node& at) -> void {
    if (!at.routes.empty()) at.allow = allow_list(at.routes);
    if (!at.rest_routes.empty()) at.rest_allow = allow_list(at.rest_routes);
    for (auto& child : at.literals) self(self, *child.below);
    if (at.param) self(self, *at.param);
  };
  visit(visit, *root_);
}

bool path_tree::split(std::string_view path, std::vector<char>& decoded, split_path& out) const {
  if (path.empty() || path.front() != '/') return false;
  const bool escaped = std::memchr(path.data(), '%', path.size()) != nullptr;
  // Every segment and a rest over all of them fit: it never moves while views into it are taken.
  if (escaped) decoded.reserve(2 * path.size());
  std::size_t from = 1;
  for (;;) {
    if (out.count == most_segments) return false;
    const auto slash = path.find('/', from);
    auto part = path.substr(from, slash == std::string_view::npos ? slash : slash - from);
    out.tails.set(out.count, path.substr(from));
    if (escaped && part.find('%') != std::string_view::npos) {
      std::string plain;
      if (!percent_decode(part, plain)) return false;
      const auto begin = decoded.size();
      decoded.insert(decoded.end(), plain.begin(), plain.end());
      part = {decoded.data() + begin, plain.size()};
    }
    out.segments.set(out.count++, part);
    if (slash == std::string_view::npos) return true;
    from = slash + 1;
  }
}

const path_tree::node* path_tree::match(const node& at, const split_path& path, std::size_t depth,
                                        captures& found) const {
  if (depth == path.count) return at.routes.empty() ? nullptr : &at;
  const auto segment = path.segments[depth];
  if (const node* below = at.literal(segment))
    if (const node* end = match(*below, path, depth + 1, found)) return end;
  if (at.param && !segment.empty()) {
    const auto mark = found.count;
    found.values.set(found.count++, segment);
    if (const node* end = match(*at.param, path, depth + 1, found)) return end;
    found.count = mark;
  }
  if (!at.rest_routes.empty()) {
    found.values.set(found.count++, path.tails[depth]);
    found.rest = true;
    return &at;
  }
  return nullptr;
}

path_match path_tree::find(request& in) const {
  request_access access(in);
  access.params().clear();
  access.decoded().clear();
  split_path path;
  if (!split(in.path(), access.decoded(), path)) return {};
  captures found;
  const node* end = match(*root_, path, 0, found);
  if (!end) return {};
  const auto& routes = found.rest ? end->rest_routes : end->routes;
  path_match made{find_method(routes, in.method(), in.method_name()), true,
                  found.rest ? end->rest_allow : end->allow};
  if (!made.route && in.method() == method::head) made.route = find_method(routes, method::get, {});
  if (!made.route) return made;
  for (std::size_t i = 0; i < found.count; ++i)
    access.params().push_back({made.route->params[i], found.values[i]});
  if (found.rest && found.values[found.count - 1].find('%') != std::string_view::npos) {
    // A rest spans slashes, so it is decoded as a whole; its pieces lie behind those of the segments.
    std::string plain;
    if (!percent_decode(found.values[found.count - 1], plain)) return {};
    auto& decoded = access.decoded();
    const auto begin = decoded.size();
    decoded.insert(decoded.end(), plain.begin(), plain.end());
    access.params().back().value = {decoded.data() + begin, plain.size()};
  }
  return made;
}

bool path_tree::knows_with_other_slash(std::string_view path) const {
  std::string other(path);
  if (other.size() > 1 && other.back() == '/')
    other.pop_back();
  else
    other += '/';
  std::vector<char> decoded;
  split_path parts;
  captures found;
  return split(other, decoded, parts) && match(*root_, parts, 0, found) != nullptr && !found.rest;
}

}  // namespace corbel
