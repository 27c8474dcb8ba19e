// What on_readable() says is so.
#include <array>
#include <gtest/gtest.h>
#include <unistd.h>

#include "net/loop.h"

namespace estiva::net {
namespace {

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe(ends.data()), 0); }
  ~Pipe() {
    for (const int end : ends) ::close(end);
  }
  std::array<int, 2> ends{-1, -1};
};

// Two descriptors are ready in one look of the loop. Who is called first drops the other, and
// watches a third one in its place, which nobody ever writes to.
TEST(OnReadable, AnEventOfOneThatIsGoneIsNotTakenForAnothers) {
  for (int round = 0; round < 20; ++round) {
    Loop loop;
    std::array<Pipe, 2> ready;
    Pipe silent;
    std::array<std::shared_ptr<void>, 2> watches;
    std::shared_ptr<void> third;
    int called = 0, taken_for_another = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      ASSERT_EQ(::write(ready[i].ends[1], "x", 1), 1);
      watches[i] = loop.on_readable(ready[i].ends[0], [&, i] {
        ++called;
        char byte = 0;
        ASSERT_EQ(::read(ready[i].ends[0], &byte, 1), 1);
        watches[1 - i].reset();
        if (!third) third = loop.on_readable(silent.ends[0], [&] { ++taken_for_another; });
      });
    }
    for (int i = 0; i < 5; ++i) loop.run_for(std::chrono::milliseconds(1));
    EXPECT_EQ(called, 1);
    EXPECT_EQ(taken_for_another, 0) << "round " << round;
  }
}

}  // namespace
}  // namespace estiva::net
