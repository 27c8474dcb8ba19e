// A terminal as a live screen: the alternate screen, so that what was there comes back, and keys as
// they are pressed. Whatever ends the program gives the terminal back: the destructor, and for
// crashes (SIGSEGV, SIGABRT and so on) a handler that does it and lets the signal do its work.
#pragma once
#include <memory>
#include <string_view>

#include "base/error.h"
#include "cli/session.h"

namespace estiva::cli {

class Screen {
 public:
  struct Size {
    std::size_t columns = 80, lines = 24;
  };

  // Takes the terminal. `in` and `out` are descriptors; where `in` is no terminal there are no
  // keys. At most one lives at a time.
  Screen(int in, int out, Output& output);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  Size size() const;
  // Puts these lines where the last ones were, in one write: nothing flickers.
  Result<void> draw(std::string_view page);
  // For poll(2); -1 where there are no keys (any more).
  int key_fd() const;
  // The next key that was pressed; '\0': none, or the terminal has gone (key_fd() is -1 then).
  char key();

  // For the time that the program is stopped.
  void give_back();
  // Takes it where we have not got it and are in the foreground: true where it is ours now and was
  // not before, so that all must be drawn. `anew`: others may have changed it (after SIGCONT).
  bool take(bool anew = false);
  bool is_taken() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace estiva::cli
