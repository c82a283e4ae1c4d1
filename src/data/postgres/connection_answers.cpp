// What a connection makes of the server's messages.
#include <algorithm>
#include <array>

#include "data/postgres/connection.hpp"
#include "data/postgres/oids.hpp"

namespace corbel::postgres {
namespace {

/// Each has a cause outside of the statement: somebody else's cancellation, a change of its table.
constexpr int most_resends = 5;
constexpr std::size_t read_size = 64 * 1024;
constexpr int most_reads = 8;

/// What belongs to a transaction failed with it.
bool may_run_again(const call& what) noexcept {
  return !what.abandoned && !what.in_transaction && !what.patient;
}

/// The server refused to run it by the plan it has: the name is gone, the table has other columns, or, where
/// it is parsed anew each time, more or fewer than were asked for in binary. Nothing has run. What a function
/// of the statement says of statements of its own, it says with a context.
bool is_old_plan(const server_report& said, const plan& with) noexcept {
  if (said.sql_state == "0A000") return said.routine == "RevalidateCachedQuery" && said.where.empty();
  if (said.sql_state == "08P01") return with.name.empty();
  return said.sql_state == "26000" && said.where.empty();
}

/// It stood behind a COMMIT that a cancellation undid, and was not looked at.
bool was_passed_over(const std::optional<server_report>& failed) noexcept {
  return failed && failed->sql_state == "25P02";
}

bool was_hit(const std::optional<server_report>& failed) noexcept {
  return failed && failed->sql_state == "57014";
}

}  // namespace

void connection::on_ready(readiness what) {
  if (what.writable && wants_write_) flush();
  if (!broken_ && (what.readable || what.broken)) read_all();
}

void connection::read_all() {
  take_all();
  if (broken_) return;
  if (watched_ && idle() && loop_.is_guest() && !listens) {
    loop_.descriptors().remove(socket_->descriptor(), *this);
    watched_ = false;
  }
  owner_.on_progress(*this);
}

void connection::take_all() {
  static thread_local std::array<char, read_size> scratch;
  bool closed = false;
  try {
    for (int reads = 0; !broken_;) {
      const auto moved = socket_->receive(scratch.data(), scratch.size());
      closed = moved.how == link::outcome::closed;
      if (moved.how != link::outcome::done) break;
      last_heard_ = loop_.now();
      std::string_view bytes(scratch.data(), moved.bytes);
      if (!in_.empty()) {
        in_ += bytes;
        bytes = in_;
      }
      take_messages(bytes);
      if (!socket_) break;
      // What TLS has deciphered already makes no socket readable: all of it is taken.
      if (socket_->has_pending()) continue;
      if (++reads == most_reads || (!socket_->encrypted() && moved.bytes < scratch.size())) break;
    }
  } catch (const protocol_error& wrong) {
    return break_off(std::string("the server broke the protocol: ") + wrong.what());
  }
  if (closed) break_off("the server closed the connection");
}

void connection::take_messages(std::string_view bytes) {
  const auto all = bytes.size();
  while (!broken_) {
    const auto m = take_message(bytes);
    if (!m) break;
    handle(*m);
  }
  if (bytes.empty())
    in_.clear();
  else if (in_.empty())
    in_ = bytes;
  else
    in_.erase(0, all - bytes.size());
}

void connection::handle(const wire_message& m) {
  if (m.type == 'D') return handle_row(m);
  if (m.type == 'Z') {
    transaction_state_ = static_cast<char>(field_reader(m.payload).byte());
    return finish_unit();
  }
  // Those that come unasked.
  if (m.type == 'N' || m.type == 'S') return;
  if (m.type == 'A') {
    field_reader fields(m.payload);
    fields.u32();  // the process that notified
    const auto channel = fields.text();
    return owner_.on_notification(*this, channel, fields.text());
  }
  if (units_.empty()) {
    if (m.type == 'E') {
      auto said = read_report(m.payload);
      return break_off(said.message + " (SQLSTATE " + said.sql_state + ")");
    }
    throw protocol_error("an answer that nobody asked for");
  }
  auto& u = units_.front();
  u.answered = true;
  switch (m.type) {
    case '1':  // ParseComplete
    case '2':  // BindComplete
    case '3':  // CloseComplete
    case 'n':  // NoData
    case 's':  // PortalSuspended
    case 'c':  // CopyDone
    case 'd':  // CopyData
      break;
    case 'C':
      if (u.preludes > 0) {
        --u.preludes;
      } else {
        if (u.what != unit::kind::control) u.tag = field_reader(m.payload).text();
        if (u.what == unit::kind::statement) finish_current(u);
      }
      break;
    case 'E':
      if (!u.failed) u.failed = read_report(m.payload);
      break;
    case 'I': u.refused = internal_error("this SQL has no statement"); break;
    case 't':
      if (u.plan) {
        field_reader fields(m.payload);
        u.plan->parameters.resize(fields.u16());
        for (auto& type : u.plan->parameters) type = fields.u32();
      }
      break;
    case 'T':
      if (u.what == unit::kind::prepare) {
        auto shape = read_columns(m.payload);
        u.plan->formats.clear();
        for (auto& one : shape) u.plan->formats.push_back(one.format = best_format(one.type));
        u.plan->shape = std::make_shared<const columns>(std::move(shape));
      } else if (u.what == unit::kind::statement && u.preludes == 0) {
        if (u.answered_calls == u.size()) throw protocol_error("columns behind the last row");
        auto shape = read_columns(m.payload);
        // A column took another type meanwhile: these rows are in the form of the one before, the next are
        // not.
        if (std::any_of(shape.begin(), shape.end(),
                        [](const column& one) { return one.format != best_format(one.type); }))
          forget(u.current_plan());
        u.current().result = std::make_unique<rows>(std::make_shared<const columns>(std::move(shape)));
      }
      break;
    case 'G':
    case 'W':
      u.refused = internal_error("COPY ... FROM STDIN is no statement: use copy_in");
      return break_off("a statement began to copy");
    case 'H': u.refused = internal_error("COPY ... TO STDOUT is no statement: use copy_out"); break;
    default: throw protocol_error("a message of an unknown type");
  }
}

void connection::handle_row(const wire_message& m) {
  if (units_.empty()) throw protocol_error("a row that nobody asked for");
  auto& u = units_.front();
  if (u.what == unit::kind::types) {
    field_reader fields(m.payload);
    fields.u16();
    const auto text = fields.take(fields.u32());
    std::uint32_t type = 0;
    for (const char c : text) type = type * 10 + static_cast<std::uint32_t>(c - '0');
    u.plan->user_arrays.push_back(type);
    return;
  }
  if (u.what == unit::kind::prepare) {
    if (u.preludes > 0) return;
    field_reader fields(m.payload);
    fields.u16();
    u.plan->kind.only_reads = false;
    // Behind a pooler there is no session of ours to leave anything on.
    if (fields.take(fields.u32()) == "t" && !how_.transaction_pooler) u.plan->kind.leaves_state = true;
    return;
  }
  if (u.what != unit::kind::statement || u.preludes > 0 || u.refused) return;
  if (u.answered_calls == u.size()) throw protocol_error("a row behind the last one");
  auto& result = u.current().result;
  if (!result) result = std::make_unique<rows>(u.current_plan()->shape);
  result->add(m.payload);
  if (result->bytes() > how_.most_result) {
    result.reset();
    u.refused = internal_error("a result has more than " + std::to_string(how_.most_result) +
                               " bytes: ask for fewer rows, page through them, or raise most_result");
    stop_head();
  }
}

void connection::finish_unit() {
  if (units_.empty()) throw protocol_error("an answer that nobody asked for");
  auto u = std::move(units_.front());
  units_.pop_front();
  sharing_ -= u.sharing.size();
  if (u.begins) --beginning_;
  if (cancelling_) u.maybe_hit = true;
  if (u.plan && u.what == unit::kind::statement) {
    learn_time(u);
    const auto limit = how_.slow_query;
    if (limit.count() > 0 && u.call && loop_.now() - u.started > limit)
      owner_.on_slow(*u.call, loop_.now() - u.started);
  }
  if (!units_.empty()) start_head(loop_.now());
  switch (u.what) {
    case unit::kind::statement:
      if (u.sharing.empty())
        finish_statement(u);
      else
        finish_shared(u);
      break;
    case unit::kind::commit: finish_commit(u); break;
    case unit::kind::prepare: finish_prepare(u); break;
    case unit::kind::types: finish_types(u); break;
    case unit::kind::script: finish_script(u); break;
    case unit::kind::control: finish_control(u); break;
    case unit::kind::ping: break;
  }
  if (broken_) return;
  last_used = loop_.now();
  send_held();
}

void connection::finish_control(unit& u) {
  if (u.settles) --settling_;
  // A cancellation that came late. It can be done again: what was let in behind it either met a transaction
  // that had failed, and runs again, too, or was held.
  if (was_hit(u.failed) && u.maybe_hit && (!exclusive || units_.empty())) return send_control(u.tag);
  // Whatever it was to undo is still there.
  if (u.failed) break_off("its session could not be put in order: " + u.failed->message);
}

/// One answer takes the time of the whole unit, as far as can be told from here.
void connection::learn_time(const unit& u) {
  using std::chrono::nanoseconds;
  const auto took =
      std::chrono::duration_cast<nanoseconds>(loop_.now() - u.started) / static_cast<int>(u.size());
  const auto learn = [&](plan& of) { of.usual += (std::max(took, nanoseconds(1)) - of.usual) / 4; };
  if (u.plan->usual.count() == 0)
    u.plan->usual = std::max(took, nanoseconds(1));
  else
    learn(*u.plan);
}

/// A command of the unit is complete; that it lasts, its Sync decides.
void connection::finish_current(unit& u) {
  if (u.answered_calls == u.size()) throw protocol_error("a command too many");
  auto& c = u.current();
  if (!u.refused) {
    if (!c.result) c.result = std::make_unique<rows>(u.current_plan()->shape);
    c.result->set_affected(affected_rows(u.tag));
  }
  ++u.answered_calls;
}

/// Either all have ended, or all but the one that failed run again.
void connection::finish_shared(unit& u) {
  if (!u.failed && !u.refused && u.answered_calls == u.size()) {
    end_call(std::move(u.call));
    for (auto& one : u.sharing) end_call(std::move(one.call));
    u.sharing.clear();
    spare_sharing_ = std::move(u.sharing);
    return;
  }
  std::vector<statement_call> all;
  all.reserve(u.size());
  all.push_back({std::move(u.call), std::move(u.plan)});
  for (auto& one : u.sharing) all.push_back(std::move(one));
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto& one = all[i];
    if (one.call->abandoned) {
      end_call(std::move(one.call));
      continue;
    }
    if (i == u.answered_calls) {
      unit failed;
      failed.what = unit::kind::statement;
      failed.call = std::move(one.call);
      failed.plan = std::move(one.plan);
      failed.failed = std::move(u.failed);
      failed.refused = std::move(u.refused);
      failed.maybe_hit = u.maybe_hit;
      failed.started = u.started;
      finish_statement(failed);
      continue;
    }
    one.call->alone = true;
    one.call->result.reset();
    run_again(std::move(one.call));
  }
}

/// A transaction may have begun behind it meanwhile.
void connection::run_again(call_ptr what) {
  if (exclusive)
    owner_.on_returned(std::move(what));
  else
    submit(std::move(what));
}

/// Whether a call whose answer was not its own fault goes to the server once more.
bool connection::send_again(unit& u) {
  auto& c = *u.call;
  if (c.resent == most_resends || !may_run_again(c) || !u.failed) return false;
  // What ran out of its own time was not hit.
  const auto limit = how_.statement_timeout;
  const bool late = limit.count() > 0 && loop_.now() - u.started > limit * 9 / 10;
  const bool hit = was_hit(u.failed) && u.maybe_hit && !late && !(u.plan && u.plan->kind.not_undone);
  const bool old_plan = u.plan && is_old_plan(*u.failed, *u.plan);
  if (!hit && !old_plan && !was_passed_over(u.failed)) return false;
  if (old_plan) forget(u.plan);
  ++c.resent;
  c.result.reset();
  c.failed.reset();
  // The COMMIT behind it finds the transaction undone.
  if (u.what == unit::kind::statement && c.commit_behind) {
    auto& commit = units_.front();
    commit.what = unit::kind::control;
    commit.call.reset();
    commit.tag = "ROLLBACK";
  }
  run_again(std::move(u.call));
  return true;
}

void connection::finish_statement(unit& u) {
  if (!u.refused && send_again(u)) return;
  auto& c = *u.call;
  if (u.refused) {
    fail_call(c, std::move(*u.refused));
  } else if (u.failed) {
    // In a transaction an old plan has failed it already; the next one prepares anew.
    if (is_old_plan(*u.failed, *u.plan)) forget(u.plan);
    fail_call(c, to_error(std::move(*u.failed), u.plan->text));
  } else if (!c.result) {
    c.result = std::make_unique<rows>(u.plan->shape);
  }
  if (!c.commit_behind) end_call(std::move(u.call));
}

void connection::finish_commit(unit& u) {
  // A COMMIT that was stopped before it began leaves the transaction open, and of no use.
  if (!exclusive && transaction_state_ == 'E') send_control("ROLLBACK");
  if (send_again(u)) return;
  auto& c = *u.call;
  if (u.failed && !c.failed) fail_call(c, to_error(std::move(*u.failed), "COMMIT"));
  if (u.tag != "COMMIT" && !c.failed)
    fail_call(c, internal_error("the database ended the transaction by itself; nothing of it was kept"));
  if (!c.failed && !c.result) c.result = std::make_unique<rows>(columns_ptr());
  end_call(std::move(u.call));
}

/// It cannot be prepared: those that wait for it fail, or try again when only a late cancellation came.
void connection::fail_plan(unit& u) {
  forget(u.plan);
  const bool hit = (was_hit(u.failed) && u.maybe_hit) || was_passed_over(u.failed);
  const auto wrong = to_error(std::move(*u.failed), u.plan->text);
  std::deque<held_work> others;
  std::vector<call_ptr> again;
  bool others_may = hit;
  for (auto& one : std::exchange(held_, {})) {
    if (one.plan != u.plan) {
      others.push_back(std::move(one));
      continue;
    }
    if (others_may && may_run_again(*one.call) && (!hit || one.call->resent++ < most_resends))
      again.push_back(std::move(one.call));
    else
      refuse(std::move(one.call), wrong);
    // It was prepared as the one whom the first call is for; others may have other rights.
    others_may = hit || u.acts;
  }
  held_ = std::move(others);
  for (auto& one : again) run_again(std::move(one));
}

void connection::finish_prepare(unit& u) {
  if (u.failed) return fail_plan(u);
  const auto& all = u.plan->parameters;
  u.plan->has_arrays = std::any_of(all.begin(), all.end(), &is_array);
  if (std::any_of(all.begin(), all.end(), [](std::uint32_t type) { return type >= oid::first_user; }))
    return ask_types(u.plan);
  u.plan->ready = true;
}

void connection::finish_types(unit& u) {
  if (u.failed) return fail_plan(u);
  u.plan->has_arrays = u.plan->has_arrays || !u.plan->user_arrays.empty();
  u.plan->ready = true;
}

void connection::finish_script(unit& u) {
  if (u.failed)
    fail_call(*u.call, to_error(std::move(*u.failed), {}));
  else
    u.call->result = std::make_unique<rows>(columns_ptr());
  end_call(std::move(u.call));
}

void connection::fail_call(call& what, error why) {
  what.result.reset();
  if (what.acts && is_sql_state(why, "42501")) why = denied(std::move(why));
  what.fail(std::move(why));
}

/// The server never sees it.
void connection::refuse(call_ptr what, error why) {
  skipping_ = skipping_ || what->in_transaction;
  fail_call(*what, std::move(why));
  end_call(std::move(what));
}

/// Fails, in the place of the server, what follows a failure in a transaction.
bool connection::skips(call_ptr& what) {
  if (!skipping_ || !what->in_transaction) return false;
  refuse(std::move(what), internal_error("a statement before this one failed, and with it the transaction"));
  return true;
}

void connection::end_call(call_ptr ended) {
  owner_.on_done(std::move(ended));
}

}  // namespace corbel::postgres
