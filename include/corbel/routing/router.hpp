#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <corbel/http/handler.hpp>
#include <corbel/http/middleware.hpp>
#include <corbel/routing/handler_of.hpp>

namespace corbel {

class router;

namespace detail {
struct group_node;
struct route_node;
}  // namespace detail

/// What is known of a registered route.
struct route_info {
  std::string method;
  std::string path;     ///< whole, as registered: "/api/v1/projects/:id"
  std::string summary;  ///< empty where none was given
};

/// One registered route, to say more about it. Valid as long as its router.
class route {
 public:
  /// One line for whoever uses the API; `router::table` and `app::route_table` have it.
  route& summary(std::string text);
  /// The most bytes its body may have, in place of the server's limit.
  route& body_limit(std::size_t bytes);
  /// How long its handler may wait, in place of the server's limit.
  route& time_limit(std::chrono::milliseconds time);
  /// Served also while the server sheds load: for what must answer then, and for handlers whose waiting says
  /// nothing of load, such as long polls.
  route& never_shed();
  /// A layer around this route alone, inside those of its groups.
  template <class M>
  route& use(M m) {
    return add(make_middleware(std::move(m)));
  }

 private:
  friend class route_group;
  explicit route(detail::route_node& node) : node_(&node) {}
  route& add(std::shared_ptr<const middleware> layer);
  detail::route_node* node_;
};

/// Routes that share a path prefix and middleware. A handle: copies name the same group, which belongs to its
/// router. The middleware of a group surrounds all its routes, wherever in the program they are added.
///
/// A path begins with "/"; `:name` stands for one segment, a last `*name` for the rest; it has at most 32
/// segments, the rest of a request's path any number. Handlers are plain functions or coroutines; their
/// parameters say what is taken out of the request (see extract.hpp), their result becomes the response (see
/// reply.hpp).
class route_group {
 public:
  template <class F>
  route get(std::string_view path, F f) {
    return add(method::get, path, make_endpoint(std::move(f)));
  }
  template <class F>
  route post(std::string_view path, F f) {
    return add(method::post, path, make_endpoint(std::move(f)));
  }
  template <class F>
  route put(std::string_view path, F f) {
    return add(method::put, path, make_endpoint(std::move(f)));
  }
  template <class F>
  route patch(std::string_view path, F f) {
    return add(method::patch, path, make_endpoint(std::move(f)));
  }
  template <class F>
  route del(std::string_view path, F f) {
    return add(method::del, path, make_endpoint(std::move(f)));
  }
  template <class F>
  route head(std::string_view path, F f) {
    return add(method::head, path, make_endpoint(std::move(f)));
  }
  template <class F>
  route options(std::string_view path, F f) {
    return add(method::options, path, make_endpoint(std::move(f)));
  }
  /// Any method, such as "PURGE".
  template <class F>
  route on(std::string_view method_name, std::string_view path, F f) {
    return add(method_name, path, make_endpoint(std::move(f)));
  }

  /// A group inside this one. `prefix` begins with "/" and ends without it; "" only groups middleware.
  route_group group(std::string_view prefix);
  template <class M>
  route_group& use(M m) {
    return add(make_middleware(std::move(m)));
  }

 private:
  friend class router;
  explicit route_group(detail::group_node& node) : node_(&node) {}
  route add(method m, std::string_view path, std::shared_ptr<const endpoint> end);
  route add(std::string_view method_name, std::string_view path, std::shared_ptr<const endpoint> end);
  route_group& add(std::shared_ptr<const middleware> layer);
  detail::group_node* node_;
};

/// What "/projects/" means where "/projects" is a route, and the other way round.
enum class trailing_slash : std::uint8_t {
  strict,    ///< another path: 404
  redirect,  ///< 308 to the path that is a route
};

struct router_settings {
  corbel::trailing_slash trailing_slash = corbel::trailing_slash::strict;
  std::size_t body_bytes = 1024 * 1024;  ///< where neither a route nor its groups set a limit
};

/// Takes a request to its handler and back. Registered on one thread, then built, then read by all threads.
///
/// Of the routes whose path fits and which take the method, the one whose path is closer in its first
/// different segment is chosen: a literal before a parameter, that before a rest. HEAD is answered by GET's
/// handler, OPTIONS with the path's methods, unless they have routes of their own; where no route that fits
/// takes the method, it is 405 with Allow. Middleware of the root group surrounds these answers,
/// and the refusals of requests that could not be read, too.
class router final : public handler {
 public:
  router();
  explicit router(router_settings settings);
  ~router() override;

  route_group root() noexcept;

  /// Ends registration. Returns every mistake in the wiring, each with the way to mend it: routes registered
  /// twice, malformed paths, parameters that no path has, services that nobody provides, rules that cannot
  /// be.
  std::vector<std::string> build(const services& provided);

  /// A line for each route, in order of registration: "GET /api/v1/projects/:id".
  std::vector<std::string> list() const;
  /// The same as values, for documentation.
  std::vector<route_info> table() const;

  /// Only after `build`.
  const resolved_route& resolve(request& head) const override;
  const resolved_route& unresolved() const noexcept override;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace corbel
