// A Compose file whose services ask for GPUs in the old way, rewritten so that they ask by CDI
// devices, without a loss: what does not ask for a GPU keeps every byte. Comments, indentation,
// quotes, ends of lines, a byte order mark, anchors elsewhere and a last line without an end stay.
//
//   deploy:                                          devices:
//     resources:                                       - nvidia.com/gpu=0
//       reservations:                         ->
//         devices:
//           - {driver: nvidia, count: 1, capabilities: [gpu]}
//
// `count: N` becomes the devices 0 to N-1, as the engine has it; `all`, -1 and nothing become
// `all`; ids stay what they are. What was around the reservation goes only where nothing else is in
// it. A service that has NVIDIA's CDI devices already keeps those, and the old way goes.
//
// Refused for a service, with line and column, where it could also concern another one (anchors,
// aliases, merge keys, `extends`) or is not understood to the last word (variables, tags, other
// drivers and capabilities, keys that stand twice, tabs). The new text is parsed again and must be
// the old tree but for this change.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "format/compose_wish.h"

namespace estiva::format {

struct ComposeChange {
  std::string service;
  TextPlace place;  // of what asked for the GPU
  std::vector<std::string>
      devices;  // it asks for these now; empty: for what it asked by CDI before
};

struct ComposeRefusal {
  std::string service;
  TextPlace place;
  std::string why;  // "line 3, column 5: ..."
};

struct ComposeRewrite {
  std::string text;                      // as it was where nothing was changed
  std::vector<ComposeChange> changes;    // in the order of the file, as the refusals
  std::vector<ComposeRefusal> refusals;  // services that ask so, and keep it
};

// `only`: these services and no others; null: all. Work in proportion to the text's size, once for
// each service that is changed. Errors: the text is no YAML.
Result<ComposeRewrite> compose_to_cdi(std::string_view text, ComposeAsk ask,
                                      const std::vector<std::string>* only = nullptr);

}  // namespace estiva::format
