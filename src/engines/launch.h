// How an engine's program is started: its words, its environment, and as whom.
#pragma once
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/error.h"
#include "engines/engine.h"
#include "model/model_spec.h"

namespace estiva::engines {

struct Launch {
  std::vector<std::string> words;
  std::vector<std::string> environment;
  std::string directory;
};

// A user of this machine.
struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name, home;
};
std::optional<Account> find_account(const std::string& name);
std::optional<Account> find_account(uid_t uid);

// What our own variables are to the engine: all but those by which systemd speaks with us, and
// those that name secrets of ours. `further` come after; a later value of a name replaces the
// earlier one.
std::vector<std::string> engine_environment(const char* const* ours,
                                            const std::vector<std::string>& further);

// The variables by which an engine knows its model, lease and GPUs, and we know its processes.
std::vector<std::string> marks_of(const ModelSpec& spec, const LoadTerms& terms,
                                  const std::string& mark);

// The words that run `words` as the spec's user, and that user's variables. Errors: refused where
// estivad is not root and the user is not its own; usage where there is no such user.
Result<Launch> as_user(const ModelSpec& spec, std::vector<std::string> words);

// The same where estiva-launch will start it, which is who changes the user: the words stay.
// Errors: usage where there is no such user.
Result<Launch> as_user_apart(const ModelSpec& spec, std::vector<std::string> words);

// The program as the kernel would find it: a path, or a name on PATH, that may be run. Errors:
// not_found.
Result<std::string> find_program(const ModelSpec& spec, const std::string& name);

}  // namespace estiva::engines
