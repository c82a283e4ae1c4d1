#pragma once

#include <memory>
#include <string>
#include <vector>

#include <corbel/base/clock.hpp>
#include <corbel/base/result.hpp>
#include <corbel/data/database.hpp>
#include <corbel/data/page.hpp>
#include <corbel/runtime/task.hpp>
#include <corbel/schema/merge_patch.hpp>

#include "project.hpp"

/// The rules of projects. It knows no HTTP: a test or a command line may call it as well as a route.
class project_service {
 public:
  template <class T>
  using outcome = corbel::task<corbel::result<T>>;
  using patch = corbel::schema::merge_patch<project_input>;

  virtual ~project_service() = default;

  /// "project_name_taken", a conflict, when another project has the name.
  virtual outcome<project> create(project_input input) = 0;
  virtual outcome<corbel::data::page_of<project>> list(corbel::data::list_query wanted) = 0;
  virtual outcome<std::vector<project_hit>> search(std::string words) = 0;
  /// "project_not_found", here and below, when there is none with this id.
  virtual outcome<project> get(corbel::uuid id) = 0;
  /// What `input` leaves out goes back to its default.
  virtual outcome<project> replace(corbel::uuid id, project_input input) = 0;
  virtual outcome<project> change(corbel::uuid id, patch changes) = 0;
  /// Removes its tasks, too.
  virtual outcome<void> remove(corbel::uuid id) = 0;
};

std::shared_ptr<project_service> create_project_service(corbel::data::database db,
                                                        const corbel::clock& clock = corbel::system_clock());
