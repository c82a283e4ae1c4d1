#include "corbel/routing/router.hpp"

#include <algorithm>
#include <deque>

#include "corbel/http/problem.hpp"
#include "corbel/http/url.hpp"
#include "corbel/schema/check.hpp"
#include "corbel/schema/fields.hpp"
#include "http/body_limit.hpp"
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
  return {error_kind::method_not_allowed, "method_not_allowed",
          "This path does not take " + std::string(in.method_name()) + "; it takes " + allow + '.'};
}

}  // namespace

/// Answers what no route answers: 404, 405, and OPTIONS.
class unmatched_endpoint final : public endpoint {
 public:
  unmatched_endpoint(const path_tree& tree, trailing_slash slash) : tree_(tree), slash_(slash) {}

  bool waits() const noexcept override { return false; }
  task<void> serve_waiting(request&, response&) const override { co_return; }
  void serve(request& in, response& out) const override {
    if (in.target() == "*") {
      out.status(status::no_content);
      return;
    }
    const auto found = tree_.find(in);
    if (found.path_known) {
      const auto allow = tree_.allow(in.path());
      if (in.method() == method::options)
        out.status(status::no_content);
      else
        problem::write(in, wrong_method(in, allow), out);
      out.set("Allow", allow);
      return;
    }
    if (slash_ == trailing_slash::redirect && tree_.knows_with_other_slash(in.path())) {
      std::string to(in.path());
      if (to.back() == '/')
        to.pop_back();
      else
        to += '/';
      // A path that begins with // would be read as another host; browsers read \ as /.
      if (to.size() < 2 || (to[1] != '/' && to[1] != '\\')) {
        if (!in.query().empty()) to.append("?").append(in.query());
        out = redirect(to, status::permanent_redirect);
        return;
      }
    }
    if (std::string plain; !percent_decode(in.path(), plain))
      return problem::write(
          in,
          malformed("The path has a broken percent escape or an encoded NUL; write % as %25.",
                    "malformed_path"),
          out);
    problem::write(in, not_found("Nothing is served at this path."), out);
  }

 private:
  const path_tree& tree_;
  trailing_slash slash_;
};

struct router::impl {
  router_settings settings;
  std::deque<detail::group_node> groups;
  std::deque<detail::route_node> routes;
  path_tree tree;
  std::unique_ptr<pipeline> unmatched;

  const pipeline& pick(request& in) const {
    const auto found = tree.find(in);
    request_access(in).route_path(found.route ? std::string_view(found.route->path) : std::string_view());
    return found.route ? *found.route->pipeline : *unmatched;
  }
  std::size_t body_limit(const pipeline& p) const { return p.limits().body.value_or(settings.body_bytes); }

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
  route_entry entry{method_of(route.method_name),
                    route.method_name,
                    detail::full_path(route),
                    {},
                    std::make_unique<pipeline>(std::move(layers), route.end)};
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
  impl_->unmatched = std::make_unique<pipeline>(
      impl_->groups.front().layers,
      std::make_shared<unmatched_endpoint>(impl_->tree, impl_->settings.trailing_slash));
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

result<admission> router::admit(request& head) {
  const auto found = impl_->tree.find(head);
  if (found.route) {
    const auto& chosen = *found.route->pipeline;
    return admission{impl_->body_limit(chosen), chosen.end().streams_body()};
  }
  if (head.target() == "*" || (found.path_known && head.method() == method::options))
    return admission{impl_->settings.body_bytes, false};
  if (found.path_known) return wrong_method(head, impl_->tree.allow(head.path()));
  return not_found("Nothing is served at this path.");
}

bool router::serve(request& in, response& out) {
  const auto& chosen = impl_->pick(in);
  const auto limit = impl_->body_limit(chosen);
  request_access(in).body_limit(limit);
  if (in.body().size() > limit) {
    refuse(in, body_too_large(limit), out);
    return true;
  }
  if (chosen.waits()) {
    request_access(in).route(&chosen);
    return false;
  }
  chosen.serve(in, out);
  return true;
}

task<void> router::serve_waiting(request& in, response& out) {
  return static_cast<const pipeline*>(in.route())->serve_waiting(in, out);
}

void router::refuse(request& in, const error& why, response& out) {
  impl_->unmatched->refuse(in, why, out);
  if (why.kind() != error_kind::method_not_allowed) return;
  if (const auto found = impl_->tree.find(in); found.path_known)
    out.set("Allow", impl_->tree.allow(in.path()));
}

std::optional<std::chrono::milliseconds> router::time_limit(const request& in) const {
  const auto* chosen = static_cast<const pipeline*>(in.route());
  return chosen ? chosen->limits().time : std::nullopt;
}

bool router::never_shed(request& in) {
  if (!in.route()) return impl_->pick(in).limits().never_shed;
  return static_cast<const pipeline*>(in.route())->limits().never_shed;
}

}  // namespace corbel
