// The model's name in a request's body, wherever it stands and however the body is cut in pieces.
#include "format/model_field.h"

#include <gtest/gtest.h>
#include <random>
#include <rapidcheck/gtest.h>

#include "format/json_tree.h"
#include "format/json_writer.h"

namespace estiva::format {
namespace {

struct Outcome {
  ModelField field;
  std::string name;
  std::uint64_t begin = 0, end = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome scan(ModelScanner& scanner, std::string_view body, std::size_t piece) {
  ModelField field = ModelField::more;
  for (std::size_t at = 0; at < body.size(); at += piece)
    field = scanner.feed(body.substr(at, piece));
  field = scanner.finish();
  if (field != ModelField::found) return {field, {}};
  return {field, scanner.name(), scanner.begin(), scanner.end()};
}

// The same for every way to cut it.
Outcome json(std::string_view body) {
  const Outcome whole = scan(*scan_json_model(), body, body.size() + 1);
  for (const std::size_t piece : {1, 2, 3, 5, 7})
    EXPECT_EQ(scan(*scan_json_model(), body, piece), whole);
  return whole;
}

Outcome form(std::string_view body, std::string_view boundary = "xYz") {
  const Outcome whole = scan(*scan_form_model(boundary), body, body.size() + 1);
  for (const std::size_t piece : {1, 2, 3, 5, 7})
    EXPECT_EQ(scan(*scan_form_model(boundary), body, piece), whole);
  return whole;
}

struct Case {
  std::string_view what, body;
  ModelField field;
  std::string_view name, value;  // the value as it stands in the body
};

TEST(ModelField, OfJson) {
  const Case cases[] = {
      {"first", R"({"model":"a","x":1})", ModelField::found, "a", R"("a")"},
      {"last, behind blanks", "\n { \"x\" : [1,{}] ,\t\"model\" :\r\n \"a/b:8b\" } ",
       ModelField::found, "a/b:8b", R"("a/b:8b")"},
      {"with escapes", R"({"model":"a\"\\\u00e9\/b"})", ModelField::found, "a\"\\é/b",
       R"("a\"\\\u00e9\/b")"},
      {"its own name escaped", R"({"\u006dod\u0065l":"a"})", ModelField::found, "a", R"("a")"},
      {"in capitals, as Go reads it", R"({"Model":"a"})", ModelField::found, "a", R"("a")"},
      {"deeper ones don't count", R"({"x":{"model":"b"},"y":[{"model":"c"}],"model":"a"})",
       ModelField::found, "a", R"("a")"},
      {"text that looks like it", R"({"x":"\"model\":\"b\"}","y":"\\","model":"a"})",
       ModelField::found, "a", R"("a")"},
      {"brackets in text", R"({"x":["}]","{[\\\"]}"],"model":"a"})", ModelField::found, "a",
       R"("a")"},
      {"longer names of members", R"({"models":"b","mode":"c","model ":"d","model":"a"})",
       ModelField::found, "a", R"("a")"},
      {"numbers and words", R"({"a":1,"b":-2.5e+3,"c":true,"d":null,"model":"a"})",
       ModelField::found, "a", R"("a")"},
      {"none", R"({"x":"model"})", ModelField::absent, "", ""},
      {"an empty object", "{}", ModelField::absent, "", ""},
      {"only deeper", R"({"x":{"model":"a"}})", ModelField::absent, "", ""},
      {"twice", R"({"model":"a","model":"b"})", ModelField::ambiguous, "", ""},
      {"twice the same", R"({"model":"a","x":[],"model":"a"})", ModelField::ambiguous, "", ""},
      {"twice, one in capitals", R"({"model":"a","MODEL":"b"})", ModelField::ambiguous, "", ""},
      {"twice, one escaped", R"({"model":"a","mode\u006c":"b"})", ModelField::ambiguous, "", ""},
      {"twice, the second no text", R"({"model":"a","model":null})", ModelField::ambiguous, "", ""},
      {"a number", R"({"model":3})", ModelField::no_name, "", ""},
      {"null", R"({"model":null})", ModelField::no_name, "", ""},
      {"an object", R"({"model":{"id":"a"}})", ModelField::no_name, "", ""},
      {"empty", R"({"model":""})", ModelField::no_name, "", ""},
      {"an array", R"([{"model":"a"}])", ModelField::malformed, "", ""},
      {"a text", R"("model")", ModelField::malformed, "", ""},
      {"broken off", R"({"model":"a")", ModelField::malformed, "", ""},
      {"broken off in a text", R"({"model":"a)", ModelField::malformed, "", ""},
      {"nothing", "", ModelField::malformed, "", ""},
      {"no comma", R"({"model":"a" "x":1})", ModelField::malformed, "", ""},
      {"no colon", R"({"model" "a"})", ModelField::malformed, "", ""},
      {"a comma too many", R"({"model":"a",})", ModelField::malformed, "", ""},
      {"no value", R"({"x":,"model":"a"})", ModelField::malformed, "", ""},
      {"a bad escape in the model", R"({"model":"\u12"})", ModelField::malformed, "", ""},
      {"a line break in the model", "{\"model\":\"a\nb\"}", ModelField::malformed, "", ""},
      {"no UTF-8 in the model", "{\"model\":\"a\xff\"}", ModelField::malformed, "", ""},
      // Found by the fuzzer: what is unquoted has to be a JSON text first.
      {"a bad escape in another name", "{\"\\u01\xef\":1,\"model\":\"a\"}", ModelField::found, "a",
       R"("a")"},
      {"single quotes", R"({'model':'a'})", ModelField::malformed, "", ""},
  };
  for (const Case& one : cases) {
    const Outcome outcome = json(one.body);
    EXPECT_EQ(outcome.field, one.field) << one.what;
    EXPECT_EQ(outcome.name, one.name) << one.what;
    if (one.field == ModelField::found) {
      EXPECT_EQ(one.body.substr(outcome.begin, outcome.end - outcome.begin), one.value) << one.what;
    }
  }
}

TEST(ModelField, IsFoundBehindTwoMegabytesAndIsNeverLongerThanItMay) {
  const std::string prompt(2 << 20, '\\');
  EXPECT_EQ(json("{\"p\":\"" + prompt + "\",\"model\":\"a\"}").name, "a");
  const std::string longest(kLongestModel - 2, 'm');
  EXPECT_EQ(json("{\"model\":\"" + longest + "\"}").name, longest);
  EXPECT_EQ(json("{\"model\":\"m" + longest + "\"}").field, ModelField::no_name);
  EXPECT_EQ(json("{\"model\":\"" + prompt + "\"}").field, ModelField::no_name);
}

TEST(ModelField, AnotherNameIsWrittenAsTheBodyNeedsIt) {
  EXPECT_EQ(scan_json_model()->written("a\"b"), R"("a\"b")");
  EXPECT_EQ(scan_form_model("x")->written("a\"b"), "a\"b");
}

TEST(ModelField, AStreamIsWantedWhereTheMemberSaysTrue) {
  const auto wants = [](std::string_view body) {
    const auto scanner = scan_json_model();
    for (const char& c : body) (void)scanner->feed({&c, 1});
    return scanner->wants_stream();
  };
  EXPECT_TRUE(wants(R"({"model":"a","stream": true })"));
  EXPECT_TRUE(wants(R"({"stream":true,"model":"a"})"));
  for (const std::string_view body :
       {R"({"stream":false})", R"({"stream":"true"})", R"({"x":{"stream":true}})",
        R"({"stream":truetruetrue})", R"({"stream":[true]})", R"({"streams":true})",
        R"({"stream":true,"stream":false})"})
    EXPECT_FALSE(wants(body)) << body;
}

// Against the reader of whole documents that the rest of the product uses.
RC_GTEST_PROP(ModelField, AgreesWithAReaderOfTheWholeDocument, ()) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object();
  const auto names = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("model", "mode", "x", "\"model\"", "é\\", ""));
  std::vector<std::string> seen;
  for (const std::string& name : names) {
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
    seen.push_back(name);
    writer.key(name);
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        writer.value(*rc::gen::arbitrary<int>());
        break;
      case 1:
        writer.begin_array().value("model").begin_object().field("model", "deep");
        writer.end_object().end_array();
        break;
      default:
        writer.value(*rc::gen::string<std::string>());
    }
  }
  writer.end_object();
  const auto tree = JsonTree::parse(body);
  RC_ASSERT(tree.has_value());
  const JsonNode model = tree->root()["model"];
  const Outcome outcome = scan(*scan_json_model(), body, 1 + *rc::gen::inRange<std::size_t>(0, 40));
  const bool is_name = model.text() && !model.text()->empty();
  if (!model) RC_ASSERT(outcome.field == ModelField::absent);
  if (model && !is_name) RC_ASSERT(outcome.field == ModelField::no_name);
  if (is_name) {
    RC_ASSERT(outcome.field == ModelField::found);
    RC_ASSERT(outcome.name == *model.text());
  }
}

TEST(ModelField, OfAForm) {
  const std::string_view model = "Content-Disposition: form-data; name=\"model\"\r\n\r\n";
  const std::string file =
      "Content-Disposition: form-data; name=\"file\"; filename=\"m\"\r\nContent-Type: x\r\n\r\n";
  const auto body = [](std::initializer_list<std::string> parts) {
    std::string text;
    for (const std::string& part : parts) text += "--xYz\r\n" + part + "\r\n";
    return text + "--xYz--\r\n";
  };
  const std::string one = std::string(model) + "whisper-1";
  const std::string text = body({file + "\r\n--xY\r\r\n--xYx", one});
  const Outcome found = form(text);
  EXPECT_EQ(found.name, "whisper-1");
  EXPECT_EQ(text.substr(found.begin, found.end - found.begin), "whisper-1");
  EXPECT_EQ(form(body({one, file + "x"})).name, "whisper-1");
  EXPECT_EQ(form("a preamble\r\n" + body({one})).name, "whisper-1");
  EXPECT_EQ(form(body({"content-disposition:form-data;name=model\r\n\r\na"})).name, "a");
  EXPECT_EQ(
      form(body({"X: y\r\ncontent-disposition: form-data; x=\"a;b\"; name=\"model\"\r\n\r\na"}))
          .name,
      "a");
  EXPECT_EQ(form(body({file + "x"})).field, ModelField::absent);
  EXPECT_EQ(form(body({one, one})).field, ModelField::ambiguous);
  EXPECT_EQ(form(body({std::string(model)})).field, ModelField::no_name);
  EXPECT_EQ(form(body({std::string(model) + std::string(5000, 'm')})).field, ModelField::no_name);
  // A file that calls itself so is no field.
  EXPECT_EQ(
      form(body({"Content-Disposition: form-data; name=\"model\"; filename=\"f\"\r\n\r\na"})).field,
      ModelField::absent);
  EXPECT_EQ(form("--xYz\r\n" + one).field, ModelField::malformed);
  EXPECT_EQ(form("--xYzq\r\n" + one).field, ModelField::malformed);
  EXPECT_EQ(form("").field, ModelField::malformed);
}

TEST(ModelField, TheContentTypeDecidesHowItIsRead) {
  const std::string form =
      "--b c\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\na\r\n--b c--";
  EXPECT_EQ(scan(*scan_model("multipart/form-data; boundary=\"b c\""), form, 9).name, "a");
  EXPECT_EQ(scan(*scan_model("Multipart/Form-Data; charset=x; boundary=b c"), form, 9).name, "a");
  EXPECT_EQ(scan_model("multipart/form-data"), nullptr);
  EXPECT_EQ(scan_model("multipart/form-data; boundary="), nullptr);
  for (const std::string_view type : {"application/json", "", "application/x-www-form-urlencoded"})
    EXPECT_EQ(scan(*scan_model(type), R"({"model":"a"})", 9).name, "a");
}

}  // namespace
}  // namespace estiva::format
