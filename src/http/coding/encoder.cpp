#include <brotli/encode.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <new>

#include "corbel/http/field.hpp"
#include "http/coding/coding.hpp"
#include "http/coding/memory.hpp"

namespace corbel::coding {
namespace {

/// The bits of the smallest window that a body of `size` bytes fits into.
int window_bits(std::optional<std::uint64_t> size, std::uint64_t more, int least, int most) {
  if (!size || *size >= std::uint64_t{1} << most) return most;
  return std::clamp(static_cast<int>(std::bit_width(*size + more)), least, most);
}

}  // namespace

std::string_view name_of(format f) noexcept {
  switch (f) {
    case format::gzip: return "gzip";
    case format::brotli: return "br";
    case format::deflate: return "deflate";
  }
  return {};
}

std::optional<format> format_named(std::string_view name) noexcept {
  if (iequals(name, "gzip") || iequals(name, "x-gzip")) return format::gzip;
  if (iequals(name, "br")) return format::brotli;
  if (iequals(name, "deflate")) return format::deflate;
  return {};
}

struct encoder::engine {
  virtual ~engine() = default;
  virtual void put(std::string_view in, step what, std::string& out) = 0;
};

struct encoder::gzip_engine final : engine {
  gzip_engine(int level, std::optional<std::uint64_t> size) {
    state.zalloc = take_for_zlib;
    state.zfree = give_back;
    constexpr int gzip_header = 16;
    constexpr std::uint64_t lookahead = 262;  // deflate reaches that much less far than its window
    const int memory = !size || *size > 16 * 1024 ? 8 : *size > 4 * 1024 ? 7 : 5;
    if (deflateInit2(&state, level, Z_DEFLATED, window_bits(size, lookahead, 9, 15) + gzip_header, memory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~gzip_engine() override { deflateEnd(&state); }

  void put(std::string_view in, step what, std::string& out) override {
    constexpr std::size_t most = std::numeric_limits<unsigned>::max();
    do {
      const auto piece = in.substr(0, most);
      in.remove_prefix(piece.size());
      const bool last = in.empty();
      run(piece,
          !last || what == step::more ? Z_NO_FLUSH
          : what == step::flush       ? Z_SYNC_FLUSH
                                      : Z_FINISH,
          out);
    } while (!in.empty());
  }

  void run(std::string_view piece, int flush, std::string& out) {
    // zlib does not write through it; its interface is older than const.
    state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    state.avail_in = static_cast<unsigned>(piece.size());
    auto room = flush == Z_FINISH ? deflateBound(&state, static_cast<uLong>(piece.size()))
                                  : std::clamp<std::size_t>(piece.size() / 4, 512, 64 * 1024);
    do {
      const auto before = out.size();
      out.resize(before + room);
      state.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      state.avail_out = static_cast<unsigned>(room);
      deflate(&state, flush);  // it fails for a wrong call only, and then makes no progress
      out.resize(before + room - state.avail_out);
      room = std::max<std::size_t>(room, 4096);
    } while (state.avail_out == 0);
  }

  z_stream state{};
};

struct encoder::brotli_engine final : engine {
  brotli_engine(int level, std::optional<std::uint64_t> size)
      : state(BrotliEncoderCreateInstance(take_for_brotli, give_back, nullptr)) {
    if (!state) throw std::bad_alloc();
    // Its own default of 22 bits would take 4 MiB and more for each stream.
    constexpr int most_bits = 18;
    BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(level));
    BrotliEncoderSetParameter(
        state, BROTLI_PARAM_LGWIN,
        static_cast<std::uint32_t>(window_bits(size, 16, BROTLI_MIN_WINDOW_BITS, most_bits)));
    if (size)
      BrotliEncoderSetParameter(state, BROTLI_PARAM_SIZE_HINT,
                                static_cast<std::uint32_t>(std::min<std::uint64_t>(*size, 1u << 30)));
  }
  ~brotli_engine() override { BrotliEncoderDestroyInstance(state); }

  void put(std::string_view in, step what, std::string& out) override {
    const auto operation = what == step::more    ? BROTLI_OPERATION_PROCESS
                           : what == step::flush ? BROTLI_OPERATION_FLUSH
                                                 : BROTLI_OPERATION_FINISH;
    auto left = in.size();
    const auto* next = reinterpret_cast<const std::uint8_t*>(in.data());
    do {
      std::size_t none = 0;
      if (!BrotliEncoderCompressStream(state, operation, &left, &next, &none, nullptr, nullptr))
        throw std::bad_alloc();  // its one failure, but for a wrong call
      while (BrotliEncoderHasMoreOutput(state)) {
        std::size_t size = 0;
        const auto* made = BrotliEncoderTakeOutput(state, &size);
        out.append(reinterpret_cast<const char*>(made), size);
      }
    } while (left > 0);
  }

  BrotliEncoderState* state;
};

encoder::encoder(format f, int level, std::optional<std::uint64_t> size) {
  if (f == format::brotli)
    engine_ = std::make_unique<brotli_engine>(level, size);
  else
    engine_ = std::make_unique<gzip_engine>(level, size);
}

encoder::~encoder() = default;

void encoder::put(std::string_view in, step what, std::string& out) {
  engine_->put(in, what, out);
}

}  // namespace corbel::coding
