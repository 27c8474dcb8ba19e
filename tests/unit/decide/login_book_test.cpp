// Time stands where the test puts it: every limit is tried on both of its sides.
#include "decide/login_book.h"

#include <gtest/gtest.h>

namespace estiva::decide {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1'000'000'000'000};

LoginCode code(unsigned number) {
  LoginCode bytes{};
  bytes[0] = static_cast<std::uint8_t>(number);
  bytes[15] = static_cast<std::uint8_t>(number >> 8);
  return bytes;
}

SessionKey key(unsigned number) {
  SessionKey bytes{};
  bytes[31] = static_cast<std::uint8_t>(number);
  return bytes;
}

// A session that was begun in the ordinary way.
void log_in(LoginBook& book, unsigned number, SteadyTime now) {
  book.add_code(code(1000 + number), now);
  ASSERT_EQ(book.use_code(code(1000 + number), key(number), now), CodeUse::accepted);
}

TEST(LoginBook, ACodeIsGoodOnce) {
  LoginBook book;
  book.add_code(code(1), kStart);
  EXPECT_EQ(book.use_code(code(1), key(1), kStart + 1s), CodeUse::accepted);
  EXPECT_EQ(book.use_code(code(1), key(2), kStart + 1s), CodeUse::wrong);
  EXPECT_TRUE(book.touch(key(1), kStart + 2s));
  EXPECT_FALSE(book.touch(key(2), kStart + 2s));
}

TEST(LoginBook, ACodeLivesAMinute) {
  LoginBook book;
  book.add_code(code(1), kStart);
  book.add_code(code(2), kStart);
  EXPECT_EQ(book.use_code(code(1), key(1), kStart + (60s - 1ns)), CodeUse::accepted);
  EXPECT_EQ(book.use_code(code(2), key(2), kStart + 60s), CodeUse::wrong);
}

TEST(LoginBook, ACodeThatDiffersInOneByteIsWrong) {
  for (std::size_t at = 0; at < LoginCode().size(); ++at) {
    LoginBook book;
    LoginCode near = code(1);
    near[at] ^= 0x80;
    book.add_code(code(1), kStart);
    EXPECT_EQ(book.use_code(near, key(1), kStart), CodeUse::wrong) << at;
    EXPECT_EQ(book.use_code(code(1), key(1), kStart), CodeUse::accepted) << at;
  }
}

TEST(LoginBook, NothingIsACodeOfAnEmptyBook) {
  LoginBook book;
  EXPECT_EQ(book.use_code(LoginCode{}, key(1), kStart), CodeUse::wrong);
  EXPECT_FALSE(book.touch(SessionKey{}, kStart));
}

TEST(LoginBook, TheOldestCodeGoesWhereThereAreTooMany) {
  LoginBook book;
  for (unsigned i = 0; i <= LoginBook::kCodes; ++i) book.add_code(code(i), kStart);
  EXPECT_EQ(book.use_code(code(0), key(0), kStart), CodeUse::wrong);
  for (unsigned i = 1; i <= LoginBook::kCodes; ++i) {
    EXPECT_EQ(book.use_code(code(i), key(i), kStart), CodeUse::accepted) << i;
  }
}

TEST(LoginBook, TheOldestSessionGoesWhereThereAreTooMany) {
  LoginBook book;
  for (unsigned i = 0; i <= LoginBook::kSessions; ++i) log_in(book, i, kStart);
  EXPECT_FALSE(book.touch(key(0), kStart));
  for (unsigned i = 1; i <= LoginBook::kSessions; ++i) EXPECT_TRUE(book.touch(key(i), kStart)) << i;
}

TEST(LoginBook, AnIdleSessionEnds) {
  LoginBook book;
  log_in(book, 1, kStart);
  log_in(book, 2, kStart);
  EXPECT_TRUE(book.touch(key(1), kStart + (12h - 1ns)));
  EXPECT_FALSE(book.touch(key(2), kStart + 12h));
  EXPECT_TRUE(book.touch(key(1), kStart + (24h - 2ns))) << "use keeps it alive";
}

TEST(LoginBook, ABusySessionEndsAfterAWeek) {
  LoginBook book;
  log_in(book, 1, kStart);
  for (int hour = 6; hour < 7 * 24; hour += 6) {
    ASSERT_TRUE(book.touch(key(1), kStart + std::chrono::hours(hour))) << hour;
  }
  EXPECT_TRUE(book.touch(key(1), kStart + (7 * 24h - 1ns)));
  EXPECT_FALSE(book.touch(key(1), kStart + 7 * 24h));
}

TEST(LoginBook, EndingOneLeavesTheOthers) {
  LoginBook book;
  log_in(book, 1, kStart);
  log_in(book, 2, kStart);
  book.end(key(1));
  EXPECT_FALSE(book.touch(key(1), kStart));
  EXPECT_TRUE(book.touch(key(2), kStart));
}

TEST(LoginBook, EndingAllCountsWhatLivedAndVoidsCodes) {
  LoginBook book;
  log_in(book, 1, kStart);
  log_in(book, 2, kStart + 11h);
  book.add_code(code(1), kStart + 13h);
  EXPECT_EQ(book.end_all(kStart + 13h), 1u);
  EXPECT_FALSE(book.touch(key(2), kStart + 13h));
  EXPECT_EQ(book.use_code(code(1), key(3), kStart + 13h), CodeUse::wrong);
}

TEST(LoginBook, TenWrongCodesInAMinuteVoidTheRightOnes) {
  LoginBook book;
  log_in(book, 1, kStart);
  book.add_code(code(1), kStart);
  for (unsigned i = 0; i < 9; ++i) {
    EXPECT_EQ(book.use_code(code(500), key(9), kStart + i * 1s), CodeUse::wrong) << i;
  }
  EXPECT_EQ(book.locked_for(kStart + 9s), 0s);
  EXPECT_EQ(book.use_code(code(500), key(9), kStart + 9s), CodeUse::locked);
  EXPECT_EQ(book.locked_for(kStart + 10s), 50s);
  EXPECT_EQ(book.use_code(code(1), key(9), kStart + 10s), CodeUse::locked);
  EXPECT_TRUE(book.touch(key(1), kStart + 10s)) << "who is in stays in";
  // The first of the ten is a minute old: one more try, and the old code is still void.
  EXPECT_EQ(book.locked_for(kStart + 60s), 0s);
  EXPECT_EQ(book.use_code(code(1), key(9), kStart + 60s), CodeUse::locked);
  book.add_code(code(2), kStart + 69s);
  EXPECT_EQ(book.use_code(code(2), key(2), kStart + 69s), CodeUse::accepted);
}

TEST(LoginBook, WrongCodesThatAreFarApartLockNothing) {
  LoginBook book;
  for (unsigned i = 0; i < 100; ++i) {
    EXPECT_EQ(book.use_code(code(500), key(9), kStart + i * 7s), CodeUse::wrong) << i;
  }
}

}  // namespace
}  // namespace estiva::decide
