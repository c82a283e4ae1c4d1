// One call from the command line, for the tests that ask servers which are not ours.
#include <cstdio>
#include <cstring>
#include <string>

#include "client/caller.hpp"

int main(int count, char** arguments) {
  auto settings = corbel::client_settings::for_own_services();
  settings.tls.system_authorities = false;
  settings.limits.redirects = 5;
  std::string method = "GET", body;
  int repeat = 1;
  int i = 1;
  for (; i + 1 < count && arguments[i][0] == '-'; i += 2) {
    const std::string name = arguments[i], value = arguments[i + 1];
    if (name == "--authority") settings.tls.authority_file = value;
    if (name == "--certificate") settings.tls.certificate_file = value;
    if (name == "--key") settings.tls.key_file = value;
    if (name == "--proxy") settings.proxy = value;
    if (name == "--post") method = "POST", body = value;
    if (name == "--repeat") repeat = static_cast<int>(value.size());
  }
  if (i + 1 != count) {
    std::fprintf(
        stderr,
        "fetch [--authority FILE] [--certificate FILE --key FILE] [--post BODY] [--repeat xxx] URL\n");
    return 2;
  }
  caller loop;
  corbel::client http(settings);
  for (int n = 0; n < repeat; ++n) {
    auto request = method == "GET" ? corbel::outbound::get(arguments[i])
                                   : corbel::outbound::post(arguments[i]).body(body, "text/plain");
    const auto got = loop.wait(http.send(std::move(request)));
    if (!got) {
      std::printf("%s\n%s\n", got.error().code().c_str(), got.error().cause().c_str());
      return 1;
    }
    std::printf("%d %s\n", got->code(), got->url().c_str());
    for (const auto& [name, value] : got->headers()) std::printf("%s: %s\n", name.c_str(), value.c_str());
    std::printf("\n");
    std::fwrite(got->body().data(), 1, got->body().size(), stdout);
    std::printf("\n");
  }
  return 0;
}
