#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "load/plan.hpp"

namespace load {
namespace {

double microseconds(std::chrono::nanoseconds t) {
  return static_cast<double>(t.count()) / 1000;
}

/// Puts together one flat object of objects; all names are ours and need no escape.
class writer {
 public:
  void open(const char* name = nullptr) {
    key(name);
    text_ += '{';
    first_ = true;
  }
  void close() {
    text_ += '}';
    first_ = false;
  }
  void put(const char* name, std::uint64_t value) {
    key(name);
    text_ += std::to_string(value);
  }
  void put(const char* name, double value) {
    key(name);
    char digits[40];
    text_.append(digits, static_cast<std::size_t>(std::snprintf(digits, sizeof digits, "%.6g", value)));
  }
  /// An array of pairs: microseconds and how often.
  void put(const char* name, const histogram& of) {
    key(name);
    text_ += '[';
    char pair[64];
    const char* between = "";
    for (const auto& [end, count] : of.filled()) {
      const auto size = std::snprintf(pair, sizeof pair, "%s[%.6g,%llu]", between, microseconds(end),
                                      static_cast<unsigned long long>(count));
      text_.append(pair, static_cast<std::size_t>(size));
      between = ",";
    }
    text_ += ']';
  }
  std::string take() { return std::move(text_); }

 private:
  void key(const char* name) {
    if (!first_) text_ += ',';
    first_ = false;
    if (name) text_.append("\"").append(name).append("\":");
  }
  std::string text_;
  bool first_ = true;
};

void put(writer& out, const char* name, const histogram& of) {
  out.open(name);
  out.put("count", of.count());
  out.put("mean", microseconds(of.mean()));
  out.put("p50", microseconds(of.quantile(0.50)));
  out.put("p90", microseconds(of.quantile(0.90)));
  out.put("p95", microseconds(of.quantile(0.95)));
  out.put("p99", microseconds(of.quantile(0.99)));
  out.put("p999", microseconds(of.quantile(0.999)));
  out.put("max", microseconds(of.max()));
  out.put("overflowed", of.overflowed());
  out.close();
}

}  // namespace

std::string to_json(const plan& p, const outcome& o) {
  writer out;
  out.open();
  out.put("connections", std::uint64_t{p.connections});
  out.put("idle", std::uint64_t{p.idle});
  out.put("opened", std::uint64_t{o.opened});
  out.put("depth", std::uint64_t{p.depth});
  out.put("rate", p.rate);
  out.put("seconds", o.seconds);
  out.put("requests", o.all.within_window);
  out.put("due", o.all.due);
  out.put("answered", o.all.answered);
  out.open("errors");
  out.put("total", o.all.errors());
  out.put("wrong_status", o.all.wrong_status);
  out.put("wrong_length", o.all.wrong_length);
  out.put("malformed", o.all.malformed);
  out.put("broken", o.all.broken);
  out.put("timed_out", o.all.timed_out);
  out.put("unconnected", o.all.unconnected);
  out.close();
  out.put("reconnects", o.all.reconnects);
  out.put("resent", o.all.resent);
  out.put("refused", o.all.refused);
  out.put("idle_lost", o.all.idle_lost);
  put(out, "latency_us", o.latency);
  put(out, "lag_us", o.lag);
  if (p.whole_histogram) out.put("latency_buckets", o.latency);
  out.open("server");
  out.put("cpu_seconds", o.server_cpu);
  out.put("cpu_us_per_request",
          o.all.within_window ? o.server_cpu * 1e6 / static_cast<double>(o.all.within_window) : 0.0);
  out.put("starved_seconds", o.server_starved);
  out.put("resident_before", o.resident_before);
  out.put("resident_after", o.resident_after);
  out.close();
  out.open("load");
  out.put("cpu_seconds", o.load_cpu);
  out.put("starved_seconds", o.load_starved);
  out.close();
  out.close();
  return out.take();
}

}  // namespace load
