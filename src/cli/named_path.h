// A path of the command line that names something of the machine: a specification, a Compose file.
// With --root the machine is that folder, so an absolute path is inside it; a relative path is
// always the caller's own.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"
#include "host/files.h"

namespace estiva::cli {

// The file, at most `limit` bytes. The error says where it was looked for.
Result<std::string> read_named(const host::Root& root, const std::string& path, std::size_t limit);

// Writes it whole, 0644, and says where it is now, as the caller sees it. Of folders only CDI's own
// are made (/etc/cdi, /run/cdi, /var/run/cdi); any other has to be there: not_found.
Result<std::string> write_named_spec(const host::Root& root, const std::string& path,
                                     std::string_view text);

// A Compose file as a path of the machine under `root`. A relative one is taken from the caller's
// folder; usage where that is not inside the root.
Result<std::string> machine_path_of(const std::string& root, const std::string& file);

}  // namespace estiva::cli
