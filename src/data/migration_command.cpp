#include "corbel/data/migration_command.hpp"

#include <charconv>
#include <cstdio>
#include <span>

#include "data/run_now.hpp"

namespace corbel::data {

using detail::run_now;

namespace {

constexpr int failed = 1;
constexpr int misused = 64;  // EX_USAGE of sysexits.h

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

int refuse(const error& why) {
  std::fprintf(stderr, "migrate: %s\n", failure(why).what());
  return failed;
}

void print_usage(std::string_view program, std::FILE* to) {
  constexpr const char* lines[] = {
      " migrate         applies what is pending\n",
      " migrate status  shows what is applied and what is pending\n",
      " migrate plan    shows the SQL that migrate would run\n",
      " migrate down N  undoes what is applied above version N by its down files, newest first\n"};
  for (const char* line : lines) std::fprintf(to, "%s%s", std::string(program).c_str(), line);
}

int misuse(std::string_view program, std::span<const char* const> words) {
  std::string given = "migrate";
  for (const char* word : words) given += std::string(" ") + word;
  std::fprintf(stderr, "\"%s\" is no command. There are:\n", given.c_str());
  print_usage(program, stderr);
  return misused;
}

int print_files(const result<std::vector<migration>>& all, const char* verb) {
  if (!all) return refuse(all.error());
  for (const auto& each : *all) print(std::string(verb) + " " + each.file() + "\n");
  if (all->empty()) print("There is nothing to do.\n");
  return 0;
}

int print_status(const database& db, const migration_set& set) {
  const auto status = run_now(migrations_status(db, set));
  if (!status) return refuse(status.error());
  print(to_text(*status));
  return 0;
}

int print_plan(const database& db, const migration_set& set) {
  const auto plan = run_now(migrations_plan(db, set));
  if (!plan) return refuse(plan.error());
  print(*plan);
  return 0;
}

std::optional<std::int64_t> read_version(std::string_view text) {
  std::int64_t version = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (wrong != std::errc{} || end != text.data() + text.size() || version < 0) return {};
  return version;
}

int run(const database& db, const migration_set& set, std::string_view program,
        std::span<const char* const> words) {
  const std::string_view what = words.empty() ? "" : words[0];
  if (words.empty()) return print_files(run_now(migrate(db, set)), "applied");
  if (what == "down" && words.size() == 2)
    if (const auto version = read_version(words[1]))
      return print_files(run_now(migrate_down(db, set, *version)), "undid");
  if (words.size() == 1) {
    if (what == "status") return print_status(db, set);
    if (what == "plan") return print_plan(db, set);
    if (what == "help" || what == "--help") return print_usage(program, stdout), 0;
  }
  return misuse(program, words);
}

}  // namespace

std::optional<int> migration_command(const database& db, const migration_set& set, int argc,
                                     const char* const* argv) {
  if (argc < 2 || std::string_view(argv[1]) != "migrate") return {};
  std::string_view program = argv[0];
  program.remove_prefix(program.find_last_of('/') + 1);  // npos + 1 is 0
  int status = failed;
  try {
    status = run(db, set, program, {argv + 2, argv + argc});
  } catch (const failure& f) {
    status = refuse(f.error());
  }
  std::fflush(stdout);
  return status;
}

}  // namespace corbel::data
