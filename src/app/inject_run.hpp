#pragma once

#include <boost/asio/io_context.hpp>

#include "corbel/app/inject.hpp"
#include "corbel/http/context.hpp"
#include "corbel/http/handler.hpp"
#include "corbel/runtime/lifecycle.hpp"
#include "corbel/server/settings.hpp"

namespace corbel {

/// Starts the components on a context that runs for as long as that takes. Throws what a component throws.
void start_injecting(boost::asio::io_context& context, lifecycle& components);
void stop_injecting(boost::asio::io_context& context, lifecycle& components) noexcept;

/// One request through the parser's rules and the pipeline.
injected_response run_injected(boost::asio::io_context& context, handler& service, const app_context& shared,
                               const server_limits& limits, const injected_request& request);

}  // namespace corbel
