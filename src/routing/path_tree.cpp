#include "routing/path_tree.hpp"

#include <algorithm>
#include <bit>
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

namespace {

/// Tells texts apart by one comparison, mostly. The routes are the developer's, so nobody else can choose
/// texts that collide; those that do are told apart by their bytes.
std::uint64_t key_of(std::string_view text) noexcept {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
  std::uint64_t key = text.size();
  const auto mix = [&](std::uint64_t word) {
    // A product carries upwards alone, and texts often differ in their last bytes, which are the uppermost.
    key = (key ^ word) * odd;
    key = (key ^ key >> 32) * odd;
    key ^= key >> 29;
  };
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint64_t word = 0;
  if (text.size() < 8) {
    for (; at != end; ++at) word = word << 8 | static_cast<unsigned char>(*at);
    mix(word);
    return key;
  }
  for (; end - at > 8; at += 8) {
    std::memcpy(&word, at, 8);
    mix(word);
  }
  std::memcpy(&word, end - 8, 8);
  mix(word);
  return key;
}

}  // namespace

struct path_tree::exact_path {
  std::uint64_t key = 0;
  const node* leads_to = nullptr;
  std::string path;
};

struct path_tree::node {
  struct child {
    std::uint64_t key;
    std::string text;
    std::unique_ptr<node> below;
  };
  std::vector<child> literals;  // sorted by key
  std::unique_ptr<node> param;
  std::vector<route_entry> routes;
  std::vector<route_entry> rest_routes;
  std::string allow;
  std::string rest_allow;

  /// The child of that text, or where it belongs.
  template <class Children>
  static auto place(Children& all, std::uint64_t key, std::string_view text) {
    auto at = std::lower_bound(all.begin(), all.end(), key,
                               [](const child& c, std::uint64_t k) { return c.key < k; });
    while (at != all.end() && at->key == key && at->text != text) ++at;
    return at;
  }
  const node* literal(std::string_view text) const {
    if (literals.empty()) return nullptr;
    const auto key = key_of(text);
    const auto at = place(literals, key, text);
    return at != literals.end() && at->key == key ? at->below.get() : nullptr;
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
      const auto key = key_of(segment.text);
      auto place = node::place(at->literals, key, segment.text);
      if (place == at->literals.end() || place->key != key)
        place = at->literals.insert(place, {key, segment.text, std::make_unique<node>()});
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
  std::size_t count = 0;
  const auto size_up = [&](const auto& self, const node& at) -> void {
    count += !at.routes.empty();
    for (const auto& child : at.literals) self(self, *child.below);
  };
  size_up(size_up, *root_);
  exact_ = std::vector<exact_path>(std::bit_ceil(2 * count + 1));
  collect(*root_, "");
}

void path_tree::collect(const node& at, const std::string& path) {
  if (!at.routes.empty()) {
    const auto key = key_of(path);
    std::size_t place = key % exact_.size();
    while (exact_[place].leads_to) place = (place + 1) % exact_.size();
    exact_[place] = {key, &at, path};
  }
  for (const auto& child : at.literals) {
    // What is not as it would be sent is left to the walk, which decodes.
    if (child.text.find_first_of("/%") == std::string::npos) collect(*child.below, path + '/' + child.text);
  }
}

const path_tree::node* path_tree::find_exact(std::string_view path) const noexcept {
  if (exact_.empty()) return nullptr;
  const auto key = key_of(path);
  const std::size_t last = exact_.size() - 1;
  for (std::size_t place = key & last; exact_[place].leads_to; place = (place + 1) & last)
    if (exact_[place].key == key && exact_[place].path == path) return exact_[place].leads_to;
  return nullptr;
}

bool path_tree::split(std::string_view path, std::vector<char>& decoded, split_path& out) const {
  if (path.empty() || path.front() != '/') return false;
  const bool escaped = std::memchr(path.data(), '%', path.size()) != nullptr;
  // Every segment and a rest over all of them fit: it never moves while views into it are taken.
  if (escaped) decoded.reserve(2 * path.size());
  const char* const end = path.data() + path.size();
  for (const char* from = path.data() + 1;;) {
    if (out.count == most_segments) return false;
    const char* to = from;
    while (to != end && *to != '/') ++to;
    std::string_view part(from, static_cast<std::size_t>(to - from));
    out.tails.set(out.count, {from, static_cast<std::size_t>(end - from)});
    if (escaped && part.find('%') != std::string_view::npos) {
      std::string plain;
      if (!percent_decode(part, plain)) return false;
      const auto begin = decoded.size();
      decoded.insert(decoded.end(), plain.begin(), plain.end());
      part = {decoded.data() + begin, plain.size()};
    }
    out.segments.set(out.count++, part);
    if (to == end) return true;
    from = to + 1;
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

namespace {

/// The route of a path that takes the request's method, if there is one.
path_match match_for(const std::vector<route_entry>& routes, std::string_view allow, const request& in) {
  path_match made{find_method(routes, in.method(), in.method_name()), true, allow};
  if (!made.route && in.method() == method::head) made.route = find_method(routes, method::get, {});
  return made;
}

}  // namespace

path_match path_tree::find(request& in) const {
  request_access access(in);
  access.params().clear();
  access.decoded().clear();
  if (const node* exact = find_exact(in.path())) return match_for(exact->routes, exact->allow, in);
  captures found;
  split_path path;
  if (!split(in.path(), access.decoded(), path)) return {};
  const node* end = match(*root_, path, 0, found);
  if (!end) return {};
  const auto& routes = found.rest ? end->rest_routes : end->routes;
  auto made = match_for(routes, found.rest ? end->rest_allow : end->allow, in);
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
