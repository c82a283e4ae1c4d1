#include <brotli/decode.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "http/coding/coding.hpp"
#include "http/coding/memory.hpp"

namespace corbel::coding {
namespace {

constexpr std::size_t at_a_time = 32 * 1024;

}  // namespace

struct decoder::engine {
  virtual ~engine() = default;
  /// One run over `in` into `at`, of `room` bytes, of which it leaves what it did not fill.
  virtual decoded run(std::string_view& in, char* at, std::size_t& room) = 0;
};

struct decoder::zlib_engine final : engine {
  explicit zlib_engine(bool gzip) : members(gzip) {
    state.zalloc = take_for_zlib;
    state.zfree = give_back;
    constexpr int largest_window = 15;
    if (inflateInit2(&state, gzip ? largest_window + 16 : largest_window) != Z_OK) throw std::bad_alloc();
  }
  ~zlib_engine() override { inflateEnd(&state); }

  decoded run(std::string_view& in, char* at, std::size_t& room) override {
    if (at_end && in.empty()) return decoded::ended;
    if (at_end) {
      if (!members) return decoded::broken;
      at_end = false;
      inflateReset(&state);
    }
    const auto piece = in.substr(0, std::numeric_limits<unsigned>::max());
    state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    state.avail_in = static_cast<unsigned>(piece.size());
    state.next_out = reinterpret_cast<Bytef*>(at);
    state.avail_out = static_cast<unsigned>(room);
    const int came = inflate(&state, Z_NO_FLUSH);
    in.remove_prefix(piece.size() - state.avail_in);
    room = state.avail_out;
    switch (came) {
      case Z_STREAM_END:
        at_end = true;
        return in.empty() ? decoded::ended : members ? decoded::full : decoded::broken;
      case Z_OK:
      case Z_BUF_ERROR: return room == 0 ? decoded::full : decoded::hungry;
      case Z_MEM_ERROR: throw std::bad_alloc();
      default: return decoded::broken;
    }
  }

  z_stream state{};
  bool members;
  bool at_end = false;
};

struct decoder::brotli_engine final : engine {
  brotli_engine() : state(BrotliDecoderCreateInstance(take_for_brotli, give_back, nullptr)) {
    if (!state) throw std::bad_alloc();
  }
  ~brotli_engine() override { BrotliDecoderDestroyInstance(state); }

  decoded run(std::string_view& in, char* at, std::size_t& room) override {
    if (BrotliDecoderIsFinished(state)) return in.empty() ? decoded::ended : decoded::broken;
    auto left = in.size();
    const auto* next = reinterpret_cast<const std::uint8_t*>(in.data());
    auto* out = reinterpret_cast<std::uint8_t*>(at);
    const auto came = BrotliDecoderDecompressStream(state, &left, &next, &room, &out, nullptr);
    in.remove_prefix(in.size() - left);
    switch (came) {
      case BROTLI_DECODER_RESULT_SUCCESS: return in.empty() ? decoded::ended : decoded::broken;
      case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: return decoded::hungry;
      case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: return decoded::full;
      case BROTLI_DECODER_RESULT_ERROR: break;
    }
    const auto why = BrotliDecoderGetErrorCode(state);
    if (why <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && why >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
      throw std::bad_alloc();
    return decoded::broken;
  }

  BrotliDecoderState* state;
};

decoder::decoder(format f) {
  if (f == format::brotli)
    engine_ = std::make_unique<brotli_engine>();
  else
    engine_ = std::make_unique<zlib_engine>(f == format::gzip);
}

decoder::~decoder() = default;

decoded decoder::take(std::string_view& in, std::string& out, std::size_t room) {
  for (;;) {
    const auto before = out.size();
    const auto piece = std::min(room, at_a_time);
    out.resize(before + piece);
    auto left = piece;
    const auto came = engine_->run(in, out.data() + before, left);
    out.resize(before + piece - left);
    room -= piece - left;
    if (came != decoded::full || room == 0) return came;
  }
}

}  // namespace corbel::coding
