// The smallest service: one typed route.
#include <corbel/corbel.hpp>

struct greeting {
  std::string message;
};
constexpr auto describe(corbel::tag<greeting>) {
  using namespace corbel::rules;
  return object(field("message", &greeting::message));
}

greeting hello(corbel::path<std::string, "name"> name) {
  return {"Hello, " + *name + "!"};
}

int main() {
  corbel::app server({.server = corbel::settings::from_environment<corbel::server_settings>()});
  server.get("/hello/:name", &hello);
  return server.run();
}
