#include "corbel/app/settings.hpp"

#include <cstdio>
#include <cstdlib>

#include "corbel/schema/check.hpp"

namespace corbel::settings {

namespace {
constexpr int ex_config = 78;
}

result<void> read(const type_descriptor& type, void* out, const source& from, const std::string& prefix) {
  schema::rule_checker rules;
  return read_into(type, out, from, prefix, &rules);
}

std::string explain(const error& problems) {
  const auto count = problems.violations().size();
  std::string text = "This service cannot start: ";
  text += count == 1 ? "one setting needs" : std::to_string(count) + " settings need";
  text += " attention.\n";
  for (const auto& v : problems.violations()) text.append("  ").append(v.message).append("\n");
  return text + "Set them in the environment or in .env, then start it again.\n";
}

void stop_for(const error& problems) {
  const auto text = explain(problems);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::exit(ex_config);
}

}  // namespace corbel::settings
