#include "corbel/http/multipart.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "http/form_bodies.hpp"

using namespace corbel;
using namespace std::string_literals;

namespace {

const std::string b = "----WebKitFormBoundary7MA4YWxk";

std::string code_of(std::string_view body, multipart_limits limits = {}) {
  const auto made = forms::parse(b, body, limits);
  return made.error.substr(0, made.error.find(':'));
}

std::string head(std::string_view disposition) {
  const auto made = parse_part_head("Content-Disposition: " + std::string(disposition) + "\r\n");
  if (!made) return "refused";
  return made->name + (made->filename ? "|" + *made->filename : "");
}

}  // namespace

TEST_CASE("a form is taken apart") {
  const auto made =
      forms::parse(b, forms::field(b, "title", "Two\r\nlines") +
                          forms::file(b, "photo", "a.png", "image/png", "\x89PNG\r\n\x1a\n--"s) +
                          forms::field(b, "empty", "") +
                          forms::file(b, "photo", "", "application/octet-stream", "") + forms::closing(b));
  CHECK(made.error == "");
  CHECK(made.parts == std::vector<forms::part>{{"title", "", "text/plain", "Two\r\nlines", false},
                                               {"photo", "a.png", "image/png", "\x89PNG\r\n\x1a\n--"s, true},
                                               {"empty", "", "text/plain", "", false},
                                               {"photo", "", "application/octet-stream", "", true}});
  CHECK(forms::parse(b, forms::closing(b)).error == "");
  CHECK(forms::parse(b, "--" + b + "--").error == "");
  CHECK(forms::parse(b, "a preamble\r\n" + forms::field(b, "a", "1") + forms::closing(b) + "epilogue")
            .parts.size() == 1);
  // Padding behind a boundary, which transports may have added.
  CHECK(forms::parse(
            b, "--" + b + " \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--" + b + "-- \r\n")
            .parts.at(0)
            .data == "1");
}

TEST_CASE("cut anywhere, a body gives the same parts") {
  const auto body = "x\r\n" + forms::field(b, "a", "\r\n--" + b.substr(0, 20) + "\r\r\n-\r\n--") +
                    forms::file(b, "f", "n", "a/b", std::string(300, '\r') + "\n--" + b.substr(1)) +
                    forms::closing(b) + "y";
  const auto whole = forms::parse(b, body);
  REQUIRE(whole.error == "");
  REQUIRE(whole.parts.size() == 2);
  CHECK(forms::parse(b, body, [](std::size_t) { return std::size_t{1}; }) == whole);
  for (std::size_t at = 1; at < body.size(); ++at) {
    bool first = true;
    const auto made =
        forms::parse(b, body, [&](std::size_t left) { return std::exchange(first, false) ? at : left; });
    if (!(made == whole)) FAIL("cut at " << at << ": " << made.error);
  }
}

TEST_CASE("what could be read in two ways is refused") {
  const auto one = forms::field(b, "a", "1");
  const auto wrapped = [](std::string lines) {
    return "--" + b + "\r\n" + lines + "\r\n\r\nx\r\n" + forms::closing(b);
  };
  const std::string named = "Content-Disposition: form-data; name=\"a\"";
  CHECK(code_of(wrapped(named)) == "");
  for (const auto& bad : {
           ""s,
           one,
           one.substr(0, one.size() - 2),
           "nothing at all"s,
           one + "--" + b + "-",                                           // half a closing boundary
           one + "--" + b,                                                 // none
           one + "--" + b + "--garbage",                                   //
           one + "--" + b + "garbage\r\n",                                 // the beginning of a line
           "--" + b + "\n" + named + "\r\n\r\nx\r\n" + forms::closing(b),  // a bare LF behind the boundary
           "--" + b + "\r\r\n" + named + "\r\n\r\nx\r\n" + forms::closing(b),
           wrapped(""),
           wrapped("X: y"),
           wrapped(named + "\r\n" + named),
           wrapped(named + "\n"),
           wrapped(named + "\r"),
           wrapped(named + "\r\n folded"),
           wrapped(named + "\r\nno colon"),
           wrapped(named + "\r\nsp ace: x"),
           wrapped(named + "\r\nX: \0"s),
           wrapped("Content-Disposition: attachment; name=\"a\""),
           wrapped("Content-Disposition: form-data"),
           wrapped("Content-Disposition: form-data; filename=\"a\""),
           wrapped(named + "; name=\"b\""),
           wrapped(named + "; filename=a; filename=b"),
           wrapped(named + "; filename=\"a"),
           wrapped(named + "x"),
           wrapped(named + "; filename="),
           wrapped(named + "; filename=\"a\xff\""),
           wrapped(named + "; filename=\"a%0Ab\""),
           wrapped(named + "; filename=\"a%0Db\""),
           wrapped(named + "\r\nContent-Transfer-Encoding: base64"),
           wrapped(named + "\r\nContent-Type: a/b\r\nContent-Type: c/d"),
           wrapped(named + "\r\nContent-Type: text/plain; charset=utf-16"),
           wrapped(named + "\r\nContent-Type: multipart/mixed; boundary=inner"),
       }) {
    CAPTURE(bad);
    CHECK(code_of(bad) == "malformed_multipart");
  }
  CHECK(code_of(wrapped(named + "\r\nContent-Transfer-Encoding: binary")) == "");
  CHECK(code_of(wrapped(named + "\r\nContent-Type: text/plain; charset=\"UTF-8\"")) == "");
  for (const char* label : {"utf8", "ISO-8859-1", "windows-1252", "us-ascii"})
    CHECK(code_of(wrapped(named + "\r\nContent-Type: text/plain; charset=" + label)) == "");
  CHECK(code_of(wrapped(named + "; filename=\"m\"\r\nContent-Type: multipart/mixed; boundary=inner")) == "");
}

TEST_CASE("names are read as browsers and curl write them") {
  CHECK(head(R"(form-data; name="a"; filename="Grüße 你.txt")") == "a|Grüße 你.txt");
  CHECK(head(R"(form-data; name="say %22hi%22")") == R"(say "hi")");
  CHECK(head(R"(form-data; name="say \"hi\" \\ C:\dir")") == R"(say "hi" \ C:\dir)");
  CHECK(head(R"(form-data; name="100%2241%25%")") == R"(100"41%25%)");
  CHECK(head(R"(FORM-DATA ; NAME = a ; FileName=b.txt;)") == "a|b.txt");
  CHECK(head(R"(form-data; name="a;b"; filename="c;name=d")") == "a;b|c;name=d");
  CHECK(head(R"(form-data; name=""; filename="")") == "|");
  CHECK(head(R"(form-data; name="a"; filename*=UTF-8''x.txt)") == "a|x.txt");
  CHECK(head(R"(form-data; name="a"; filename*=utf-8'de'Gr%C3%BC%C3%9Fe.txt)") == "a|Grüße.txt");
  CHECK(head(R"(form-data; name="a"; filename*=ISO-8859-1''Gr%FC%DFe.txt)") == "a|Grüße.txt");
  CHECK(head(R"(form-data; name="a"; filename="=?UTF-8?B?w7w=?="; filename*=UTF-8''%C3%BC)") == "a|ü");
  for (const char* bad :
       {"UTF-8''%zz", "UTF-8''%00", "UTF-8''a%0Ab", "UTF-8''%ff", "utf-16''a", "plain", "a'b"})
    CHECK(head(std::string("form-data; name=\"a\"; filename*=") + bad) == "refused");
  CHECK(head(R"(form-data; name="a"; filename*=UTF-8''x; filename*=UTF-8''y)") == "refused");
  CHECK(head(R"(form-data; name="a"; filename*=UTF-8''x.txt; filename="y")") == "a|y");
  CHECK(head("form-data; name=\"a\tb\"") == "refused");
}

TEST_CASE("a file name is made fit for a directory") {
  CHECK(safe_file_name("photo.png") == "photo.png");
  CHECK(safe_file_name("../../etc/passwd") == "passwd");
  CHECK(safe_file_name("C:\\fakepath\\Urlaub ß.jpg") == "Urlaub ß.jpg");
  for (const auto* none : {"", ".", "..", "/", "a/", "\\", "...", " - ", "~"}) {
    CAPTURE(none);
    CHECK(safe_file_name(none) == "file");
  }
  CHECK(safe_file_name(".htaccess") == "htaccess");
  CHECK(safe_file_name("-rf") == "rf");
  CHECK(safe_file_name("a:b|c*\"?<>.txt. ") == "a_b_c_____.txt");
  CHECK(safe_file_name("nul.txt") == "_nul.txt");
  CHECK(safe_file_name("COM1") == "_COM1");
  CHECK(safe_file_name("console.txt") == "console.txt");
  CHECK(safe_file_name("photo\u202egnp.exe") == "photognp.exe");
  CHECK(safe_file_name("a\xff\x00z"s) == "a__z");
  std::string longest;
  for (int i = 0; i < 300; ++i) longest += "ü";
  const auto cut = safe_file_name(longest + ".jpeg");
  CHECK(cut.size() <= 200);
  CHECK(cut.substr(cut.size() - 7) == "ü.jpeg");
}

TEST_CASE("the boundary comes from Content-Type") {
  const auto of = [](std::string_view type) {
    const auto made = multipart_boundary(type);
    return made ? *made : made.error().code();
  };
  CHECK(of("multipart/form-data; boundary=abc") == "abc");
  CHECK(of("Multipart/Form-Data;charset=utf-8 ; Boundary=\"a b:c\"") == "a b:c");
  CHECK(of("multipart/form-data; boundary=----=_Part_1_2.3") == "----=_Part_1_2.3");
  CHECK(of("multipart/form-data; boundary=" + std::string(70, 'x')) == std::string(70, 'x'));
  for (const auto& bad :
       {"multipart/form-data"s, "multipart/form-data; boundary="s, "multipart/form-data; boundary=\"\""s,
        "multipart/form-data; boundary=\"a \""s, "multipart/form-data; boundary=a b"s,
        "multipart/form-data; boundary=a; boundary=a"s, "multipart/form-data; boundary=\"a"s,
        "multipart/form-data; boundary=a\"b"s, "multipart/form-data; boundary=ä"s,
        "multipart/form-data; boundary=" + std::string(71, 'x')}) {
    CAPTURE(bad);
    CHECK(of(bad) == "malformed_multipart");
  }
  CHECK(of("multipart/mixed; boundary=abc") == "unsupported_media_type");
  CHECK(of("application/x-www-form-urlencoded") == "unsupported_media_type");
  CHECK(multipart_boundary({}).error().kind() == error_kind::unsupported_media_type);
}

TEST_CASE("each limit holds") {
  multipart_limits limits;
  limits.fields = 3;
  limits.files = 2;
  limits.head_bytes = 100;
  limits.outside_bytes = 50;
  const auto field = forms::field(b, "a", "1");
  const auto file = forms::file(b, "f", "n", "a/b", "1");
  const auto end = forms::closing(b);
  CHECK(code_of(field + field + field + file + file + end, limits) == "");
  CHECK(code_of(field + field + field + field + end, limits) == "too_many_parts");
  CHECK(code_of(file + file + file + end, limits) == "too_many_parts");
  CHECK(code_of(forms::field(b, std::string(100, 'n'), "1") + end, limits) == "part_head_too_large");
  CHECK(code_of("--" + b + "\r\n" + std::string(1 << 20, 'x'), limits) == "part_head_too_large");
  CHECK(code_of(std::string(40, 'x') + "\r\n" + field + end, limits) == "");
  CHECK(code_of(std::string(60, 'x') + "\r\n" + field + end, limits) == "malformed_multipart");
  CHECK(code_of(field + end + std::string(40, 'x'), limits) == "");
  CHECK(code_of(field + end + std::string(60, 'x'), limits) == "malformed_multipart");
  CHECK(code_of("--" + b + std::string(60, ' ') + "\r\n", limits) == "malformed_multipart");
}

TEST_CASE("data that nearly is a boundary is data") {
  // Each is the worst for some naive search: a quadratic one would not end.
  const std::size_t size = 4u << 20;
  const auto repeated = [&](std::string_view what) {
    std::string all;
    while (all.size() < size) all += what;
    return all;
  };
  for (const auto& data : {repeated("\r"), repeated("\r\n"), repeated("\r\n--" + b.substr(0, b.size() - 1)),
                           repeated("\r\n-"), repeated("-")}) {
    const auto body = forms::file(b, "f", "n", "a/b", data) + forms::closing(b);
    std::mt19937 random(7);
    const auto made = forms::parse(
        b, body, [&](std::size_t left) { return std::min<std::size_t>(left, 1 + random() % 300); });
    CHECK(made.error == "");
    CHECK((made.parts.at(0).data == data));
  }
}

TEST_CASE("random changes never give what the whole body does not") {
  const std::uint32_t seed = 20240611;
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto good = forms::field(b, "title", "x\r\ny") +
                    forms::file(b, "f", "n.txt", "text/plain", "data\r\n--data") + forms::closing(b);
  const std::string bytes = "\r\n-\"; =\\%:\0\xff"s + b;
  for (int round = 0; round < 3000; ++round) {
    auto body = good;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      const auto at = random() % body.size();
      const auto c = bytes[random() % bytes.size()];
      switch (random() % 4) {
        case 0: body[at] = c; break;
        case 1: body.insert(at, 1, c); break;
        case 2: body.erase(at, 1 + random() % 3); break;
        default: body.insert(at, body.substr(random() % body.size(), random() % 60));
      }
    }
    const auto whole = forms::parse(b, body);
    const auto pieces = forms::parse(
        b, body, [&](std::size_t left) { return std::min<std::size_t>(left, 1 + random() % 9); });
    if (!(pieces == whole))
      FAIL("round " << round << ": " << whole.error << " / " << pieces.error << "\n" << body);
    for (const auto& part : whole.parts) CHECK(part.data.find("\r\n--" + b) == std::string::npos);
  }
}
