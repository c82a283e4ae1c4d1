#include "task_service.hpp"

#include "project_repository.hpp"
#include "task_repository.hpp"

using namespace corbel;

namespace {

/// Nobody archives or deletes the project between the question and the answer; others may add tasks
/// meanwhile.
task<result<project_task>> add_in(data::transaction& tx, project_repository projects, task_repository tasks,
                                  uuid project_id, task_input input) {
  const auto found = co_await projects.in(tx).get_for_share(project_id);
  if (!found) co_return found.error();
  if (found->status == project_status::archived)
    co_return unprocessable("The project is archived and takes no new tasks.", "project_archived");
  const project_task made{std::move(input), {}, project_id};
  co_return co_await tasks.in(tx).insert(made);
}

task<result<project_task>> change_in(data::transaction& tx, task_repository all, uuid id,
                                     task_service::patch changes) {
  const auto tasks = all.in(tx);
  auto found = co_await tasks.get_for_update(id);
  if (!found) co_return found;
  if (auto merged = changes.apply_to(*found); !merged) co_return std::move(merged).error();
  co_return co_await tasks.update(*found);
}

class service final : public task_service {
 public:
  service(data::database db, const corbel::clock& clock)
      : db_(std::move(db)), projects_(db_, clock), tasks_(db_, clock) {}

  outcome<project_task> add(uuid project_id, task_input input) override {
    return db_.transact(&add_in, projects_, tasks_, project_id, input);
  }
  outcome<data::page_of<project_task>> list(uuid project_id, data::list_query wanted) override {
    if (const auto found = co_await projects_.get(project_id); !found) co_return found.error();
    co_return co_await tasks_.list_of_project(project_id, std::move(wanted));
  }
  outcome<std::vector<project_task>> due(date last) override { co_return co_await tasks_.due(last); }
  outcome<project_task> get(uuid id) override { return tasks_.get(id); }
  outcome<project_task> change(uuid id, patch changes) override {
    return db_.transact(&change_in, tasks_, id, std::move(changes));
  }
  outcome<void> remove(uuid id) override { return tasks_.remove(id); }

 private:
  data::database db_;
  project_repository projects_;
  task_repository tasks_;
};

}  // namespace

std::shared_ptr<task_service> create_task_service(data::database db, const corbel::clock& clock) {
  return std::make_shared<service>(std::move(db), clock);
}
