#include <cstddef>
#include <cstdint>

#include "fuzz/fuzz.hpp"

/// What libFuzzer calls; CORBEL_FUZZ_TARGET names the target of this program.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::CORBEL_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
