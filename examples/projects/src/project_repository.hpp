#pragma once

#include <corbel/data/repository.hpp>

#include "project.hpp"

/// The table of projects. What every table needs (get, list, insert, update, remove, ...) is the library's; a
/// question of its own becomes a member function here, as in task_repository.hpp. It knows no rules.
using project_repository = corbel::data::repository<project>;
