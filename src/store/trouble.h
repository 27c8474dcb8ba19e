// What goes wrong with folders, disks and databases, as sentences with a remedy.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/sqlite.h"

namespace estiva::store {

// The folder and the file in it; every error names one of them.
struct Place {
  std::string dir;
  std::string path;  // DIR/estiva.db
};

// A system call on the folder failed: full, read-only, no right, or anything else.
Error folder_error(const Place& place, std::string_view verb, int number);
// SQLite failed while `doing` ("writing a change").
Error sql_error(const Place& place, std::string_view doing, const SqlTrouble& trouble);
Error corrupt_error(const Place& place, std::string_view why);

}  // namespace estiva::store
