#include "corbel/files/files.hpp"

#include <stdexcept>
#include <system_error>

#include "corbel/http/problem.hpp"

namespace corbel {
namespace {

/// The prefix of a folder, without the '/' that its relative links need.
class folder_prefix final : public endpoint {
 public:
  bool waits() const noexcept override { return false; }
  void serve(request& in, response& out) const override {
    std::string to(in.path());
    to += '/';
    if (!in.query().empty()) to.append("?").append(in.query());
    out = redirect(to, status::permanent_redirect);
  }
  task<void> serve_waiting(request&, response&) const override { co_return; }
};

}  // namespace

files::files(const std::string& root, file_settings settings) {
  try {
    folder_ = std::make_shared<const file_folder>(root, std::move(settings));
  } catch (const std::system_error& e) {
    mistake_ = std::string(e.what()) + "; create it, or name the one that is meant";
  } catch (const std::invalid_argument& e) {
    mistake_ = e.what();
  }
}

endpoint_contract files::contract() const {
  endpoint_contract made;
  if (!mistake_.empty()) made.mistakes.push_back(mistake_);
  return made;
}

task<void> files::serve_waiting(request& in, response& out) const {
  const auto params = in.path_params();
  if (params.empty())
    throw failure(
        internal_error("a folder's route needs a last parameter for the file, such as /assets/*path"));
  out = co_await folder_->serve(in, std::string(params.back().value));
}

void serve_files(route_group at, std::string_view prefix, const std::string& root, file_settings settings) {
  at.get(std::string(prefix) + "/*path", files(root, std::move(settings)));
  if (!prefix.empty()) at.get(prefix, folder_prefix());
}

}  // namespace corbel
