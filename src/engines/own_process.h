// A program that we start and that outlives us, with all that it starts.
//
//   hold()     it exists, in a session and where possible a control group of its own, and waits:
//              it has run nothing of its own yet. Dies by itself when we do.
//              hold_apart() has estiva-launch start it, in a unit of systemd's own.
//   let_go()   it runs, whatever becomes of us. To be called once its identity is durable.
//   end()      TERM to all of it, later KILL, until none is left.
//
// An object that goes leaves the program as it is. Loop thread only.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "engines/launch.h"
#include "engines/launch_protocol.h"
#include "engines/process_tree.h"
#include "net/loop.h"

namespace estiva::engines {

// Unlike any other, in this boot and later ones.
Result<std::string> new_mark();

class OwnProcess {
 public:
  // `launcher`: the socket of estiva-launch; empty: there is none.
  OwnProcess(net::Loop& loop, const host::Root& root, std::string boot_id,
             std::string launcher = {});
  ~OwnProcess();
  OwnProcess(const OwnProcess&) = delete;
  OwnProcess& operator=(const OwnProcess&) = delete;

  // `mark` is in the environment of `launch`; `output` becomes its two outputs. Errors: failed.
  Result<void> hold(const Launch& launch, const std::string& name, std::string mark,
                    const UniqueFd& output);
  // The same through the launcher, which also says no. Errors: its own.
  net::Awaitable<Result<void>> hold_apart(LaunchRequest request, UniqueFd output);
  void let_go();
  // Goes on with one of an earlier object. not_found where the leader is dead; what is left of its
  // tree can still be ended.
  Result<void> adopt(ProcessTree tree);

  // Empty (pid 0) where nothing was started, or all of it was ended.
  const ProcessTree& tree() const { return tree_; }
  // The leader is dead, though others of the tree may live.
  bool has_ended() const { return has_ended_; }
  // "exit code 1", "signal 9 (Killed)"; "how is not known" for one that was adopted.
  std::string how_it_ended() const;
  std::vector<Member> members() const;

  // Returns at the leader's end, at wake(), or after `most`.
  net::Awaitable<void> wait(Nanoseconds most);
  void wake() { changed_.notify_all(); }
  // Called once, on the loop, when the leader has ended; not for one that end() ends.
  void on_end(std::function<void()> ended) { ended_ = std::move(ended); }

  // Sends TERM, waits `patience`, then kills until none is left. Where some can't be killed: failed
  // with their numbers, after kKillTime more; the tree is still known then. The object has to stay.
  net::Awaitable<Result<void>> end(std::string name, Nanoseconds patience);

 private:
  Result<void> watch();
  void hear_end();
  void ended_by_itself();
  net::Awaitable<std::vector<Member>> look();
  net::Awaitable<bool> wait_for_none(std::string mark, Nanoseconds most, bool kills);
  void forget();

  net::Loop& loop_;
  const host::Root& root_;
  const std::string boot_id_;
  const std::string launcher_;
  ProcessTree tree_;
  UniqueFd go_;     // while it is held
  UniqueFd pidfd_;  // of the leader
  UniqueFd told_;   // where the launcher says how the leader ended
  std::shared_ptr<void> watch_;
  bool has_ended_ = false, is_ending_ = false;
  std::optional<int> status_;  // as waitpid(2) has it
  std::function<void()> ended_;
  net::Notice changed_;
};

}  // namespace estiva::engines
