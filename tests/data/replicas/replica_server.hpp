#pragma once

#include <sys/types.h>

#include <string>

#include "corbel/testing/database.hpp"

/// A hot standby of the server that CORBEL_TEST_POSTGRES_URL names, from a copy of its own; killed and
/// removed when this is destroyed.
class replica_server {
 public:
  replica_server();
  ~replica_server();
  replica_server(const replica_server&) = delete;
  replica_server& operator=(const replica_server&) = delete;

  /// "127.0.0.1:PORT"
  std::string place() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const noexcept { return port_; }
  /// As a power cut would: without a word to anyone.
  void kill();
  void start();

 private:
  corbel::testing::temporary_folder folder_;
  int port_;
  pid_t process_ = -1;
};
