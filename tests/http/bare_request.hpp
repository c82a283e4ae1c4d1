#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "corbel/http/context.hpp"
#include "http/request_access.hpp"

/// A request of a method and some fields, at a fixed time.
struct bare_request {
  struct still_clock final : corbel::clock {
    corbel::timestamp time;
    corbel::timestamp now() const noexcept override { return time; }
    std::chrono::steady_clock::time_point steady() const noexcept override { return {}; }
  };
  still_clock time;
  corbel::app_context context{&time, {}, {}};
  std::deque<std::pair<std::string, std::string>> fields;
  corbel::request in;

  explicit bare_request(const char* method = "GET",
                        std::vector<std::pair<std::string, std::string>> all = {}) {
    time.time = corbel::timestamp(std::chrono::seconds(1'767'323'045));  // 2026-01-02T03:04:05Z
    corbel::request_access access(in);
    access.start_line(method, "/", 11);
    access.context(context);
    for (auto& each : all) {
      fields.push_back(std::move(each));
      access.add_header(fields.back().first, fields.back().second);
    }
  }
  bare_request(const bare_request&) = delete;
};
