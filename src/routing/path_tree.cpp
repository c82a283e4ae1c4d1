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
  bool more = false;  // segments follow that no route's path has, but for a rest
};

namespace {

const route_entry* find_method(const std::vector<route_entry>& routes, method m, std::string_view name) {
  for (const auto& route : routes)
    if (route.method == m && (m != method::other || route.method_name == name)) return &route;
  return nullptr;
}

/// The route that takes the request's method, if there is one.
const route_entry* route_for(const std::vector<route_entry>& routes, const request& in) {
  const auto* found = find_method(routes, in.method(), in.method_name());
  return found || in.method() != method::head ? found : find_method(routes, method::get, {});
}

}  // namespace

/// A search for the routes of one path.
struct path_tree::walk {
  enum class aim : std::uint8_t {
    method,  // the first route that takes the request's method
    any,     // the first route
    all,     // none: each place is noted
  } what;
  const request* in = nullptr;
  split_path path;
  view_list values;  // of the parameters on the way
  std::size_t count = 0;
  bool rest = false;  // the last one is a rest
  bool known = false;
  std::vector<const std::vector<route_entry>*> places;

  /// The routes of a place that the path leads to.
  const route_entry* offer(const std::vector<route_entry>& routes) {
    if (routes.empty()) return nullptr;
    known = true;
    if (what == aim::method) return route_for(routes, *in);
    if (what == aim::any) return &routes.front();
    places.push_back(&routes);
    return nullptr;
  }
};

path_tree::path_tree() : root_(std::make_unique<node>()) {}
path_tree::~path_tree() = default;

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
    if (out.count == most_segments) {
      out.more = true;
      return true;
    }
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

// No place is visited twice, so a search costs no more than the tree has places.
const route_entry* path_tree::match(const node& at, std::size_t depth, walk& on) {
  if (depth == on.path.count) return on.path.more ? nullptr : on.offer(at.routes);
  const auto segment = on.path.segments[depth];
  if (const node* below = at.literal(segment))
    if (const auto* found = match(*below, depth + 1, on)) return found;
  const auto mark = on.count;
  if (at.param && !segment.empty()) {
    on.values.set(on.count++, segment);
    if (const auto* found = match(*at.param, depth + 1, on)) return found;
    on.count = mark;
  }
  const auto* found = on.offer(at.rest_routes);
  if (found) {
    on.values.set(on.count++, on.path.tails[depth]);
    on.rest = true;
  }
  return found;
}

namespace {

/// A rest spans slashes, so one that came as an escape stays an escape: it separates nothing.
bool decode_rest(std::string_view raw, std::string& out) {
  std::string part;
  for (std::size_t from = 0, at = 0;;) {
    at = raw.find('%', at);
    const bool slash = at != std::string_view::npos && iequals(raw.substr(at + 1, 2), "2f");
    if (at != std::string_view::npos && !slash) {
      ++at;
      continue;
    }
    if (!percent_decode(raw.substr(from, at - from), part)) return false;
    out += part;
    if (!slash) return true;
    out += raw.substr(at, 3);
    from = at += 3;
  }
}

}  // namespace

path_match path_tree::find(request& in) const {
  request_access access(in);
  access.params().clear();
  access.decoded().clear();
  if (const node* exact = find_exact(in.path()))
    if (const auto* route = route_for(exact->routes, in)) return {route, true};
  walk on{walk::aim::method, &in, {}, {}, 0, false, false, {}};
  if (!split(in.path(), access.decoded(), on.path)) return {};
  const auto* route = match(*root_, 0, on);
  if (!route) return {nullptr, on.known};
  for (std::size_t i = 0; i < on.count; ++i) access.params().push_back({route->params[i], on.values[i]});
  if (on.rest && on.values[on.count - 1].find('%') != std::string_view::npos) {
    // Its pieces lie behind those of the segments.
    std::string plain;
    if (!decode_rest(on.values[on.count - 1], plain)) return {};
    auto& decoded = access.decoded();
    const auto begin = decoded.size();
    decoded.insert(decoded.end(), plain.begin(), plain.end());
    access.params().back().value = {decoded.data() + begin, plain.size()};
  }
  return {route, true};
}

std::string path_tree::allow(std::string_view path) const {
  std::vector<char> decoded;
  walk on{walk::aim::all, nullptr, {}, {}, 0, false, false, {}};
  if (split(path, decoded, on.path)) match(*root_, 0, on);
  std::vector<std::string_view> names;
  const auto put = [&](std::string_view name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const auto* routes : on.places)
    for (const auto& route : *routes) {
      put(route.method_name);
      if (route.method == method::get && !find_method(*routes, method::head, {})) put("HEAD");
    }
  put("OPTIONS");
  std::string list;
  for (const auto name : names) list.append(list.empty() ? "" : ", ").append(name);
  return list;
}

bool path_tree::knows_with_other_slash(std::string_view path) const {
  std::string other(path);
  if (other.size() > 1 && other.back() == '/')
    other.pop_back();
  else
    other += '/';
  std::vector<char> decoded;
  walk on{walk::aim::any, nullptr, {}, {}, 0, false, false, {}};
  return split(other, decoded, on.path) && match(*root_, 0, on) != nullptr && !on.rest;
}

}  // namespace corbel
