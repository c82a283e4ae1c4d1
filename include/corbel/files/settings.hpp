#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace corbel {

class blocking_pool;

/// How a folder's files are served.
struct file_settings {
  /// "public, max-age=31536000, immutable" for a folder whose names change with the content, as bundlers make
  /// them; empty sends none. "public" also tells `compression` that the files hold no secrets.
  std::string cache_control = "public, max-age=0, must-revalidate";

  /// What a folder is answered with; empty: 404.
  std::string index = "index.html";
  /// The page of a single-page application: answers every path without a file whose last part has no dot,
  /// with `Cache-Control: no-cache`. Empty: 404.
  std::string fallback;
  /// Serves `app.js.br` or `app.js.gz` in place of `app.js`, where it is there and the client takes it.
  /// Looked for beside compressible types alone. Whoever changes a file changes these with it.
  bool precompressed = true;

  /// Names that begin with a dot, anywhere in the path. Without it they are 404, as .git and .env should be.
  bool dot_files = false;
  enum class links : std::uint8_t {
    refused,  ///< a path through a symbolic link is 404
    inside,   ///< followed as long as they stay in the folder; where the kernel has no openat2 they are
              ///< refused
  } symbolic_links = links::refused;

  enum class tag : std::uint8_t {
    /// Of the time of the last change to the content, and the size: the same on every server that has the
    /// file.
    modified,
    /// Of the inode and the time of its last change, too: for content whose times are all set to one date, as
    /// reproducible builds do. Each server has tags of its own.
    changed,
  } etag = tag::modified;

  /// Content types by extension, before the table's own: {{"glb", "model/gltf-binary"}}.
  std::vector<std::pair<std::string, std::string>> types;

  /// A larger file is sent in pieces of this size. Bytes.
  std::size_t piece_bytes = 256 * 1024;
  /// Reads what is not in the kernel's memory; shared with others if you like. Null: two threads of its own.
  std::shared_ptr<blocking_pool> pool;
};

}  // namespace corbel
