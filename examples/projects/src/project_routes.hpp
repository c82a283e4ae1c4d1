#pragma once

#include <corbel/routing/router.hpp>

/// Adds /projects and /projects/:id, which take a `state<project_service>`.
void add_project_routes(corbel::route_group api);
