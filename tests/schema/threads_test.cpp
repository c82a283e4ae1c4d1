#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "corbel/schema/json_schema.hpp"
#include "corbel/schema/parse.hpp"
#include "corbel/schema/pattern.hpp"
#include "corbel/schema/validator.hpp"
#include "schema/project.hpp"

TEST_CASE("patterns, parsing and validators serve many threads at once") {
  const auto shared =
      corbel::schema::from_json_schema(corbel::schema::json_schema<sample::project>()).value();
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&wrong, &shared] {
      for (int i = 0; i < 300; ++i) {
        // Threads meet the same new patterns at the same time.
        const std::string pattern = "^a{" + std::to_string(i % 50) + "}$";
        if (!corbel::schema::matches_pattern(pattern, std::string(static_cast<std::size_t>(i % 50), 'a')))
          ++wrong;
        if (!corbel::schema::parse<sample::project>(sample::project_body)) ++wrong;
        if (!shared.check_text(sample::project_body)) ++wrong;
        if (shared.check_text("{}").has_value()) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}
