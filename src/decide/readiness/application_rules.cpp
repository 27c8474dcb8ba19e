// P1-P13: Compose, containers and applications. P1-P4, P9 and P13 are in compose_rules.cpp.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/decide_doctor_apps.h"
#include "decide/readiness/cdi_view.h"
#include "decide/readiness/compose_rules.h"
#include "decide/readiness/gpu_share.h"
#include "decide/readiness/look.h"

namespace estiva::decide {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Evidence at(const ContainerFact& container, std::string text) {
  return {Evidence::Source::engine, container.name, 0, std::move(text)};
}

// The last line of its log that says what an application computes on; empty: none does.
std::string_view computes_on(const ContainerFact& container) {
  for (auto line = container.log.rbegin(); line != container.log.rend(); ++line) {
    if (contains(*line, "inference compute")) return *line;
  }
  return {};
}
bool is_on_cpu(const ContainerFact& container) {
  return contains(computes_on(container), "library=cpu");
}

std::vector<Hit> find_p5(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  for (const ContainerFact& container : facts.containers) {
    if (!is_on_cpu(container) || !share_of(container, facts).any()) continue;
    hits.push_back({fmt::format(msg::kP5Title, container.name),
                    {at(container, std::string(computes_on(container)))},
                    {},
                    {}});
  }
  return hits;
}

// Whether a UUID, or the beginning of one, is that of a GPU of the host.
bool is_of_host(std::string_view uuid, const ReadinessFacts& facts) {
  const auto uuids = gpu_uuids(facts);
  return std::any_of(uuids.begin(), uuids.end(),
                     [&](const std::string& one) { return one.starts_with(uuid); });
}

// CUDA takes the list up to the first name that it does not know: what stands first decides.
bool hides_all(std::string_view visible, const GpuShare& share, const ReadinessFacts& facts) {
  const auto parts = parts_of_list(visible);
  if (parts.empty() || parts[0].empty()) return true;
  const std::string_view first = parts[0];
  if (first.starts_with("-") || first == "none" || first == "NoDevFiles") return true;
  if (is_number(first)) {
    // 19 digits fit; a number of more is not that of a GPU.
    return share.count && (first.size() > 9 || std::stoul(std::string(first)) >= *share.count);
  }
  return first.starts_with("GPU-") && !gpu_uuids(facts).empty() && !is_of_host(first, facts);
}

// NVIDIA's runtime takes numbers and UUIDs of the host from the environment.
bool names_no_gpu(std::string_view visible, const ReadinessFacts& facts) {
  if (visible.empty() || visible == "void") return true;
  const std::size_t on_host = gpu_count(facts);
  const auto parts = parts_of_list(visible);
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
    if (is_number(part)) {
      return on_host > 0 && (part.size() > 9 || std::stoul(std::string(part)) >= on_host);
    }
    return part.starts_with("GPU-") && !gpu_uuids(facts).empty() && !is_of_host(part, facts);
  });
}

Hit hidden(const ContainerFact& container, std::string_view name, std::string_view value) {
  return {fmt::format(msg::kP6Title, container.name, name, value),
          {at(container, fmt::format("{}={}", name, value))},
          {},
          {}};
}

std::vector<Hit> find_p6(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  for (const ContainerFact& container : facts.containers) {
    const GpuShare share = share_of(container, facts);
    const auto cuda = variable(container.environment, "CUDA_VISIBLE_DEVICES");
    const auto nvidia = variable(container.environment, "NVIDIA_VISIBLE_DEVICES");
    const bool is_by_environment = container.runtime == "nvidia" &&
                                   facts.engine.default_runtime != "nvidia" && !share.by_cdi &&
                                   !share.by_request;
    if (share.any() && cuda && hides_all(*cuda, share, facts)) {
      hits.push_back(hidden(container, "CUDA_VISIBLE_DEVICES", *cuda));
    } else if (is_by_environment && nvidia && names_no_gpu(*nvidia, facts)) {
      hits.push_back(hidden(container, "NVIDIA_VISIBLE_DEVICES", *nvidia));
    }
  }
  return hits;
}

// "compute", "utility" or both, where a list of the driver's capabilities lacks them.
std::string lacking(std::string_view capabilities) {
  const auto parts = parts_of_list(capabilities);
  std::string lacks;
  for (const std::string_view one : {"compute", "utility"}) {
    const bool is_there = std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
      return part == one || part == "all";
    });
    if (!is_there) lacks += fmt::format("{}{}", lacks.empty() ? "" : ",", one);
  }
  return lacks;
}

std::vector<Hit> find_p7(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  for (const ContainerFact& container : facts.containers) {
    const GpuShare share = share_of(container, facts);
    const auto value = variable(container.environment, "NVIDIA_DRIVER_CAPABILITIES");
    // Without the variable NVIDIA's runtime takes both; an empty one counts as none.
    if (share.by_cdi || !share.any() || !value || value->empty()) continue;
    const std::string lacks = lacking(*value);
    if (lacks.empty()) continue;
    hits.push_back({fmt::format(msg::kP7Title, container.name, *value, lacks),
                    {at(container, fmt::format("NVIDIA_DRIVER_CAPABILITIES={}", *value))},
                    {},
                    {}});
  }
  return hits;
}

bool asks_by_environment(const std::vector<std::string>& environment) {
  const auto value = variable(environment, "NVIDIA_VISIBLE_DEVICES");
  return value && !value->empty() && *value != "void" && *value != "none";
}

std::vector<Hit> find_p8(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  if (facts.engine.default_runtime != "nvidia") return hits;
  std::vector<Evidence> evidence;
  std::string who;
  for (const ContainerFact& container : facts.containers) {
    const bool asks_itself = !container.requests.empty() || !container.device_paths.empty();
    if (asks_itself || !asks_by_environment(container.environment)) continue;
    if (who.empty()) who = container.name;
    evidence.push_back(at(container, "NVIDIA_VISIBLE_DEVICES"));
  }
  for (const ImageFact& image : facts.images) {
    if (!asks_by_environment(image.environment)) continue;
    if (who.empty()) who = image.name;
    evidence.push_back({Evidence::Source::image, image.name, 0, "NVIDIA_VISIBLE_DEVICES"});
  }
  if (who.empty()) return hits;
  evidence.insert(evidence.begin(), {Evidence::Source::file, facts.engine.daemon_json.path, 0,
                                     "default-runtime: nvidia"});
  hits.push_back({fmt::format(msg::kP8Title, who), std::move(evidence), {}, {}});
  return hits;
}

std::vector<Hit> find_p10(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  for (const ContainerFact& container : facts.containers) {
    if (!container.env_file_is_newer) continue;
    hits.push_back({fmt::format(msg::kP10Title, container.name),
                    {at(container, fmt::format("{}", fmt::join(container.compose_files, ", ")))},
                    {},
                    {}});
  }
  return hits;
}

// The last change of what gives GPUs to containers.
struct Change {
  std::string what;
  std::int64_t at = 0;
};
Change last_change(const ReadinessFacts& facts) {
  Change last;
  const auto take = [&](const std::string& what, std::int64_t at) {
    if (at > last.at) last = {what, at};
  };
  const CdiView view = view_cdi(facts);
  for (const CdiFile* file : view.effective) {
    if (is_of_nvidia(*file)) take(file->path, file->modified_at);
  }
  for (const auto& [name, program] : facts.toolkit.programs) take(program.path, program.changed_at);
  take(facts.toolkit.config.path, facts.toolkit.config.modified_at);
  take(facts.engine.daemon_json.path, facts.engine.daemon_json.modified_at);
  return last;
}

// A line of its log, or the engine's word, that names a failure of the GPU; empty: there is none.
std::string failure_of(const ContainerFact& container) {
  if (is_on_cpu(container)) return std::string(computes_on(container));
  std::string log;
  for (const std::string& line : container.log) log += line + "\n";
  log += container.error;
  const auto explained = explain_log(log);
  return explained.empty() ? std::string() : explained.front().text;
}

std::vector<Hit> find_p11(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  const Change change = last_change(facts);
  for (const ContainerFact& container : facts.containers) {
    const bool is_older = container.started_at > 0 && container.started_at < change.at;
    if (!is_older || !share_of(container, facts).any()) continue;
    const std::string failure = failure_of(container);
    if (failure.empty()) continue;
    hits.push_back({fmt::format(msg::kP11Title, container.name, change.what),
                    {at(container, failure)},
                    {},
                    {}});
  }
  return hits;
}

// Docker's default; PyTorch's data loaders and NCCL need more.
constexpr std::uint64_t kSmallShm = 64ULL << 20;

bool is_for_training(const ContainerFact& container) {
  constexpr std::array<std::string_view, 12> kWords = {
      "pytorch",  "tensorflow", "deepspeed",     "axolotl", "unsloth",    "nemo",
      "megatron", "kohya",      "llama-factory", "trainer", "accelerate", "detectron"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return contains(container.image, word); });
}

std::vector<Hit> find_p12(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  for (const ContainerFact& container : facts.containers) {
    const bool is_small = container.shm_bytes > 0 && container.shm_bytes <= kSmallShm;
    if (!is_small || !is_for_training(container) || !share_of(container, facts).any()) continue;
    hits.push_back({fmt::format(msg::kP12Title, container.name, container.shm_bytes >> 20),
                    {at(container, container.image)},
                    {},
                    {}});
  }
  return hits;
}

constexpr Rule kRules[] = {
    make_rule("P1", Severity::error, msg::kP1Text, Fix::automatic, find_cdi_as_path),
    make_rule("P2", Severity::error, msg::kP2Text, Fix::automatic, find_cdi_on_podman),
    make_rule("P3", Severity::warning, msg::kP3Text, Fix::automatic, find_asked_twice),
    make_rule("P4", Severity::error, msg::kP4Text, Fix::automatic, find_count_and_ids),
    make_rule("P5", Severity::error, msg::kP5Text, Fix::guide, find_p5),
    make_rule("P6", Severity::error, msg::kP6Text, Fix::automatic, find_p6),
    make_rule("P7", Severity::warning, msg::kP7Text, Fix::automatic, find_p7),
    make_rule("P8", Severity::warning, msg::kP8Text, Fix::asks, find_p8),
    make_rule("P9", Severity::info, msg::kP9Text, Fix::automatic, find_numbered_gpus),
    make_rule("P10", Severity::warning, msg::kP10Text, Fix::asks, find_p10),
    make_rule("P11", Severity::error, msg::kP11Text, Fix::asks, find_p11),
    make_rule("P12", Severity::warning, msg::kP12Text, Fix::automatic, find_p12),
    make_rule("P13", Severity::warning, msg::kP13Text, Fix::guide, find_withdrawn_images),
};

}  // namespace

std::span<const Rule> application_rules() {
  return kRules;
}

}  // namespace estiva::decide
