#include "project_service.hpp"

#include <corbel/data/constraint.hpp>

#include "project_repository.hpp"

using namespace corbel;

namespace {

/// The database is the one that knows whether a name is taken; asking it first would leave a gap.
result<project> say_when_taken(result<project> stored) {
  if (stored) return stored;
  const auto* broken = data::constraint_of(stored.error());
  if (!broken || !broken->is_unique_on("name")) return stored;
  return conflict("Another project has this name; choose a different one.", "project_name_taken")
      .detail("field", "name");
}

/// Of two changes at once the second waits here, and builds on what the first has stored.
task<result<project>> change_in(data::transaction& tx, project_repository all, uuid id,
                                project_service::patch changes) {
  const auto projects = all.in(tx);
  auto found = co_await projects.get_for_update(id);
  if (!found) co_return found;
  if (auto merged = changes.apply_to(*found); !merged) co_return std::move(merged).error();
  co_return co_await projects.update(*found);
}

class service final : public project_service {
 public:
  service(data::database db, const corbel::clock& clock) : db_(std::move(db)), projects_(db_, clock) {}

  outcome<project> create(project_input input) override {
    const project made{std::move(input)};
    co_return say_when_taken(co_await projects_.insert(made));
  }
  outcome<data::page_of<project>> list(data::list_query wanted) override {
    co_return co_await projects_.list(std::move(wanted));
  }
  outcome<std::vector<project_hit>> search(std::string words) override {
    co_return co_await projects_.search(std::move(words));
  }
  outcome<project> get(uuid id) override { return projects_.get(id); }
  outcome<project> replace(uuid id, project_input input) override {
    const project changed{std::move(input), id};
    co_return say_when_taken(co_await projects_.update(changed));
  }
  outcome<project> change(uuid id, patch changes) override {
    co_return say_when_taken(co_await db_.transact(&change_in, projects_, id, std::move(changes)));
  }
  outcome<void> remove(uuid id) override { return projects_.remove(id); }

 private:
  data::database db_;
  project_repository projects_;
};

}  // namespace

std::shared_ptr<project_service> create_project_service(data::database db, const corbel::clock& clock) {
  return std::make_shared<service>(std::move(db), clock);
}
