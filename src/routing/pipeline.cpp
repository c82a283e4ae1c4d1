#include "routing/pipeline.hpp"

#include <algorithm>

#include "corbel/http/problem.hpp"
#include "http/response_access.hpp"

namespace corbel {
namespace {

/// The last resort writes no body at all: it must not fail.
void answer_exception(const request& in, std::exception_ptr thrown, response& out) noexcept {
  try {
    problem::write(in, problem::from_exception(std::move(thrown)), out);
  } catch (...) {
    out.clear();
    out.status(status::internal_server_error);
  }
}

}  // namespace

pipeline::pipeline(layers all, std::shared_ptr<const corbel::endpoint> end)
    : layers_(std::move(all)), end_(std::move(end)) {
  waits_ = end_->waits();
  for (const auto& layer : layers_) {
    steps_.push_back({layer.get(), layer->waits(), layer->enters(), layer->leaves()});
    waits_ |= layer->waits();
    const auto place = steps_.size() - 1;
    if (layer->enters()) entering_.emplace_back(place, layer.get());
    if (layer->leaves()) leaving_.emplace(leaving_.begin(), place, layer.get());
    const auto own = layer->limits();
    if (own.body) limits_.body = own.body;
    if (own.time) limits_.time = own.time;
    limits_.never_shed |= own.never_shed;
  }
}

std::size_t pipeline::enter(std::size_t from, request& in, response& out, bool& stopped) const noexcept {
  std::size_t at = from;
  try {
    for (; at < steps_.size() && !steps_[at].waits; ++at) {
      if (!steps_[at].enters) continue;
      if (steps_[at].layer->before(in, out) == flow::stop) {
        stopped = true;
        break;
      }
      response_access(out).lay();
    }
  } catch (...) {
    answer_exception(in, std::current_exception(), out);
    stopped = true;
  }
  return at;
}

void pipeline::leave(std::size_t from, std::size_t to, const request& in, response& out) const noexcept {
  while (to-- > from) {
    if (!steps_[to].leaves) continue;
    try {
      steps_[to].layer->after(in, out);
    } catch (...) {
      answer_exception(in, std::current_exception(), out);
    }
  }
}

void pipeline::serve(request& in, response& out) const noexcept {
  std::size_t reached = 0;
  try {
    bool stopped = false;
    for (const auto& [place, layer] : entering_) {
      reached = place;
      stopped = layer->before(in, out) == flow::stop;
      if (stopped) break;
      response_access(out).lay();
    }
    if (!stopped) {
      reached = steps_.size();
      end_->serve(in, out);
    }
  } catch (...) {
    answer_exception(in, std::current_exception(), out);
  }
  for (const auto& [place, layer] : leaving_) {
    if (place >= reached) continue;
    try {
      layer->after(in, out);
    } catch (...) {
      answer_exception(in, std::current_exception(), out);
    }
  }
}

void pipeline::refuse(request& in, const error& why, response& out) const noexcept {
  const bool closes = out.closes();
  std::size_t reached = 0;
  try {
    for (; reached < layers_.size(); ++reached)
      if (!layers_[reached]->waits()) (void)layers_[reached]->before(in, out);
    out.clear();
    if (closes) out.close();
    problem::write(in, why, out);
  } catch (...) {
    answer_exception(in, std::current_exception(), out);
  }
  while (reached-- > 0) {
    if (layers_[reached]->waits()) continue;
    try {
      layers_[reached]->after(in, out);
    } catch (...) {
      answer_exception(in, std::current_exception(), out);
    }
  }
}

task<void> pipeline::run(std::size_t from, request& in, response& out) const {
  bool stopped = false;
  const std::size_t reached = enter(from, in, out, stopped);
  std::exception_ptr thrown;
  if (!stopped) {
    try {
      if (reached < layers_.size()) {
        auto made = co_await layers_[reached]->around(in, next(&run_next, this, reached + 1, &in));
        response_access(out).take(std::move(made));
      } else if (end_->waits()) {
        co_await end_->serve_waiting(in, out);
      } else {
        end_->serve(in, out);
      }
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown) answer_exception(in, thrown, out);
  }
  leave(from, reached, in, out);
}

task<response> pipeline::run_next(const void* self, std::size_t from, request* in) {
  response out;
  co_await static_cast<const pipeline*>(self)->run(from, *in, out);
  co_return out;
}

}  // namespace corbel
