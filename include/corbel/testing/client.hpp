#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <corbel/app/app.hpp>
#include <corbel/http/status.hpp>
#include <corbel/testing/multipart.hpp>

/// Asks an application in process, through its whole pipeline and without a socket:
///
///     testing::client api(server);
///     const auto made = api.post("/api/v1/projects").json(R"({"name":"Apollo"})").expect(status::created);
///     api.get(made.header("Location")).expect(status::ok).json<project>();
///     api.get("/api/v1/projects/1").expect(status::bad_request).expect_code("validation_failed");
namespace corbel::testing {

/// What a test expected and did not get. Its text shows the request and the response.
class unexpected : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What came back. Each expectation that does not hold throws `unexpected`.
class answer {
 public:
  answer(std::string asked, injected_response got) : asked_(std::move(asked)), got_(std::move(got)) {}

  corbel::status status() const noexcept { return got_.status(); }
  const std::string& body() const noexcept { return got_.body(); }
  /// The first header of that name; empty when there is none.
  std::string header(std::string_view name) const;

  /// The body as a described type, without its rules.
  template <class T>
  T json() const {
    auto read = got_.json<T>();
    if (!read) fail("a body that can be read as the type: " + describe_error(read.error()));
    return *std::move(read);
  }

  const answer& expect(corbel::status wanted) const&;
  answer&& expect(corbel::status wanted) &&;
  /// `code` of the error envelope.
  const answer& expect_code(std::string_view wanted) const&;
  /// A broken rule in `details.errors`, such as ("/name", "minLength").
  const answer& expect_violation(std::string_view path, std::string_view rule) const&;
  const answer& expect_header(std::string_view name, std::string_view wanted) const&;

 private:
  [[noreturn]] void fail(const std::string& wanted) const;
  static std::string describe_error(const error& e);

  std::string asked_;
  injected_response got_;
};

/// A request that is being written; `send` or `expect` asks it.
class call {
 public:
  call(app& server, injected_request request) : server_(&server), request_(std::move(request)) {}

  call&& header(std::string name, std::string value) && {
    (void)std::move(request_).header(std::move(name), std::move(value));
    return std::move(*this);
  }
  call&& body(std::string content, std::string content_type) && {
    (void)std::move(request_).body(std::move(content), std::move(content_type));
    return std::move(*this);
  }
  /// A body of JSON text, or made of a described value.
  call&& json(std::string text) && {
    (void)std::move(request_).json(std::move(text));
    return std::move(*this);
  }
  template <class T>
  requires(described<T>) call && json(const T& value) && {
    return std::move(*this).json(corbel::json::to_text(value));
  }

  /// A form with files.
  call&& multipart(const multipart_form& form) && {
    return std::move(*this).body(form.body(), form.content_type());
  }

  answer send() &&;
  answer expect(corbel::status wanted) &&;

 private:
  app* server_;
  injected_request request_;
};

/// One client of one application. Not while the application runs otherwise (see `app::inject`).
class client {
 public:
  /// `server` must outlive the client and its calls.
  explicit client(app& server) : server_(&server) {}

  /// Sent with every request from now on, such as an Authorization.
  client& always(std::string name, std::string value) {
    headers_.emplace_back(std::move(name), std::move(value));
    return *this;
  }

  call get(std::string target) const { return request("GET", std::move(target)); }
  call post(std::string target) const { return request("POST", std::move(target)); }
  call put(std::string target) const { return request("PUT", std::move(target)); }
  call patch(std::string target) const { return request("PATCH", std::move(target)); }
  call del(std::string target) const { return request("DELETE", std::move(target)); }
  call request(std::string method, std::string target) const;

 private:
  app* server_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace corbel::testing
