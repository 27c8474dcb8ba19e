#include "engines/engine_record.h"

#include <gtest/gtest.h>

namespace estiva::engines {
namespace {

EngineRecord example() {
  EngineRecord record;
  record.tree = {{4711, 99, "boot"}, "00ff", ControlGroup{"/sys/fs/cgroup/x", 12}};
  record.url = "http://127.0.0.1:21000/v1";
  record.ready = "http://127.0.0.1:21000/health";
  record.sleep_level = 2;
  return record;
}

TEST(EngineRecord, comes_back_as_it_was) {
  const auto back = parse_engine_record(to_text(example()));
  ASSERT_TRUE(back) << back.error().sentence();
  EXPECT_EQ(back->tree.leader, example().tree.leader);
  EXPECT_EQ(back->tree.mark, "00ff");
  EXPECT_EQ(back->tree.group, example().tree.group);
  EXPECT_EQ(back->url, example().url);
  EXPECT_EQ(back->ready, example().ready);
  EXPECT_EQ(back->sleep_level, 2u);
}

TEST(EngineRecord, without_a_group) {
  auto record = example();
  record.tree.group.reset();
  const auto back = parse_engine_record(to_text(record));
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->tree.group);
}

TEST(EngineRecord, what_is_none_is_refused) {
  const std::string good = to_text(example());
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(parse_engine_record(good.substr(0, size))) << size;
  EXPECT_FALSE(parse_engine_record("{}"));
  EXPECT_FALSE(parse_engine_record(R"({"schema":"estiva/engine/2","pid":5,"mark":"x"})"));
  EXPECT_FALSE(parse_engine_record(R"({"schema":"estiva/engine/1","pid":-1,"mark":"x"})"));
  EXPECT_FALSE(parse_engine_record(R"({"schema":"estiva/engine/1","pid":4294967301,"mark":"x"})"));
  EXPECT_FALSE(parse_engine_record(R"({"schema":"estiva/engine/1","pid":5,"mark":""})"));
}

}  // namespace
}  // namespace estiva::engines
