// Any program: the spec says everything.
#include <algorithm>

#include "engines/program_kind.h"

namespace estiva::engines {

const ProgramKind& process_kind() {
  static const ProgramKind kind{
      .command = [](const ModelSpec& spec) { return spec.command; },
  };
  return kind;
}

bool names_port(const ModelSpec& spec) {
  return std::any_of(spec.command.begin(), spec.command.end(), [](const std::string& word) {
    return word.find(kPortPlace) != word.npos || word == "--port" || word.starts_with("--port=");
  });
}

}  // namespace estiva::engines
