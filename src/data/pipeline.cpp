#include "corbel/data/pipeline.hpp"

#include <stdexcept>

namespace corbel::data {

const statement_outcome& pipeline::outcome_at(const std::vector<statement_outcome>& all, std::size_t place) {
  if (place >= all.size())
    throw std::logic_error("corbel: `co_await` the pipeline's run() before you ask what its statements gave");
  return all[place];
}

task<void> pipeline::run() {
  return [](source on, std::vector<statement> all,
            std::shared_ptr<std::vector<statement_outcome>> outcomes) -> task<void> {
    *outcomes = co_await on.runner()->run_all(std::move(all));
  }(on_, std::exchange(statements_, {}), outcomes_);
}

}  // namespace corbel::data
