#include "observe/log_format.hpp"

#include <array>

#include "corbel/base/json/writer.hpp"

namespace corbel::observe {
namespace {

constexpr std::size_t most_text = 8192;

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

/// The text as it may be logged: passwords hidden, and cut at a character's border.
std::string presentable(std::string_view text) {
  std::string out = may_hold_password(text) ? without_passwords(text) : std::string(text);
  if (out.size() <= most_text) return out;
  std::size_t cut = most_text;
  while (cut > most_text - 4 && (static_cast<unsigned char>(out[cut]) & 0xc0) == 0x80) --cut;
  const auto rest = out.size() - cut;
  out.resize(cut);
  return out + "... (" + std::to_string(rest) + " more bytes)";
}

void append_json_text(std::string& out, std::string_view text) {
  json::append_string(out, presentable(text));
}

void append_json_error(std::string& out, const error& e) {
  out += R"({"kind":)";
  append_json_text(out, to_string(e.kind()));
  out += R"(,"code":)";
  append_json_text(out, e.code());
  out += R"(,"message":)";
  append_json_text(out, e.message());
  if (!e.cause().empty()) {
    out += R"(,"cause":)";
    append_json_text(out, e.cause());
  }
  const char* separator = R"(,"violations":[)";
  for (const auto& v : e.violations()) {
    out += separator;
    append_json_text(out, v.in + v.path + ": " + v.message);
    separator = ",";
  }
  if (!e.violations().empty()) out += ']';
  out += '}';
}

void append_json_value(std::string& out, const log_value& value) {
  std::visit(overloaded{
                 [&](std::nullptr_t) { out += "null"; },
                 [&](bool b) { out += b ? "true" : "false"; },
                 [&](std::string_view text) { append_json_text(out, text); },
                 [&](log_value::milliseconds d) { json::append_number(out, d.count()); },
                 [&](const error* e) { append_json_error(out, *e); },
                 [&](const uuid& id) { json::append_string(out, to_text(id)); },
                 [&](timestamp t) { json::append_string(out, to_text(t)); },
                 [&](auto number) { json::append_number(out, number); },
             },
             value.get());
}

/// Appends text that a terminal shows and does not obey: escaped as in JSON, and DEL and the C1 controls
/// (U+0080 to U+009F, which terminals take for escape sequences) too. Quotes stay as they are.
void append_visible(std::string& out, std::string_view text) {
  std::string escaped;
  json::append_string(escaped, presentable(text));
  for (std::size_t i = 1; i + 1 < escaped.size(); ++i) {
    const auto byte = static_cast<unsigned char>(escaped[i]);
    const auto next = static_cast<unsigned char>(escaped[i + 1]);
    if (byte == '\\') {
      if (next != '"') out += '\\';
      out += escaped[++i];
    } else if (byte == 0x7f) {
      out += "\\u007f";
    } else if (byte == 0xc2 && next < 0xa0) {
      constexpr char digits[] = "0123456789abcdef";
      out += "\\u00";
      out += digits[next >> 4];
      out += digits[next & 0xf];
      ++i;
    } else {
      out += escaped[i];
    }
  }
}

bool is_one_word(std::string_view text) {
  return !text.empty() && text.find_first_of(" =\"'\t\n") == text.npos;
}

void append_visible_word(std::string& out, std::string_view text) {
  const bool quoted = !is_one_word(text);
  if (quoted) out += '"';
  append_visible(out, text);
  if (quoted) out += '"';
}

void append_readable_value(std::string& out, const log_value& value) {
  std::visit(overloaded{
                 [&](std::string_view text) { append_visible_word(out, text); },
                 [&](log_value::milliseconds d) {
                   json::append_number(out, d.count());
                   out += "ms";
                 },
                 [&](const error* e) {
                   out += e->code();
                   out += ": ";
                   append_visible(out, e->message());
                   if (!e->cause().empty()) {
                     out += " (";
                     append_visible(out, e->cause());
                     out += ')';
                   }
                   for (const auto& v : e->violations()) {
                     out += "; ";
                     append_visible(out, v.in + v.path + ": " + v.message);
                   }
                 },
                 [&](const uuid& id) { append_text(out, id); },
                 [&](timestamp t) { append_text(out, t); },
                 [&](const auto&) { append_json_value(out, value); },
             },
             value.get());
}

bool is_reserved(std::string_view name) {
  return name == "time" || name == "level" || name == "msg";
}

struct look {
  std::string_view name;
  std::string_view colour;
};
constexpr std::array<look, 6> looks{{{"TRACE", "\x1b[90m"},
                                     {"DEBUG", "\x1b[36m"},
                                     {"INFO ", "\x1b[32m"},
                                     {"WARN ", "\x1b[33m"},
                                     {"ERROR", "\x1b[31m"},
                                     {"FATAL", "\x1b[1;31m"}}};
constexpr std::string_view faint = "\x1b[2m";
constexpr std::string_view no_colour = "\x1b[0m";

}  // namespace

void line_format::append_field(std::string& out, const log_field& field) const {
  json_ ? append_json(out, field) : append_readable(out, field);
}

void line_format::append_json(std::string& out, const log_field& field) const {
  out += ',';
  json::append_string(out, is_reserved(field.name) ? std::string(field.name) + '_' : field.name);
  out += ':';
  append_json_value(out, secrets_.covers(field.name) ? log_value(redacted) : field.value);
}

void line_format::append_readable(std::string& out, const log_field& field) const {
  out += ' ';
  if (coloured_) out += faint;
  append_visible_word(out, field.name);
  out += '=';
  if (coloured_) out += no_colour;
  append_readable_value(out, secrets_.covers(field.name) ? log_value(redacted) : field.value);
}

std::string line_format::line(timestamp time, log_level level, std::string_view message,
                              std::string_view bound, log_fields fields) const {
  std::string out;
  out.reserve(256 + bound.size());
  if (json_) {
    out += R"({"time":")";
    append_text(out, time);
    out += R"(","level":")";
    out += to_text(level);
    out += R"(","msg":)";
    append_json_text(out, message);
  } else {
    const auto& shown = looks[std::min(static_cast<std::size_t>(level), looks.size() - 1)];
    if (coloured_) out += faint;
    out += std::string_view(to_text(time)).substr(11, 12);
    if (coloured_) out += no_colour;
    out += ' ';
    if (coloured_) out += shown.colour;
    out += shown.name;
    if (coloured_) out += no_colour;
    out += ' ';
    append_visible(out, message);
  }
  out += bound;
  for (const auto& field : fields) append_field(out, field);
  out += json_ ? "}\n" : "\n";
  return out;
}

}  // namespace corbel::observe
