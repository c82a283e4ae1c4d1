#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "corbel/base/error.hpp"
#include "corbel/base/result.hpp"

namespace corbel::schema {

/// Who checks the keywords that look at one value alone. valijson 1.0 runs patterns and date formats by
/// std::regex, which a hostile text can hang or overflow, compares unique items pair by pair, and truncates
/// doubles for multipleOf; ours replace these and say more in their messages.
enum class leaf_rules {
  ours,
  native,  ///< valijson's wherever it is safe: the test that compares our decoder with valijson asks for it
};

/// Rewrites a schema document into what the engine compiles: leaf keywords under our own names, words of
/// 2020-12 as draft 7 says them. The error tells what cannot be used, and where.
result<nlohmann::json> prepare_schema(nlohmann::json document, leaf_rules leaves = leaf_rules::ours);

/// valijson behind a curtain: its headers are compiled in one file only.
class engine {
 public:
  virtual ~engine() = default;
  /// Every violation; `in` is left empty. Thread-safe.
  virtual std::vector<violation> run(const nlohmann::json& value) const = 0;
};

/// Compiles what `prepare_schema` gave.
result<std::shared_ptr<const engine>> compile_schema(nlohmann::json prepared);

/// The prefix of our own keywords.
inline constexpr const char* own_prefix = "corbel:";

/// Of a prepared document with patternProperties: where the schema itself stands, under a root that refers to
/// it, so that each part of it can be compiled by itself.
inline constexpr const char* wrapped_root = "corbel:root";

}  // namespace corbel::schema
