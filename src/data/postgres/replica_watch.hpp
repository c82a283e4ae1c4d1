#pragma once

#include <memory>
#include <vector>

#include "corbel/data/postgres/replicas.hpp"
#include "data/postgres/backend.hpp"
#include "data/postgres/lag_log.hpp"

namespace corbel::postgres {

/// What one loop knows of a primary and its replicas. Belongs to the loop.
class replica_watch : public std::enable_shared_from_this<replica_watch> {
 public:
  replica_watch(event_loop& loop, const std::weak_ptr<backend>& primary,
                const std::vector<std::shared_ptr<backend>>& replicas);

  /// Asks those who were not asked for a while.
  void look();
  /// Whether waiting a little may show a replica that `policy` allows, and none is known yet.
  bool may_learn(const read_policy& policy);
  /// The servers for a read, the best first.
  std::vector<std::shared_ptr<backend>> choose(const read_policy& policy);
  /// A read failed for want of this server.
  void lose(const backend& gone);
  /// Whether its connections are those that it was asked on: another may lead to a server that was started
  /// anew, and has replayed less than it had.
  bool is_same(const backend& asked) const;

 private:
  struct server {
    std::weak_ptr<backend> at;
    log_position replayed{};  // or written
    steady::time_point asked_at{};
    steady::time_point began_at{};  // that which it has answered last
    steady::time_point answered_at{};
    std::size_t breaks = 0;  // of its connections, when it answered
    bool checking = false;
    bool lost = false;
    bool tells_timeline = true;
  };
  enum class verdict : unsigned char { fits, does_not, open };

  std::size_t breaks_of(const server& one) const;
  bool is_fresh(const server& one, steady::time_point now) const;
  bool is_open(const server& one, const read_policy& policy, steady::time_point now) const;
  verdict judge(const server& one, const read_policy& policy, steady::time_point now) const;
  void look_at(server& one, steady::duration again_after, steady::time_point now);
  static task<void> check(std::weak_ptr<replica_watch> weak, server* one, std::shared_ptr<backend> at,
                          bool is_primary);

  event_loop& loop_;
  server primary_;
  std::vector<server> replicas_;
  lag_log written_;
  std::size_t turn_ = 0;
};

}  // namespace corbel::postgres
