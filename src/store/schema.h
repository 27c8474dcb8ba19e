// The shape of the database file and how an older one becomes a current one.
//
// A file is only ever made or migrated beside its place and then renamed into it, so the 100 bytes
// of its header always tell the truth: the version is read from them before SQLite may touch
// anything, and a newer or foreign file is refused without changing one byte.
#pragma once
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "store/trouble.h"

namespace estiva::store {

struct Schema {
  int version = 0;         // kept in the header's user_version
  int oldest_version = 0;  // older ones are refused
  std::string create;      // SQL that makes an empty database of `version`
  // upgrades[i] takes version oldest_version + i to the next.
  std::vector<std::string> upgrades;
};

const Schema& current_schema();

struct Prepared {
  int migrated_from = 0;
  std::string kept_copy;  // PATH.v<old>: what the older estiva can go back to
};

// Makes PATH when it is absent, migrates it on a copy when it is older, refuses it when it is
// newer, foreign or not a database. The caller holds the lock.
Result<Prepared> prepare_file(const Place& place, const Schema& schema, const std::string& vfs);

// Moves PATH and its log to PATH.corrupt-<time>; returns that name, or an empty one when there
// was nothing to move.
Result<std::string> set_aside(const Place& place, WallTime now);

}  // namespace estiva::store
