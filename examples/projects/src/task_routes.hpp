#pragma once

#include <corbel/routing/router.hpp>

/// Adds /projects/:id/tasks and /tasks/:id, which take a `state<task_service>`.
void add_task_routes(corbel::route_group api);
