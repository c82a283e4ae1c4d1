#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>

#include "routing/bare.hpp"

using namespace corbel;

namespace {

/// "name=value;" for each parameter, behind the name of the route.
auto told(std::string route) {
  return [route](const request& in) {
    std::string text = route + '|';
    for (const auto& each : in.path_params())
      text.append(each.name).append("=").append(each.value).append(";");
    return text;
  };
}

std::string ask(app& a, const std::string& path, const std::string& method = "GET") {
  const auto out = a.inject({method, path});
  return out.code() == 200 ? out.body() : std::to_string(out.code());
}

}  // namespace

TEST_CASE("a literal goes before a parameter, and that before a rest, with the way back") {
  app a(bare());
  a.get("/", told("root"));
  a.get("/users", told("list"));
  a.get("/users/:id", told("one"));
  a.get("/users/me", told("me"));
  a.get("/users/:id/files", told("files"));
  a.get("/users/me/keys", told("keys"));
  a.get("/users/:id/*path", told("rest"));
  a.get("/:any/x/y", told("xy"));
  a.get("/a/:b/c", told("abc"));
  a.get("/a/b/d", told("abd"));
  a.get("/deep/:one/:two/:three", told("deep"));
  CHECK(ask(a, "/") == "root|");
  CHECK(ask(a, "/users") == "list|");
  CHECK(ask(a, "/users/7") == "one|id=7;");
  CHECK(ask(a, "/users/me") == "me|");
  CHECK(ask(a, "/users/me/keys") == "keys|");
  CHECK(ask(a, "/users/me/files") == "files|id=me;");  // back from the literal
  CHECK(ask(a, "/users/me/other") == "rest|id=me;path=other;");
  CHECK(ask(a, "/users/x/y") == "rest|id=x;path=y;");
  CHECK(ask(a, "/other/x/y") == "xy|any=other;");
  CHECK(ask(a, "/a/b/c") == "abc|b=b;");
  CHECK(ask(a, "/a/b/d") == "abd|");
  CHECK(ask(a, "/a/q/d") == "404");
  CHECK(ask(a, "/deep/1/2/3") == "deep|one=1;two=2;three=3;");
  CHECK(ask(a, "/users/7/files?x=/y/z") == "files|id=7;");
  for (const auto* missing :
       {"/Users", "/users/", "//", "/users//files", "/user", "/usersx", "/deep/1/2", "/."})
    CHECK_MESSAGE(ask(a, missing) == "404", missing);
}

TEST_CASE("a rest takes everything, slashes and nothing included") {
  app a(bare());
  a.get("/files/*path", told("files"));
  a.get("/files/a/:x", told("ax"));
  CHECK(ask(a, "/files/") == "files|path=;");
  CHECK(ask(a, "/files") == "404");
  CHECK(ask(a, "/files/a/b") == "ax|x=b;");
  CHECK(ask(a, "/files/a/b/c") == "files|path=a/b/c;");
  CHECK(ask(a, "/files//x//") == "files|path=/x//;");
  CHECK(ask(a, "/files/%61%20b/c%2Fd") == "files|path=a b/c%2Fd;");
  CHECK(ask(a, "/files/a%2f%2F%62") == "files|path=a%2f%2Fb;");
  CHECK(ask(a, "/files/a%5Cb") == "files|path=a\\b;");
  CHECK(ask(a, "/files/../etc") == "files|path=../etc;");
  app everything(bare());
  everything.get("/*all", told("all"));
  CHECK(ask(everything, "/") == "all|all=;");
  CHECK(ask(everything, "/x/y") == "all|all=x/y;");
}

TEST_CASE("segments are percent-decoded once, each by itself") {
  app a(bare());
  a.get("/one/:x", told("one"));
  a.get("/one/:x/two", told("two"));
  a.get("/caf%C3%A9", told("literal"));
  a.get("/a b", told("blank"));
  CHECK(ask(a, "/one/a%2Fb") == "one|x=a/b;");
  CHECK(ask(a, "/one%2Fa") == "404");
  CHECK(ask(a, "/one/a%2Ftwo") == "one|x=a/two;");
  CHECK(ask(a, "/one/%252F") == "one|x=%2F;");
  CHECK(ask(a, "/%6fne/x/tw%6F") == "two|x=x;");
  CHECK(ask(a, "/one/a+b") == "one|x=a+b;");
  CHECK(ask(a, "/one/%2e%2e") == "one|x=..;");
  CHECK(ask(a, "/caf%c3%a9") == "literal|");
  CHECK(ask(a, "/a%20b") == "blank|");
}

TEST_CASE("a broken escape is the client's fault, and said so") {
  app a(bare());
  a.get("/one/:x", told("one"));
  a.get("/files/*path", told("files"));
  for (const auto* bad :
       {"/one/%", "/one/%2", "/one/%zz", "/one/%00", "/one/a%00b", "/files/a/%zz", "/%", "/files/%00"}) {
    const auto out = a.inject(get(bad));
    CHECK_MESSAGE(out.code() == 400, bad);
    CHECK(out.body().find("malformed_path") != std::string::npos);
  }
}

TEST_CASE("paths of any depth are answered, at most 32 segments served") {
  app a(bare());
  std::string path, deep;
  for (int i = 0; i < 32; ++i) path += "/:p" + std::to_string(i), deep += "/v";
  a.get(path, told("deep"));
  CHECK(ask(a, deep).substr(0, 5) == "deep|");
  CHECK(ask(a, deep + "/v") == "404");
  CHECK(ask(a, std::string(8000, '/')) == "404");
  std::string many;
  while (many.size() < 7900) many += "/%41";
  CHECK(ask(a, many) == "404");
  app rest(bare());
  std::string to_rest;
  for (int i = 0; i < 31; ++i) to_rest += "/:p" + std::to_string(i);
  rest.get(to_rest + "/*tail", told("tail"));
  CHECK(ask(rest, deep).substr(0, 5) == "tail|");
  CHECK(ask(rest, deep + "/v/%77").find("p30=v;tail=v/v/w;") != std::string::npos);
  CHECK(rest.inject(get(deep + "/v/%zz")).code() == 400);
  app all(bare());
  all.get("/*all", told("all"));
  all.get("/v/v/:x", told("three"));
  CHECK(ask(all, deep + "/v") == "all|all=" + (deep + "/v").substr(1) + ';');
  CHECK(ask(all, many) != "404");
  CHECK(ask(all, std::string(8000, '/')).size() == 8 + 7999 + 1);
  app exact(bare());
  std::string plain;
  for (int i = 0; i < 32; ++i) plain += "/v";
  exact.get(plain, told("plain"));
  CHECK(ask(exact, plain) == "plain|");
  CHECK(ask(exact, plain + "/v") == "404");
  CHECK(ask(exact, plain + "/") == "404");
}

TEST_CASE("HEAD is GET's, OPTIONS is implied, and the wrong method hears which there are") {
  app a(bare());
  a.get("/a", told("get"));
  a.post("/a", told("post"));
  a.routes().on("PURGE", "/a", told("purge"));
  a.routes().on("BAN", "/a", told("ban"));
  a.del("/b", told("delete"));
  a.routes().head("/c", [] { return response(status::accepted); });
  a.get("/c", told("c"));
  a.routes().options("/c", told("options"));
  a.get("/*rest", told("rest"));
  a.put("/a/:id", told("put"));
  CHECK(ask(a, "/a", "HEAD") == "get|");
  CHECK(ask(a, "/a", "PURGE") == "purge|");
  CHECK(ask(a, "/a", "BAN") == "ban|");
  CHECK(ask(a, "/c", "HEAD") == "202");
  CHECK(ask(a, "/c", "OPTIONS") == "options|");
  CHECK(ask(a, "/nowhere") == "rest|rest=nowhere;");
  const auto allow = [&](const std::string& method, const std::string& path, int code) {
    const auto out = a.inject({method, path});
    CHECK(out.code() == code);
    return std::string(out.header("Allow").value_or("none"));
  };
  CHECK(allow("OPTIONS", "/a", 204) == "GET, HEAD, POST, PURGE, BAN, OPTIONS");
  CHECK(allow("DELETE", "/a", 405) == "GET, HEAD, POST, PURGE, BAN, OPTIONS");
  CHECK(allow("purge", "/a", 405) == "GET, HEAD, POST, PURGE, BAN, OPTIONS");
  CHECK(allow("POST", "/c", 405) == "HEAD, GET, OPTIONS");
  CHECK(allow("DELETE", "/x", 405) == "GET, HEAD, OPTIONS");
  CHECK(allow("TRACE", "/b", 405) == "DELETE, GET, HEAD, OPTIONS");
  CHECK(allow("POST", "/a/1", 405) == "PUT, GET, HEAD, OPTIONS");
  CHECK(a.inject({"OPTIONS", "*"}).code() == 204);
  CHECK(a.inject({"DELETE", "/a"}).body().find("method_not_allowed") != std::string::npos);
}

TEST_CASE("a path known under another method leaves the request to the next that fits") {
  app a(bare());
  a.post("/login", told("login"));
  a.get("/users/me", told("me"));
  a.del("/users/:id", told("delete"));
  a.put("/users/:id/keys", told("keys"));
  a.post("/users/*what", told("post"));
  a.routes().on("PURGE", "/*path", told("purge"));
  a.get("/*path", told("files"));
  a.patch("/:x/y/z", told("xyz"));
  a.routes().options("/open/*path", told("options"));
  a.get("/open/door", told("door"));
  CHECK(ask(a, "/login") == "files|path=login;");
  CHECK(ask(a, "/login", "HEAD") == "files|path=login;");
  CHECK(ask(a, "/login", "POST") == "login|");
  CHECK(ask(a, "/login", "PURGE") == "purge|path=login;");
  CHECK(ask(a, "/users/me", "DELETE") == "delete|id=me;");
  CHECK(ask(a, "/users/me", "POST") == "post|what=me;");
  CHECK(ask(a, "/users/me", "HEAD") == "me|");
  CHECK(ask(a, "/users/7") == "files|path=users/7;");
  CHECK(ask(a, "/users/7/keys") == "files|path=users/7/keys;");
  CHECK(ask(a, "/users/7/keys", "POST") == "post|what=7/keys;");
  CHECK(ask(a, "/users/y/z", "PATCH") == "xyz|x=users;");
  CHECK(ask(a, "/%75sers/me", "DELETE") == "delete|id=me;");
  CHECK(ask(a, "/open/door", "OPTIONS") == "options|path=door;");
  const auto allow = [&](const std::string& method, const std::string& path, int code) {
    const auto out = a.inject({method, path});
    CHECK(out.code() == code);
    return std::string(out.header("Allow").value_or("none"));
  };
  CHECK(allow("PUT", "/login", 405) == "POST, PURGE, GET, HEAD, OPTIONS");
  CHECK(allow("PATCH", "/users/me", 405) == "GET, HEAD, DELETE, POST, PURGE, OPTIONS");
  CHECK(allow("OPTIONS", "/users/me", 204) == "GET, HEAD, DELETE, POST, PURGE, OPTIONS");
  CHECK(allow("BAN", "/users/me", 405) == "GET, HEAD, DELETE, POST, PURGE, OPTIONS");
  CHECK(allow("PUT", "/users/y/z", 405) == "POST, PATCH, PURGE, GET, HEAD, OPTIONS");
}

TEST_CASE("a redirect of the trailing slash goes to this host, or nowhere") {
  auto settings = bare();
  settings.trailing_slash = trailing_slash::redirect;
  app a(std::move(settings));
  a.get("/users", told("users"));
  a.get("/dir/", told("dir"));
  a.get("/:page", told("page"));
  a.get("/:page/sub/:x/", told("sub"));
  const auto to = [&](const std::string& path) {
    const auto out = a.inject(get(path));
    return std::to_string(out.code()) + ' ' + std::string(out.header("Location").value_or(""));
  };
  CHECK(to("/users/") == "308 /users");
  CHECK(to("/users/?a=b&c=%0d%0a") == "308 /users?a=b&c=%0d%0a");
  CHECK(to("/dir") == "200 ");  // :page takes it
  CHECK(to("/x%2Fy/") == "308 /x%2Fy");
  CHECK(to("/x/sub/y") == "308 /x/sub/y/");
  for (const std::string evil :
       {"//evil.example/", "///", "//evil.example", "/\\evil.example/", "/\\/evil.example/"}) {
    CAPTURE(evil);
    const auto out = a.inject(get(evil));
    CHECK(out.code() == (evil.find('\\') == std::string::npos ? 404 : 400));
    CHECK_FALSE(out.header("Location"));
  }
  CHECK(to("/missing/other") == "404 ");
}

TEST_CASE("a tree of random routes finds what a plain search over them finds") {
  std::mt19937 random(77);
  const std::vector<std::string> words = {"a", "b", "ab", "c"};
  for (int round = 0; round < 200; ++round) {
    app a(bare());
    std::map<std::string, std::vector<std::string>>
        routes;  // by method and shape, so that no two are the same
    for (int i = 0; i < 12; ++i) {
      std::vector<std::string> segments;
      std::string shape, path;
      const auto depth = 1 + random() % 4;
      for (unsigned d = 0; d < depth; ++d) {
        const auto kind = random() % 6;
        if (kind < 3) {
          segments.push_back(words[random() % words.size()]);
          shape += '/' + segments.back();
          path += '/' + segments.back();
        } else if (kind < 5 || d + 1 < depth) {
          segments.push_back(":");
          shape += "/:";
          path += "/:p" + std::to_string(d);
        } else {
          segments.push_back("*");
          shape += "/*";
          path += "/*r";
        }
      }
      const std::string method = random() % 2 ? "GET" : "PUT";
      shape = method + shape;
      if (!routes.emplace(shape, segments).second) continue;
      a.routes().on(method, path, told(shape));
    }
    // The rule, the plain way: at each depth a literal is better than a parameter, and that than a rest.
    const auto find = [&](const std::string& method, const std::vector<std::string>& path) {
      std::string best, best_rank;
      for (const auto& [shape, segments] : routes) {
        std::string rank;
        bool fits = shape.substr(0, 3) == method;
        std::size_t i = 0;
        for (; i < segments.size() && fits; ++i) {
          if (segments[i] == "*") {
            fits = i < path.size();
            rank += '2';
            break;
          }
          fits = i < path.size() && (segments[i] == ":" ? !path[i].empty() : segments[i] == path[i]);
          rank += segments[i] == ":" ? '1' : '0';
        }
        if (fits && (segments.back() == "*" || path.size() == segments.size()) &&
            (best.empty() || rank < best_rank)) {
          best = shape;
          best_rank = rank;
        }
      }
      return best;
    };
    for (int i = 0; i < 60; ++i) {
      std::vector<std::string> path;
      std::string text;
      for (auto n = 1 + random() % 5; n > 0; --n) {
        path.push_back(random() % 8 ? words[random() % words.size()] : "");
        text += '/' + path.back();
      }
      const auto expected = find("GET", path);
      const auto found = ask(a, text);
      const std::string none = find("PUT", path).empty() ? "404" : "405";
      CAPTURE(text);
      REQUIRE((expected.empty() ? none : expected) == found.substr(0, found.find('|')));
    }
  }
}
