// What may come before a connection's first request: the PROXY preface, the TLS handshake. And what TLS
// changes about reading, writing and waiting.

#include <sys/socket.h>

#include <cerrno>

#include "corbel/http/problem.hpp"
#include "corbel/observe/log.hpp"
#include "http/connection_facts.hpp"
#include "http/request_access.hpp"
#include "server/connection.hpp"
#include "server/proxy_preface.hpp"

namespace corbel {

void connection::prepare() {
  const bool preface = home_.shared.settings.proxy_protocol == proxy_protocol::required;
  note_peer();
  if (!preface && !home_.tls) return;
  phase_ = preface ? phase::preface : phase::handshake;
  auto until = began_ + home_.limits().tls_handshake_timeout;
  if (preface && !facts_) until = began_;  // who is not trusted to tell has nothing to say here
  home_.loop.deadlines().arm(*this, until);
}

/// Notes whether the word of whoever is at the other end counts.
void connection::note_peer() {
  facts_.reset();
  const auto& proxies = home_.shared.proxies;
  if (!proxies) return;
  const auto address = ip_address::parse(peer_);
  if (!address || !proxies->trusts(*address)) return;
  auto facts = std::make_shared<connection_facts>();
  facts->peer = address;
  facts->proxies = proxies;
  facts_ = std::move(facts);
}

void connection::open() {
  if (phase_ == phase::preface && !read_preface()) return;
  if (phase_ == phase::handshake && !shake_hands()) return;
  phase_ = phase::idle;
  began_ = home_.loop.now();
  home_.loop.deadlines().arm(*this, began_ + home_.limits().header_timeout);
  read();  // the first request may have come along
}

/// False when more of it must come, or the connection is gone.
bool connection::read_preface() {
  const auto refuse_it = [this](const char* why) {
    home_.shared.context.log.warn("a connection was refused for its PROXY preface",
                                  {{"peer", peer_}, {"why", why}});
    destroy();
    return false;
  };
  if (!facts_) return refuse_it("it does not come from a trusted proxy");
  // Looked at first, so that not one byte behind the preface is taken: it belongs to TLS.
  char* const buffer = home_.input.get();
  const std::size_t have = unread_ ? unread_->bytes.size() : 0;
  if (have > 0) unread_->bytes.copy(buffer, have);
  const auto n = ::recv(fd_, buffer + have, most_proxy_preface - have, MSG_PEEK);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n <= 0) {
    destroy();
    return false;
  }
  std::size_t size = 0;
  proxy_preface told;
  const std::string_view bytes(buffer, have + static_cast<std::size_t>(n));
  const auto outcome = read_proxy_preface(bytes, size, told);
  if (outcome == preface_outcome::refused) return refuse_it("it is malformed, or too long");
  if (::recv(fd_, buffer + have, size - have, 0) != static_cast<ssize_t>(size - have)) {
    destroy();
    return false;
  }
  if (outcome == preface_outcome::incomplete) {
    if (!unread_) unread_ = std::make_unique<unread>();
    unread_->bytes.assign(buffer, size);
    return false;
  }
  unread_.reset();
  if (told.source) {
    peer_ = told.source->to_string();
    note_peer();
  }
  if (told.tls) {
    auto facts = std::make_shared<connection_facts>(facts_ ? *facts_ : connection_facts{});
    facts->tls_before_us = true;
    facts_ = std::move(facts);
  }
  if (home_.tls) phase_ = phase::handshake;
  return true;
}

/// False when it is not over, or the connection is gone, or ends.
bool connection::shake_hands() {
  if (!tls_) {
    char first = 0;
    const auto n = ::recv(fd_, &first, 1, MSG_PEEK);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n <= 0) {
      destroy();
      return false;
    }
    // A handshake begins with 22; with a letter, a plain request.
    if (first >= 'A' && first <= 'Z') {
      refuse_plain();
      return false;
    }
    tls_ = std::make_unique<protection>(home_.tls, fd_);
  }
  auto& session = tls_->session;
  switch (session.handshake()) {
    case tls::session::progress::again: watch(interest::read); return false;
    case tls::session::progress::failed:
      home_.shared.context.log.debug("a TLS handshake failed",
                                     {{"peer", peer_}, {"cause", session.failure()}});
      linger();  // OpenSSL's alert is on its way
      return false;
    case tls::session::progress::done: break;
  }
  auto facts = std::make_shared<connection_facts>(facts_ ? *facts_ : connection_facts{});
  facts->tls = session.describe();
  facts_ = std::move(facts);
  return true;
}

/// A client that does not know that this port speaks TLS is told so in words that it understands.
void connection::refuse_plain() {
  home_.busy = true;
  auto& in = home_.in;
  request_access access(in);
  access.clear();
  access.context(home_.shared.context);
  access.peer(peer_);
  access.facts(facts_);
  access.arrived(home_.loop.now());
  refuse(home_.shared.service.unresolved(), in,
         malformed("This port speaks TLS. Ask it by https:// instead of http://.", "tls_expected"),
         home_.out);
  finish_round({}, {});
}

ssize_t connection::receive_protected(char* into, std::size_t room) {
  if (phase_ == phase::lingering) return ::recv(fd_, into, room, 0);  // not worth deciphering
  const auto n = tls_->session.read(into, room);
  if (n < 0 && errno == EAGAIN) {
    watch(tls_->wanted);  // which the descriptor may now have to be watched for in another way
    errno = EAGAIN;
  }
  return n;
}

ssize_t connection::transmit_protected(std::string_view bytes) {
  return tls_->session.write(bytes);
}

/// What the descriptor has to be watched for, so that `wanted` can be done.
interest connection::watch_protected(interest wanted) {
  tls_->wanted = wanted;
  const bool reads = wanted == interest::read || wanted == interest::read_write;
  if (reads && tls_->session.pending()) read_soon();
  return tls_->session.real(wanted);
}

/// What has been deciphered, or lies in OpenSSL's buffer, makes no descriptor readable.
void connection::read_soon() {
  if (std::exchange(tls_->read_posted, true)) return;
  if (!tls_->owner) tls_->owner = std::make_shared<connection*>(this);
  home_.loop.post([owner = tls_->owner] {
    if (*owner) (*owner)->read_now();
  });
}

void connection::read_now() {
  tls_->read_posted = false;
  if (tls_->wanted != interest::read && tls_->wanted != interest::read_write) return;
  home_.loop.refresh_now();
  try {
    read();
  } catch (const std::exception&) {
    abandon();
  }
}

void connection::end_protection() noexcept {
  if (tls_->owner) *tls_->owner = nullptr;
  // Behind a response that was not sent whole a goodbye would pass for its end.
  if (!unsent_) tls_->session.say_goodbye();
}

}  // namespace corbel
