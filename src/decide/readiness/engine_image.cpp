// K22 to K27: whether an image goes with this machine's driver and cards.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/decide_doctor_image.h"
#include "decide/readiness/cuda_table.h"
#include "decide/readiness/engine_look.h"
#include "decide/readiness/finders.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

const ImageFact* image_of(const ReadinessFacts& facts, const ContainerFact& container) {
  const auto found = std::ranges::find_if(facts.images, [&](const ImageFact& one) {
    return (!one.id.empty() && one.id == container.image_id) ||
           (!one.name.empty() && one.name == container.image);
  });
  return found == facts.images.end() ? nullptr : &*found;
}

std::string_view setting_of(const ReadinessFacts& facts, const ContainerFact& container,
                            std::string_view name) {
  const std::string_view own = value_of(container.environment, name);
  const ImageFact* image = image_of(facts, container);
  return own.empty() && image != nullptr ? value_of(image->environment, name) : own;
}

const std::string& driver_version(const ReadinessFacts& facts) {
  return facts.driver.status.version.empty() ? facts.kernel.module_version
                                             : facts.driver.status.version;
}

// "12.4" of the driver; empty: not known.
std::string driver_cuda(const ReadinessFacts& facts) {
  const Reading<unsigned>& cuda = facts.driver.status.cuda_version;
  if (!cuda || *cuda == 0) return {};
  return fmt::format("{}.{}", *cuda / 1000, *cuda % 1000 / 10);
}

// One "name op value". What we can't judge (brand, arch) counts as met: better no finding than a
// wrong one.
bool is_met(std::string_view condition, std::string_view cuda, std::string_view driver) {
  const std::size_t at = condition.find_first_of("<>=!");
  if (at == condition.npos) return true;
  const std::size_t end = std::min(condition.find_first_not_of("<>=!", at), condition.size());
  const std::string_view name = condition.substr(0, at), sign = condition.substr(at, end - at);
  const std::string_view have = name == "cuda" ? cuda : name == "driver" ? driver : "";
  if (have.empty()) return true;
  const int order = compare_versions(have, condition.substr(end));
  if (sign == ">=") return order >= 0;
  if (sign == "<=") return order <= 0;
  if (sign == ">") return order > 0;
  if (sign == "<") return order < 0;
  return sign == "!=" ? order != 0 : order == 0;
}

// "cuda>=12.8 brand=tesla,driver>=535,driver<536": blanks part alternatives, commas conditions.
bool is_requirement_met(std::string_view text, std::string_view cuda, std::string_view driver) {
  std::string_view alternative;
  bool has_any = false;
  while (format::next_word(text, alternative)) {
    has_any = true;
    bool met = true;
    while (met && !alternative.empty()) {
      const std::size_t comma = std::min(alternative.find(','), alternative.size());
      met = is_met(alternative.substr(0, comma), cuda, driver);
      alternative.remove_prefix(std::min(comma + 1, alternative.size()));
    }
    if (met) return true;
  }
  return !has_any;
}

// The requirement of a container that NVIDIA's hook would refuse; empty: none.
std::string_view unmet_requirement(const ReadinessFacts& facts, const ContainerFact& container) {
  const std::string_view off = setting_of(facts, container, "NVIDIA_DISABLE_REQUIRE");
  const std::string_view wants = setting_of(facts, container, "NVIDIA_REQUIRE_CUDA");
  const std::string cuda = driver_cuda(facts);
  if (wants.empty() || off == "true" || off == "1" || cuda.empty()) return {};
  if (!uses_hook(facts, container)) return {};
  return is_requirement_met(wants, cuda, driver_version(facts)) ? std::string_view() : wants;
}

// The containers that use a GPU and whose image says its CUDA.
struct CudaUser {
  const ContainerFact* container;
  const ImageFact* image;
};
std::vector<CudaUser> cuda_users(const ReadinessFacts& facts) {
  std::vector<CudaUser> users;
  for (const ContainerFact& one : facts.containers) {
    const ImageFact* image = image_of(facts, one);
    if (image != nullptr && !image->cuda_version.empty() && gpu_request(one).any())
      users.push_back({&one, image});
  }
  return users;
}

// What the image's CUDA needs where this machine's driver is older; nothing where it is not.
std::optional<DriverVersion> missing_driver(const ReadinessFacts& facts, const ImageFact& image) {
  const auto cuda = parse_cuda_version(image.cuda_version);
  const auto driver = parse_driver_version(driver_version(facts));
  if (!cuda || judge_cuda(*cuda, driver, 0) != CudaFit::driver_too_old) return std::nullopt;
  return oldest_driver(*cuda);
}

// A card for desks and laptops: forward compatibility is not for it.
bool is_consumer_card(std::string_view name) {
  constexpr std::array<std::string_view, 3> kNames = {"GeForce", "GTX", "TITAN"};
  return std::ranges::any_of(kNames,
                             [&](std::string_view one) { return name.find(one) != name.npos; });
}

// The specification that puts an image's compatibility libraries first; null: none does.
const CdiFile* compat_spec(const ReadinessFacts& facts) {
  const auto specs = gpu_specs(facts);
  const bool uses = !specs.empty() && has_hook(*specs.front(), "enable-cuda-compat");
  return uses ? specs.front() : nullptr;
}

Evidence compat_evidence(const CdiFile& file) {
  return {Evidence::Source::file, file.path, 0, "enable-cuda-compat"};
}

std::optional<Hit> judge_compat(const ReadinessFacts& facts, const CudaUser& user) {
  const std::string cuda = driver_cuda(facts);
  if (cuda.empty() || compare_versions(user.image->cuda_version, cuda) <= 0 ||
      !gpu_request(*user.container).by_cdi ||
      value_of(user.image->environment, "NV_CUDA_COMPAT_PACKAGE").empty())
    return std::nullopt;
  const auto card = std::ranges::find_if(
      facts.driver.gpus, [](const Gpu& gpu) { return is_consumer_card(gpu.identity.name); });
  // Another major version fails before that (K23).
  if (card == facts.driver.gpus.end() || missing_driver(facts, *user.image)) return std::nullopt;
  return Hit{
      .title = fmt::format(msg::kCompatMayFail, user.container->name, user.image->cuda_version,
                           driver_version(facts), card->identity.name),
      .evidence = {{Evidence::Source::image, user.image->name, 0,
                    fmt::format(msg::kCudaVersionIs, user.image->cuda_version)}},
      .severity = Severity::warning};
}

// What CUDA and a card have in common: all, only what is compiled at the start, or nothing.
enum class Match : std::uint8_t { good, perhaps, none };
Match match(CudaVersion cuda, unsigned capability) {
  const auto newest = newest_cuda_major(capability);
  if (newest && cuda.major > *newest) return Match::none;
  // What is built for 8.0 runs on 8.9 too.
  const auto first = first_cuda(capability / 10 * 10);
  return first && cuda < *first ? Match::perhaps : Match::good;
}

std::optional<Hit> judge_code(const ReadinessFacts& facts, const CudaUser& user) {
  const std::string& cuda = user.image->cuda_version;
  const auto version = parse_cuda_version(cuda);
  if (!version) return std::nullopt;
  const Gpu* worst = nullptr;
  Match found = Match::good;
  bool some_good = false;
  for (const Gpu& gpu : facts.driver.gpus) {
    if (!gpu.identity.compute_capability) return std::nullopt;
    const Match now = match(*version, *gpu.identity.compute_capability);
    some_good = some_good || now == Match::good;
    if (now > found) worst = &gpu;
    found = std::max(found, now);
  }
  if (worst == nullptr) return std::nullopt;
  const unsigned capability = *worst->identity.compute_capability;
  const std::string_view title =
      found == Match::none ? msg::kNoKernelImage : msg::kNoKernelImagePerhaps;
  Hit hit{.title = fmt::format(fmt::runtime(title), user.container->name, cuda,
                               worst->identity.name, capability / 10, capability % 10),
          .evidence = {{Evidence::Source::image, user.image->name, 0,
                        fmt::format(msg::kCudaVersionIs, cuda)}}};
  if (some_good || found == Match::perhaps) hit.severity = Severity::warning;
  return hit;
}

Hits hits_by_text(const ReadinessFacts& facts, std::initializer_list<std::string_view> parts,
                  std::string_view title) {
  Hits hits;
  for (const ContainerFact* one : containers_that_say(facts, parts)) {
    hits.push_back({.title = fmt::format(fmt::runtime(title), one->name),
                    .evidence = {said(*one, *parts.begin())}});
  }
  return hits;
}

}  // namespace

Hits find_unmet_requirement(const ReadinessFacts& facts) {
  Hits hits;
  if (!has_gpu(facts)) return hits;
  for (const ContainerFact& one : facts.containers) {
    const std::string_view wants = unmet_requirement(facts, one);
    if (wants.empty()) continue;
    const std::string first(wants.substr(0, wants.find(' ')));
    hits.push_back({.title = fmt::format(msg::kUnmetRequirement, one.name, first,
                                         driver_version(facts), driver_cuda(facts)),
                    .evidence = {{Evidence::Source::image, one.image, 0,
                                  fmt::format(msg::kRequireCuda, wants)}}});
  }
  return hits;
}

Hits find_driver_too_old(const ReadinessFacts& facts) {
  Hits hits;
  if (!has_gpu(facts)) return hits;
  for (const CudaUser& user : cuda_users(facts)) {
    const auto needed = missing_driver(facts, *user.image);
    if (!needed || !unmet_requirement(facts, *user.container).empty()) continue;
    const std::string& cuda = user.image->cuda_version;
    Hit hit{.title = fmt::format(msg::kDriverTooOld, user.container->name, cuda, to_text(*needed),
                                 driver_version(facts)),
            .evidence = {{Evidence::Source::image, user.image->name, 0,
                          fmt::format(msg::kCudaVersionIs, cuda)},
                         host_evidence(msg::kLoadedModule, driver_version(facts))}};
    // Compatibility libraries in the image may carry a data centre's card over it.
    const bool may_work = !value_of(user.image->environment, "NV_CUDA_COMPAT_PACKAGE").empty() &&
                          std::ranges::none_of(facts.driver.gpus, [](const Gpu& gpu) {
                            return is_consumer_card(gpu.identity.name);
                          });
    if (may_work) hit.severity = Severity::warning;
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits find_second_libcuda(const ReadinessFacts& facts) {
  return hits_by_text(facts, {"system has unsupported display driver / cuda driver combination"},
                      msg::kSecondLibcuda);
}

Hits find_forward_compat(const ReadinessFacts& facts) {
  Hits hits = hits_by_text(facts, {"forward compatibility was attempted on non supported HW"},
                           msg::kCompatFailed);
  const CdiFile* spec = compat_spec(facts);
  if (spec == nullptr) return hits;
  if (hits.empty() && has_gpu(facts)) {
    for (const CudaUser& user : cuda_users(facts))
      if (auto hit = judge_compat(facts, user)) hits.push_back(std::move(*hit));
  }
  for (Hit& hit : hits) hit.evidence.push_back(compat_evidence(*spec));
  return hits;
}

Hits find_no_kernel_image(const ReadinessFacts& facts) {
  Hits hits;
  for (const CudaUser& user : cuda_users(facts)) {
    if (auto hit = judge_code(facts, user)) hits.push_back(std::move(*hit));
  }
  return hits;
}

Hits find_driver_in_image(const ReadinessFacts& facts) {
  return hits_by_text(facts, {"file creation failed", "file exists"}, msg::kDriverInImage);
}

}  // namespace estiva::decide
