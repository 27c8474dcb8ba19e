// Random documents and random edits, against another parser. 10^4 in the ordinary suite, 10^6 with
// ESTIVA_LONG=1; ESTIVA_SEED=N replays document N alone.
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "format/json_edit.h"
#include "property/json_maker.h"
#include "property/json_model.h"

namespace estiva::property {
namespace {

using format::JsonEdit;

constexpr std::uint64_t kFirstSeed = 20260101;
constexpr std::uint64_t kOrdinary = 10'000, kLong = 1'000'000;
constexpr int kShards = 8;

struct Sum {
  std::uint64_t replaced = 0, inserted = 0, removed = 0, absent = 0, refused = 0;
  std::uint64_t bytes = 0, marks = 0, crlf = 0;
};

struct Change {
  Path path;
  std::string json;  // empty: remove
};

std::size_t common_front(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t n = 0;
  while (n < most && a[n] == b[n]) ++n;
  return n;
}

std::size_t common_end(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t n = 0;
  while (n < most && a[a.size() - 1 - n] == b[b.size() - 1 - n]) ++n;
  return n;
}

// Whether the longer text is the shorter one with one piece put in.
bool is_one_piece_more(std::string_view shorter, std::string_view longer) {
  return common_front(shorter, longer) + common_end(shorter, longer) >= shorter.size();
}

bool has_lone_newline(std::string_view text) {
  for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') return true;
  }
  return false;
}

// What is wrong with `after`, which should be `before` with the change; empty: nothing. `model` is
// the value of `before`.
std::string judge(const std::string& before, const std::string& after, const JsonModel& model,
                  const Change& change) {
  JsonModel wanted = model;
  const JsonModel* was = find_in(model, change.path);
  if (change.json.empty()) {
    remove_in(wanted, change.path);
  } else if (!set_in(wanted, change.path, *read_model(change.json))) {
    return "a change that had to be refused was made";
  }
  const auto now = read_model(after);
  if (!now) return "the result is no JSON";
  if (*now != wanted) return "the result has other values";
  const bool had_crlf = before.find('\r') != before.npos;
  if (!had_crlf && change.json.find('\r') == change.json.npos && after.find('\r') != after.npos)
    return "a CR came from nowhere";
  if (had_crlf && !has_lone_newline(before) && has_lone_newline(after) &&
      !has_lone_newline(change.json))
    return "a lone LF came from nowhere";
  if (change.json.empty())
    return is_one_piece_more(after, before) ? "" : "a removal changed more than one piece";
  if (was != nullptr) return "";  // judge_undo proves it
  Path above = change.path;
  above.pop_back();
  while (!above.empty() && find_in(model, above) == nullptr) above.pop_back();
  if (!find_in(model, above)->members.empty())
    return is_one_piece_more(before, after) ? "" : "an insertion changed more than one piece";
  // Into an empty object, or where null stood: that value, with its own blanks, is replaced.
  const auto old = JsonEdit::parse(before, "f");
  const auto hole = *old->find(above);
  if (!hole) return "";  // the document was empty
  const bool outside_is_same =
      common_front(before, after) >= hole->at &&
      common_end(before, after) >= before.size() - hole->at - hole->text.size();
  return outside_is_same ? "" : "an insertion changed more than the empty object";
}

class Documents : public testing::TestWithParam<int> {};

// A path to something that is there, or a step or three beyond.
Path some_path(JsonMaker& maker, const JsonModel& root) {
  Path path;
  const JsonModel* at = &root;
  while (at->kind == JsonModel::Kind::object && !at->members.empty() && !maker.one_in(4)) {
    const auto& [name, value] = at->members[maker.below(at->members.size())];
    path.push_back(name);
    at = &value;
  }
  if (path.empty() || maker.one_in(3)) {
    for (std::size_t n = 1 + maker.below(3); n > 0; --n) path.push_back(maker.name());
  }
  return path;
}

// Taking the change back has to give the old bytes, where it was a replacement or a new member
// beside others.
std::string judge_undo(JsonEdit& doc, const std::string& before, const JsonModel& model,
                       const Path& path, const std::optional<std::string>& was) {
  if (was) {
    if (!doc.set(path, *was) || doc.text() != before) return "setting back gives other bytes";
    return "";
  }
  Path made = path;
  while (made.size() > 1 && find_in(model, Path(made.begin(), made.end() - 1)) == nullptr)
    made.pop_back();
  const JsonModel* around = find_in(model, Path(made.begin(), made.end() - 1));
  if (around->members.empty()) return "";
  if (!doc.remove(made) || doc.text() != before) return "removing again gives other bytes";
  return "";
}

// One change of a document; the document is left with it.
std::string try_change(JsonMaker& maker, JsonEdit& doc, Sum& sum) {
  const std::string before = doc.text();
  const auto model = read_model(before);
  if (!model) return "the other parser does not take the document";
  Change change{some_path(maker, *model), {}};
  if (!maker.one_in(4)) change.json = maker.value(2);
  const auto found = doc.find(change.path);
  const JsonModel* there = find_in(*model, change.path);
  if (found && found->has_value() != (there != nullptr)) return "found what is not there";
  std::optional<std::string> was;
  if (found && *found) was = std::string((*found)->text);
  if (was && read_model(*was) != *there) return "found another value";
  bool done = false;
  if (change.json.empty()) {
    const auto removed = doc.remove(change.path);
    done = removed.has_value();
    if (done && *removed != (there != nullptr)) return "removed what is not there";
    (there != nullptr ? sum.removed : sum.absent) += done;
  } else {
    done = doc.set(change.path, change.json).has_value();
    (there != nullptr ? sum.replaced : sum.inserted) += done;
  }
  if (!done) {
    ++sum.refused;
    JsonModel copy = *model;
    if (set_in(copy, change.path, JsonModel{})) return "refused what had to be done";
    return doc.text() == before ? "" : "a refusal changed the text";
  }
  const auto after = doc.finish();
  if (!after) return after.error().what;
  if (std::string wrong = judge(before, *after, *model, change); !wrong.empty())
    return wrong + "\n" + *after;
  if (change.json.empty()) return "";
  if (was && before.size() - was->size() + change.json.size() != after->size())
    return "a replacement changed more than the value";
  JsonEdit copy = doc;
  if (!copy.set(change.path, change.json) || copy.text() != *after) return "twice is not once";
  return judge_undo(copy, before, *model, change.path, was);
}

std::string run_document(std::uint64_t seed, Sum& sum) {
  JsonMaker maker(seed);
  const std::string text = maker.document();
  auto doc = JsonEdit::parse(text, "f");
  if (!doc) return doc.error().what + "\n" + text;
  if (doc->text() != text) return "reading changed the text";
  sum.bytes += text.size();
  sum.marks += doc->has_byte_order_mark();
  sum.crlf += text.find('\r') != text.npos;
  for (std::size_t n = 1 + maker.below(3); n > 0; --n) {
    const std::string before = doc->text();
    if (std::string wrong = try_change(maker, *doc, sum); !wrong.empty())
      return wrong + "\n--- before:\n" + before;
  }
  return "";
}

TEST_P(Documents, ChangeOnlyWhereTheyAreEdited) {
  const char* replay = std::getenv("ESTIVA_SEED");
  if (replay && GetParam() > 0) GTEST_SKIP() << "ESTIVA_SEED replays one document, in shard 0";
  const std::uint64_t all = std::getenv("ESTIVA_LONG") ? kLong : kOrdinary;
  const std::uint64_t count = replay ? 1 : all / kShards;
  const std::uint64_t first = replay ? std::strtoull(replay, nullptr, 10)
                                     : kFirstSeed + count * static_cast<std::uint64_t>(GetParam());
  Sum sum;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const std::string wrong = run_document(seed, sum);
    ASSERT_TRUE(wrong.empty()) << "replay with ESTIVA_SEED=" << seed << "\n" << wrong;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print(
      "{} documents from seed {} in {:.1f} s: {} bytes, {} with a byte order mark, {} with CRLF; "
      "{} "
      "values replaced, {} inserted, {} removed, {} not there to remove, {} refused; 0 other bytes "
      "changed\n",
      count, first, took.count(), sum.bytes, sum.marks, sum.crlf, sum.replaced, sum.inserted,
      sum.removed, sum.absent, sum.refused);
  if (replay) return;
  for (const std::uint64_t reached :
       {sum.marks, sum.crlf, sum.replaced, sum.inserted, sum.removed, sum.absent, sum.refused})
    EXPECT_GT(reached, count / 100);
}

INSTANTIATE_TEST_SUITE_P(Shard, Documents, testing::Range(0, kShards));

// The referee has to see what a careless editor does.
TEST(JsonReferee, SeesWhatIsLost) {
  const std::string before = "{\n  \"b\": 12345678901234567890,\n  \"a\": {\"x\": 1}\n}\n";
  const JsonModel model = *read_model(before);
  const Change add{{"c"}, "true"};
  const auto says = [&](const std::string& after) { return judge(before, after, model, add); };
  const std::string good =
      "{\n  \"b\": 12345678901234567890,\n  \"a\": {\"x\": 1},\n  \"c\": true\n}\n";
  EXPECT_EQ(says(good), "");
  const struct {
    const char* after;
    const char* wrong;
  } cases[] = {
      {"{\n  \"b\": 12345678901234567000,\n  \"a\": {\"x\": 1},\n  \"c\": true\n}\n",
       "the result has other values"},
      {"{\n  \"a\": {\"x\": 1},\n  \"b\": 12345678901234567890,\n  \"c\": true\n}\n",
       "the result has other values"},
      {"{\n  \"b\": 12345678901234567890,\n  \"a\": {},\n  \"c\": true\n}\n",
       "the result has other values"},
      {"{\n  \"b\": 12345678901234567890,\n  \"a\": { \"x\": 1 },\n  \"c\": true\n}\n",
       "an insertion changed more than one piece"},
      {"{\n  \"b\": 12345678901234567890,\n  \"a\": {\"x\": 1},\n  \"c\": true\n}",
       "an insertion changed more than one piece"},
      {"{\r\n  \"b\": 12345678901234567890,\r\n  \"a\": {\"x\": 1},\r\n  \"c\": true\r\n}\r\n",
       "a CR came from nowhere"},
      {"{\n  \"b\": 12345678901234567890,\n  \"a\": {\"x\": 1},\n  \"c\": true,\n}\n",
       "the result is no JSON"}};
  for (const auto& c : cases) EXPECT_EQ(says(c.after), c.wrong);
  const Change drop{{"b"}, ""};
  EXPECT_EQ(judge(before, "{\n  \"a\": {\"x\": 1}\n}\n", model, drop), "");
  EXPECT_EQ(judge(before, "{\"a\": {\"x\": 1}}", model, drop),
            "a removal changed more than one piece");
}

// A member is put in front of the root's others, under the name of one of them, written anew.
TEST(JsonDocuments, ANameThatStandsTwiceIsAlwaysFound) {
  int tried = 0;
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + 3'000; ++seed) {
    JsonMaker maker(seed);
    std::string text = maker.document();
    const JsonModel model = *read_model(text);
    if (model.kind != JsonModel::Kind::object || model.members.empty()) continue;
    const std::string& name = model.members[maker.below(model.members.size())].first;
    text.insert(text.find('{') + 1, maker.quoted(name) + ":0,");
    const auto doc = JsonEdit::parse(text, "f");
    ASSERT_FALSE(doc) << text;
    ASSERT_NE(doc.error().what.find("stands here a second time"), std::string::npos) << text;
    ++tried;
  }
  EXPECT_GT(tried, 1'500);
}

TEST(JsonDocuments, CutOffAnywhereTheyAreRefused) {
  int tried = 0;
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + 300; ++seed) {
    const std::string text = JsonMaker(seed).document();
    const std::size_t first = text.find('{'), last = text.rfind('}');
    if (read_model(text)->kind != JsonModel::Kind::object) continue;
    for (std::size_t end = first + 1; end <= last; ++end, ++tried)
      ASSERT_FALSE(JsonEdit::parse(text.substr(0, end), "f")) << text.substr(0, end);
  }
  EXPECT_GT(tried, 10'000);
}

TEST(JsonReferee, ADocumentIsItsSeed) {
  for (std::uint64_t seed = 1; seed < 100; ++seed)
    EXPECT_EQ(JsonMaker(seed).document(), JsonMaker(seed).document());
  EXPECT_NE(JsonMaker(1).document(), JsonMaker(2).document());
}

}  // namespace
}  // namespace estiva::property
