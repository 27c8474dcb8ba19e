// The rules a CDI spec has to keep, so that engines take it. Source: the CDI library 1.1.0
// (pkg/cdi/container-edits.go, pkg/parser, specs-go/version.go, internal/validation/k8s). Where its
// releases differ, what 1.0.1 refuses (Docker 28) is refused here; annotations are checked in none.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "model/cdi.h"
#include "model/readiness.h"

namespace estiva::format {

struct CdiViolation {
  std::string place;  // "devices[1].containerEdits.mounts[0].hostPath"
  std::string text;   // a sentence: what is wrong there
  // False: against the specification, but engines take it (annotations, negative device numbers).
  bool is_refused = true;
  friend bool operator==(const CdiViolation&, const CdiViolation&) = default;
};

// All violations, in the order of the members. None with is_refused: engines that know its version
// take it.
std::vector<CdiViolation> validate_cdi(const CdiSpec& spec);

// The lowest version that has all that the spec uses: "0.3.0" or higher.
std::string_view minimum_version(const CdiSpec& spec);
// One of the released versions, with or without a leading 'v'.
bool is_known_version(std::string_view version);
// Whether `version` came after `than`; false where either is not known.
bool is_newer_version(std::string_view version, std::string_view than);
// The newest spec version that an engine can read, from its own version ("28.5.2",
// "26.1.5+dfsg1"). Empty: it reads none (Docker before 25), or that is not known (Podman 5).
std::string_view newest_version_of_engine(EngineKind kind, std::string_view version);

// The path on the host that a node stands for.
const std::string& host_path_of(const CdiNode& node);
// A tmpfs and its like have no source on the host.
bool has_source(const CdiMount& mount);
// Each host path that the spec names: nodes, mounts' sources and hooks; sorted, each once.
std::vector<std::string> host_paths_of(const CdiSpec& spec);

// Each alone, for names that a user gives. Empty: valid, else a sentence.
std::string fault_of_kind(std::string_view kind);
std::string fault_of_device_name(std::string_view name);

}  // namespace estiva::format
