#pragma once

#include <corbel/http/upload.hpp>
#include <corbel/routing/extract.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

/// A form with files (multipart/form-data) as a described type: texts, numbers and lists of them as in
/// `query<T>`, and `upload`, `std::optional<upload>` or `std::vector<upload>` for files, with `file()` rules.
/// Every violation is reported; then nothing of the form is kept. A handler of it need not wait itself: small
/// files stay in memory, larger ones go to temporary files while they arrive (`multipart_settings`). 415 for
/// another body; 413 past the route's `body_limit`, which is 1 MiB unless it says otherwise.
///
/// A file input that was left empty, which browsers send without a name and without bytes, is no file.
template <class T>
struct multipart : extracted<T> {
  using extracted<T>::extracted;
};

namespace detail {

task<> read_multipart(request& in, const type_descriptor& type, void* out, extraction& failed);

template <class T>
struct parameter<multipart<T>> : value_parameter<multipart<T>> {
  static constexpr bool streams = true;
  static task<> prepare(request& in, multipart<T>& into, extraction& failed) {
    return read_multipart(in, type_of<T>(), &*into, failed);
  }
  static void note(endpoint_contract& c) {
    c.inputs.push_back(&type_of<T>());
    c.field_inputs.push_back(&type_of<T>());
  }
};

}  // namespace detail
}  // namespace corbel
