#pragma once

#include <cstdlib>

#include "data/postgres/support/own_server.hpp"
#include "data/postgres/support/tasks.hpp"

/// A database of a server that has pgvector, with the extension.
struct vector_server {
  explicit vector_server(const std::string& options = "") {
    server.start();
    pg.emplace(postgres::open(server.url(options)));
    run(pg->execute("create extension vector"));
  }
  ~vector_server() { pg->stop(); }
  const postgres::database* operator->() const { return &*pg; }
  const postgres::database& operator*() const { return *pg; }

  own::server server{{.programs = std::getenv("CORBEL_TEST_PGVECTOR_BIN")}};
  std::optional<postgres::database> pg;
};
