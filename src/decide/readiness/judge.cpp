// Runs doctor's table over the facts, in the order of the ladder: what stands on a lower rung is
// the cause of what fails above it.
#include <algorithm>
#include <array>

#include "base/messages/decide_doctor.h"
#include "decide/readiness/fixes.h"
#include "decide/readiness/rule.h"

namespace estiva::decide {
namespace {

// A rung a line; on a rung the cause stands before what it brings about.
constexpr std::string_view kLadder[] = {
    // PCI
    "D10", "D8", "D7",
    // the machine's kind, and the kernel's module
    "K29", "K30", "D6", "D5", "D2", "D9",
    // versions
    "D1", "D3", "D4",
    // device nodes
    "D11", "D13", "D14", "D12",
    // NVML
    "D22", "D20", "D16",
    // CUDA's start
    "D17", "D15", "D18", "D21", "D19",
    // the CDI spec
    "C2", "C5", "C6", "C3", "C1", "C4", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "C14", "C15",
    // the engine
    "K7", "K8", "K6", "K12", "K13", "K14", "K1", "K2", "K3", "K5", "K4", "K9", "K11", "K10", "K15",
    "K16", "K18", "K19", "K20", "K21", "K28", "K31", "K32", "K17",
    // the container
    "P1", "P2", "P3", "P4", "P8", "P9", "P10", "P11", "P14",
    // the image
    "K22", "K23", "K24", "K25", "K26", "K27", "P13",
    // the application's log
    "P5", "P6", "P7", "P12",
    // known by their text alone
    "T2", "T1"};

std::size_t rung_of(std::string_view id) {
  return static_cast<std::size_t>(std::ranges::find(kLadder, id) - std::begin(kLadder));
}

Finding to_finding(const Rule& rule, Hit hit) {
  Finding finding;
  finding.id = rule.id;
  finding.severity = hit.severity.value_or(rule.severity);
  finding.title = std::move(hit.title);
  finding.foretells = hit.foretells.empty() ? std::string(rule.symptom) : std::move(hit.foretells);
  finding.evidence = std::move(hit.evidence);
  finding.remedy = {hit.remedy.empty() ? std::string(rule.remedy) : std::move(hit.remedy),
                    hit.fix.value_or(fix_of(rule)), std::string(rule.undo)};
  return finding;
}

std::vector<const Rule*> in_order() {
  std::vector<const Rule*> rules;
  for (const auto family :
       {driver_rules(), engine_rules(), cdi_rules(), application_rules(), text_rules()}) {
    for (const Rule& one : family) rules.push_back(&one);
  }
  std::ranges::stable_sort(rules, {}, [](const Rule* one) { return rung_of(one->id); });
  return rules;
}

}  // namespace

const std::vector<const Rule*>& all_rules() {
  static const std::vector<const Rule*> kInOrder = in_order();
  return kInOrder;
}

Fix fix_of(const Rule& rule) {
  return rule.fix == Fix::automatic && !has_fix(rule.id) ? Fix::guide : rule.fix;
}

const Rule* find_rule(std::string_view id) {
  const auto& rules = all_rules();
  const auto found = std::ranges::find(rules, id, &Rule::id);
  return found == rules.end() ? nullptr : *found;
}

std::vector<Finding> judge_readiness(const ReadinessFacts& facts) {
  std::vector<Finding> findings;
  for (const Rule* one : all_rules()) {
    if (one->find == nullptr) continue;
    for (Hit& hit : one->find(facts)) {
      Finding found = to_finding(*one, std::move(hit));
      if (found.remedy.fix == Fix::automatic && !can_fix(facts, found))
        found.remedy.fix = Fix::guide;
      if (found.remedy.fix == Fix::automatic) found.remedy.undo = msg::kDoctorUndo;
      findings.push_back(std::move(found));
    }
  }
  return findings;
}

}  // namespace estiva::decide
