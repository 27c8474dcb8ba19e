// How Compose files are rewritten where their services ask for GPUs in a way that fails or is old
// (P2, P3, P4, P14): by format/compose_to_cdi, and only where the machine serves the CDI devices
// that they would ask for then.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "decide/readiness/rule.h"
#include "format/compose_to_cdi.h"

namespace estiva::decide {

// The first Compose that hands qualified names on as CDI devices.
inline constexpr std::string_view kComposeWithCdi = "2.30.0";

bool is_podman(const EngineFacts& engine);
// The engine is a Docker with CDI on, and its Compose is new enough to hand CDI devices on.
bool serves_cdi_by_compose(const ReadinessFacts& facts);

struct ComposeMend {
  std::string text;                            // the file's new content
  std::vector<format::ComposeChange> changes;  // services that can be rewritten here and now
  std::vector<format::ComposeRefusal> refusals;
};
// Nothing where the machine does not serve what would be asked for, or the file has nothing to
// mend.
ComposeMend mend_compose(const ReadinessFacts& facts, const ComposeFact& file);

// Services of the mend that asked for more of the driver than the specification of their devices
// gives: by capabilities of the reservation or NVIDIA_DRIVER_CAPABILITIES. What the driver on this
// machine does not have nobody loses.
struct LackingCapabilities {
  std::vector<std::string> services, capabilities;
  std::vector<std::string> generate;  // what there is and what is lacking
  std::string spec;                   // the file that would have to give them
};
LackingCapabilities lacking_capabilities(const ReadinessFacts& facts, const ComposeFact& file,
                                         const ComposeMend& mend);

// The containers of a file's service.
std::vector<const ContainerFact*> containers_of(const ReadinessFacts& facts,
                                                const ComposeFact& file, std::string_view service);
// The command that makes these services anew from the files of their project.
std::string recreate_command(const ReadinessFacts& facts, const ComposeFact& file,
                             const std::vector<format::ComposeChange>& changes);

}  // namespace estiva::decide
