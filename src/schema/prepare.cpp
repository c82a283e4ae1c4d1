#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "corbel/base/json/path.hpp"
#include "schema/engine.hpp"
#include "schema/references.hpp"

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
constexpr std::array ours{
    "type",    "minLength",        "maxLength",        "pattern",    "format",      "minimum",
    "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems", "enum",
    "const"};
constexpr std::array counts{"minLength", "maxLength",     "minItems",
                            "maxItems",  "minProperties", "maxProperties"};
constexpr std::array refused{"unevaluatedItems", "unevaluatedProperties", "minContains", "maxContains",
                             "$dynamicRef",      "$recursiveRef",         "extends",     "disallow",
                             "divisibleBy"};
constexpr std::array annotation{"$comment", "$schema",     "$defs",   "definitions",
                                "title",    "description", "default", "examples"};

const std::string members_word = std::string(own_prefix) + "members";

error refusal(const std::string& pointer, const std::string& what) {
  return {error_kind::internal, "bad_schema",
          "The JSON Schema cannot be used: at #" + pointer + ", " + what + "."};
}

/// Whether $schema names one of the drafts up to 7, whose URIs hold "draft-0".
bool names_old_draft(const dom& document) {
  if (!document.is_object()) return false;
  const auto named = document.find("$schema");
  return named != document.end() && named->is_string() &&
         named->get_ref<const std::string&>().find("/draft-0") != std::string::npos;
}

class preparation {
 public:
  explicit preparation(leaf_rules leaves) : leaves_(leaves) {}

  result<dom> run(dom document) {
    before_2019_ = names_old_draft(document);
    (void)names_.name("", "", "");
    schema(document, "", "");
    if (!problem_) settle_references(document);
    if (!problem_) check_loops(document);
    if (problem_) return std::move(*problem_);
    if (!has_patterns_) return document;
    return dom{{"$ref", std::string("#/") + wrapped_root}, {wrapped_root, std::move(document)}};
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

  void schema(dom& node, const std::string& at, std::string base) {
    if (problem_) return;
    known_.insert(at);
    if (node.is_boolean()) return;
    if (!node.is_object()) return refuse(at, "a schema must be an object or a boolean");
    for (const char* word : refused)
      if (node.contains(word)) return refuse(at, std::string("the keyword ") + word + " is not supported");
    settle_counts(node);
    translate(node);
    rewrite_reference(node);
    take_names(node, at, base);
    bases_[at] = base;
    take_patterns(node, at);
    for (auto& [word, value] : node.items()) {
      const std::string here = below(at, word);
      if (is_any_of(word, holds_list) && value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) schema(value[i], here + "/" + std::to_string(i), base);
      } else if (is_any_of(word, holds_schema)) {
        schema(value, here, base);
      } else if (is_any_of(word, holds_map) && value.is_object()) {
        for (auto& [name, child] : value.items())
          if (word != "dependencies" || !child.is_array()) schema(child, below(here, name), base);
      } else if (word == members_word && value.is_object()) {
        for (std::size_t i = 0; i < value["schemas"].size(); ++i)
          schema(value["schemas"][i], here + "/schemas/" + std::to_string(i), base);
        if (value.contains("additional")) schema(value["additional"], here + "/additional", base);
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

  /// Draft 7 ignores what stands beside a $ref, and a document that names it means that. Since 2019-09 it
  /// counts, and whoever names no draft means it to.
  void rewrite_reference(dom& node) const {
    if (!node.contains("$ref")) return;
    if (before_2019_) {
      for (auto word = node.begin(); word != node.end();)
        word = word.key() == "$ref" || is_any_of(word.key(), annotation) ? std::next(word) : node.erase(word);
      return;
    }
    bool alone = true;
    for (const auto& [word, value] : node.items())
      alone = alone && (word == "$ref" || is_any_of(word, annotation));
    if (alone) return;
    const dom reference{{"$ref", node["$ref"]}};
    node.erase("$ref");
    auto& all = node["allOf"];
    all.push_back(reference);
  }

  /// A count may be written as 2.0; valijson wants it as 2. What is none is left for the checks to refuse.
  static void settle_counts(dom& node) {
    for (const char* word : counts) {
      const auto at = node.find(word);
      if (at == node.end() || !at->is_number()) continue;
      if (at->is_number_integer() && at->get<std::int64_t>() < 0 && !at->is_number_unsigned()) continue;
      const auto count = at->get<double>();
      if (count < 0 || count != std::trunc(count)) continue;
      *at = count < 9e15 ? static_cast<std::uint64_t>(count) : std::uint64_t{1} << 53;
    }
  }

  /// Valijson would look for names by a URI of its own; here every reference becomes a pointer.
  void take_names(dom& node, const std::string& at, std::string& base) {
    for (const char* word : {"$id", "$anchor"}) {
      const auto found = node.find(word);
      if (found == node.end()) continue;
      if (!found->is_string()) return refuse(at, std::string(word) + " must be a string");
      const auto& text = found->get_ref<const std::string&>();
      base = names_.name(at, word == std::string_view("$id") ? text : "#" + text, base);
      node.erase(found);
    }
  }

  /// Valijson runs the patterns of patternProperties by std::regex: a keyword of ours does that work,
  /// together with additionalProperties, which depends on it.
  void take_patterns(dom& node, const std::string& at) {
    const auto patterns = node.find("patternProperties");
    if (patterns == node.end()) return;
    if (!patterns->is_object()) return refuse(at, "patternProperties must be an object");
    has_patterns_ = true;
    const std::string here = below(at, members_word);
    dom members{{"at", here}, {"names", dom::array()}, {"patterns", dom::array()}, {"schemas", dom::array()}};
    for (auto& [pattern, child] : patterns->items()) {
      names_.moved(below(at + "/patternProperties", pattern),
                   here + "/schemas/" + std::to_string(members["schemas"].size()));
      members["patterns"].push_back(pattern);
      members["schemas"].push_back(std::move(child));
    }
    if (const auto properties = node.find("properties"); properties != node.end() && properties->is_object())
      for (const auto& each : properties->items()) members["names"].push_back(each.key());
    if (const auto rest = node.find("additionalProperties"); rest != node.end()) {
      names_.moved(at + "/additionalProperties", here + "/additional");
      members["additional"] = std::move(*rest);
      node.erase("additionalProperties");
    }
    node.erase("patternProperties");
    node[members_word] = std::move(members);
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

  /// Every reference must lead to a schema that was prepared, and becomes its pointer.
  void settle_references(dom& document) {
    for (const auto& at : known_) {
      dom& node = document.at(dom::json_pointer(at));
      if (!node.is_object() || !node.contains("$ref")) continue;
      const dom& written = node["$ref"];
      const auto target =
          written.is_string() ? names_.find(written.get_ref<const std::string&>(), bases_[at]) : std::nullopt;
      if (!target || !known_.contains(*target))
        return refuse(
            at,
            "$ref must lead to a schema in this document: by its JSON pointer, such as #/$defs/name, "
            "or by its $id");
      targets_[at] = *target;
      node["$ref"] =
          "#" + (has_patterns_ ? std::string("/") + wrapped_root : std::string()) + escaped(*target);
    }
  }

  /// A pointer as a URI's fragment has it: valijson undoes percent-encoding.
  static std::string escaped(const std::string& pointer) {
    std::string out;
    for (const char c : pointer) out.append(c == '%' ? "%25" : std::string(1, c));
    return out;
  }

  /// No reference may lead back to itself on the same value.
  void check_loops(const dom& document) {
    std::set<std::string> open;
    for (const auto& at : known_) find_loop(document, at, open);
  }

  void find_loop(const dom& document, const std::string& at, std::set<std::string>& open) {
    if (problem_ || done_.contains(at)) return;
    if (!open.insert(at).second) return refuse(at, "the references lead back here without end");
    const dom& node = document.at(dom::json_pointer(at));
    if (node.is_object()) {
      if (const auto target = targets_.find(at); target != targets_.end())
        find_loop(document, target->second, open);
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
  bool before_2019_ = false;
  bool has_patterns_ = false;
  reference_table names_;
  std::map<std::string, std::string> bases_;    // of the schemas, by pointer
  std::map<std::string, std::string> targets_;  // of those that are references
  std::optional<error> problem_;
  std::set<std::string> known_;
  std::set<std::string> done_;
};

}  // namespace

result<nlohmann::json> prepare_schema(nlohmann::json document, leaf_rules leaves) {
  return preparation(leaves).run(std::move(document));
}

}  // namespace corbel::schema
