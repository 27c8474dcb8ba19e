// A change to healthy machines, and what doctor has to find then: all rules run, and the set of ids
// is exactly the one declared. Only the families D and K are compared here; the recorded machines
// of tests/machines hold all of them against each other.
#pragma once
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "decide/readiness/rule.h"
#include "unit/decide/readiness_bases.h"

namespace estiva::decide {

using Ids = std::set<std::string>;
using Change = std::function<void(ReadinessFacts&)>;

inline std::vector<Finding> findings_of(const ReadinessFacts& facts) {
  std::vector<Finding> found = judge_readiness(facts);
  std::erase_if(found, [](const Finding& one) {
    return !one.id.starts_with('D') && !one.id.starts_with('K');
  });
  return found;
}

inline Ids ids_of(const ReadinessFacts& facts) {
  Ids ids;
  for (const Finding& one : findings_of(facts)) ids.insert(one.id);
  return ids;
}

// The text of all findings, for a failed test's reader.
inline std::string told(const ReadinessFacts& facts) {
  std::string text;
  for (const Finding& one : findings_of(facts))
    text += one.id + " " + std::string(to_name(one.severity)) + ": " + one.title + "\n";
  return text;
}

struct Case {
  const char* id;
  const char* what;  // the change, in words
  std::vector<bases::Base> on;
  Change change;
  Severity severity = Severity::error;
  // What the change brings about besides, by the base's name; "" for all.
  std::map<std::string, Ids> besides = {};
  Ids unread = {};  // what else it may be where the readings are not known
};

// The smallest change that must not be found.
struct NearMiss {
  const char* id;
  const char* what;
  std::vector<bases::Base> on;
  Change change;
  Ids found = {};  // what it is instead
};

inline void expect_cases(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_GE(one.on.size(), 3U) << one.id << ": " << one.what;
    for (const bases::Base& base : one.on) {
      SCOPED_TRACE(std::string(one.id) + ", " + one.what + ", on " + base.name);
      ReadinessFacts facts = base.make();
      one.change(facts);
      Ids expected = {one.id};
      for (const std::string& key : {std::string(), std::string(base.name)}) {
        if (const auto more = one.besides.find(key); more != one.besides.end())
          expected.insert(more->second.begin(), more->second.end());
      }
      EXPECT_EQ(ids_of(facts), expected) << told(facts);
      for (const Finding& found : findings_of(facts)) {
        if (found.id != one.id) continue;
        EXPECT_EQ(found.severity, one.severity) << found.title;
        EXPECT_FALSE(found.title.empty());
        EXPECT_FALSE(found.evidence.empty()) << found.title;
        EXPECT_FALSE(found.remedy.text.empty()) << found.title;
        EXPECT_FALSE(found.foretells.empty()) << found.title;
        EXPECT_EQ(found.title.find('{'), std::string::npos) << found.title;
      }
      bases::forget(facts);
      expected.insert(one.unread.begin(), one.unread.end());
      for (const std::string& id : ids_of(facts))
        EXPECT_TRUE(expected.contains(id))
            << "what is not known must not be found: " << told(facts);
    }
  }
}

inline void expect_near_misses(const std::vector<NearMiss>& cases) {
  for (const NearMiss& one : cases) {
    for (const bases::Base& base : one.on) {
      SCOPED_TRACE(std::string("not ") + one.id + ", " + one.what + ", on " + base.name);
      ReadinessFacts facts = base.make();
      one.change(facts);
      EXPECT_EQ(ids_of(facts), one.found) << told(facts);
    }
  }
}

// A finding of that id, or an empty one.
inline Finding finding(const ReadinessFacts& facts, const std::string& id) {
  for (Finding& one : findings_of(facts)) {
    if (one.id == id) return one;
  }
  return {};
}

}  // namespace estiva::decide
