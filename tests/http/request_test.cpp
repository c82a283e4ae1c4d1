#include "corbel/http/request.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include <string>

#include "corbel/http/context.hpp"
#include "http/request_access.hpp"

using corbel::request;
using corbel::request_access;

TEST_CASE("a target is cut at its first question mark") {
  request in;
  request_access access(in);
  access.start_line("GET", "/a%20b?c=d?e", 11);
  CHECK(in.path() == "/a%20b");
  CHECK(in.query() == "c=d?e");
  CHECK(in.method() == corbel::method::get);
  access.start_line("PURGE", "/", 10);
  CHECK(in.method() == corbel::method::other);
  CHECK(in.method_name() == "PURGE");
  CHECK(in.query() == "");
  CHECK(in.version() == 10);
}

TEST_CASE("headers are found without case, the first of a name") {
  request in;
  request_access access(in);
  access.add_header("X-A", "1");
  access.add_header("x-a", "2");
  CHECK(in.header("X-a") == "1");
  CHECK_FALSE(in.header("X"));
}

TEST_CASE("cookies are found by their exact name") {
  request in;
  request_access access(in);
  access.add_header("Cookie", "a=1; b=\"two\";  c = 3 ;d; =e; sid=x=y");
  access.add_header("cookie", "a=9; late=7; empty=");
  CHECK(in.cookie("a") == "1");
  CHECK(in.cookie("b") == "two");
  CHECK(in.cookie("c") == "3");
  CHECK(in.cookie("sid") == "x=y");
  CHECK(in.cookie("late") == "7");
  CHECK(in.cookie("empty") == "");
  CHECK_FALSE(in.cookie("A"));
  CHECK_FALSE(in.cookie("d"));
  CHECK_FALSE(in.cookie("id"));
}

TEST_CASE("a request that moves takes its views along") {
  const std::string from = "GET /a?b=c HTTP/1.1 name value body";
  std::string to = from;
  const std::string_view text = from;
  request in;
  request_access access(in);
  access.start_line(text.substr(0, 3), text.substr(4, 6), 11);
  access.add_header(text.substr(20, 4), text.substr(25, 5));
  access.body(text.substr(31));
  access.params().push_back({"static name", text.substr(5, 1)});
  access.rebase(from.data(), from.size(), to.data());
  const auto inside = [&](std::string_view view) {
    return view.data() >= to.data() && view.data() + view.size() <= to.data() + to.size();
  };
  CHECK(in.target() == "/a?b=c");
  CHECK(in.headers()[0].value == "value");
  for (const auto view : {in.method_name(), in.target(), in.path(), in.query(), in.body(),
                          in.headers()[0].name, in.headers()[0].value, in.path_params()[0].value})
    CHECK(inside(view));
  CHECK(in.path_params()[0].name == "static name");
  CHECK_FALSE(inside(in.path_params()[0].name));
}

TEST_CASE("an id is kept whatever its length, and moves along") {
  for (const std::size_t size : {0u, 1u, 35u, 36u, 37u, 500u}) {
    const std::string id(size, 'i');
    request in;
    in.id("another, which was there before, longer than thirty-six bytes");
    in.id(id);
    CHECK(in.id() == id);
    const request moved(std::move(in));
    CHECK(moved.id() == id);
    CHECK_FALSE(request_access::has_checked_id(moved));
  }
  request part;
  part.id(std::string(50, 'a') + std::string(50, 'b'));
  part.id(part.id().substr(40, 20));
  CHECK(part.id() == std::string(10, 'a') + std::string(10, 'b'));
  part.id(part.id().substr(5));
  CHECK(part.id() == std::string(5, 'a') + std::string(10, 'b'));
  part.id(std::string(60, 'c') + "tail");
  part.id(part.id().substr(0, 3));
  CHECK(part.id() == "ccc");
  request in;
  std::memset(request_access(in).make_id(), 'm', 36);
  CHECK(in.id() == std::string(36, 'm'));
  CHECK(request_access::has_checked_id(in));
  request_access(in).checked_id("checked");
  CHECK(in.id() == "checked");
  CHECK(request_access::has_checked_id(in));
  in.id("given");
  CHECK_FALSE(request_access::has_checked_id(in));
  request_access(in).clear();
  CHECK(in.id().empty());
}

TEST_CASE("a request that is used again remembers nothing") {
  request in;
  request_access access(in);
  access.start_line("POST", "/a?b=c", 10);
  access.add_header("X", "1");
  access.body("body");
  access.peer("192.0.2.1");
  access.params().push_back({"id", "1"});
  access.route_path("/x");
  in.id("id");
  in.emplace(std::string("kept"));
  CHECK(in.query_params()->pairs().size() == 1);
  access.clear();
  CHECK(in.target() == "");
  CHECK(in.headers().empty());
  CHECK(in.body() == "");
  CHECK(in.peer() == "");
  CHECK(in.path_params().empty());
  CHECK(in.route_path().empty());
  CHECK(in.id() == "");
  CHECK(in.find<std::string>() == nullptr);
  CHECK(in.version() == 11);
  CHECK(in.query_params()->pairs().empty());
}

TEST_CASE("what a middleware leaves is found by its type, the last one first") {
  request in;
  CHECK(in.find<int>() == nullptr);
  in.emplace(1);
  in.emplace(std::string("text"));
  in.emplace(2);
  CHECK(*in.find<int>() == 2);
  CHECK(*in.find<std::string>() == "text");
  CHECK(in.find<long>() == nullptr);
  const request moved = std::move(in);
  CHECK(*moved.find<int>() == 2);
}

TEST_CASE("a request without an application has a clock and a silent log") {
  const request in;
  CHECK(in.now() > corbel::timestamp{});
  in.log().error("nobody reads this");
  CHECK(in.services().find<int>() == nullptr);
}
