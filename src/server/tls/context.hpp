#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "corbel/server/settings.hpp"
#include "server/tls/ticket_keys.hpp"

namespace corbel::tls {

struct context_deleter {
  void operator()(SSL_CTX* c) const noexcept { SSL_CTX_free(c); }
};
using context_ptr = std::unique_ptr<SSL_CTX, context_deleter>;

/// Certificates, keys and rules of a server, read once and then shared by all threads. Connections hold the
/// one that they began with, so that a reload leaves them alone.
class context {
 public:
  context(std::shared_ptr<ticket_keys> keys) : keys_(std::move(keys)) {}
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  /// What connections begin with; the name that the client asks for may then lead to another certificate.
  SSL_CTX* first() const noexcept { return hosts_.front().context.get(); }

  /// The certificate for that name in lower case: of those that name it, or a wildcard for it (RFC 6125,
  /// 6.4.3: for one whole label), the first; otherwise the first of all.
  SSL_CTX* for_name(std::string_view name) const noexcept;

 private:
  friend class context_loader;
  struct host {
    context_ptr context;
    std::vector<std::string> names;  // in lower case
    int key_type = 0;
  };
  std::shared_ptr<ticket_keys> keys_;  // outlives the contexts below
  std::vector<host> hosts_;
};

struct loaded {
  std::shared_ptr<const context> made;  ///< null when there are mistakes
  std::vector<std::string> mistakes;    ///< each with the way to mend it
  std::vector<std::string> warnings;    ///< certificates that are expired, or nearly
};

loaded load(const tls_settings& settings, std::shared_ptr<ticket_keys> keys);

}  // namespace corbel::tls
