#include "corbel/routing/multipart.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <set>
#include <string>

#include "corbel/http/field.hpp"
#include "corbel/http/media_type.hpp"
#include "corbel/routing/multipart_stream.hpp"
#include "corbel/schema/fields.hpp"

namespace corbel::detail {
namespace {

/// "image/*" takes every image.
bool matches_type(std::string_view pattern, std::string_view type) {
  if (pattern.ends_with("/*")) {
    pattern.remove_suffix(1);
    type = type.substr(0, pattern.size());
  }
  return iequals(pattern, type);
}

/// Under the label of another charset, only what is ASCII is surely the same text in UTF-8.
bool is_readable(const multipart_stream::part& part, std::string_view value) {
  const auto type = parse_media_type(part.content_type());
  return !type || type->is_utf8() ||
         std::all_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string in_bytes(std::uint64_t n) {
  return to_text(byte_size{n});
}

/// One form on its way into a described type: texts and files are collected first, then everything is read
/// at once, so that all that is wrong is said together.
class form_reader {
 public:
  form_reader(request& in, const type_descriptor& type, std::string_view boundary)
      : object_(*type.object),
        settings_(in.services().find<multipart_settings>()),
        pool_(in.services().find<blocking_pool>()),
        form_(in, boundary) {
    if (!settings_) settings_ = &defaults_;
  }

  task<> read() {
    while (auto* part = co_await form_.next()) {
      const auto* field = object_.find(part->name());
      if (part->filename())
        co_await file(*part, field);
      else
        co_await text(*part, field);
    }
  }

  void give(const type_descriptor& type, void* out, extraction& failed) {
    std::set<std::string, std::less<>> told;
    for (auto& each : refused_) {
      told.insert(each.path);
      failed.add(std::move(each));
    }
    const auto before = static_cast<std::ptrdiff_t>(failed.violations().size());
    if (auto done = schema::read_form(type, out, inputs_, "body"); !done) failed.add(std::move(done).error());
    // What could not be read has no type either, which was not the client's mistake.
    auto& all = failed.violations();
    all.erase(std::remove_if(
                  all.begin() + before, all.end(),
                  [&](const violation& each) { return each.rule == "type" && told.contains(each.path); }),
              all.end());
  }

 private:
  static bool takes_file(const field_descriptor& field) {
    const auto& bare = field.type->bare();
    return &(bare.kind == type_kind::list ? *bare.element : bare) == &type_of<upload>();
  }

  void refuse(const field_descriptor& field, std::string rule, std::string message) {
    std::string at = '/' + std::string(field.name);
    if (field.type->bare().kind == type_kind::list)
      at += '/' + std::to_string(std::count_if(inputs_.begin(), inputs_.end(),
                                               [&](const auto& each) { return each.name == field.name; }));
    if (refused_.size() < most_refused)
      refused_.push_back({"body", std::move(at), std::move(rule), std::move(message)});
  }
  /// Something stands under the name, but nothing that could be read.
  void spoiled(const multipart_stream::part& part) {
    inputs_.push_back({names_.emplace_back(part.name()), {}, &type_of<upload>(), nullptr});
  }

  task<> text(multipart_stream::part& part, const field_descriptor* field) {
    if (field && takes_file(*field)) {
      refuse(*field, "type", "must be a file, sent with a file name");
      co_return spoiled(part);
    }
    std::string value;
    for (auto piece = co_await part.read(); !piece.empty(); piece = co_await part.read()) {
      if (!field) continue;
      if (piece.size() > settings_->field_bytes - value.size() ||
          piece.size() > settings_->fields_bytes - fields_size_)
        throw failure({error_kind::payload_too_large, "field_too_large",
                       "A field of a form may have " + in_bytes(settings_->field_bytes) +
                           ", all fields together " + in_bytes(settings_->fields_bytes) + '.'});
      value += piece;
      fields_size_ += piece.size();
    }
    if (field && !is_readable(part, value)) {
      refuse(*field, "format", "must be a text in UTF-8, and its part say so");
      co_return spoiled(part);
    }
    inputs_.push_back({names_.emplace_back(part.name()), names_.emplace_back(std::move(value))});
  }

  task<> file(multipart_stream::part& part, const field_descriptor* field) {
    if (!field || !takes_file(*field)) {
      // Whether that is wrong, and how, is read_form's to say.
      bool empty = part.filename()->empty();
      for (auto piece = co_await part.read(); !piece.empty(); piece = co_await part.read()) empty = false;
      if (!empty) spoiled(part);
      co_return;
    }
    const auto& rules = field->type->bare().kind != type_kind::list ? *field->rules
                        : field->rules->items                       ? *field->rules->items
                                                                    : no_rules;
    const std::uint64_t most = std::min<std::uint64_t>(rules.max_length, settings_->file_bytes);
    upload_writer kept(part.head(), *settings_, pool_);
    std::uint64_t size = 0;
    for (auto piece = co_await part.read(); !piece.empty(); piece = co_await part.read()) {
      size += piece.size();
      if (size <= most && refused_.empty()) co_await kept.write(piece);
    }
    if (size == 0 && part.filename()->empty()) co_return;
    const auto before = refused_.size();
    if (size > most) refuse(*field, "maxLength", "must have at most " + in_bytes(most));
    if (size < rules.min_length)
      refuse(*field, "minLength", "must have at least " + in_bytes(rules.min_length));
    check_type(*field, rules, part.content_type());
    if (before != 0 || refused_.size() != before) co_return spoiled(part);
    const auto& made = files_.emplace_back(co_await kept.finish());
    inputs_.push_back({names_.emplace_back(part.name()), {}, &type_of<upload>(), &made});
  }

  void check_type(const field_descriptor& field, const constraints& rules, std::string_view sent) {
    if (rules.one_of_count == 0) return;
    const auto type = trim_space(sent.substr(0, sent.find(';')));
    std::string all;
    for (std::size_t i = 0; i < rules.one_of_count; ++i) {
      if (matches_type(rules.one_of[i], type)) return;
      all.append(all.empty() ? "" : ", ").append(rules.one_of[i]);
    }
    refuse(field, "enum", "must be a file of type " + all);
  }

  static constexpr std::size_t most_refused = 100;

  const object_descriptor& object_;
  const multipart_settings* settings_;
  const multipart_settings defaults_;
  blocking_pool* pool_;
  multipart_stream form_;
  std::size_t fields_size_ = 0;
  std::deque<std::string> names_;  // and texts; what inputs_ points to stays in place
  std::deque<upload> files_;
  std::vector<schema::form_input> inputs_;
  std::vector<violation> refused_;
};

}  // namespace

task<> read_multipart(request& in, const type_descriptor& type, void* out, extraction& failed) {
  std::string boundary;
  extraction of_body;
  if (!expect_whole(in, failed)) co_return;
  read_boundary(in, boundary, of_body);
  if (of_body.failed()) co_return failed.refuse(std::move(of_body).take());
  form_reader reader(in, type, boundary);
  co_await reader.read();
  reader.give(type, out, failed);
}

}  // namespace corbel::detail
