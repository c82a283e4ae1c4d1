#include <array>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "corbel/base/json/path.hpp"
#include "schema/engine.hpp"

namespace corbel::schema {
namespace {

using dom = nlohmann::json;

template <std::size_t N>
bool is_any_of(const std::string& word, const std::array<const char*, N>& words) {
  for (const char* w : words)
    if (word == w) return true;
  return false;
}

constexpr std::array holds_schema{
    "additionalItems", "additionalProperties", "contains", "else", "if", "items", "not", "then",
    "propertyNames"};
constexpr std::array holds_list{"allOf", "anyOf", "items", "oneOf"};
constexpr std::array holds_map{"$defs", "definitions", "dependencies", "properties"};
constexpr std::array about_same_value{"allOf", "anyOf", "dependencies", "else", "if", "not", "oneOf", "then"};
constexpr std::array always_ours{"pattern", "format"};
constexpr std::array ours{"type",       "minLength", "maxLength",        "pattern",          "format",
                          "minimum",    "maximum",   "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
                          "uniqueItems"};
constexpr std::array refused{"patternProperties", "unevaluatedItems", "unevaluatedProperties", "minContains",
                             "maxContains",       "$dynamicRef",      "$recursiveRef",         "extends",
                             "disallow",          "divisibleBy"};
constexpr std::array annotation{"$comment", "$schema",     "$defs",   "definitions",
                                "title",    "description", "default", "examples"};

error refusal(const std::string& pointer, const std::string& what) {
  return {error_kind::internal, "bad_schema",
          "The JSON Schema cannot be used: at #" + pointer + ", " + what + "."};
}

class preparation {
 public:
  explicit preparation(leaf_rules leaves) : leaves_(leaves) {}

  result<dom> run(dom document) {
    schema(document, "");
    if (!problem_) check_references(document);
    if (problem_) return std::move(*problem_);
    return document;
  }

 private:
  void refuse(const std::string& pointer, const std::string& what) {
    if (!problem_) problem_ = refusal(pointer, what);
  }

  static std::string below(const std::string& pointer, const std::string& name) {
    std::string out = pointer;
    corbel::json::append_pointer(out, name);
    return out;
  }

  void schema(dom& node, const std::string& at) {
    if (problem_) return;
    known_.insert(at);
    if (node.is_boolean()) return;
    if (!node.is_object()) return refuse(at, "a schema must be an object or a boolean");
    for (const char* word : refused)
      if (node.contains(word)) return refuse(at, std::string("the keyword ") + word + " is not supported");
    translate(node);
    rewrite_reference(node);
    for (auto& [word, value] : node.items()) {
      const std::string here = below(at, word);
      if (is_any_of(word, holds_list) && value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) schema(value[i], here + "/" + std::to_string(i));
      } else if (is_any_of(word, holds_schema)) {
        schema(value, here);
      } else if (is_any_of(word, holds_map) && value.is_object()) {
        for (auto& [name, child] : value.items())
          if (word != "dependencies" || !child.is_array()) schema(child, below(here, name));
      }
    }
    rename(node, at);
  }

  /// The words of 2020-12 that draft 7 has other words for.
  static void translate(dom& node) {
    // valijson takes an "id" for a base that references resolve against; ours are pointers only.
    if (const auto id = node.find("id"); id != node.end() && id->is_string()) node.erase(id);
    if (node.contains("prefixItems")) {
      if (node.contains("items")) node["additionalItems"] = node["items"];
      node["items"] = node["prefixItems"];
      node.erase("prefixItems");
    }
    for (const char* word : {"dependentRequired", "dependentSchemas"}) {
      if (!node.contains(word) || !node[word].is_object()) continue;
      for (auto& [name, value] : node[word].items()) {
        auto& all = node["dependencies"];
        // The same member may ask for both: the two meet in an allOf.
        if (all.contains(name) && value.is_object())
          all[name] = dom{{"allOf", {value, {{"required", all[name]}}}}};
        else
          all[name] = value;
      }
      node.erase(word);
    }
  }

  /// Draft 7 ignores what stands beside a $ref; since 2019-09 it counts, and authors mean it to.
  static void rewrite_reference(dom& node) {
    if (!node.contains("$ref")) return;
    bool alone = true;
    for (const auto& [word, value] : node.items())
      alone = alone && (word == "$ref" || is_any_of(word, annotation));
    if (alone) return;
    const dom reference{{"$ref", node["$ref"]}};
    node.erase("$ref");
    auto& all = node["allOf"];
    all.push_back(reference);
  }

  void rename(dom& node, const std::string& at) {
    for (const char* word : {"exclusiveMinimum", "exclusiveMaximum"})
      if (node.contains(word) && node[word].is_boolean())
        return refuse(at, std::string(word) + " must be a number, as it is since draft 6");
    const auto take = [&node](const char* word) {
      if (!node.contains(word)) return;
      node[own_prefix + std::string(word)] = node[word];
      node.erase(word);
    };
    if (leaves_ == leaf_rules::ours)
      for (const char* word : ours) take(word);
    else
      for (const char* word : always_ours) take(word);
  }

  /// Every reference must lead to a schema that was prepared, and never back to itself on the same value.
  void check_references(const dom& document) {
    for (const auto& at : known_) {
      if (problem_) return;
      const dom& node = document.at(dom::json_pointer(at));
      if (!node.is_object() || !node.contains("$ref")) continue;
      const auto target = target_of(node);
      if (!target)
        return refuse(at, "$ref must be the JSON pointer of a schema in this document, such as #/$defs/name");
    }
    std::set<std::string> open;
    for (const auto& at : known_) find_loop(document, at, open);
  }

  std::optional<std::string> target_of(const dom& node) const {
    if (!node["$ref"].is_string()) return {};
    const auto& text = node["$ref"].get_ref<const std::string&>();
    if (!text.starts_with('#') || !known_.contains(text.substr(1))) return {};
    return text.substr(1);
  }

  void find_loop(const dom& document, const std::string& at, std::set<std::string>& open) {
    if (problem_ || done_.contains(at)) return;
    if (!open.insert(at).second) return refuse(at, "the references lead back here without end");
    const dom& node = document.at(dom::json_pointer(at));
    if (node.is_object()) {
      if (node.contains("$ref")) find_loop(document, *target_of(node), open);
      for (const auto& [word, value] : node.items()) {
        if (!is_any_of(word, about_same_value)) continue;
        const std::string here = below(at, word);
        if (known_.contains(here)) find_loop(document, here, open);
        if (value.is_array())
          for (std::size_t i = 0; i < value.size(); ++i)
            find_loop(document, here + "/" + std::to_string(i), open);
        else if (word == "dependencies" && value.is_object())
          for (const auto& [name, child] : value.items())
            if (known_.contains(below(here, name))) find_loop(document, below(here, name), open);
      }
    }
    open.erase(at);
    done_.insert(at);
  }

  leaf_rules leaves_;
  std::optional<error> problem_;
  std::set<std::string> known_;
  std::set<std::string> done_;
};

}  // namespace

result<nlohmann::json> prepare_schema(nlohmann::json document, leaf_rules leaves) {
  return preparation(leaves).run(std::move(document));
}

}  // namespace corbel::schema
