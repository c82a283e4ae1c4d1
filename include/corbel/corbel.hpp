#pragma once

// What most programs need. Databases have headers and libraries of their own:
// <corbel/data/sqlite/sqlite.hpp>.

#include <corbel/app/app.hpp>
#include <corbel/app/settings.hpp>
#include <corbel/client/client.hpp>
#include <corbel/http/accept.hpp>
#include <corbel/http/cookie_keys.hpp>
#include <corbel/http/event_channel.hpp>
#include <corbel/middleware/access_log.hpp>
#include <corbel/middleware/limits.hpp>
#include <corbel/middleware/request_id.hpp>
#include <corbel/middleware/security_headers.hpp>
#include <corbel/routing/body_stream.hpp>
#include <corbel/routing/conditional.hpp>
#include <corbel/routing/cookies.hpp>
#include <corbel/routing/event_stream.hpp>
#include <corbel/routing/form.hpp>
#include <corbel/routing/list.hpp>
#include <corbel/routing/multipart.hpp>
#include <corbel/routing/multipart_stream.hpp>
#include <corbel/routing/offer.hpp>
#include <corbel/routing/router.hpp>
#include <corbel/routing/with.hpp>
#include <corbel/runtime/blocking_pool.hpp>
#include <corbel/schema/merge_patch.hpp>
#include <corbel/schema/parse.hpp>
