#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "corbel/middleware/compression.hpp"
#include "corbel/middleware/decompression.hpp"
#include "files/folder.hpp"
#include "server/running.hpp"

using namespace corbel;

namespace {

struct ran {
  int code;
  std::string out;
};
ran run(const std::string& command) {
  std::string out;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  char bytes[4096];
  for (std::size_t n; (n = std::fread(bytes, 1, sizeof bytes, pipe)) > 0;) out.append(bytes, n);
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, out};
}

bool has(const std::string& program) {
  if (run("command -v " + program).code == 0) return true;
  MESSAGE("skipped: there is no " << program);
  return false;
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct live : test_folder {
  running server;
  explicit live(server_limits limits = {})
      : server(
            [this](route_group root) {
              root.use(compression{}).use(decompression{});
              serve_files(root, "/s", text());
              root.get("/report", [] { return numbered(3'000'000); });
              root.post("/size", [](const request& in) { return std::to_string(in.body().size()); });
            },
            limits) {}
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(server.port()) + path;
  }
  std::string curl(const std::string& options, const std::string& path) const {
    const auto did = run("curl -s -S --max-time 20 " + options + " '" + url(path) + "'");
    CHECK(did.code == 0);
    return did.out;
  }
};

}  // namespace

TEST_CASE("curl fetches, resumes, asks for ranges and for compressed bodies") {
  if (!has("curl")) return;
  live s;
  const auto large = numbered(3'000'000);
  s.write("large.txt", large);
  s.write("large.bin", large);
  s.write("small.json", numbered(4000));
  CHECK((s.curl("", "/s/large.bin") == large));
  CHECK((s.curl("", "/s/large.txt") == large));
  CHECK((s.curl("-r 100-299", "/s/large.bin") == large.substr(100, 200)));
  CHECK((s.curl("-r -300", "/s/large.bin") == large.substr(large.size() - 300)));
  CHECK((s.curl("-r 1000000-2999998", "/s/large.bin") == large.substr(1'000'000, 1'999'999)));
  for (const std::string coding : {"gzip", "br"})
    for (const std::string file : {"large.txt", "small.json"})
      CHECK((s.curl("--compressed -H 'Accept-Encoding: " + coding + "'", "/s/" + file) ==
             content_of(s.at(file))));
  CHECK(s.curl("--compressed -o /dev/null -w '%{http_code} %{size_download}'", "/s/large.txt").substr(0, 4) ==
        "200 ");

  CHECK((s.curl("--compressed", "/report") == large));
  CHECK((s.curl("--compressed --http1.0", "/report") == large));
  CHECK(s.curl("--compressed -I", "/report").find("Content-Encoding: br") != std::string::npos);

  test_folder mine;
  mine.write("part.bin", std::string_view(large).substr(0, 1'234'567));
  (void)s.curl("-C - -o " + mine.at("part.bin").string(), "/s/large.bin");
  CHECK((content_of(mine.at("part.bin")) == large));

  mine.write("newer.txt", "", std::chrono::seconds(10));
  mine.write("older.txt", "", std::chrono::hours(24));
  CHECK(s.curl("-o /dev/null -w '%{http_code}' -z " + mine.at("newer.txt").string(), "/s/large.txt") ==
        "304");
  CHECK(s.curl("-o /dev/null -w '%{http_code}' -z " + mine.at("older.txt").string(), "/s/large.txt") ==
        "200");
  CHECK(s.curl("--etag-save " + mine.at("tag").string(), "/s/small.json") == numbered(4000));
  CHECK(s.curl("-o /dev/null -w '%{http_code}' --etag-compare " + mine.at("tag").string(), "/s/small.json") ==
        "304");
  CHECK(s.curl("-I", "/s/large.bin").find("Content-Length: 3000000\r\n") != std::string::npos);
  CHECK(s.curl("--path-as-is -o /dev/null -w '%{http_code}'", "/s/../../../../etc/passwd") == "404");
}

TEST_CASE("another implementation's gzip is read, its ranges agree, and its reader takes ours") {
  if (!has("python3")) return;
  live s;
  s.write("a.txt", numbered(200'000));
  test_folder mine;
  mine.write("client.py", R"(
import gzip, http.client, random, sys, zlib
port, path = int(sys.argv[1]), sys.argv[2]
content = open(path, 'rb').read()
random.seed(5)
c = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
def ask(method, path, body=None, **headers):
    c.request(method, path, body, {k.replace('_', '-'): v for k, v in headers.items()})
    r = c.getresponse()
    return r, r.read()
r, body = ask('GET', '/s/a.txt', Accept_Encoding='gzip')
assert r.getheader('Content-Encoding') == 'gzip' and gzip.decompress(body) == content
for size in (0, 1, 1000, 100000):
    data = random.randbytes(size // 2) + b'x' * (size - size // 2)
    for coding, encoded in (('gzip', gzip.compress(data)), ('deflate', zlib.compress(data)),
                            ('gzip', gzip.compress(data[:10]) + gzip.compress(data[10:]))):
        r, body = ask('POST', '/size', encoded, Content_Encoding=coding, Content_Type='text/plain')
        assert (r.status, body) == (200, b'%d' % size), (r.status, body, size, coding)
r, body = ask('POST', '/size', gzip.compress(bytes(10 << 20)), Content_Encoding='gzip')
assert r.status == 413, r.status
for _ in range(300):
    spans = []
    for _ in range(random.randint(1, 3)):
        a = random.randrange(len(content))
        spans.append((a, random.choice((a, a + random.randrange(500), a + random.randrange(len(content))))))
    r, body = ask('GET', '/s/a.txt', Range='bytes=' + ','.join('%d-%d' % s for s in spans))
    assert r.status == 206
    if not r.getheader('Content-Type').startswith('multipart/'):
        a, b = r.getheader('Content-Range').split()[1].split('/')[0].split('-')
        assert body == content[int(a):int(b) + 1]
        continue
    boundary = r.getheader('Content-Type').split('boundary=')[1].encode()
    for part in (b'\r\n' + body).split(b'\r\n--' + boundary)[1:-1]:
        head, data = part.split(b'\r\n\r\n', 1)
        a, b = head.split(b'bytes ')[1].split(b'/')[0].split(b'-')
        assert data == content[int(a):int(b) + 1]
print('agreed')
)");
  const auto did = run("python3 -B " + mine.at("client.py").string() + " " + std::to_string(s.server.port()) +
                       " " + s.at("a.txt").string());
  CHECK(did.out == "agreed\n");
}
