#pragma once

#include <memory>
#include <string>
#include <vector>

#include "corbel/data/database.hpp"
#include "corbel/data/postgres/notifications.hpp"

namespace corbel::postgres {

class backend;

/// A stream that listens already.
task<notification_stream> listen_on(std::shared_ptr<backend> to, std::vector<std::string> channels,
                                    std::size_t most_buffered);
task<void> notify_on(data::source on, std::string channel, std::string payload);

}  // namespace corbel::postgres
