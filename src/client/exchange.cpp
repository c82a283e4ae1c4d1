#include "client/exchange.hpp"

#include <charconv>

#include "client/dial.hpp"
#include "client/failures.hpp"
#include "corbel/http/field.hpp"

namespace corbel::outgoing {
namespace {

constexpr int most_interim_responses = 16;

/// What became of one attempt on one connection.
struct attempt {
  std::optional<error> failed;
  bool sent = false;      ///< a byte of the request may have left
  bool answered = false;  ///< a byte of a response has come
  response_framing framing;
  client_response head;
};

error wrong_length(const char* what) {
  return {error_kind::internal, "invalid_request",
          std::string("The body of a call is ") + what + " than the length it was given."};
}

/// Frames what a producer writes. What goes wrong on the way is kept: the producer may swallow the exception.
class producer_sink final : public body_sink {
 public:
  producer_sink(connection& c, const call& what)
      : connection_(c), what_(what), left_(what.request.length().value_or(0)) {}

  task<> write(std::string_view bytes) override {
    if (bytes.empty()) co_return;
    if (failed_) throw failure(*failed_);
    if (what_.request.length()) {
      if (bytes.size() > left_) fail(wrong_length("longer"));
      left_ -= bytes.size();
      co_await send(bytes);
    } else {
      char digits[20];
      auto* const end = std::to_chars(digits, digits + sizeof digits, bytes.size(), 16).ptr;
      std::string framed(digits, end);
      framed.append("\r\n").append(bytes).append("\r\n");
      co_await send(framed);
    }
  }
  task<result<void>> end() {
    if (failed_) co_return *failed_;
    if (left_ != 0) co_return wrong_length("shorter");
    if (what_.request.length()) co_return result<void>();
    connection_.deadline(due_in(what_.idle, what_.total), "send");
    co_return co_await connection_.write("0\r\n\r\n", nullptr);
  }

 private:
  task<> send(std::string_view bytes) {
    connection_.deadline(due_in(what_.idle, what_.total), "send");
    auto done = co_await connection_.write(bytes, nullptr);
    connection_.deadline(what_.total, "total");  // how slowly it is produced is the producer's affair
    if (!done) fail(std::move(done).error());
  }
  [[noreturn]] void fail(error why) {
    failed_ = std::move(why);
    throw failure(*failed_);
  }

  connection& connection_;
  const call& what_;
  std::uint64_t left_;
  std::optional<error> failed_;
};

task<result<void>> send_produced(connection& c, call& what) {
  what.produced = true;
  producer_sink sink(c, what);
  std::optional<error> thrown;
  try {
    c.deadline(what.total, "total");
    co_await what.request.producer()(sink);
  } catch (const failure& f) {
    thrown = f.error();
  }
  if (thrown) co_return *std::move(thrown);
  co_return co_await sink.end();
}

task<result<void>> send_request(connection& c, call& what, bool& sent) {
  c.deadline(due_in(what.idle, what.total), "send");
  std::string text = request_head(what);
  const auto& body = what.request.body();
  if (!what.with_body || what.request.producer()) {
    if (auto done = co_await c.write(text, &sent); !done) co_return done;
    if (what.with_body) co_return co_await send_produced(c, what);
    co_return result<void>();
  }
  // A small body goes out with the head; a large one is not copied.
  if (body.size() <= 16 * 1024) {
    text += body;
    co_return co_await c.write(text, &sent);
  }
  if (auto done = co_await c.write(text, &sent); !done) co_return done;
  std::string_view rest = body;
  while (!rest.empty()) {
    const auto piece = rest.substr(0, 64 * 1024);
    c.deadline(due_in(what.idle, what.total), "send");
    if (auto done = co_await c.write(piece, &sent); !done) co_return done;
    rest.remove_prefix(piece.size());
  }
  co_return result<void>();
}

task<std::optional<error>> read_response_head(connection& c, const call& what, attempt& made) {
  const auto& limits = what.owner->settings.limits;
  c.deadline(due_in(what.first_byte, what.total), "firstByte");
  for (int interim = 0;;) {
    std::size_t searched = 0;
    std::optional<std::size_t> size;
    while (!(size = find_head(c.unread, searched))) {
      if (c.unread.size() > limits.header_bytes)
        co_return too_large(c.peer + ": a head of more than " + std::to_string(limits.header_bytes) +
                            " bytes");
      auto more = co_await c.read_more();
      made.answered |= !c.unread.empty();
      if (!more) co_return std::move(more).error();
      if (!*more) co_return lost(c.peer + ": it closed the connection before it answered");
    }
    if (*size > limits.header_bytes)
      co_return too_large(c.peer + ": a head of more than " + std::to_string(limits.header_bytes) + " bytes");
    made.answered = true;
    made.head = client_response();
    auto wrong = read_head(c.unread.substr(0, *size), what.now, limits, made.head, made.framing);
    c.unread.remove_prefix(*size);
    if (wrong) {
      std::string cause = c.peer + ": " + wrong->cause();
      co_return std::move(*wrong).because(std::move(cause));
    }
    if (made.head.code() >= 200) co_return std::optional<error>();
    // No upgrade was asked for, so 101 has no meaning here.
    if (made.head.code() == 101 || ++interim > most_interim_responses)
      co_return malformed_response(c.peer + ": interim responses that nobody asked for");
  }
}

task<void> converse(connection& c, call& what, attempt& made) {
  auto sent = co_await send_request(c, what, made.sent);
  // A server may refuse a body before it has read all of it, and close: its answer is worth more than the
  // broken pipe.
  const bool may_have_answered = !sent && c.refused_bytes && made.sent;
  if (!sent && !may_have_answered) {
    made.failed = std::move(sent).error();
    co_return;
  }
  auto failed = co_await read_response_head(c, what, made);
  if (!sent) made.framing.keep_alive = false;
  if (failed) made.failed = made.answered || sent ? std::move(*failed) : std::move(sent).error();
}

bool may_repeat(const call& what, const attempt& made) {
  if (what.produced || made.answered || made.failed->code() != "connection_lost") return false;
  if (!made.sent) return true;
  // RFC 9110, 9.2.2: these ask for the same however often they arrive.
  const auto m = what.now;
  return m == method::get || m == method::head || m == method::put || m == method::del ||
         m == method::options;
}

}  // namespace

std::string request_head(const call& what) {
  std::string out;
  out.reserve(512);
  out += to_string(what.now);
  // A proxy is told the whole URL (RFC 9112, 3.2.2); a tunnel through it needs no more than an origin does.
  const bool by_proxy = what.owner->proxy && !what.to.https();
  out.append(" ")
      .append(by_proxy ? what.to.text() : what.to.target())
      .append(" HTTP/1.1\r\nHost: ")
      .append(what.to.authority())
      .append("\r\n");
  bool agent = false, accept = false, encoding = false;
  for (const auto& each : what.request.headers()) {
    if (each.secret && what.crossed_origins) continue;
    if (!what.with_body && each.name.size() > 8 && iequals(each.name.substr(0, 8), "content-")) continue;
    agent |= iequals(each.name, "user-agent");
    accept |= iequals(each.name, "accept");
    encoding |= iequals(each.name, "accept-encoding");
    out.append(each.name).append(": ").append(each.value).append("\r\n");
  }
  const auto& settings = what.owner->settings;
  if (!agent && !settings.user_agent.empty())
    out.append("User-Agent: ").append(settings.user_agent).append("\r\n");
  if (!accept) out += "Accept: */*\r\n";
  if (!encoding && settings.decompress) out += "Accept-Encoding: gzip\r\n";
  if (what.with_body) {
    const auto& request = what.request;
    const bool asks_for_body =
        what.now == method::post || what.now == method::put || what.now == method::patch;
    if (request.producer() && !request.length())
      out += "Transfer-Encoding: chunked\r\n";
    else if (request.producer())
      out.append("Content-Length: ").append(std::to_string(*request.length())).append("\r\n");
    else if (!request.body().empty() || asks_for_body)
      out.append("Content-Length: ").append(std::to_string(request.body().size())).append("\r\n");
  }
  return out += "\r\n";
}

task<result<std::unique_ptr<client_stream::impl>>> exchange(std::shared_ptr<pool> connections, call& what) {
  for (bool again = false;; again = true) {
    auto taken = co_await connections->acquire(what.to.origin(), again, what.total);
    if (!taken) co_return std::move(taken).error();
    lease line = std::move(*taken);
    auto& c = *line.get();
    const bool reused = !c.fresh;
    if (!reused) {
      const dial_limits limits{what.connect, what.handshake, what.total};
      auto ready = co_await dial(line.get(), what.owner, what.to, limits);
      if (!ready) co_return std::move(ready).error();
    }
    attempt made;
    co_await converse(c, what, made);
    if (made.failed) {
      if (reused && !again && may_repeat(what, made)) continue;
      co_return std::move(*made.failed);
    }
    auto stream = std::make_unique<client_stream::impl>();
    stream->head = std::move(made.head);
    stream->head.url(what.to.text());
    stream->body = body_framer(made.framing);
    stream->keep_alive = made.framing.keep_alive;
    stream->left = what.body_limit;
    stream->total = what.total;
    stream->idle = what.idle;
    if (made.framing.end == body_end::length && made.framing.length > what.body_limit)
      co_return too_large(c.peer + ": a body of " + std::to_string(made.framing.length) +
                          " bytes; see client_limits::body");
    const auto coding = stream->head.header("Content-Encoding");
    if (coding && what.owner->settings.decompress && !what.request.header("Accept-Encoding") &&
        made.framing.end != body_end::none && (iequals(*coding, "gzip") || iequals(*coding, "x-gzip"))) {
      stream->unzip = std::make_unique<gunzip>();
      stream->head.remove_header("Content-Encoding").remove_header("Content-Length");
    }
    c.deadline(what.total, "total");  // how slowly the caller reads is the caller's affair
    stream->line = std::move(line);
    if (stream->body.done()) stream->finish();
    co_return stream;
  }
}

}  // namespace corbel::outgoing
