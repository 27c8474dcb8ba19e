// What is remembered of models across restarts of the daemon, as texts of the store (notes): which
// engine of ours runs, and what was measured. Pure text and arithmetic.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "model/model_spec.h"

namespace estiva::daemon {

// The note of one running engine, under engine_note(model).
struct EngineNote {
  std::string engine;  // ModelEngine's name: to stop it although its model left the configuration
  std::string container;  // ModelSpec's, for the same reason
  std::string lease;
  std::string record;  // Engine::record()
};
std::string engine_note(std::string_view model);  // "engine/xtts"
// The model of a note's name; nothing where the note is of another kind.
std::optional<std::string> model_of_engine_note(std::string_view name);
std::string to_text(const EngineNote& note);
// Nothing where the text is empty (it runs no more) or not ours.
std::optional<EngineNote> read_engine_note(std::string_view text);

// What a person said of a model while the daemon ran, beside what the configuration said then: when
// that says otherwise later, the newer words count.
struct SaidOfModel {
  std::optional<ResidencyPolicy> policy;
  std::optional<bool> pinned;
  ResidencyPolicy configured_policy = ResidencyPolicy::swap;
  bool configured_pinned = false;
};
std::string said_note(std::string_view model);  // "said/xtts"
// Empty where nothing differs from the configuration: the note is to be forgotten.
std::string to_text(const SaidOfModel& said);
// What of it still counts for this spec; nothing of a text that is not ours.
SaidOfModel read_said(std::string_view text, const ModelSpec& now);

// The last few times something took, in nanoseconds; their median is what plans rest on.
using Times = std::vector<std::int64_t>;
inline constexpr std::size_t kTimesKept = 9;
void remember_time(Times& times, Nanoseconds time);
std::optional<Nanoseconds> median_of(const Times& times);

// What one model showed, for one footprint. With another footprint nothing of it counts.
struct LearnedModel {
  std::string footprint;
  Bytes peak;  // of one GPU; zero: never seen
  Times load, unload, wake, sleep;
};
std::string to_text(const LearnedModel& learned);
// What is not ours is as if nothing had been learned.
LearnedModel read_learned(std::string_view text);
std::string learned_note(std::string_view model);  // "learned/xtts"
// What a need rests on: everything of the spec that changes what an engine allocates, its version
// and the driver's.
std::string footprint_of(const ModelSpec& spec, std::string_view engine_version,
                         std::string_view driver_version);

}  // namespace estiva::daemon
