#include "corbel/routing/router.hpp"

#include <algorithm>
#include <deque>
#include <optional>

#include "corbel/http/problem.hpp"
#include "corbel/http/url.hpp"
#include "corbel/schema/check.hpp"
#include "corbel/schema/fields.hpp"
#include "http/request_access.hpp"
#include "routing/path_tree.hpp"
#include "routing/pipeline.hpp"

namespace corbel {

namespace detail {

struct route_node {
  group_node* group;
  std::string method_name;
  std::string path;  // within its group
  std::string summary;
  std::shared_ptr<const endpoint> end;
  pipeline::layers layers;
};

struct group_node {
  group_node* parent = nullptr;
  std::string prefix;
  pipeline::layers layers;
  std::deque<route_node>* routes = nullptr;  // the router's, for all groups
  std::deque<group_node>* groups = nullptr;

  std::string full_prefix() const { return parent ? parent->full_prefix() + prefix : prefix; }
  void collect(pipeline::layers& into) const {
    if (parent) parent->collect(into);
    into.insert(into.end(), layers.begin(), layers.end());
  }
};

namespace {

class limits_layer final : public middleware {
 public:
  explicit limits_layer(route_limits limits) : limits_(limits) {}
  route_limits limits() const override { return limits_; }

 private:
  route_limits limits_;
};

std::string full_path(const route_node& route) {
  const auto prefix = route.group->full_prefix();
  return route.path == "/" && !prefix.empty() ? prefix : prefix + route.path;
}

std::string name_of(const route_node& route) {
  return route.method_name + ' ' + full_path(route);
}

}  // namespace
}  // namespace detail

route& route::summary(std::string text) {
  node_->summary = std::move(text);
  return *this;
}
route& route::body_limit(std::size_t bytes) {
  return add(std::make_shared<detail::limits_layer>(route_limits{bytes, {}}));
}
route& route::time_limit(std::chrono::milliseconds time) {
  return add(std::make_shared<detail::limits_layer>(route_limits{{}, time}));
}
route& route::never_shed() {
  return add(std::make_shared<detail::limits_layer>(route_limits{{}, {}, true}));
}
route& route::add(std::shared_ptr<const middleware> layer) {
  node_->layers.push_back(std::move(layer));
  return *this;
}

route_group route_group::group(std::string_view prefix) {
  auto& made = node_->groups->emplace_back();
  made.parent = node_;
  made.prefix = prefix;
  made.routes = node_->routes;
  made.groups = node_->groups;
  return route_group(made);
}
route_group& route_group::add(std::shared_ptr<const middleware> layer) {
  node_->layers.push_back(std::move(layer));
  return *this;
}
route route_group::add(method m, std::string_view path, std::shared_ptr<const endpoint> end) {
  return add(to_string(m), path, std::move(end));
}
route route_group::add(std::string_view method_name, std::string_view path,
                       std::shared_ptr<const endpoint> end) {
  return route(node_->routes->emplace_back(
      detail::route_node{node_, std::string(method_name), std::string(path), {}, std::move(end), {}}));
}

namespace {

error wrong_method(const request& in, const std::string& allow) {
  return error(error_kind::method_not_allowed, "method_not_allowed",
               "This path does not take " + std::string(in.method_name()) + "; it takes " + allow + '.')
      .header("Allow", allow);
}

}  // namespace

/// Answers where the path has routes, but none of this method: 405, or OPTIONS.
class other_method_endpoint final : public endpoint {
 public:
  explicit other_method_endpoint(const path_tree& tree) : tree_(tree) {}

  bool waits() const noexcept override { return false; }
  task<void> serve_waiting(request&, response&) const override { co_return; }
  result<void> guard(request& head) const override {
    if (head.method() == method::options) return {};
    return wrong_method(head, tree_.allow(head.path()));
  }
  void serve(request& in, response& out) const override {
    if (auto allowed = guard(in); !allowed) return problem::write(in, allowed.error(), out);
    out.status(status::no_content);
    out.set("Allow", tree_.allow(in.path()));
  }

 private:
  const path_tree& tree_;
};

/// Answers where no route has the path: 404, or where the service is.
class unknown_path_endpoint final : public endpoint {
 public:
  unknown_path_endpoint(const path_tree& tree, trailing_slash slash) : tree_(tree), slash_(slash) {}

  bool waits() const noexcept override { return false; }
  task<void> serve_waiting(request&, response&) const override { co_return; }
  result<void> guard(request& head) const override {
    if (head.target() == "*" || elsewhere(head)) return {};
    if (std::string plain; !percent_decode(head.path(), plain))
      return malformed("The path has a broken percent escape or an encoded NUL; write % as %25.",
                       "malformed_path");
    return not_found("Nothing is served at this path.");
  }
  void serve(request& in, response& out) const override {
    if (const auto to = elsewhere(in))
      out = redirect(*to, status::permanent_redirect);
    else if (const auto found = guard(in); !found)
      problem::write(in, found.error(), out);
    else
      out.status(status::no_content);
  }

 private:
  /// Where the same path with the other reading of its trailing slash is a route.
  std::optional<std::string> elsewhere(const request& in) const {
    if (slash_ != trailing_slash::redirect || !tree_.knows_with_other_slash(in.path())) return {};
    std::string to(in.path());
    if (to.back() == '/')
      to.pop_back();
    else
      to += '/';
    // A path that begins with // would be read as another host; browsers read \ as /.
    if (to.size() >= 2 && (to[1] == '/' || to[1] == '\\')) return {};
    if (!in.query().empty()) to.append("?").append(in.query());
    return to;
  }

  const path_tree& tree_;
  trailing_slash slash_;
};

struct router::impl {
  router_settings settings;
  std::deque<detail::group_node> groups;
  std::deque<detail::route_node> routes;
  path_tree tree;
  // What stands in where no route is found, behind the layers of the root.
  std::unique_ptr<pipeline> unknown_path, other_method;

  void add(const detail::route_node& route, const services& provided, std::vector<std::string>& wrong);
  static void check_contract(const std::string& name, const path_pattern& pattern,
                             const endpoint_contract& contract, const services& provided,
                             std::vector<std::string>& wrong);
};

router::router() : router(router_settings{}) {}

router::router(router_settings settings) : impl_(std::make_unique<impl>()) {
  impl_->settings = settings;
  auto& root = impl_->groups.emplace_back();
  root.routes = &impl_->routes;
  root.groups = &impl_->groups;
}

router::~router() = default;

route_group router::root() noexcept {
  return route_group(impl_->groups.front());
}

void router::impl::check_contract(const std::string& name, const path_pattern& pattern,
                                  const endpoint_contract& contract, const services& provided,
                                  std::vector<std::string>& wrong) {
  std::size_t unnamed = 0;
  std::size_t free = 0;  // parameters of the path that no extractor asks for by name
  for (const auto& segment : pattern.segments)
    free += segment.what != path_pattern::segment::kind::literal &&
            std::find(contract.path_params.begin(), contract.path_params.end(), segment.text) ==
                contract.path_params.end();
  for (const auto param : contract.path_params) {
    if (param.empty()) {
      if (++unnamed > free)
        wrong.push_back(name +
                        ": the handler takes more path<T> parameters than the path has; write them into the "
                        "path as :name");
      continue;
    }
    const bool known =
        std::any_of(pattern.segments.begin(), pattern.segments.end(), [&](const auto& segment) {
          return segment.what != path_pattern::segment::kind::literal && segment.text == param;
        });
    if (!known)
      wrong.push_back(name + ": the handler takes path<..., \"" + std::string(param) +
                      "\">, but the path has no :" + std::string(param) +
                      "; add it to the path or correct the name");
  }
  for (const auto& need : contract.services)
    if (!provided.find(need.key))
      wrong.push_back(name + ": the handler takes state<" + std::string(need.name) +
                      ">, which nobody provides; call provide(...) with one before the start");
  for (const auto* type : contract.inputs)
    if (auto sound = schema::verify(*type); !sound)
      for (const auto& each : sound.error().violations())
        wrong.push_back(name + ": the rule of " + each.path + " " + each.message);
  for (const auto* type : contract.field_inputs)
    if (!schema::can_read_fields(*type))
      wrong.push_back(
          name +
          ": query<T> and form<T> take a described struct of scalars and lists of scalars; take nested "
          "values in a body<T>");
  for (const auto& mistake : contract.mistakes) wrong.push_back(name + ": " + mistake);
}

void router::impl::add(const detail::route_node& route, const services& provided,
                       std::vector<std::string>& wrong) {
  const auto name = detail::name_of(route);
  if (route.path.empty() || route.path.front() != '/') {
    wrong.push_back(name + ": the path \"" + route.path + "\" must begin with /");
    return;
  }
  path_pattern pattern;
  if (const auto problem = path_pattern::parse(detail::full_path(route), pattern)) {
    wrong.push_back(name + ": the path " + *problem);
    return;
  }
  if (!is_token(route.method_name))
    wrong.push_back(name + ": the method is no token; write a name such as PURGE");
  check_contract(name, pattern, route.end->contract(), provided, wrong);
  pipeline::layers layers;
  route.group->collect(layers);
  layers.insert(layers.end(), route.layers.begin(), route.layers.end());
  auto path = detail::full_path(route);
  route_entry entry{method_of(route.method_name),
                    route.method_name,
                    path,
                    {},
                    std::make_unique<pipeline>(std::move(layers), route.end, path, settings.body_bytes)};
  if (std::string taken; !tree.add(std::move(entry), pattern, taken))
    wrong.push_back(name + ": registered twice (the other is " + taken +
                    "); remove one or give it another path");
}

std::vector<std::string> router::build(const services& provided) {
  std::vector<std::string> wrong;
  for (const auto& group : impl_->groups) {
    if (!group.prefix.empty() && (group.prefix.front() != '/' || group.prefix.back() == '/'))
      wrong.push_back("group \"" + group.prefix +
                      "\": a prefix begins with / and ends without it, such as /api/v1");
    for (const auto& layer : group.layers)
      for (auto& mistake : layer->mistakes()) wrong.push_back(std::move(mistake));
  }
  for (const auto& route : impl_->routes) {
    for (const auto& layer : route.layers)
      for (auto& mistake : layer->mistakes()) wrong.push_back(detail::name_of(route) + ": " + mistake);
    impl_->add(route, provided, wrong);
  }
  impl_->tree.finish();
  const auto stand_in = [&](std::shared_ptr<const endpoint> end) {
    return std::make_unique<pipeline>(impl_->groups.front().layers, std::move(end), std::string(),
                                      impl_->settings.body_bytes);
  };
  impl_->unknown_path =
      stand_in(std::make_shared<unknown_path_endpoint>(impl_->tree, impl_->settings.trailing_slash));
  impl_->other_method = stand_in(std::make_shared<other_method_endpoint>(impl_->tree));
  return wrong;
}

std::vector<route_info> router::table() const {
  std::vector<route_info> all;
  for (const auto& route : impl_->routes)
    all.push_back({route.method_name, detail::full_path(route), route.summary});
  return all;
}

std::vector<std::string> router::list() const {
  std::vector<std::string> all;
  for (const auto& route : impl_->routes) all.push_back(detail::name_of(route));
  return all;
}

const resolved_route& router::resolve(request& head) const {
  const auto found = impl_->tree.find(head);
  const auto& chosen = found.route        ? *found.route->pipeline
                       : found.path_known ? *impl_->other_method
                                          : *impl_->unknown_path;
  request_access access(head);
  access.route_path(chosen.path());
  access.body_limit(chosen.traits().body_limit);
  return chosen;
}

const resolved_route& router::unresolved() const noexcept {
  return *impl_->unknown_path;
}

}  // namespace corbel
