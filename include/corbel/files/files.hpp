#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <corbel/files/settings.hpp>
#include <corbel/http/request.hpp>
#include <corbel/http/response.hpp>
#include <corbel/routing/endpoint.hpp>
#include <corbel/routing/router.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

/// What a handler says of one file that it sends: `file_options().download("invoice.pdf").cache("no-store")`,
/// or a named one whose members are set.
struct file_options {
  /// It is no aggregate, so that a temporary may stand in a `co_await` with every compiler.
  file_options() = default;

  /// The name under which the client is to keep it (`Content-Disposition: attachment`, RFC 6266), in UTF-8;
  /// empty lets the client show it.
  std::string download_as;
  std::string content_type;   ///< empty: by the extension
  std::string cache_control;  ///< empty: the folder's

  file_options& download(std::string as) & {
    download_as = std::move(as);
    return *this;
  }
  file_options& type(std::string media) & {
    content_type = std::move(media);
    return *this;
  }
  file_options& cache(std::string control) & {
    cache_control = std::move(control);
    return *this;
  }
  file_options&& download(std::string as) && { return std::move(download(std::move(as))); }
  file_options&& type(std::string media) && { return std::move(type(std::move(media))); }
  file_options&& cache(std::string control) && { return std::move(cache(std::move(control))); }
};

/// A folder, and what may be read of it. Nothing outside it is ever opened: the kernel itself resolves every
/// path beneath it (openat2), so neither "..", nor a link, nor a race with who renames can lead out.
///
/// Thread-safe. A coroutine handler takes it as `state<file_folder>`:
///
///     task<response> invoice(request& in, path<int, "id"> id, state<file_folder> invoices) {
///       co_return co_await invoices->reply(in, std::to_string(*id) + ".pdf",
///                                          file_options().download("invoice.pdf"));
///     }
class file_folder {
 public:
  /// Throws std::system_error when `root` is no folder that can be opened, std::invalid_argument for settings
  /// that cannot be.
  explicit file_folder(const std::string& root, file_settings settings = file_settings());
  ~file_folder();
  file_folder(file_folder&&) noexcept;
  file_folder& operator=(file_folder&&) noexcept;

  /// The answer to a request for the file at `path`, a relative path with '/' between its parts, decoded
  /// already. The conditional fields, Range and Accept-Encoding of the request count (RFC 9110, 13 and 14),
  /// HEAD gets no body. 404 for whatever is no regular file, or may not be served.
  ///
  /// A file that the kernel has in memory is read on the loop, which then does not wait; any other on the
  /// pool. A large one is read while it is sent; when it changes meanwhile, the connection ends before the
  /// client takes the mixture for the file. `in` must live as long as the task, and this object as long as
  /// the response.
  task<response> reply(request& in, std::string path, file_options options = file_options()) const;

  /// The same for a path as a client asks for it: with index and fallback, and a redirect to the '/' behind a
  /// folder's name. `path` is the end of the request's own.
  task<response> serve(request& in, std::string path) const;

 private:
  struct impl;
  std::shared_ptr<const impl> impl_;
};

/// Serves a folder as an endpoint: `server.get("/assets/*path", files("./public"))`. The last parameter of
/// the route's path is the file's. A folder that is not there stops the start.
class files final : public endpoint {
 public:
  explicit files(const std::string& root, file_settings settings = file_settings());
  explicit files(std::shared_ptr<const file_folder> folder) : folder_(std::move(folder)) {}

  bool waits() const noexcept override { return true; }
  void serve(request&, response&) const override {}
  task<void> serve_waiting(request& in, response& out) const override;
  endpoint_contract contract() const override;

 private:
  std::shared_ptr<const file_folder> folder_;
  std::string mistake_;
};

/// Serves a folder below `prefix`, which begins with "/" and ends without it; "" is the group's own root. The
/// prefix itself is redirected to the '/' behind it.
void serve_files(route_group at, std::string_view prefix, const std::string& root,
                 file_settings settings = file_settings());

}  // namespace corbel
