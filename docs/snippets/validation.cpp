#include <doctest/doctest.h>
#include <corbel/base/json/writer.hpp>
#include <corbel/corbel.hpp>
#include <corbel/schema/json_schema.hpp>
#include <corbel/schema/parse.hpp>
#include <corbel/schema/validator.hpp>

#include <charconv>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace {

// region: describe
enum class plan { solo, team };
constexpr auto describe(corbel::tag<plan>) {
  using namespace corbel::rules;
  return enumeration(value("solo", plan::solo), value("team", plan::team));
}

struct address {
  std::string street;
  std::string country;
};
constexpr auto describe(corbel::tag<address>) {
  using namespace corbel::rules;
  return object(field("street", &address::street, text().trim().min(1).max(200)),
                field("country", &address::country, text().pattern("^[A-Z]{2}$")));
}

struct signup {
  std::string email;
  std::optional<std::string> nickname;
  plan chosen = plan::solo;
  int seats = 1;
  address billing;
  std::vector<std::string> tags;
  std::map<std::string, int> quotas;
};
constexpr auto describe(corbel::tag<signup>) {
  using namespace corbel::rules;
  using s = signup;
  return object(field("email", &s::email, text().email()),                        // required
                field("nickname", &s::nickname, text().min(3)),                   // may be absent or null
                field("plan", &s::chosen, defaulted()),                           // absent: plan::solo
                field("seats", &s::seats, number().between(1, 500).defaulted()),  // absent: 1
                field("billing", &s::billing),                                    // a struct of its own
                field("tags", &s::tags, list_of(text().min(1).max(20)).max(5).unique().defaulted()),
                field("quotas", &s::quotas, list_of(number().min(0)).defaulted()))  // any names
      .refine([](const signup& in) { return in.chosen == plan::team || in.seats == 1; },
              "must be 1 without the team plan", "/seats");
}
// end: describe

constexpr const char* good_signup =
    R"({"email":"ada@example.com","billing":{"street":" Main St 1 ","country":"DE"}})";

struct presence {
  int plain = 1;
  std::optional<int> maybe;
  int kept = 2;
  std::optional<int> both = 3;
  std::optional<int> set = 4;
};
constexpr auto describe(corbel::tag<presence>) {
  using namespace corbel::rules;
  using p = presence;
  return object(field("plain", &p::plain), field("maybe", &p::maybe), field("kept", &p::kept, defaulted()),
                field("both", &p::both, defaulted()), field("set", &p::set));
}

// region: tree
struct comment {
  std::string text;
  std::vector<comment> replies;
};
constexpr auto describe(corbel::tag<comment>) {
  using namespace corbel::rules;
  return object(field("text", &comment::text, text().min(1)),
                field("replies", &comment::replies, list_of().max(50).defaulted()));
}
// end: tree

// region: union
struct card {
  std::string number;
};
constexpr auto describe(corbel::tag<card>) {
  using namespace corbel::rules;
  return object(field("number", &card::number, text().pattern("^[0-9]{12,19}$")));
}
struct invoice {
  std::string purchase_order;
};
constexpr auto describe(corbel::tag<invoice>) {
  using namespace corbel::rules;
  return object(field("purchaseOrder", &invoice::purchase_order));
}

using payment = std::variant<card, invoice>;
constexpr auto describe(corbel::tag<payment>) {
  using namespace corbel::rules;
  return one_of("method", alternative<card>("card"), alternative<invoice>("invoice"));
}
// end: union

// region: scalar
struct cents {
  std::int64_t amount = 0;
};
std::string to_text(const cents& c) {
  return std::to_string(c.amount) + " ct";
}
constexpr std::string_view expectation(corbel::tag<cents>) {
  return "an amount such as 950 ct";
}
std::optional<cents> from_text(corbel::tag<cents>, std::string_view text) {
  if (!text.ends_with(" ct")) return {};
  text.remove_suffix(3);
  cents read;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), read.amount);
  if (wrong != std::errc{} || end != text.data() + text.size()) return {};
  return read;
}
// end: scalar

// region: refine
struct booking {
  cents price;
  std::string room;
  corbel::date from{};
  corbel::date until{};
};
constexpr auto describe(corbel::tag<booking>) {
  using namespace corbel::rules;
  using b = booking;
  return object(
             field("price", &b::price,
                   any().refine([](const cents& c) { return c.amount > 0; }, "must be more than 0 ct")),
             field("room", &b::room,
                   text().refine([](const std::string& r) { return r != "13"; }, "is no room of this house")),
             field("from", &b::from), field("until", &b::until))
      .refine([](const booking& all) { return all.from < all.until; }, "must be after from", "/until");
}
// end: refine

// region: open
struct webhook {
  std::string event;
};
constexpr auto describe(corbel::tag<webhook>) {
  using namespace corbel::rules;
  return object(field("event", &webhook::event)).open();  // a sender may add members at any time
}
// end: open

// region: patch
struct profile {
  std::string name = "Ada";
  std::optional<std::string> motto;
  int visible_days = 30;
};
constexpr auto describe(corbel::tag<profile>) {
  using namespace corbel::rules;
  using p = profile;
  return object(field("name", &p::name, text().trim().min(1)), field("motto", &p::motto),
                field("visibleDays", &p::visible_days, number().between(1, 90).defaulted()));
}

corbel::result<profile> change_profile(corbel::merge_body<profile> changes, corbel::state<profile> stored) {
  if (auto merged = changes.apply_to(*stored); !merged) return std::move(merged).error();
  return *stored;
}
// end: patch

// region: schema_file
corbel::result<std::string> accept_order(corbel::request& in,
                                         corbel::state<corbel::schema::validator> rules) {
  nlohmann::json order;
  if (auto read = rules->check_text(in.body(), "body", {}, &order); !read) return std::move(read).error();
  return order["id"].get<std::string>();
}
// end: schema_file

using pairs = std::vector<std::pair<std::string, std::string>>;

template <class T>
pairs broken(const corbel::result<T>& outcome) {
  pairs all;
  if (outcome) return all;
  CHECK(outcome.error().kind() == corbel::error_kind::invalid);
  for (const auto& v : outcome.error().violations()) all.emplace_back(v.path, v.rule);
  return all;
}

template <class T>
pairs parsed(std::string_view text) {
  return broken(corbel::schema::parse<T>(text));
}

}  // namespace

TEST_CASE("the validation page's types hold their rules") {
  const auto good = corbel::schema::parse<signup>(good_signup);
  REQUIRE(good);
  CHECK(good->billing.street == "Main St 1");
  CHECK(good->seats == 1);
  CHECK(corbel::json::to_text(*good) ==
        R"({"email":"ada@example.com","plan":"solo","seats":1,"billing":{"street":"Main St 1",)"
        R"("country":"DE"},"tags":[],"quotas":{}})");
  CHECK(parsed<signup>(R"({"email":"ada@example.com","seats":2,"billing":{"street":"x","country":"DE"}})") ==
        pairs{{"/seats", "refine"}});
  CHECK(parsed<signup>(R"({"email":"a@b.example","billing":{"street":"x","country":"DE"},"quotas":{"gpu":-1},
                           "tags":["a","a"]})") ==
        pairs{{"/quotas/gpu", "minimum"}, {"/tags", "uniqueItems"}});
}

TEST_CASE("what is wrong is listed, all of it") {
  // region: parse
  const auto read = corbel::schema::parse<signup>(
      R"({"email":"ada","seats":0,"billing":{"street":"  ","country":"de","zip":"1"},"tags":["a",7]})");
  if (!read)
    for (const auto& wrong : read.error().violations())  // wrong.in is "body"
      std::printf("%s: %s (%s)\n", wrong.path.c_str(), wrong.message.c_str(), wrong.rule.c_str());
  // end: parse
  REQUIRE_FALSE(read);
  std::string shown;
  for (const auto& wrong : read.error().violations())
    shown += wrong.path + ": " + wrong.message + " (" + wrong.rule + ")\n";
  // The page shows this text.
  CHECK(shown ==
        "/email: must be an email address such as ada@example.org (format)\n"
        "/seats: must be at least 1 (minimum)\n"
        "/billing/street: must not be empty (minLength)\n"
        "/billing/country: must match the pattern ^[A-Z]{2}$ (pattern)\n"
        "/billing/zip: is not known here; the members are street, country (additionalProperties)\n"
        "/tags/1: must be a string, not a number (type)\n");
}

namespace {

struct words {
  std::string fixed, shaped, mail, link, id, at, day, host, four, six, choice, shout;
  double open = 0.5, step = 0.5;
  int low = 2, high = 2;
  std::vector<int> few;
};
constexpr auto describe(corbel::tag<words>) {
  using namespace corbel::rules;
  using w = words;
  return object(
      field("fixed", &w::fixed, text().length(2)), field("shaped", &w::shaped, text().pattern("b+")),
      field("mail", &w::mail, text().email()), field("link", &w::link, text().url()),
      field("id", &w::id, text().uuid()), field("at", &w::at, text().date_time()),
      field("day", &w::day, text().date()), field("host", &w::host, text().hostname()),
      field("four", &w::four, text().ipv4()), field("six", &w::six, text().ipv6()),
      field("choice", &w::choice, text().one_of("a", "b")), field("shout", &w::shout, text().trim().max(2)),
      field("open", &w::open, number().more_than(0).less_than(1)),
      field("step", &w::step, number().multiple_of(0.1)), field("low", &w::low, number().min(2)),
      field("high", &w::high, number().max(2)), field("few", &w::few, list_of().min(1).max(2).unique()));
}

}  // namespace

TEST_CASE("every word of the page's table") {
  CHECK(parsed<words>(R"({"fixed":"aé","shaped":"abba","mail":"a@b.example","link":"https://b.example/x",
      "id":"0190a5b0-6c1e-7cc0-8000-0123456789AB","at":"2026-01-02T03:04:05+02:00","day":"2026-01-02",
      "host":"db-1","four":"10.0.0.1","six":"::1","choice":"b","shout":" ab\n","open":0.5,"step":0.3,
      "low":2,"high":2,"few":[1,2]})")
            .empty());
  CHECK(
      parsed<words>(R"({"fixed":"abc","shaped":"a","mail":"a","link":"urn:isbn:1","id":"1","at":"2026-01-02",
      "day":"2026-13-01","host":"-","four":"1.2.3","six":"1","choice":"c","shout":"abc","open":1,"step":0.35,
      "low":1,"high":3,"few":[]})") == pairs{{"/fixed", "maxLength"},
                                             {"/shaped", "pattern"},
                                             {"/mail", "format"},
                                             {"/link", "format"},
                                             {"/id", "format"},
                                             {"/at", "format"},
                                             {"/day", "format"},
                                             {"/host", "format"},
                                             {"/four", "format"},
                                             {"/six", "format"},
                                             {"/choice", "enum"},
                                             {"/shout", "maxLength"},
                                             {"/open", "exclusiveMaximum"},
                                             {"/step", "multipleOf"},
                                             {"/low", "minimum"},
                                             {"/high", "maximum"},
                                             {"/few", "minItems"}});
}

TEST_CASE("presence") {
  const auto read = corbel::schema::parse<presence>(R"({"plain":7})");
  REQUIRE(read);
  CHECK_FALSE(read->maybe);
  CHECK(read->kept == 2);
  CHECK(read->both == 3);
  CHECK(read->set == 4);
  CHECK(parsed<presence>("{}") == pairs{{"/plain", "required"}});
  CHECK(parsed<presence>(R"({"plain":null,"kept":null})") == pairs{{"/plain", "type"}, {"/kept", "type"}});
  const auto nulls = corbel::schema::parse<presence>(R"({"plain":7,"maybe":null,"both":null,"set":null})");
  REQUIRE(nulls);
  CHECK_FALSE(nulls->maybe);
  CHECK_FALSE(nulls->both);
  CHECK_FALSE(nulls->set);
  CHECK(corbel::json::to_text(*nulls) == R"({"plain":7,"kept":2})");
}

TEST_CASE("trees, unions, scalars and checks of one's own") {
  CHECK(parsed<comment>(R"({"text":"a","replies":[{"text":"b","replies":[{"text":""}]}]})") ==
        pairs{{"/replies/0/replies/0/text", "minLength"}});
  const auto paid = corbel::schema::parse<payment>(R"({"number":"4111111111111111","method":"card"})");
  REQUIRE(paid);
  CHECK(std::holds_alternative<card>(*paid));
  CHECK(corbel::json::to_text(*paid) == R"({"method":"card","number":"4111111111111111"})");
  CHECK(parsed<payment>(R"({"method":"invoice","number":"1"})") ==
        pairs{{"/number", "additionalProperties"}, {"/purchaseOrder", "required"}});
  CHECK(parsed<payment>(R"({"method":"cash"})") == pairs{{"/method", "enum"}});
  CHECK(parsed<payment>(R"({"number":"1"})") == pairs{{"/method", "required"}});

  CHECK(parsed<booking>(R"({"price":"0 ct","room":"13","from":"2026-01-02","until":"2026-01-02"})") ==
        pairs{{"/price", "refine"}, {"/room", "refine"}});
  CHECK(parsed<booking>(R"({"price":"9 ct","room":"12","from":"2026-01-02","until":"2026-01-02"})") ==
        pairs{{"/until", "refine"}});
  const auto bad =
      corbel::schema::parse<booking>(R"({"price":"9","room":"1","from":"2026-02-30","until":7})");
  CHECK(broken(bad) == pairs{{"/price", "format"}, {"/from", "format"}, {"/until", "type"}});
  CHECK(bad.error().violations().at(0).message == "must be an amount such as 950 ct");
  CHECK(parsed<webhook>(R"({"event":"paid","extra":[1]})").empty());
}

TEST_CASE("malformed and invalid") {
  const auto said = [](std::string_view text) {
    const auto read = corbel::schema::parse<webhook>(text);
    return read ? std::string("fine") : read.error().code() + ": " + read.error().message();
  };
  // The page shows these two.
  CHECK(
      said(R"({"event":"a")") ==
      "malformed_json: The JSON text is malformed at byte 12 (counted from 0): expected ',' or '}', but the "
      "text ends there.");
  CHECK(said(R"({"event":1})") == "validation_failed: body/event must be a string, not a number.");
  const auto is_malformed = [&](std::string_view text) { return said(text).starts_with("malformed_json: "); };
  CHECK(is_malformed(""));
  CHECK(is_malformed(R"({"event":"a","event":"b"})"));
  CHECK(is_malformed(R"({"event":"a","more":1e999})"));
  CHECK(is_malformed(R"({"event":"a"} x)"));
  CHECK(is_malformed("{\"event\":\"\xff\"}"));
  CHECK(is_malformed("{\"event\":\"\\ud800\"}"));
  CHECK(is_malformed(R"({"event":"a","more":)" + std::string(64, '[') + std::string(64, ']') + "}"));
  CHECK(said(R"({"event":"a","more":)" + std::string(63, '[') + std::string(63, ']') + "}") == "fine");
  std::string many;
  for (int i = 0; i < 200; ++i) many += (i ? ",\"\"" : "\"\"");
  const auto capped = corbel::schema::parse<signup>(
      R"({"email":"a@b.example","billing":{"street":"x","country":"DE"},"tags":[)" + many + "]}");
  CHECK(capped.error().violations().size() == 100);
}

namespace {
struct unsound {
  std::string code;
};
constexpr auto describe(corbel::tag<unsound>) {
  using namespace corbel::rules;
  return object(field("code", &unsound::code, text().pattern("(?=a)")));
}
}  // namespace

TEST_CASE("a pattern that does not compile stops the start") {
  corbel::app server;
  server.post("/x", [](corbel::body<unsound> in) { return in->code; });
  CHECK_THROWS_AS((void)server.inject(corbel::post("/x").json("{}")), corbel::wiring_error);
  CHECK_FALSE(corbel::schema::verify(corbel::type_of<unsound>()));
}

TEST_CASE("rules without a text") {
  // region: check
  signup edited = corbel::schema::parse<signup>(good_signup).value();
  edited.tags = {"a", "a"};
  const auto fine = corbel::schema::check(edited);  // /tags: must not have equal items
  // end: check
  CHECK(broken(fine) == pairs{{"/tags", "uniqueItems"}});
  CHECK(fine.error().violations().at(0).in == "value");
  edited.tags.clear();
  edited.billing.street = "  Side St 2 ";
  CHECK(corbel::schema::check(edited));
  CHECK(edited.billing.street == "Side St 2");
  CHECK(corbel::schema::verify(corbel::type_of<signup>()));
}

TEST_CASE("merge patches") {
  profile stored;
  stored.motto = "Onward";
  corbel::app server;
  server.provide(stored);
  server.patch("/me", &change_profile);
  const auto send = [&](std::string body) {
    return server.inject(corbel::patch("/me").body(std::move(body), "application/merge-patch+json"));
  };
  CHECK(send(R"({"motto":null,"visibleDays":7})").body() == R"({"name":"Ada","visibleDays":7})");
  CHECK(send(R"({"visibleDays":null})").body() == R"({"name":"Ada","visibleDays":30})");
  CHECK(send(R"({"name":null})").code() == 400);
  CHECK(send(R"({"name":null})").body().find("is required and cannot be null") != std::string::npos);
  // An initialiser comes back, of an optional too.
  presence value;
  value.set = 9;
  const auto cleared = corbel::schema::merge_patch<presence>::parse(R"({"set":null,"both":null})");
  REQUIRE(cleared);
  REQUIRE(cleared->apply_to(value));
  CHECK(value.set == 4);
  CHECK(value.both == 3);
  CHECK(send(R"({"unknown":1})").code() == 400);
  CHECK(server.inject(corbel::patch("/me").body("{}", "text/plain")).code() == 415);
}

TEST_CASE("published schemas") {
  // region: publish
  const std::string published = corbel::schema::json_schema<address>();
  // end: publish
  // The page shows this text.
  CHECK(published ==
        R"({"type":"object","properties":{"street":{"type":"string","minLength":1,"maxLength":200},)"
        R"("country":{"type":"string","pattern":"^[A-Z]{2}$"}},"required":["street","country"],)"
        R"("additionalProperties":false})");
  CHECK(corbel::schema::json_schema<payment>().starts_with(
      R"({"oneOf":[{"type":"object","properties":{"method":{"const":"card"},)"));
  CHECK(corbel::schema::json_schema<comment>().starts_with(
      R"({"$ref":"#/$defs/type1","$defs":{"type1":{"type":"object",)"));
  CHECK(corbel::schema::json_schema<booking>().starts_with(
      R"({"type":"object","properties":{"price":{"type":"string"},"room":{"type":"string"},)"));
}

TEST_CASE("rules that are a file") {
  // region: compile
  const auto rules = corbel::schema::from_json_schema(R"({
    "type": "object", "required": ["id"], "additionalProperties": false,
    "properties": {"id": {"type": "string", "pattern": "^o-[0-9]+$"},
                   "lines": {"type": "array", "maxItems": 100}}})");
  if (!rules) throw corbel::failure(rules.error());
  // end: compile
  auto provided = *rules;
  corbel::app server;
  server.provide(provided);
  server.post("/orders", &accept_order);
  CHECK(server.inject(corbel::post("/orders").json(R"({"id":"o-1"})")).body() == "o-1");
  const auto bad = server.inject(corbel::post("/orders").json(R"({"id":"x","color":1})"));
  CHECK(bad.code() == 400);
  CHECK(bad.body().find(R"("errors":[{"in":"body","path":"/id","rule":"pattern",)"
                        R"("message":"must match the pattern ^o-[0-9]+$"},{"in":"body","path":"/color",)") !=
        std::string::npos);
  CHECK(server.inject(corbel::post("/orders").json("{")).body().find("malformed_json") != std::string::npos);
  // The page shows this text.
  CHECK(corbel::schema::from_json_schema(R"({"minContains":2})").error().message() ==
        "The JSON Schema cannot be used: at #, the keyword minContains is not supported.");
}
