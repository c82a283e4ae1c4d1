#include "client/gunzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

#include "client/failures.hpp"

namespace corbel::outgoing {

struct gunzip::impl {
  z_stream stream{};
  std::array<char, 32 * 1024> room;
  bool between_members = true;
  bool full = false;  // more output waits in zlib
};

gunzip::gunzip() : impl_(std::make_unique<impl>()) {
  constexpr int gzip_alone = 16;
  if (::inflateInit2(&impl_->stream, MAX_WBITS + gzip_alone) != Z_OK) throw std::bad_alloc();
}

gunzip::~gunzip() {
  ::inflateEnd(&impl_->stream);
}

bool gunzip::may_end() const noexcept {
  return impl_->between_members;
}

std::string_view gunzip::next(std::string_view& in, std::optional<error>& why) {
  auto& z = impl_->stream;
  while (!in.empty() || impl_->full) {
    const auto offered = std::min<std::size_t>(in.size(), 1u << 30);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));  // zlib only reads it
    z.avail_in = static_cast<uInt>(offered);
    z.next_out = reinterpret_cast<Bytef*>(impl_->room.data());
    z.avail_out = static_cast<uInt>(impl_->room.size());
    impl_->between_members = false;
    const int said = ::inflate(&z, Z_NO_FLUSH);
    in.remove_prefix(offered - z.avail_in);
    impl_->full = said == Z_OK && z.avail_out == 0;
    const std::size_t made = impl_->room.size() - z.avail_out;
    if (said == Z_STREAM_END) {
      impl_->between_members = true;  // another member may follow (RFC 1952, 2.2)
      ::inflateReset(&z);
    } else if (said != Z_OK && said != Z_BUF_ERROR) {
      why = malformed_response("broken gzip data");
      return {};
    } else if (said == Z_BUF_ERROR && made == 0) {
      return {};
    }
    if (made != 0) return {impl_->room.data(), made};
  }
  return {};
}

}  // namespace corbel::outgoing
