#include "routing/pipeline.hpp"

#include <algorithm>

#include "corbel/http/problem.hpp"
#include "corbel/observe/log.hpp"
#include "http/request_access.hpp"
#include "http/response_access.hpp"

namespace corbel {
namespace {

/// The last resort writes no body at all: it must not fail.
void answer_error(const request& in, const error& why, response& out) noexcept {
  try {
    problem::write(in, why, out);
  } catch (...) {
    out.clear();
    out.status(status::internal_server_error);
  }
}

void answer_exception(const request& in, std::exception_ptr thrown, response& out) noexcept {
  answer_error(in, problem::from_exception(in, std::move(thrown)), out);
}

void call_after(const middleware& layer, const request& in, response& out) noexcept {
  try {
    layer.after(in, out);
  } catch (...) {
    answer_exception(in, std::current_exception(), out);
  }
}

/// A refusal stands, whatever a layer could not prepare for it.
void log_unprepared(const request& in, std::exception_ptr thrown) noexcept {
  try {
    in.log().error("a layer's `before` failed on a request that is refused",
                   {{"cause", problem::from_exception(std::move(thrown)).cause()}, {"path", in.path()}});
  } catch (...) {
    // Not even that could be said.
  }
}

/// Notes in the request that a response is waited for by an `around` layer, for as long as it is.
class nested_scope {
 public:
  nested_scope(request& in, const response& out) : in_(in), here_{out, request_access(in).nested()} {
    request_access(in_).nested(&here_);
  }
  nested_scope(const nested_scope&) = delete;
  nested_scope& operator=(const nested_scope&) = delete;
  ~nested_scope() { request_access(in_).nested(here_.outer); }

 private:
  request& in_;
  nested_response here_;
};

}  // namespace

pipeline::pipeline(layers all, std::shared_ptr<const corbel::endpoint> end, std::string path,
                   std::size_t body_limit)
    : layers_(std::move(all)), end_(std::move(end)), path_(std::move(path)) {
  traits_.body_limit = body_limit;
  traits_.guarded = end_->guards();
  traits_.guard_waits = end_->guard_waits();
  traits_.waits = end_->waits();
  traits_.streams_body = end_->streams_body();
  // Where there is no route, there is nothing to guard; and the OPTIONS of a browser comes without
  // credentials.
  const bool stands_in = path_.empty();
  for (const auto& layer : layers_) {
    const auto place = steps_.size();
    steps_.push_back({layer.get(), layer->waits(), layer->enters(), layer->leaves()});
    if (layer->guards() && !stands_in) guards_.push_back(layer.get());
    if (layer->enters()) entering_.emplace_back(place, layer.get());
    if (layer->leaves()) leaving_.emplace(leaving_.begin(), place, layer.get());
    traits_.waits |= layer->waits();
    const auto own = layer->limits();
    if (own.body) traits_.body_limit = *own.body;
    if (own.time) traits_.time_limit = own.time;
    traits_.never_shed |= own.never_shed;
  }
  for (const auto* layer : guards_) {
    traits_.guarded = true;
    traits_.guard_waits |= layer->guard_waits();
  }
}

result<void> pipeline::guard(request& head) const noexcept {
  try {
    for (const auto* layer : guards_)
      if (auto verdict = layer->guard(head); !verdict) return verdict;
    return end_->guard(head);
  } catch (...) {
    return problem::from_exception(std::current_exception());
  }
}

task<result<void>> pipeline::guard_waiting(request& head) const {
  // What throws here is answered by whoever asked, as every exception of a task is.
  for (const auto* layer : guards_) {
    // Not as one `?:` around the co_await: GCC 12 and clang 16 destroy what comes out of that twice.
    result<void> verdict;
    if (layer->guard_waits())
      verdict = co_await layer->guard_waiting(head);
    else
      verdict = layer->guard(head);
    if (!verdict) co_return verdict;
  }
  if (end_->guard_waits()) co_return co_await end_->guard_waiting(head);
  co_return end_->guard(head);
}

pipeline::way pipeline::enter(std::size_t from, request& in, response& out) const noexcept {
  std::size_t at = from;
  try {
    for (; at < steps_.size(); ++at) {
      if (steps_[at].enters) {
        if (steps_[at].layer->before(in, out) == flow::stop) return {at + 1, true};
        response_access(out).lay();
      }
      if (steps_[at].waits) return {at + 1, false};
    }
  } catch (...) {
    answer_exception(in, std::current_exception(), out);
    return {at + 1, true};
  }
  return {at, false};
}

void pipeline::leave(std::size_t from, std::size_t end, request& in, response& out) const noexcept {
  request_access access(in);
  for (std::size_t place = std::min(end, access.left_from()); place-- > from;) {
    access.leave(place);
    if (steps_[place].leaves) call_after(*steps_[place].layer, in, out);
  }
  if (from == 0) access.leave(0);  // there may be no layer at all
}

void pipeline::serve(request& in, response& out) const noexcept {
  std::size_t end = 0;
  try {
    bool stopped = false;
    for (const auto& [place, layer] : entering_) {
      end = place + 1;
      stopped = layer->before(in, out) == flow::stop;
      if (stopped) break;
      response_access(out).lay();
    }
    if (!stopped) {
      end = steps_.size();
      end_->serve(in, out);
    }
  } catch (...) {
    answer_exception(in, std::current_exception(), out);
  }
  for (const auto& [place, layer] : leaving_)
    if (place < end) call_after(*layer, in, out);
}

void pipeline::refuse(request& in, const error& why, response& out) const noexcept {
  request_access access(in);
  if (!access.entered()) {
    for (const auto& [place, layer] : entering_) {
      try {
        if (layer->before(in, out) == flow::proceed)
          response_access(out).lay();
        else
          response_access(out).reset();
      } catch (...) {
        log_unprepared(in, std::current_exception());
        response_access(out).reset();
      }
    }
  }
  try {
    response_access(out).reset();
    for (const auto* each = access.nested(); each; each = each->outer)
      response_access(out).lay_from(each->out);
    response_access(out).lay();
  } catch (...) {
    log_unprepared(in, std::current_exception());
  }
  access.enter();
  answer_error(in, why, out);
  leave(0, steps_.size(), in, out);
}

task<void> pipeline::run(std::size_t from, request& in, response& out) const {
  if (from == 0) request_access(in).enter();
  const auto [end, stopped] = enter(from, in, out);
  std::exception_ptr thrown;
  if (!stopped) {
    try {
      if (end > from && steps_[end - 1].waits) {
        auto made = co_await steps_[end - 1].layer->around(in, next(&run_next, this, end, &in));
        response_access(out).take(std::move(made));
      } else if (end_->waits()) {
        co_await end_->serve_waiting(in, out);
      } else {
        end_->serve(in, out);
      }
    } catch (...) {
      thrown = std::current_exception();
    }
    // After the server's last word nobody looks at `out` any more.
    if (thrown && request_access(in).left_from() != 0) answer_exception(in, thrown, out);
  }
  leave(from, end, in, out);
}

task<response> pipeline::run_next(const void* self, std::size_t from, request* in) {
  response out;
  {
    const nested_scope waited_for(*in, out);
    co_await static_cast<const pipeline*>(self)->run(from, *in, out);
  }
  co_return out;
}

}  // namespace corbel
