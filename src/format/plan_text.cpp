#include "format/plan_text.h"

#include <fmt/format.h>

#include "base/messages/act.h"
#include "format/sha256.h"
#include "format/text.h"

namespace estiva {

// In the namespace of the value, where json_fields.h looks.
template <class Io>
static void fields(Io& io, Step& step) {
  io.named("kind", step.kind, StepKind::reload_unit);
  format::bytes_field(io, "target", step.target);
  format::bytes_field(io, "reason", step.reason);
  format::bytes_field(io, "effect", step.effect);
  format::bytes_field(io, "undo", step.undo);
  io.named("risk", step.risk, Risk::reboot);
  format::bytes_list(io, "stops", step.stops);
  format::bytes_field(io, "diff", step.diff);
  format::bytes_field(io, "expects", step.expects);
  format::bytes_field(io, "content", step.content);
  format::bytes_field(io, "link_to", step.link_to);
  io("mode", step.mode);
}

template <class Io>
static void fields(Io& io, Plan& plan) {
  format::bytes_field(io, "id", plan.id);
  io("hash", plan.hash);
  io.list("steps", plan.steps);
}

namespace format {
namespace {

constexpr std::string_view kHex = "hex:";

// A length before each text, so that no two plans have the same bytes.
void add(Sha256& sum, std::string_view text) {
  sum.add(fmt::format("{}:", text.size()));
  sum.add(text);
}

void add_step(Sha256& sum, const Step& step) {
  // Named one by one: a new member does not compile here until it is decided whether it counts.
  const auto& [kind, target, reason, effect, undo, risk, stops, diff, expects, content, link_to,
               mode] = step;
  add(sum, to_name(kind));
  add(sum, target);
  add(sum, to_name(risk));
  add(sum, fmt::format("{}", stops.size()));
  for (const std::string& stopped : stops) add(sum, stopped);
  add(sum, expects);
  add(sum, content);
  add(sum, link_to);
  add(sum, mode ? fmt::format("{:o}", *mode) : "-");
}

}  // namespace

std::string pack_bytes(std::string_view bytes) {
  if (is_utf8(bytes) && !bytes.starts_with(kHex)) return std::string(bytes);
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return fmt::format("{}{}", kHex, to_hex({data, bytes.size()}));
}

std::string unpack_bytes(std::string_view packed) {
  if (!packed.starts_with(kHex)) return std::string(packed);
  packed.remove_prefix(kHex.size());
  std::string bytes(packed.size() / 2, '\0');
  const bool fine = from_hex(packed, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  return fine ? bytes : std::string();
}

std::string hash_of(const Plan& plan) {
  Sha256 sum;
  add(sum, "estiva/plan/1");
  add(sum, plan.id);
  for (const Step& step : plan.steps) add_step(sum, step);
  return to_hex(sum.finish());
}

std::string plan_to_json(const Plan& plan) {
  std::string text;
  JsonWriter json(text);
  write_fields(json, plan);
  return text;
}

Result<Plan> plan_from_json(std::string_view text) {
  const auto tree = JsonTree::parse(text);
  if (!tree) return Failure(tree.error().in(fmt::format(msg::act::kPlanUnreadable, "")));
  Plan plan;
  if (const auto wrong = read_fields(tree->root(), plan); !wrong.empty()) {
    return fail(fmt::format(msg::act::kPlanUnreadable, wrong),
                std::string(msg::act::kPlanUnreadableHow));
  }
  return plan;
}

}  // namespace format
}  // namespace estiva
