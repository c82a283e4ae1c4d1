#include "data/postgres/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "data/postgres/oids.hpp"

namespace corbel::postgres {

using namespace std::chrono_literals;

namespace {

/// A statement that runs as long holds up what stands behind it: nothing more is sent there.
constexpr auto slow = 10ms;
/// How long a server may be silent beyond the time that a statement has.
constexpr auto grace = 1s;
/// A server that does not stop a statement within this time is taken for lost.
constexpr auto cancel_patience = 2s;
constexpr auto control_patience = 10s;
/// Reads that share a Sync wait for one another.
constexpr std::size_t most_sharing = 32;
constexpr std::size_t read_size = 64 * 1024;
constexpr int most_reads = 8;

/// What any user of a session may have left on it. Prepared statements are ours, and stay.
constexpr std::string_view reset_session =
    "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; CLOSE ALL; SELECT pg_advisory_unlock_all(); "
    "DISCARD SEQUENCES; DISCARD TEMP";

error use_transact(std::string_view sql) {
  return internal_error(
      "transactions are the library's business: use db.transact(...) or begin() in place of: " +
      std::string(sql));
}

}  // namespace

connection::connection(event_loop& loop, connection_owner& owner, const options& how,
                       std::unique_ptr<link> socket)
    : opened_at(steady::now()),
      last_used(opened_at),
      loop_(loop),
      owner_(owner),
      how_(how),
      socket_(std::move(socket)),
      plans_(how.statement_cache),
      last_heard_(opened_at) {
  // On a loop that ends when nothing is left to do, an idle connection keeps nobody waiting.
  if (!loop_.is_guest()) watch();
}

connection::~connection() {
  if (watched_) loop_.descriptors().remove(socket_->descriptor(), *this);
}

// Sending.

void connection::submit(call_ptr what) {
  if (what->script) return send_script(std::move(what));
  const auto text = what->what.text();
  auto known = plans_.find(text);
  if (!known) {
    known = std::make_shared<plan>();
    known->text = text;
    known->kind = classify(text);
    const bool savepoint_alone = known->kind.controls_savepoint && !exclusive;
    if (known->kind.controls_transaction || savepoint_alone) {
      fail_call(*what, use_transact(text));
      return end_call(std::move(what));
    }
    prepare(known);
  }
  if (known->ready && held_.empty()) return send_statement(std::move(what), known);
  held_.push_back({std::move(what), std::move(known)});
}

void connection::prepare(const plan_ptr& fresh) {
  if (!how_.transaction_pooler) fresh->name = "c" + std::to_string(next_name_++);
  auto& u = push(unit::kind::prepare);
  u.plan = fresh;
  wire_writer w(out_);
  for (const auto& old : plans_.add(fresh))
    if (!old->name.empty()) w.close_statement(old->name);
  w.parse(fresh->name, fresh->text);
  w.describe_statement(fresh->name);
  w.sync();
  written();
}

/// Whether parameters of types that were made later are arrays, the catalog knows.
void connection::ask_types(const plan_ptr& of) {
  data::value list = std::string("{");
  auto& text = std::get<std::string>(list);
  for (const auto type : of->parameters)
    if (type >= oid::first_user) text += (text.size() > 1 ? "," : "") + std::to_string(type);
  text += '}';
  auto& u = push(unit::kind::types);
  u.plan = of;
  wire_writer w(out_);
  w.parse({},
          "select oid::int8::text from pg_catalog.pg_type where typcategory = 'A' and oid = any($1::oid[])");
  w.bind({}, std::span(&list, 1), {});
  w.execute();
  w.sync();
  written();
}

std::vector<data::value> connection::array_parameters(const call& what, const plan& with) const {
  auto values = what.what.parameters();
  for (std::size_t i = 0; i < values.size() && i < with.parameters.size(); ++i) {
    const auto type = with.parameters[i];
    const auto& own = with.user_arrays;
    if (!is_array(type) && std::find(own.begin(), own.end(), type) == own.end()) continue;
    auto* text = std::get_if<std::string>(&values[i]);
    // A literal may begin with its bounds, "[0:1]={...}": that is one already.
    if (text && text->starts_with('[') && text->find("]=") == std::string::npos)
      *text = data::array_literal(*text, elements_of(type));
  }
  return values;
}

void connection::send_statement(call_ptr what, const plan_ptr& with) {
  const bool shares = !exclusive && !what->alone && what->before.empty() && with->may_share();
  const bool joins = shares && open_to_share_ && units_.back().size() < most_sharing;
  if (!joins) close_shared();
  const auto begins_at = position();
  const auto before = out_.size();
  try {
    write_statement(*what, *with);
  } catch (const failure& f) {
    out_.resize(before);  // nothing of it leaves
    fail_call(*what, f.error());
    return end_call(std::move(what));
  }
  if (joins) {
    units_.back().sharing.push_back({what, with});
    ++sharing_;
  } else {
    auto& u = push(unit::kind::statement, begins_at);
    u.call = what;
    u.plan = with;
    u.preludes = what->before.size();
  }
  open_to_share_ = shares;
  if (!shares) wire_writer(out_).sync();
  if (what->commit_behind) {
    auto& u = push(unit::kind::commit);
    u.call = what;
    wire_writer w(out_);
    w.parse({}, "COMMIT");
    w.bind({}, {}, {});
    w.execute();
    w.sync();
  }
  if (with->kind.leaves_state) {
    if (exclusive)
      dirty = true;
    else
      control(reset_session);
  }
  written();
}

/// All of it but the Sync.
void connection::write_statement(const call& what, const plan& with) {
  const auto& values = what.what.parameters();
  const auto expected = with.parameters.size();
  if (values.size() != expected)
    throw failure(internal_error("this SQL takes " + std::to_string(expected) + " values but was given " +
                                 std::to_string(values.size()) + ": " + with.text));
  wire_writer w(out_);
  for (const auto& one : what.before) {
    w.parse({}, one.sql);
    w.bind({}, one.values, {});
    w.execute();
  }
  if (with.name.empty()) w.parse({}, with.text);
  if (with.has_arrays)
    w.bind(with.name, array_parameters(what, with), with.formats);
  else
    w.bind(with.name, values, with.formats);
  if (with.name.empty()) w.describe_portal();
  w.execute();
}

void connection::close_shared() {
  if (!std::exchange(open_to_share_, false)) return;
  wire_writer(out_).sync();
}

void connection::send_script(call_ptr what) {
  auto& u = push(what->commit_behind ? unit::kind::commit : unit::kind::script);
  const auto before = out_.size();
  wire_writer w(out_);
  try {
    w.query(what->what.text());
  } catch (const failure& f) {
    units_.pop_back();
    out_.resize(before);
    fail_call(*what, f.error());
    return end_call(std::move(what));
  }
  u.call = std::move(what);
  dirty = dirty || u.what == unit::kind::script;
  written();
}

void connection::control(std::string_view sql) {
  push(unit::kind::control);
  wire_writer(out_).query(sql);
  written();
}

void connection::reset() {
  dirty = false;
  control(reset_session);
}

void connection::ping() {
  push(unit::kind::ping);
  wire_writer(out_).sync();
  written();
}

std::uint64_t connection::position() const noexcept {
  return sent_ + out_.size() - out_sent_;
}

connection::unit& connection::push(unit::kind what) {
  close_shared();
  return push(what, position());
}

connection::unit& connection::push(unit::kind what, std::uint64_t begins_at) {
  auto& u = units_.emplace_back();
  u.what = what;
  u.begins_at = begins_at;
  if (units_.size() == 1) start_head();
  return u;
}

bool connection::unit::holds(const postgres::call& one) const noexcept {
  return call.get() == &one || std::any_of(sharing.begin(), sharing.end(), [&](const statement_call& other) {
           return other.call.get() == &one;
         });
}

bool connection::unit::any_abandoned() const noexcept {
  return (call && call->abandoned) ||
         std::any_of(sharing.begin(), sharing.end(),
                     [](const statement_call& other) { return other.call->abandoned; });
}

void connection::written() {
  if (!watched_) watch();
  owner_.on_unsent(*this);
}

void connection::flush() {
  close_shared();
  while (!broken_ && out_sent_ < out_.size()) {
    const auto moved = socket_->send(std::string_view(out_).substr(out_sent_));
    if (moved.how == link::outcome::closed) return break_off("the server closed the connection");
    if (moved.how == link::outcome::would_block) break;
    out_sent_ += moved.bytes;
    sent_ += moved.bytes;
  }
  if (broken_) return;
  const bool all_sent = out_sent_ == out_.size();
  if (all_sent) {
    out_.clear();
    out_sent_ = 0;
    if (out_.capacity() > 4 * read_size) out_.shrink_to_fit();
  }
  if (wants_write_ == all_sent) {
    wants_write_ = !all_sent;
    watch();
  }
}

void connection::watch() {
  const auto wanted = wants_write_ ? interest::read_write : interest::read;
  if (watched_)
    loop_.descriptors().change(socket_->descriptor(), wanted, *this);
  else
    loop_.descriptors().add(socket_->descriptor(), wanted, *this);
  watched_ = true;
}

// Receiving.

void connection::on_ready(readiness what) {
  if (what.writable && wants_write_) flush();
  if (!broken_ && (what.readable || what.broken)) read_all();
}

void connection::read_all() {
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
      // What TLS has deciphered already makes no socket readable: all of it is taken.
      if (!socket_ || (!socket_->encrypted() && (moved.bytes < scratch.size() || ++reads == most_reads)))
        break;
    }
  } catch (const protocol_error& wrong) {
    return break_off(std::string("the server broke the protocol: ") + wrong.what());
  }
  if (closed) return break_off("the server closed the connection");
  if (broken_) return;
  if (idle() && loop_.is_guest() && !listens) {
    loop_.descriptors().remove(socket_->descriptor(), *this);
    watched_ = false;
  }
  owner_.on_progress(*this);
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
        u.tag = field_reader(m.payload).text();
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
        u.current().result = std::make_unique<rows>(std::make_shared<const columns>(read_columns(m.payload)));
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
  if (u.what != unit::kind::statement || u.preludes > 0 || u.refused) return;
  if (u.answered_calls == u.size()) throw protocol_error("a row behind the last one");
  auto& result = u.current().result;
  if (!result) result = std::make_unique<rows>(u.current_plan()->shape);
  result->add(m.payload);
  if (result->bytes() > how_.most_result) {
    result.reset();
    u.refused = internal_error("a result has more than " + std::to_string(how_.most_result) +
                               " bytes: ask for fewer rows, page through them, or raise most_result");
  }
}

void connection::finish_unit() {
  if (units_.empty()) throw protocol_error("an answer that nobody asked for");
  auto u = std::move(units_.front());
  units_.pop_front();
  sharing_ -= u.sharing.size();
  if (cancelling_) u.maybe_hit = true;
  if (u.plan && u.what == unit::kind::statement) {
    learn_time(u);
    const auto limit = how_.slow_query;
    if (limit.count() > 0 && u.call && loop_.now() - u.started > limit)
      owner_.on_slow(*u.call, loop_.now() - u.started);
  }
  if (!units_.empty()) start_head();
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
    case unit::kind::control:
      // Whatever it was to undo is still there.
      if (u.failed) return break_off("its session could not be put in order: " + u.failed->message);
      break;
    case unit::kind::ping: break;
  }
  last_used = loop_.now();
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
  std::vector<statement_call> all;
  all.reserve(u.size());
  all.push_back({std::move(u.call), std::move(u.plan)});
  for (auto& one : u.sharing) all.push_back(std::move(one));
  if (!u.failed && !u.refused && u.answered_calls == all.size()) {
    for (auto& one : all) end_call(std::move(one.call));
    return;
  }
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
      finish_statement(failed);
      continue;
    }
    one.call->alone = true;
    one.call->result.reset();
    submit(std::move(one.call));
  }
}

/// Whether a call whose answer was not its own fault goes to the server once more.
bool connection::send_again(unit& u) {
  auto& c = *u.call;
  if (c.resent || c.abandoned || exclusive || !u.failed) return false;
  const auto& state = u.failed->sql_state;
  const bool hit = state == "57014" && u.maybe_hit;
  // The plan is gone from the server, or the table has other columns now.
  const bool old_plan = u.plan && (state == "26000" || state == "0A000");
  if (!hit && !old_plan) return false;
  if (old_plan) plans_.remove(*u.plan);
  c.resent = true;
  c.result.reset();
  c.failed.reset();
  // The COMMIT behind it finds the transaction undone.
  if (u.what == unit::kind::statement && c.commit_behind) {
    units_.front().what = unit::kind::control;
    units_.front().call.reset();
  }
  submit(std::move(u.call));
  return true;
}

void connection::finish_statement(unit& u) {
  if (send_again(u)) return;
  auto& c = *u.call;
  if (u.refused) {
    fail_call(c, std::move(*u.refused));
  } else if (u.failed) {
    // In a transaction an old plan has failed it already; the next one prepares anew.
    if (u.failed->sql_state == "26000" || u.failed->sql_state == "0A000") plans_.remove(*u.plan);
    fail_call(c, to_error(std::move(*u.failed), u.plan->text));
  } else if (!c.result) {
    c.result = std::make_unique<rows>(u.plan->shape);
  }
  if (!c.commit_behind) end_call(std::move(u.call));
}

void connection::finish_commit(unit& u) {
  if (send_again(u)) return;
  auto& c = *u.call;
  if (u.failed && !c.failed) fail_call(c, to_error(std::move(*u.failed), "COMMIT"));
  if (u.tag != "COMMIT" && !c.failed)
    fail_call(c, internal_error("the database ended the transaction by itself; nothing of it was kept"));
  if (!c.failed && !c.result) c.result = std::make_unique<rows>(columns_ptr());
  end_call(std::move(u.call));
}

void connection::finish_prepare(unit& u) {
  if (u.failed) {
    plans_.remove(*u.plan);
    const auto wrong = to_error(std::move(*u.failed), u.plan->text);
    std::deque<statement_call> others;
    for (auto& one : std::exchange(held_, {})) {
      if (one.plan != u.plan) {
        others.push_back(std::move(one));
        continue;
      }
      fail_call(*one.call, wrong);
      end_call(std::move(one.call));
    }
    held_ = std::move(others);
    return send_held();
  }
  const auto& all = u.plan->parameters;
  u.plan->has_arrays = std::any_of(all.begin(), all.end(), &is_array);
  if (std::any_of(all.begin(), all.end(), [](std::uint32_t type) { return type >= oid::first_user; }))
    return ask_types(u.plan);
  u.plan->ready = true;
  send_held();
}

void connection::finish_types(unit& u) {
  u.plan->has_arrays = u.plan->has_arrays || !u.plan->user_arrays.empty();
  u.plan->ready = true;
  send_held();
}

void connection::finish_script(unit& u) {
  if (u.failed)
    fail_call(*u.call, to_error(std::move(*u.failed), {}));
  else
    u.call->result = std::make_unique<rows>(columns_ptr());
  end_call(std::move(u.call));
}

void connection::send_held() {
  while (!held_.empty() && held_.front().plan->ready) {
    auto next = std::move(held_.front());
    held_.pop_front();
    if (!next.call->abandoned) send_statement(std::move(next.call), next.plan);
  }
}

void connection::fail_call(call& what, error why) {
  what.result.reset();
  if (what.acts && is_sql_state(why, "42501")) why = denied(std::move(why));
  what.failed = std::move(why);
}

void connection::end_call(call_ptr ended) {
  owner_.on_done(std::move(ended));
}

// Cancelling, and the silence of servers.

void connection::start_head() {
  auto& head = units_.front();
  head.started = loop_.now();
  if (cancelling_) head.maybe_hit = true;
  if (head.any_abandoned() && head.what != unit::kind::commit && !head.cancel_asked) {
    head.cancel_asked = true;
    if (!cancelling_) {
      cancelling_ = true;
      cancel_since_ = loop_.now();
      owner_.cancel_on_server(*this);
    }
  }
}

void connection::abandon(call& what) {
  what.abandoned = true;
  if (units_.empty() || !units_.front().holds(what)) return;
  const auto since = units_.front().started;
  start_head();
  units_.front().started = since;
}

void connection::cancel_ended() {
  cancelling_ = false;
  if (broken_ || units_.empty()) return;
  auto& head = units_.front();
  head.maybe_hit = true;
  // The wish may have come before the statement began: once more, if it is still there.
  if (head.any_abandoned() && head.what != unit::kind::commit &&
      loop_.now() - cancel_since_ < cancel_patience) {
    head.cancel_asked = false;
    const auto since = std::pair(cancel_since_, head.started);
    start_head();
    std::tie(cancel_since_, head.started) = since;
  }
}

bool connection::is_slow(steady::time_point now) const noexcept {
  if (units_.empty()) return false;
  const auto& head = units_.front();
  return now - head.started > slow || (head.plan && head.plan->usual > slow);
}

void connection::check_deadlines(steady::time_point now) {
  if (broken_ || units_.empty()) return;
  const auto& head = units_.front();
  if (head.cancel_asked && now - cancel_since_ > cancel_patience)
    return break_off("the server did not stop a statement that was cancelled");
  steady::duration limit = control_patience;
  if (head.call) {
    if (head.call->patient || how_.statement_timeout.count() == 0) return;
    limit = how_.statement_timeout;
    // Behind a pooler the server knows no limit.
    if (how_.transaction_pooler && !head.cancel_asked && now - head.started > limit) {
      units_.front().cancel_asked = true;
      cancelling_ = true;
      cancel_since_ = now;
      return owner_.cancel_on_server(*this);
    }
    limit += grace;
  }
  if (now - std::max(head.started, last_heard_) > limit) break_off("the server fell silent");
}

bool connection::still_there() noexcept {
  char byte = 0;
  const auto got = ::recv(socket_->descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void connection::break_off(std::string why) {
  if (broken_) return;
  broken_ = true;
  if (watched_) loop_.descriptors().remove(socket_->descriptor(), *this);
  watched_ = false;
  socket_.reset();

  std::vector<call_ptr> unsent;
  const auto give_back = [&](call_ptr one) {
    if (one->done() || one->abandoned) return;
    if (!exclusive) return unsent.push_back(std::move(one));
    fail_call(*one, connection_error("the transaction's connection broke: " + why));
    end_call(std::move(one));
  };
  // What stands behind a statement that the server died of was never looked at.
  bool untouched = false;
  for (auto& u : std::exchange(units_, {})) {
    if (!u.call) continue;
    auto& c = *u.call;
    const bool fatal = u.failed && is_fatal(*u.failed) && u.tag.empty() && u.what != unit::kind::commit;
    if (u.what == unit::kind::statement && c.commit_behind) {
      // Its COMMIT follows and decides.
      if (untouched || u.begins_at >= sent_) continue;
      if (fatal || !u.answered) untouched = untouched || fatal;
      if (fatal) fail_call(c, to_error(std::move(*u.failed), u.plan->text));
      continue;
    }
    if (c.failed) {
      end_call(std::move(u.call));
      continue;
    }
    if (!u.tag.empty()) c.result.reset();  // it did not come to its Sync
    if (untouched || u.begins_at >= sent_) {
      give_back(std::move(u.call));
      for (auto& one : u.sharing) give_back(std::move(one.call));
      continue;
    }
    // They only read, and none of them has ended: whoever waits may ask again.
    for (auto& one : u.sharing) {
      if (one.call->abandoned) continue;
      fail_call(*one.call, connection_error("the connection broke: " + why));
      end_call(std::move(one.call));
    }
    if (u.refused)
      fail_call(c, std::move(*u.refused));
    else if (fatal)
      fail_call(c, to_error(std::move(*u.failed), u.plan ? u.plan->text : std::string()));
    else if (u.what == unit::kind::commit || (!exclusive && u.plan && !u.plan->kind.only_reads))
      fail_call(c, unknown_outcome("the connection broke: " + why));
    else
      fail_call(c, connection_error("the connection broke: " + why));
    untouched = untouched || fatal;
    end_call(std::move(u.call));
  }
  for (auto& one : std::exchange(held_, {})) give_back(std::move(one.call));
  owner_.on_broken(*this, std::move(unsent), why);
}

}  // namespace corbel::postgres
