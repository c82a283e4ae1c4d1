#include "load/process_watch.hpp"

#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace load {
namespace {

namespace fs = std::filesystem;

std::chrono::nanoseconds cpu_of(pid_t id) {
  clockid_t which{};
  timespec t{};
  if (::clock_getcpuclockid(id, &which) != 0 || ::clock_gettime(which, &t) != 0) return {};
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

std::chrono::nanoseconds starved_of(const std::string& process) {
  std::int64_t sum = 0;
  std::error_code gone;
  for (fs::directory_iterator at(process + "/task", gone), end; !gone && at != end; at.increment(gone)) {
    std::int64_t ran = 0, waited = 0;
    if (std::ifstream(at->path() / "schedstat") >> ran >> waited) sum += waited;
  }
  return std::chrono::nanoseconds(sum);
}

std::uint64_t resident_of(const std::string& process) {
  std::uint64_t total = 0, resident = 0;
  std::ifstream(process + "/statm") >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

process_watch::reading process_watch::read() const {
  reading sum;
  for (const auto id : all_) {
    const auto process = "/proc/" + std::to_string(id);
    sum.cpu += cpu_of(id);
    sum.starved += starved_of(process);
    sum.resident += resident_of(process);
  }
  return sum;
}

}  // namespace load
