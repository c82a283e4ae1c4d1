#pragma once

// What most programs need. Databases have headers and libraries of their own:
// <corbel/data/sqlite/sqlite.hpp>.

#include <corbel/app/app.hpp>
#include <corbel/app/settings.hpp>
#include <corbel/client/client.hpp>
#include <corbel/middleware/access_log.hpp>
#include <corbel/middleware/limits.hpp>
#include <corbel/middleware/request_id.hpp>
#include <corbel/middleware/security_headers.hpp>
#include <corbel/routing/body_stream.hpp>
#include <corbel/routing/list.hpp>
#include <corbel/routing/router.hpp>
#include <corbel/schema/merge_patch.hpp>
#include <corbel/schema/parse.hpp>
