#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "corbel/http/method.hpp"
#include "corbel/http/request.hpp"

namespace corbel {

class pipeline;

/// A route's path, taken apart: "/projects/:id/files/*rest".
struct path_pattern {
  struct segment {
    enum class kind : std::uint8_t { literal, param, rest } what;
    std::string text;  ///< the literal, percent-decoded, or the parameter's name
  };
  std::vector<segment> segments;

  /// What is wrong with it, as a phrase behind the path; empty when nothing is.
  static std::optional<std::string> parse(std::string_view text, path_pattern& out);
};

/// One route in the tree.
struct route_entry {
  corbel::method method;
  std::string method_name;  ///< tells apart the methods that are `method::other`
  std::string path;         ///< as registered
  std::vector<std::string> params;
  std::unique_ptr<corbel::pipeline> pipeline;
};

/// What a path leads to.
struct path_match {
  const route_entry* route = nullptr;  ///< null when the path has no route of this method
  bool path_known = false;             ///< the path has a route of some method
};

/// Routes by their path's segments. A literal goes before a parameter, and that before a rest; where one
/// branch has no route of the request's path and method, the next one may. Built before the start, read by
/// all threads after it.
class path_tree {
 public:
  /// Of a route's path. A request's path may have more, which only a rest takes.
  static constexpr std::size_t most_segments = 32;

  path_tree();
  ~path_tree();

  /// False when the same method and path (parameter names aside) is there already; `taken` is its path then.
  bool add(route_entry entry, const path_pattern& pattern, std::string& taken);
  /// Writes the table of literal paths; to be called once, behind the last `add`.
  void finish();
  /// Leaves the parameters of the route in the request.
  path_match find(request& in) const;
  /// The methods of every route that the path leads to, for the Allow header; HEAD and OPTIONS included.
  std::string allow(std::string_view path) const;
  /// Whether another reading of the path's trailing slash has a route.
  bool knows_with_other_slash(std::string_view path) const;

 private:
  struct node;
  struct exact_path;
  struct walk;
  struct split_path;
  static const route_entry* match(const node& at, std::size_t depth, walk& on);
  bool split(std::string_view path, std::vector<char>& decoded, split_path& out) const;
  const node* find_exact(std::string_view path) const noexcept;
  void collect(const node& at, const std::string& path);

  std::unique_ptr<node> root_;
  // Paths of literals alone, by their hash: since a literal goes before anything else, such a path needs no
  // walk. A power of two of places, at least half of them empty.
  std::vector<exact_path> exact_;
};

}  // namespace corbel
