#include "data/postgres/connection.hpp"

#include <algorithm>

#include "corbel/data/postgres/blocking.hpp"
#include "data/postgres/oids.hpp"

namespace corbel::postgres {

namespace {

/// Reads that share a Sync wait for one another.
constexpr std::size_t most_sharing = 32;
/// An outgoing buffer that has grown beyond it is given back when it is empty.
constexpr std::size_t most_kept = 256 * 1024;

/// What the server would never see as it is meant.
std::optional<error> mistake_in(std::string_view sql) {
  if (sql.find('\0') != std::string_view::npos)
    return internal_error("SQL text may hold no NUL character: take it out");
  if (sql.size() > wire_writer::most_message / 2) return internal_error("this SQL is longer than 512 MiB");
  return {};
}

error use_copy(std::string_view sql) {
  return internal_error("COPY from and to the client is no statement: use copy_in or copy_out in place of: " +
                        std::string(sql));
}

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

void connection::submit(call_ptr what) {
  if (held_.empty() && skips(what)) return;
  if (what->script) return send_or_hold({std::move(what), nullptr, {}});
  const auto text = what->what.text();
  auto known = plans_.find(text);
  if (!known) {
    if (auto wrong = mistake_in(text)) return refuse(std::move(what), std::move(*wrong));
    known = plan_ptr(new plan);
    known->text = text;
    known->kind = classify(text);
    const bool savepoint_alone = known->kind.controls_savepoint && !exclusive;
    if (known->kind.controls_transaction || savepoint_alone)
      return refuse(std::move(what), use_transact(text));
    if (known->kind.copies) return refuse(std::move(what), use_copy(text));
    try {
      // Its names may mean something to the one it is for alone.
      prepare(known, what->acts ? what->before : std::vector<prelude>());
    } catch (const failure& f) {
      return refuse(std::move(what), f.error());
    }
  }
  send_or_hold({std::move(what), std::move(known), {}});
}

/// The order is kept: nothing overtakes what is held.
void connection::send_or_hold(held_work next) {
  if (held_.empty() && may_send(next))
    send(std::move(next));
  else
    held_.push_back(std::move(next));
}

bool connection::may_send(const held_work& next) const noexcept {
  if (next.plan && !next.plan->ready) return false;
  // What belongs to a transaction stays out of the way of a cancellation.
  if (exclusive && cancelling_) return false;
  if (settling_ > 0) return false;
  // A cancellation may come so early that there is no transaction yet: what follows would run outside of it.
  if (next.call && next.call->in_transaction && beginning_ > 0) return false;
  // What cannot be undone cannot be sent again: no stranger's cancellation may hit it.
  return !next.plan || !next.plan->kind.not_undone || exclusive || (units_.empty() && !cancelling_);
}

void connection::send(held_work next) {
  if (!next.call) return send_control(next.control);
  if (next.call->abandoned) {
    // Nothing of a transaction runs behind a part of it that did not.
    skipping_ = skipping_ || next.call->in_transaction;
    return;
  }
  if (skips(next.call)) return;
  if (next.plan)
    send_statement(std::move(next.call), next.plan);
  else
    send_script(std::move(next.call));
}

void connection::send_held() {
  while (!held_.empty() && !broken_ && may_send(held_.front())) {
    auto next = std::move(held_.front());
    held_.pop_front();
    send(std::move(next));
  }
}

/// With what stands in front of its statement, which is then undone: only so are names found, and rights
/// asked, as they will be. Throws `failure` for what cannot be written; then nothing of it is.
void connection::prepare(const plan_ptr& fresh, const std::vector<prelude>& before) {
  if (!how_.transaction_pooler) fresh->name = "c" + std::to_string(next_name_++);
  for (const auto& old : plans_.add(fresh)) forget(old);
  close_shared();
  const auto begins_at = position();
  const auto start = out_.size();
  try {
    write_prepare(*fresh, before);
  } catch (const failure&) {
    plans_.remove(*fresh);
    out_.resize(start);
    throw;
  }
  forgotten_.clear();
  auto& u = push(unit::kind::prepare, begins_at);
  u.plan = fresh;
  u.preludes = before.size();
  u.acts = !before.empty();
  written();
  if (!before.empty()) send_control("ROLLBACK");
}

void connection::write_prepare(const plan& fresh, const std::vector<prelude>& before) {
  wire_writer w(out_);
  for (const auto& name : forgotten_) w.close_statement(name);
  write_preludes(before);
  w.parse(fresh.name, fresh.text);
  w.describe_statement(fresh.name);
  if (!fresh.kind.calls.empty()) {
    const auto names = names_of_calls(fresh.kind);
    w.parse({}, volatile_functions);
    w.bind({}, std::span(&names, 1), {});
    w.execute();
  }
  w.sync();
}

void connection::forget(const plan_ptr& old) {
  plans_.remove(*old);
  if (!old->name.empty()) forgotten_.push_back(old->name);
}

void connection::write_preludes(const std::vector<prelude>& before) {
  wire_writer w(out_);
  for (const auto& one : before) {
    w.parse({}, one.sql);
    w.bind({}, one.values, {});
    w.execute();
  }
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
  const auto given = what.what.parameters();
  std::vector<data::value> values(given.begin(), given.end());
  for (std::size_t i = 0; i < values.size() && i < with.parameters.size(); ++i) {
    const auto type = with.parameters[i];
    const auto& own = with.user_arrays;
    if (!is_array(type) && std::find(own.begin(), own.end(), type) == own.end()) continue;
    auto* text = std::get_if<std::string>(&values[i]);
    // One that begins with its bounds, "[0:1]={...}", is a literal already.
    if (text && text->starts_with('[') && !data::opens_array(*text))
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
    return refuse(std::move(what), f.error());
  }
  if (joins) {
    auto& others = units_.back().sharing;
    if (others.capacity() == 0) others = std::exchange(spare_sharing_, {});
    others.push_back({what, with});
    ++sharing_;
  } else {
    auto& u = push(unit::kind::statement, begins_at);
    u.call = what;
    u.plan = with;
    u.preludes = what->before.size();
    u.begins = what->in_transaction && u.preludes > 0;
    if (u.begins) ++beginning_;
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
  written();
  if (with->kind.leaves_state) {
    if (exclusive)
      dirty = true;
    else
      send_control(detail::reset_session);
  }
}

/// All of it but the Sync.
void connection::write_statement(const call& what, const plan& with) {
  const auto values = what.what.parameters();
  const auto expected = with.parameters.size();
  if (values.size() != expected)
    throw failure(internal_error("this SQL takes " + std::to_string(expected) + " values but was given " +
                                 std::to_string(values.size()) + ": " + with.text));
  write_preludes(what.before);
  wire_writer w(out_);
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
    return refuse(std::move(what), f.error());
  }
  u.call = std::move(what);
  dirty = dirty || u.what == unit::kind::script;
  written();
}

void connection::control(std::string_view sql) {
  if (broken_) return;
  send_or_hold({nullptr, nullptr, std::string(sql)});
}

void connection::send_control(std::string_view sql) {
  skipping_ = false;  // it undoes what came before
  auto& u = push(unit::kind::control);
  u.tag = sql;
  u.settles = !exclusive;
  if (u.settles) ++settling_;
  wire_writer(out_).query(sql);
  written();
}

void connection::reset() {
  dirty = false;
  control(detail::reset_session);
}

void connection::ping() {
  if (broken_) return;
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
  // Nothing may have woken this loop's descriptors for long: its time is that of the last time.
  if (units_.size() == 1) start_head(steady::now());
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
    if (moved.how == link::outcome::closed) {
      take_all();  // what it has answered yet, it has answered
      return break_off("the server closed the connection");
    }
    if (moved.how == link::outcome::would_block) break;
    out_sent_ += moved.bytes;
    sent_ += moved.bytes;
  }
  if (broken_) return;
  const bool all_sent = out_sent_ == out_.size();
  if (all_sent) {
    out_.clear();
    out_sent_ = 0;
    if (out_.capacity() > most_kept) out_.shrink_to_fit();
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

}  // namespace corbel::postgres
