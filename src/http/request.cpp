#include "corbel/http/request.hpp"

#include <algorithm>
#include <functional>

#include "corbel/http/context.hpp"
#include "http/connection_facts.hpp"
#include "http/request_access.hpp"

namespace corbel {

std::optional<std::string_view> request::header(std::string_view name) const noexcept {
  for (const auto& field : headers_)
    if (field.name.size() == name.size() && iequals(field.name, name)) return field.value;
  return {};
}

std::optional<std::string_view> request::cookie(std::string_view name) const noexcept {
  for (const auto& field : headers_) {
    if (!iequals(field.name, "cookie")) continue;
    auto rest = field.value;
    while (!rest.empty()) {
      const auto pair = next_item(rest, ';');
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || trim_space(pair.substr(0, equals)) != name) continue;
      auto value = trim_space(pair.substr(equals + 1));
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
        value = value.substr(1, value.size() - 2);
      return value;
    }
  }
  return {};
}

std::optional<std::string_view> request::path_param(std::string_view name) const noexcept {
  for (const auto& param : params_)
    if (param.name == name) return param.value;
  return {};
}

const std::optional<query_pairs>& request::query_params() const {
  if (!query_read_) {
    query_params_ = query_pairs::parse(query_);
    query_read_ = true;
  }
  return query_params_;
}

namespace {

const app_context& context_or_default(const app_context* context) {
  static const app_context none;
  return context ? *context : none;
}

}  // namespace

const request_origin* request::origin() const {
  if (!facts_ || !facts_->peer) return nullptr;
  if (!origin_)
    origin_ = std::make_shared<const request_origin>(origin_of(*this, *facts_->peer, *facts_->proxies));
  return origin_.get();
}

std::string_view request::told_client() const {
  const auto* told = origin();
  return told ? std::string_view(told->client) : peer();
}

std::string_view request::told_scheme() const {
  const auto* told = origin();
  if (told && !told->scheme.empty()) return told->scheme;
  return facts_->tls || facts_->tls_before_us ? "https" : "http";
}

std::string_view request::host() const {
  const auto* told = origin();
  if (told && !told->host.empty()) return told->host;
  return header("host").value_or(std::string_view{});
}

const tls_info* request::tls() const noexcept {
  return facts_ && facts_->tls ? &*facts_->tls : nullptr;
}

timestamp request::now() const noexcept {
  return context_or_default(context_).time->now();
}

timestamp request_access::recently() const noexcept {
  return context_or_default(r_.context_).time->recently();
}

std::chrono::nanoseconds request::elapsed() const noexcept {
  return context_or_default(context_).time->steady() - arrived_;
}

logger request::log() const {
  const auto& log = context_or_default(context_).log;
  return id_size_ == 0 ? log : log.with({{"requestId", id()}});
}

const corbel::services& request::services() const noexcept {
  return context_or_default(context_).provided;
}

void request::id(std::string_view id) {
  made_id_ = false;
  id_size_ = id.size();
  if (id.size() > short_id_.size()) {
    long_id_ = id;
  } else {
    std::copy(id.begin(), id.end(), short_id_.begin());  // first: it may be a part of the present one
    long_id_.clear();
  }
}

void request_access::clear_head() noexcept {
  r_.method_ = method::other;
  r_.version_ = 11;
  r_.method_name_ = r_.target_ = r_.path_ = r_.query_ = {};
  r_.headers_.clear();
}

void request_access::clear() noexcept {
  clear_head();
  r_.body_ = {};
  r_.arriving_ = nullptr;
  r_.params_.clear();
  r_.decoded_.clear();
  r_.id_size_ = 0;
  r_.long_id_.clear();
  r_.peer_ = {};
  if (r_.facts_) {
    r_.facts_.reset();
    r_.origin_.reset();
  }
  r_.route_path_ = {};
  r_.entered_ = false;
  r_.client_left_ = false;
  r_.left_from_ = request::not_left;
  r_.nested_ = nullptr;
  r_.query_read_ = false;
  r_.query_params_.reset();
  r_.extensions_.clear();
}

void request_access::start_line(std::string_view method, std::string_view target, int version) {
  start_line(method, target, std::min(target.find('?'), target.size()), version);
}

void request_access::target(std::string_view target) {
  r_.target_ = target;
  const auto mark = target.find('?');
  r_.path_ = target.substr(0, mark);
  r_.query_ = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

void request_access::set_header(std::string_view name, std::string_view value) {
  for (auto& field : r_.headers_)
    if (iequals(field.name, name)) {
      field.value = value;
      return;
    }
  add_header(name, value);
}

void request_access::remove_header(std::string_view name) {
  std::erase_if(r_.headers_, [&](const field_view& field) { return iequals(field.name, name); });
}

void request_access::rebase(const char* from, std::size_t size, const char* to) noexcept {
  const std::less<const char*> before;
  const auto move = [&](std::string_view& view) {
    const char* at = view.data();
    if (at && !before(at, from) && !before(from + size, at)) view = {to + (at - from), view.size()};
  };
  for (auto* view : {&r_.method_name_, &r_.target_, &r_.path_, &r_.query_, &r_.body_}) move(*view);
  for (auto* list : {&r_.headers_, &r_.params_})
    for (auto& field : *list) {
      move(field.name);
      move(field.value);
    }
}

}  // namespace corbel
