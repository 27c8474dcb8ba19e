// 'estiva recover': a GPU that containers have lost is brought back without a reboot where that can
// be: the driver's modules are loaded anew where nobody uses them, the specification is made anew,
// what must be restarted is restarted, and the containers that have to be made again are named.
// Pure.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "model/finding.h"
#include "model/plan.h"
#include "model/readiness.h"

namespace estiva::decide {

struct RecoverWish {
  bool restart_engine = false;
  std::string program = "/usr/bin/estiva";
};

// One that keeps failing until it is made again.
struct LostContainer {
  std::string name, project, service;
  std::vector<std::string> compose_files;
  std::string why;  // the engine's words, or a sentence
  std::string id = {};
  std::string compose_dir = {}, compose_hash = {};
  std::vector<std::string> compose_env_files = {};
  std::size_t replicas = 1;  // containers of its service that are there
  bool is_running = false;
  bool is_of_compose = true;  // false: it is started again, which asks for the GPU anew
  friend bool operator==(const LostContainer&, const LostContainer&) = default;
};

// How its files are named to Compose: {"compose", "-f", ..., "-p", PROJECT}.
std::vector<std::string> compose_words(const LostContainer& one);
// What makes it again, without the name of the engine's program: Compose with its own files, the
// image that is there, its volumes, and nothing of its neighbours; or a start.
std::vector<std::string> words_to_recreate(const LostContainer& one);
// Its Compose files, as absolute paths.
std::vector<std::string> compose_paths(const LostContainer& one);

struct RecoverPlan {
  Plan plan;                        // as its maker wrote it: act/prepare.h completes it
  std::vector<LostContainer> lost;  // by name
  std::vector<std::string> notes;   // sentences: what can't be done here, and what to do
  std::set<std::string> told;       // ids of findings that the plan or its notes are about
};

// `findings`: judge_readiness's.
RecoverPlan plan_recover(const ReadinessFacts& facts, const std::vector<Finding>& findings,
                         const RecoverWish& wish);

}  // namespace estiva::decide
