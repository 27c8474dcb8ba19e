#include "daemon/resident_memory.h"

#include <algorithm>
#include <string>

#include "format/json_fields.h"
#include "format/json_tree.h"
#include "format/json_writer.h"
#include "format/sha256.h"

namespace estiva::daemon {

// SaidOfModel as words.
struct SaidText {
  std::string policy, pinned, configured_policy, configured_pinned;
};

namespace {

constexpr std::string_view kEngine = "engine/";
constexpr std::string_view kLearned = "learned/";
constexpr std::string_view kSaid = "said/";

std::string_view word_of(bool is_pinned) {
  return is_pinned ? "pinned" : "unpinned";
}

}  // namespace

template <class Io>
void fields(Io& io, EngineNote& note) {
  io("engine", note.engine);
  io("container", note.container);
  io("lease", note.lease);
  io("record", note.record);
}

template <class Io>
void fields(Io& io, SaidText& said) {
  io("policy", said.policy);
  io("pinned", said.pinned);
  io("configured_policy", said.configured_policy);
  io("configured_pinned", said.configured_pinned);
}

template <class Io>
void fields(Io& io, LearnedModel& learned) {
  io("footprint", learned.footprint);
  io("peak", learned.peak);
  io.list("load", learned.load);
  io.list("unload", learned.unload);
  io.list("wake", learned.wake);
  io.list("sleep", learned.sleep);
}

namespace {

template <class T>
std::string text_of(const T& value) {
  std::string text;
  format::JsonWriter json(text);
  format::FieldWriter(json).write(value);
  return text;
}

template <class T>
bool read_text(std::string_view text, T& value) {
  const auto tree = format::JsonTree::parse(text);
  return tree && format::read_fields(tree->root(), value).empty();
}

}  // namespace

std::string engine_note(std::string_view model) {
  return std::string(kEngine).append(model);
}

std::optional<std::string> model_of_engine_note(std::string_view name) {
  if (!name.starts_with(kEngine)) return std::nullopt;
  return std::string(name.substr(kEngine.size()));
}

std::string to_text(const EngineNote& note) {
  return text_of(note);
}

std::optional<EngineNote> read_engine_note(std::string_view text) {
  EngineNote note;
  if (text.empty() || !read_text(text, note)) return std::nullopt;
  return note;
}

std::string said_note(std::string_view model) {
  return std::string(kSaid).append(model);
}

std::string to_text(const SaidOfModel& said) {
  SaidText words;
  if (said.policy && *said.policy != said.configured_policy) words.policy = to_name(*said.policy);
  if (said.pinned && *said.pinned != said.configured_pinned) words.pinned = word_of(*said.pinned);
  if (words.policy.empty() && words.pinned.empty()) return {};
  words.configured_policy = to_name(said.configured_policy);
  words.configured_pinned = word_of(said.configured_pinned);
  return text_of(words);
}

SaidOfModel read_said(std::string_view text, const ModelSpec& now) {
  SaidOfModel said;
  said.configured_policy = now.policy;
  said.configured_pinned = now.pinned;
  SaidText words;
  if (text.empty() || !read_text(text, words)) return said;
  if (words.configured_policy == to_name(now.policy)) {
    said.policy = parse_residency_policy(words.policy);
  }
  if (!words.pinned.empty() && words.configured_pinned == word_of(now.pinned)) {
    said.pinned = words.pinned == word_of(true);
  }
  return said;
}

void remember_time(Times& times, Nanoseconds time) {
  if (times.size() >= kTimesKept) times.erase(times.begin());
  times.push_back(time.count());
}

std::optional<Nanoseconds> median_of(const Times& times) {
  if (times.empty()) return std::nullopt;
  Times sorted = times;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return Nanoseconds(*middle);
}

std::string to_text(const LearnedModel& learned) {
  return text_of(learned);
}

LearnedModel read_learned(std::string_view text) {
  LearnedModel learned;
  if (!read_text(text, learned)) return {};
  return learned;
}

std::string learned_note(std::string_view model) {
  return std::string(kLearned).append(model);
}

std::string footprint_of(const ModelSpec& spec, std::string_view engine_version,
                         std::string_view driver_version) {
  std::string all(to_name(spec.engine));
  const auto add = [&](std::string_view part) { all.append(1, '\0').append(part); };
  for (const std::string& word : spec.command) add(word);
  for (const std::string& variable : spec.environment) add(variable);
  for (const std::string_view part :
       {std::string_view(spec.container), std::string_view(spec.model), std::string_view(spec.file),
        std::string_view(spec.url), engine_version, driver_version}) {
    add(part);
  }
  add(std::to_string(spec.gpus));
  return format::sha256_hex(all);
}

}  // namespace estiva::daemon
