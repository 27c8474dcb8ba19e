// Keys: how they are kept, that a change is durable before it is told, and what was used outlives
// the keeper. A real store, a real file.
#include "daemon/key_keeper.h"

#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "format/sha256.h"
#include "host/files.h"
#include "store/store.h"
#include "support.h"

namespace estiva::daemon {
namespace {

class Keys : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    keeper_.reset();
    store_.reset();
    store::Options options;
    options.executor = [this](std::function<void()> work) { loop_.post(std::move(work)); };
    store_ = store::Store::open(folder_.path(), std::move(options)).value();
    keeper_ = std::make_unique<KeyKeeper>(
        KeyKeeper::Parts{loop_, *store_, path(), [this] { ++changes_; }});
    loaded_ = keeper_->load(store_->opened().notes);
  }
  std::string path() const { return folder_.path() + "/" + file_; }

  Result<std::string> create(api::KeySpec spec) {
    Result<std::string> made = fail("not done");
    loop_.spawn([](KeyKeeper& keeper, api::KeySpec& wanted, Result<std::string>& out,
                   net::Loop& loop) -> net::Awaitable<void> {
      out = co_await keeper.create(wanted);
      loop.stop();
    }(*keeper_, spec, made, loop_));
    loop_.run_for(std::chrono::seconds(20));
    return made;
  }
  Result<void> revoke(std::string name) {
    Result<void> done = fail("not done");
    loop_.spawn([](KeyKeeper& keeper, std::string& wanted, Result<void>& out,
                   net::Loop& loop) -> net::Awaitable<void> {
      out = co_await keeper.revoke(wanted);
      loop.stop();
    }(*keeper_, name, done, loop_));
    loop_.run_for(std::chrono::seconds(20));
    return done;
  }

  TemporaryFolder folder_;
  net::Loop loop_;
  std::string file_ = "keys.json";
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<KeyKeeper> keeper_;
  Result<void> loaded_;
  int changes_ = 0;
};

api::KeySpec spec(const std::string& name) {
  return {name, "use", 5, 2, {"a", "b"}};
}

TEST_F(Keys, AreKeptByTheirDigestAndComeBack) {
  const auto secret = create(spec("n8n"));
  ASSERT_TRUE(secret) << secret.error().sentence();
  EXPECT_EQ(secret->size(), 7 + 64u);
  EXPECT_EQ(changes_, 1);
  const std::string text = host::read_local_file(path()).value();
  EXPECT_EQ(text.find(secret->substr(7)), std::string::npos);
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  open();
  const auto keys = keeper_->for_gateway();
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].sha256, format::sha256_hex(*secret));
  EXPECT_EQ(keys[0].models, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(keys[0].requests_a_day, 5u);
  EXPECT_EQ(keys[0].at_once, 2u);
}

TEST_F(Keys, TwoAreMadeAtOnceAndBothAreKept) {
  Result<std::string> one = fail("not done"), two = fail("not done");
  const auto make = [](KeyKeeper& keeper, std::string name, Result<std::string>& out,
                       Result<std::string>& other, net::Loop& loop) -> net::Awaitable<void> {
    api::KeySpec wanted = spec(name);
    out = co_await keeper.create(wanted);
    if (other) loop.stop();
  };
  loop_.spawn(make(*keeper_, "one", one, two, loop_));
  loop_.spawn(make(*keeper_, "two", two, one, loop_));
  loop_.run_for(std::chrono::seconds(20));
  ASSERT_TRUE(one && two);
  EXPECT_NE(*one, *two);
  open();
  EXPECT_EQ(keeper_->for_gateway().size(), 2u);
}

TEST_F(Keys, WhatCanNotBeWrittenDownIsNotMadeAndIsRevokedAllTheSame) {
  ASSERT_TRUE(create(spec("a")));
  std::filesystem::remove(path());
  std::filesystem::create_directories(path() + "/in-its-place");
  const auto made = create(spec("b"));
  ASSERT_FALSE(made);
  EXPECT_EQ(keeper_->for_gateway().size(), 1u);
  const auto revoked = revoke("a");
  ASSERT_FALSE(revoked);
  EXPECT_NE(revoked.error().what.find("next start"), std::string::npos);
  EXPECT_TRUE(keeper_->for_gateway().empty());
  EXPECT_EQ(revoke("a").error().kind, ErrorKind::not_found);
}

TEST_F(Keys, WhatWasUsedComesBackAndADayEnds) {
  ASSERT_TRUE(create(spec("a")));
  const std::int64_t today = wall_now().ns / (std::int64_t{86'400} * 1'000'000'000);
  keeper_->take({"a", 3, 1, 10, 20, today, 3});
  keeper_->take({"a", 2, 0, 1, 2, today, 5});
  keeper_->take({"gone", 1, 0, 0, 0, today, 1});
  keeper_->remember();
  ASSERT_TRUE(store_->close(std::chrono::seconds(20)));
  open();
  auto status = keeper_->status();
  ASSERT_EQ(status.size(), 1u);
  EXPECT_EQ(status[0].requests, 5u);
  EXPECT_EQ(status[0].refused, 1u);
  EXPECT_EQ(status[0].bytes_in, 11u);
  EXPECT_EQ(status[0].bytes_out, 22u);
  EXPECT_EQ(status[0].today, 5u);
  EXPECT_TRUE(status[0].last_used);
  EXPECT_EQ(keeper_->for_gateway()[0].today, 5u);
  keeper_->take({"a", 1, 0, 0, 0, today - 1, 9});
  EXPECT_EQ(keeper_->status()[0].today, 0u);
}

TEST_F(Keys, ANewKeyOfAnOldNameBeginsAtNothing) {
  ASSERT_TRUE(create(spec("a")));
  keeper_->take({"a", 3, 1, 10, 20, 7, 3});
  keeper_->remember();
  ASSERT_TRUE(revoke("a"));
  ASSERT_TRUE(create(spec("a")));
  EXPECT_EQ(keeper_->status()[0].requests, 0u);
  ASSERT_TRUE(store_->close(std::chrono::seconds(20)));
  open();
  EXPECT_EQ(keeper_->status().at(0).requests, 0u);
}

TEST_F(Keys, WhatCanNotBeAKeyIsRefused) {
  EXPECT_EQ(create({"a b", "use", 0, 0, {}}).error().kind, ErrorKind::usage);
  EXPECT_EQ(create({"..", "use", 0, 0, {}}).error().kind, ErrorKind::usage);
  EXPECT_EQ(create({std::string(65, 'a'), "use", 0, 0, {}}).error().kind, ErrorKind::usage);
  EXPECT_EQ(create({"a", "root", 0, 0, {}}).error().kind, ErrorKind::usage);
  EXPECT_EQ(create({"a", "use", 0, 0, {"\x1b[31m"}}).error().kind, ErrorKind::usage);
  EXPECT_FALSE(std::filesystem::exists(path()));
  ASSERT_TRUE(create(spec("a")));
  EXPECT_EQ(create(spec("a")).error().kind, ErrorKind::refused);
}

TEST_F(Keys, NoMoreThanOnePacketHoldsAreMade) {
  api::KeySpec large = spec("k");
  large.models.assign(200, std::string(200, 'm'));
  int made = 0;
  while (made < 10) {
    large.name = "k" + std::to_string(made);
    const auto secret = create(large);
    if (!secret) {
      EXPECT_EQ(secret.error().kind, ErrorKind::refused);
      break;
    }
    ++made;
  }
  EXPECT_EQ(made, 2);
}

TEST_F(Keys, ADamagedFileIsRefusedAndLeftAlone) {
  for (const std::string text :
       {"", "{", "[]", R"({"version":2})", R"({"version":1,"keys":[{"name":"a","role":"use"}]})",
        R"({"version":1,"keys":[{"name":"a/b","role":"use","sha256":"00"}]})"}) {
    ASSERT_TRUE(host::write_file_atomic(path(), text, 0600));
    open();
    ASSERT_FALSE(loaded_) << text;
    EXPECT_EQ(loaded_.error().kind, ErrorKind::refused) << text;
    EXPECT_EQ(host::read_local_file(path()).value(), text);
  }
}

}  // namespace
}  // namespace estiva::daemon
