#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "files/folder.hpp"
#include "files/open.hpp"

using namespace corbel;
using namespace corbel::file_access;

namespace {

constexpr std::string_view secret = "the secret outside";

/// outside.txt, and public/ with files and links of all kinds.
struct playground : test_folder {
  playground() {
    write("outside.txt", secret);
    write("outside/inner.txt", secret);
    write("public/a.txt", "a");
    write("public/folder/b.txt", "b");
    write("public/..a", "dots");
    write("public/.env", secret);
    write("public/.git/config", secret);
    write("public/folder/.hidden", secret);
    write("public/per%cent", "percent");
    write("public/sp ace.txt", "space");
    write("public/back\\slash", secret);
    std::filesystem::create_symlink("a.txt", at("public/inside_link"));
    std::filesystem::create_symlink("folder", at("public/folder_link"));
    std::filesystem::create_symlink("../outside.txt", at("public/outside_link"));
    std::filesystem::create_symlink(at("outside.txt"), at("public/absolute_link"));
    std::filesystem::create_symlink("../outside", at("public/outside_folder"));
    std::filesystem::create_symlink("/dev/zero", at("public/zero"));
    std::filesystem::create_symlink("loop", at("public/loop"));
    std::filesystem::create_symlink("/proc/self/root", at("public/magic"));
    ::mkfifo(at("public/fifo").c_str(), 0600);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, at("public/socket").c_str(), sizeof address.sun_path - 1);
    (void)::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::close(fd);
  }
  std::string root() const { return at("public").string(); }
};

std::string read_all(const opened& from) {
  char bytes[100];
  const auto size = ::read(from.file.get(), bytes, sizeof bytes);
  return {bytes, size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace

TEST_CASE("what a client may ask for, and what never leads to a file") {
  const playground p;
  app a(quiet());
  serve_files(a.routes(), "/files", p.root());
  const auto ask = [&](std::string path) { return a.inject(get("/files/" + path)); };
  CHECK(ask("a.txt").body() == "a");
  CHECK(ask("folder/b.txt").body() == "b");
  CHECK(ask("%61.txt").body() == "a");
  CHECK(ask("per%25cent").body() == "percent");
  CHECK(ask("sp%20ace.txt").body() == "space");
  for (const std::string bad : {"../outside.txt",
                                "%2e%2e/outside.txt",
                                "..%2foutside.txt",
                                "%2e%2e%2foutside.txt",
                                "folder/../a.txt",
                                "folder/../../outside.txt",
                                "./a.txt",
                                "folder/./b.txt",
                                "/a.txt",
                                "//a.txt",
                                "folder//b.txt",
                                "folder%2fb.txt",
                                "folder%2Fb.txt",
                                "%2fetc/passwd",
                                "/etc/passwd",
                                "..",
                                "%2e%2e",
                                "../",
                                ".",
                                "./",
                                "..a",
                                "..\\outside.txt",
                                "..%5coutside.txt",
                                "%5c..%5coutside.txt",
                                "back%5cslash",
                                ".env",
                                ".git/config",
                                "%2egit/config",
                                "folder/.hidden",
                                "a.txt/",
                                "a.txt/b",
                                "a.txt%00",
                                "a.txt%00.png",
                                "%00",
                                "a.txt%0a",
                                "%0d%0a",
                                "%7f",
                                "inside_link",
                                "folder_link/b.txt",
                                "outside_link",
                                "absolute_link",
                                "outside_folder/inner.txt",
                                "zero",
                                "loop",
                                "magic/etc/passwd",
                                "fifo",
                                "socket",
                                "per%cent",
                                "%",
                                "%zz",
                                "%c0%ae%c0%ae/outside.txt",
                                "..%c0%afoutside.txt",
                                "%252e%252e%252foutside.txt",
                                "..;/outside.txt",
                                "...",
                                "....//outside.txt",
                                "a.txt.",
                                "a.txt%20",
                                "A.TXT",
                                "missing"}) {
    CAPTURE(bad);
    const auto out = ask(bad);
    const bool broken_escape = bad.find("%00") != bad.npos || bad == "%" || bad == "%zz";
    const bool unescaped = bad.find('\\') != bad.npos;  // the parser refuses it
    CHECK(out.code() == (broken_escape || unescaped ? 400 : 404));
    CHECK(out.body().find(secret) == std::string::npos);
  }
  CHECK(ask(std::string(255, 'x')).code() == 404);
  CHECK(ask(std::string(256, 'x')).code() == 404);
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += "x/";
  CHECK(ask(deep).code() == 404);
  CHECK(ask(std::string(7000, '/')).code() == 404);
}

TEST_CASE("dot files and links inside the folder are served when the settings say so") {
  const playground p;
  app a(quiet());
  file_settings settings;
  settings.dot_files = true;
  settings.symbolic_links = file_settings::links::inside;
  serve_files(a.routes(), "", p.root(), settings);
  const auto ask = [&](std::string path) { return a.inject(get("/" + path)); };
  CHECK(ask(".env").code() == 200);
  CHECK(ask(".git/config").code() == 200);
  CHECK(ask("..a").body() == "dots");
  CHECK(ask("inside_link").body() == "a");
  CHECK(ask("folder_link/b.txt").body() == "b");
  for (const std::string bad : {"outside_link", "absolute_link", "outside_folder/inner.txt", "zero", "loop",
                                "magic/etc/passwd", "../outside.txt", ".", "..", "folder/..", "./a.txt"}) {
    CAPTURE(bad);
    CHECK(ask(bad).code() == 404);
  }
}

TEST_CASE("where the kernel does not resolve paths, walking them gives the same") {
  const playground p;
  root_folder kernel(p.root(), false);
  root_folder walked(p.root(), false);
  walked.walk_always();
  for (const std::string path : {"",
                                 "a.txt",
                                 "folder",
                                 "folder/b.txt",
                                 "folder/missing",
                                 "missing",
                                 "a.txt/b",
                                 "inside_link",
                                 "folder_link",
                                 "folder_link/b.txt",
                                 "outside_link",
                                 "absolute_link",
                                 "outside_folder/inner.txt",
                                 "zero",
                                 "loop",
                                 "magic/etc/passwd",
                                 "fifo",
                                 "socket",
                                 ".git/config",
                                 "sp ace.txt"}) {
    CAPTURE(path);
    const auto one = kernel.open(path, patience::any);
    const auto other = walked.open(path, patience::any);
    CHECK(one.what == other.what);
    CHECK(read_all(one) == read_all(other));
  }
  CHECK(walked.open("a.txt", patience::none).what == found::may_block);
}

TEST_CASE("random paths never leave the folder") {
  const playground p;
  root_folder closed(p.root(), false);
  root_folder linked(p.root(), true);
  root_folder walked(p.root(), false);
  walked.walk_always();
  std::mt19937 random(4711);
  const std::vector<std::string> parts{"..",
                                       ".",
                                       "/",
                                       "a.txt",
                                       "folder",
                                       "b.txt",
                                       "outside.txt",
                                       "outside",
                                       "outside_link",
                                       "loop",
                                       "magic",
                                       "etc/passwd",
                                       "absolute_link",
                                       "outside_folder",
                                       "inner.txt",
                                       "folder_link",
                                       "\\",
                                       "%2e",
                                       "//",
                                       "public",
                                       ".git",
                                       "\x01",
                                       "\xc0\xaf",
                                       "root"};
  int served = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string path;
    for (auto n = 1 + random() % 5; n > 0; --n) {
      path += parts[random() % parts.size()];
      if (random() % 2) path += '/';
    }
    if (!is_servable(path, random() % 2 == 0) || path.back() == '/') continue;
    for (const auto* root : {&closed, &linked, &walked}) {
      const auto got = root->open(path, patience::any);
      if (got.what != found::file) continue;
      ++served;
      const auto text = read_all(got);
      if (text == secret && path.find(".git") == std::string::npos) FAIL(path);
      if (text.find("root:") != std::string::npos) FAIL(path);
    }
  }
  CHECK(served > 100);
}

TEST_CASE("a link that is swapped in while the path is opened leads nowhere") {
  for (const bool by_kernel : {true, false}) {
    const playground p;
    root_folder root(p.root(), false);
    if (!by_kernel) root.walk_always();
    p.at("public/swap");
    std::filesystem::create_directory(p.at("public/real"));
    std::ofstream(p.at("public/real/inner.txt")) << "inside";
    std::filesystem::rename(p.at("public/real"), p.at("public/swap"));
    std::filesystem::create_symlink("../outside", p.at("public/trap"));
    std::atomic<bool> stop{false};
    std::thread swapper([&] {
      const auto swap = p.at("public/swap"), trap = p.at("public/trap");
      while (!stop) ::renameat2(AT_FDCWD, swap.c_str(), AT_FDCWD, trap.c_str(), RENAME_EXCHANGE);
    });
    int seen = 0;
    for (int i = 0; i < 20'000; ++i) {
      const auto got = root.open("swap/inner.txt", i % 2 ? patience::any : patience::none);
      if (got.what != found::file) continue;
      ++seen;
      if (read_all(got) != "inside") FAIL("left the folder");
    }
    stop = true;
    swapper.join();
    CHECK(seen > 100);
  }
}

TEST_CASE("a folder that is not there, or settings that cannot be, stop the start") {
  const playground p;
  const auto refused = [](const std::string& root, file_settings settings = {}) {
    app a(quiet());
    serve_files(a.routes(), "/files", root, std::move(settings));
    try {
      (void)a.inject(get("/"));
    } catch (const wiring_error& e) {
      return e.mistakes().front();
    }
    return std::string();
  };
  CHECK(refused(p.root()).empty());
  CHECK(refused(p.at("nowhere").string()).find("nowhere") != std::string::npos);
  CHECK(refused(p.at("public/a.txt").string()).find("a.txt") != std::string::npos);
  file_settings bad;
  bad.cache_control = "a\r\nb";
  CHECK(refused(p.root(), bad).find("cache_control") != std::string::npos);
}
