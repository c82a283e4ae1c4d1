#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "client/certificates.hpp"
#include "client/raw_server.hpp"

struct ssl_ctx_st;
struct ssl_st;

/// A TLS server on the tests' own raw server, on OpenSSL's blocking calls.
class tls_server {
 public:
  struct options {
    std::string client_authority;  ///< demands a client's certificate when set
    int most_version = 0;          ///< 0x0302 for TLS 1.1
    bool farewell = true;          ///< ends with close_notify
  };
  /// What the last client said.
  struct hello {
    std::string server_name;
    std::string protocol;  ///< what ALPN chose
    std::string client;    ///< the common name of its certificate
    std::string version;
  };

  tls_server(const test_authority::files& certificate, std::string reply)
      : tls_server(certificate, reply, options{}) {}
  tls_server(const test_authority::files& certificate, std::string reply, options with);

  std::string url(const std::string& host) const {
    return "https://" + host + ':' + std::to_string(raw_->port()) + '/';
  }
  std::uint16_t port() const { return raw_->port(); }
  hello last() const;
  int connections() const { return raw_->connections(); }
  int served() const;

 private:
  void serve(raw_server::peer& peer, const std::string& reply, bool farewell);

  std::shared_ptr<ssl_ctx_st> context_;
  mutable std::mutex mutex_;
  hello last_;
  int served_ = 0;
  std::unique_ptr<raw_server> raw_;
};
