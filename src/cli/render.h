// Documents as text for people. Pure: a value in, text out; names that come from outside are made
// safe for a terminal.
#pragma once
#include <string>

#include "base/clock.h"
#include "cli/documents.h"
#include "cli/style.h"

namespace estiva::cli {

struct RenderOptions {
  Style style;
  WallTime now;            // ages are counted from here
  bool no_daemon = false;  // says that this is a single reading by the command itself
};

std::string render_gpu(const GpuDocument& document, const RenderOptions& options);
std::string render_status(const StatusDocument& document, const RenderOptions& options);
std::string render_leases(const std::vector<LeaseRow>& leases, const RenderOptions& options);
// Memory and disks of the machine, and nothing of GPUs: the degraded mode's own part.
std::string render_host(const HostRow& host, const RenderOptions& options);

// `gpus` tells index and name of the GPU that was chosen.
std::string render_assignment(const Assignment& assignment, const std::vector<GpuRow>& gpus,
                              const RenderOptions& options);
// For stderr: what is missing per GPU, and what would make it fit.
std::string render_refusal(const std::string& model, const Refusal& refusal,
                           const std::vector<GpuRow>& gpus, const RenderOptions& options);

// True where every GPU of the document can be used: the exit code is 0 rather than 3.
bool is_whole(const GpuDocument& document);

}  // namespace estiva::cli
