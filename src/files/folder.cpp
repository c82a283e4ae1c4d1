#include <stdexcept>

#include "corbel/crypto/random.hpp"
#include "corbel/files/files.hpp"
#include "corbel/http/accept.hpp"
#include "corbel/http/compressible.hpp"
#include "corbel/http/problem.hpp"
#include "corbel/http/range.hpp"
#include "corbel/runtime/blocking_pool.hpp"
#include "files/content_types.hpp"
#include "files/disposition.hpp"
#include "files/look.hpp"

namespace corbel {

using namespace file_access;

/// The root is shared with the pool's jobs, the pool is not: its last owner must never be one of its own
/// threads.
struct file_folder::impl {
  std::shared_ptr<const root_folder> root;
  std::shared_ptr<blocking_pool> pool;
  file_settings settings;

  task<look> find(std::string path, std::vector<variant> variants) const;
  /// Empty when the file changed while it was read.
  task<std::optional<response>> send(request& in, std::string_view path, const file_options& options,
                                     bool varies, look seen) const;
  /// The body for `size` bytes from `from` on; false when the file changed.
  task<bool> put_bytes(const request& in, std::shared_ptr<const open_file> file, byte_range range,
                       std::string_view type, response& out) const;
  void put_parts(std::shared_ptr<const open_file> file, const std::vector<byte_range>& ranges,
                 std::string_view type, response& out) const;
};

namespace {

look look_waiting(const std::shared_ptr<const root_folder>& root, const std::string& path,
                  const std::vector<variant>& variants) {
  return look_for(*root, path, variants, patience::any);
}

response refused(const request& in, const error& why) {
  response out;
  problem::write(in, why, out);
  return out;
}
response missing(const request& in) {
  return refused(in, not_found("There is no such file."));
}

/// A '/' or '\' that came as an escape is part of a name to some and a separator to others.
bool hides_separator(std::string_view raw) {
  for (std::size_t at = raw.find('%'); at != std::string_view::npos; at = raw.find('%', at + 1)) {
    const auto escape = raw.substr(at + 1, 2);
    if (iequals(escape, "2f") || iequals(escape, "5c")) return true;
  }
  return false;
}

response to_folder(const request& in) {
  const auto path = in.path();
  // A path that begins with // would be read as another host; browsers read \ as /.
  if (path.size() > 1 && (path[1] == '/' || path[1] == '\\')) return missing(in);
  std::string to(path);
  to += '/';
  if (!in.query().empty()) to.append("?").append(in.query());
  return redirect(to, status::permanent_redirect);
}

}  // namespace

file_folder::file_folder(const std::string& root, file_settings settings) {
  const auto in_header = [](const std::string& value, const char* name) {
    if (!is_field_value(value))
      throw std::invalid_argument(std::string("file_settings::") + name +
                                  " may not stand in a header; remove line ends");
  };
  in_header(settings.cache_control, "cache_control");
  for (const auto& type : settings.types) in_header(type.second, "types");
  if (settings.piece_bytes == 0)
    throw std::invalid_argument("file_settings::piece_bytes is 0; leave it at 256 KiB");
  auto made = std::make_shared<impl>();
  made->root =
      std::make_shared<const root_folder>(root, settings.symbolic_links == file_settings::links::inside);
  made->pool = settings.pool ? settings.pool : std::make_shared<blocking_pool>(2, 1024);
  made->settings = std::move(settings);
  impl_ = std::move(made);
}

file_folder::~file_folder() = default;
file_folder::file_folder(file_folder&&) noexcept = default;
file_folder& file_folder::operator=(file_folder&&) noexcept = default;

task<look> file_folder::impl::find(std::string path, std::vector<variant> variants) const {
  auto seen = look_for(*root, path, variants, patience::none);
  if (seen.what == found::may_block)
    seen = co_await pool->run(&look_waiting, root, std::move(path), std::move(variants));
  co_return seen;
}

task<bool> file_folder::impl::put_bytes(const request& in, std::shared_ptr<const open_file> file,
                                        byte_range range, std::string_view type, response& out) const {
  const auto size = range.length();
  if (in.method() != method::head && size <= settings.piece_bytes) {
    auto bytes = co_await read_bytes(std::move(file), range.first, static_cast<std::size_t>(size), *pool);
    if (!bytes) co_return false;
    out.set("Content-Type", type);
    out.body_buffer().swap(*bytes);
    co_return true;
  }
  out.stream(type, {file_stream{std::move(file), {{{}, range.first, size}}, {}, settings.piece_bytes, pool},
                    size, false});
  co_return true;
}

void file_folder::impl::put_parts(std::shared_ptr<const open_file> file,
                                  const std::vector<byte_range>& ranges, std::string_view type,
                                  response& out) const {
  const auto boundary = crypto::random_token(18);
  const auto size = file->size();
  file_stream parts{std::move(file), {}, "\r\n--" + boundary + "--\r\n", settings.piece_bytes, pool};
  for (const auto& range : ranges) {
    auto head = std::string(parts.parts.empty() ? "--" : "\r\n--");
    head.append(boundary).append("\r\nContent-Type: ").append(type).append("\r\nContent-Range: ");
    head.append(content_range(range, size)).append("\r\n\r\n");
    parts.parts.push_back({std::move(head), range.first, range.length()});
  }
  const auto length = parts.length();
  out.stream("multipart/byteranges; boundary=" + boundary, {std::move(parts), length, false});
}

task<std::optional<response>> file_folder::impl::send(request& in, std::string_view path,
                                                      const file_options& options, bool varies,
                                                      look seen) const {
  const auto current = validators_of(seen, settings.etag);
  const std::string type(options.content_type.empty() ? content_type_of(path, settings.types)
                                                      : options.content_type);
  response out;
  const auto& cache = options.cache_control.empty() ? settings.cache_control : options.cache_control;
  if (!cache.empty()) out.set("Cache-Control", cache);
  if (varies) vary(out, "Accept-Encoding");
  if (!seen.coding.empty()) out.set("Content-Encoding", seen.coding);
  if (!options.download_as.empty()) out.set("Content-Disposition", attachment(options.download_as));
  if (apply_preconditions(in, current, out) != precondition::proceed) co_return out;
  const auto size = seen.file->size();
  const auto chosen = choose_ranges(in, size, current);
  out.set("Accept-Ranges", "bytes");
  if (chosen.what == range_choice::kind::unsatisfiable) {
    refuse_range(in, size, out);
    co_return out;
  }
  if (size == 0) {
    out.body({}, type);
    co_return out;
  }
  byte_range all{0, size - 1};
  if (chosen.what == range_choice::kind::partial) {
    out.status(status::partial_content);
    if (chosen.ranges.size() > 1) {
      put_parts(std::move(seen.file), chosen.ranges, type, out);
      co_return out;
    }
    all = chosen.ranges.front();
    out.set("Content-Range", content_range(all, size));
  }
  if (!co_await put_bytes(in, std::move(seen.file), all, type, out)) co_return std::nullopt;
  co_return out;
}

task<response> file_folder::reply(request& in, std::string path, file_options options) const {
  const auto held = impl_;
  if (path.empty() || path.back() == '/' || !is_servable(path, held->settings.dot_files))
    co_return missing(in);
  const auto type = options.content_type.empty() ? content_type_of(path, held->settings.types)
                                                 : std::string_view(options.content_type);
  const bool varies = held->settings.precompressed && is_compressible(type);
  for (int tries = 0; tries < 3; ++tries) {
    std::vector<variant> variants;
    if (varies) variants = variants_for(in);
    auto seen = co_await held->find(path, std::move(variants));
    if (seen.what == found::exhausted)
      co_return refused(in, unavailable("The server is busy. Try again shortly.", "busy")
                                .because("no file could be opened: no descriptor is left"));
    if (seen.what != found::file) co_return missing(in);
    auto out = co_await held->send(in, path, options, varies, std::move(seen));
    if (out) co_return *std::move(out);
  }
  co_return refused(in, unavailable("The file is being written. Try again shortly.", "busy")
                            .because("the file " + path + " changed each time it was read"));
}

task<response> file_folder::serve(request& in, std::string path) const {
  const auto& settings = impl_->settings;
  if (hides_separator(in.path()) || !is_servable(path, settings.dot_files)) co_return missing(in);
  const bool folder = path.empty() || path.back() == '/';
  std::string wanted(path);
  if (folder) wanted += settings.index;
  if (!folder || !settings.index.empty()) {
    file_options as_it_is;
    auto out = co_await reply(in, wanted, std::move(as_it_is));
    if (out.status() != status::not_found) co_return out;
    if (!folder && !settings.index.empty()) {
      std::vector<variant> none;
      const auto seen = co_await impl_->find(wanted, std::move(none));
      if (seen.what == found::folder) co_return to_folder(in);
    }
  }
  const auto name = std::string_view(path).substr(path.rfind('/') + 1);
  if (settings.fallback.empty() || name.find('.') != name.npos) co_return missing(in);
  file_options options;
  options.cache_control = "no-cache";
  co_return co_await reply(in, settings.fallback, std::move(options));
}

}  // namespace corbel
