#include "api/request_json.h"

#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/api.h"
#include "format/settings.h"
#include "format/size.h"
#include "format/text.h"

namespace estiva::api {
namespace json = boost::json;

namespace {

Failure wrong(std::string_view member, std::string_view wanted) {
  return fail(ErrorKind::usage, fmt::format(msg::kWrongMember, member, wanted), msg::kAssignBody);
}

// A JSON number that is a whole one within [low, high].
std::optional<std::uint64_t> whole(const json::value& value, std::uint64_t low,
                                   std::uint64_t high) {
  std::uint64_t number = 0;
  if (value.is_uint64()) {
    number = value.get_uint64();
  } else if (value.is_int64() && value.get_int64() >= 0) {
    number = static_cast<std::uint64_t>(value.get_int64());
  } else {
    return std::nullopt;
  }
  if (number < low || number > high) return std::nullopt;
  return number;
}

Result<std::string> name_in(const json::value& value) {
  const auto* text = value.if_string();
  if (text == nullptr || text->empty() || text->size() > kMaxModelName) {
    return wrong("model", msg::kMustBeName);
  }
  for (const char c : *text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return wrong("model", msg::kMustBePrintable);
    }
  }
  return std::string(text->data(), text->size());
}

struct Draft {
  std::string model, gpu = "auto";
  std::optional<Bytes> vram;
  std::uint64_t gpus = 1;
  decide::Choice choice = decide::Choice::by_gpu_count;
  std::optional<pid_t> pid;
  bool only_new = false;
  HolderWanted holder = HolderWanted::unsaid;
  LibraryTerms library;
  Nanoseconds wait{0};
};

// Seconds, with a fraction if need be.
Result<Nanoseconds> seconds_in(std::string_view member, const json::value& value,
                               std::chrono::seconds most) {
  double number = -1;
  if (value.is_number()) number = value.to_number<double>();
  if (!(number >= 0) || number > static_cast<double>(most.count())) {
    return wrong(member, fmt::format(msg::kMustBeSeconds, most.count()));
  }
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(number));
}

Result<void> take_terms(LibraryTerms& terms, std::string_view member, const json::value& value) {
  if (member == "revocable") {
    if (!value.is_bool()) return wrong(member, msg::kMustBeBool);
    terms.revocable = value.get_bool();
    return {};
  }
  auto time = seconds_in(member, value, kLongestSilence);
  if (!time) return Failure(time.error());
  if (*time < std::chrono::seconds(1)) return wrong(member, msg::kMustBeASecond);
  terms.heartbeat = *time;
  return {};
}

Result<void> take_policy(Draft& draft, const json::value& value) {
  const auto* text = value.if_string();
  if (text == nullptr) return wrong("policy", msg::kMustBePolicy);
  auto choice = format::parse_placement_choice({text->data(), text->size()});
  if (!choice) return Failure(choice.error());
  switch (*choice) {
    case format::PlacementChoice::automatic:
      draft.choice = decide::Choice::by_gpu_count;
      break;
    case format::PlacementChoice::least_utilized:
      draft.choice = decide::Choice::least_utilized;
      break;
    case format::PlacementChoice::pack:
      draft.choice = decide::Choice::pack;
      break;
  }
  return {};
}

Result<void> take_size(Draft& draft, std::string_view member, const json::value& value) {
  if (draft.vram) return wrong(member, msg::kMustBeOnlySize);
  if (member == "vram") {
    const auto* text = value.if_string();
    if (text == nullptr) return wrong(member, msg::kMustBeSize);
    auto size = format::parse_size({text->data(), text->size()});
    if (!size) return Failure(size.error());
    draft.vram = *size;
    return {};
  }
  const bool megabytes = member == "required_vram_mb";
  const auto number = whole(value, 1, megabytes ? UINT64_MAX >> 20 : UINT64_MAX);
  if (!number) return wrong(member, megabytes ? msg::kMustBeMib : msg::kMustBeBytes);
  draft.vram = megabytes ? mib(*number) : Bytes{*number};
  return {};
}

Result<void> take(Draft& draft, std::string_view member, const json::value& value) {
  if (member == "model") {
    auto name = name_in(value);
    if (!name) return Failure(name.error());
    draft.model = std::move(*name);
    return {};
  }
  if (member == "vram_bytes" || member == "vram" || member == "required_vram_mb") {
    return take_size(draft, member, value);
  }
  if (member == "policy") return take_policy(draft, value);
  if (member == "gpu") {
    if (const auto number = whole(value, 0, 4095)) {
      draft.gpu = fmt::format("{}", *number);
      return {};
    }
    const auto* text = value.if_string();
    if (text == nullptr || text->empty() || text->size() > 128) {
      return wrong(member, msg::kMustBeGpu);
    }
    draft.gpu.assign(text->data(), text->size());
    return {};
  }
  if (member == "gpus") {
    const auto number = whole(value, 1, decide::kMostShares);
    if (!number) return wrong(member, msg::kMustBeShares);
    draft.gpus = *number;
    return {};
  }
  if (member == "pid") {
    const auto number = whole(value, 1, 1U << 22);  // PID_MAX_LIMIT of the kernel
    if (!number) return wrong(member, msg::kMustBePid);
    draft.pid = static_cast<pid_t>(*number);
    return {};
  }
  if (member == "only_new") {
    if (!value.is_bool()) return wrong(member, msg::kMustBeBool);
    draft.only_new = value.get_bool();
    return {};
  }
  if (member == "holder") {
    const auto* text = value.if_string();
    const bool known = text != nullptr && (*text == "caller" || *text == "container");
    if (!known) return wrong(member, msg::kMustBeHolder);
    draft.holder = *text == "caller" ? HolderWanted::caller : HolderWanted::container;
    return {};
  }
  if (member == "revocable" || member == "heartbeat_seconds") {
    return take_terms(draft.library, member, value);
  }
  if (member == "wait_seconds") {
    auto wait = seconds_in(member, value, kLongestWait);
    if (!wait) return Failure(wait.error());
    draft.wait = *wait;
    return {};
  }
  static constexpr std::string_view kKnown[] = {"model",
                                                "vram_bytes",
                                                "vram",
                                                "policy",
                                                "gpu",
                                                "gpus",
                                                "pid",
                                                "holder",
                                                "only_new",
                                                "revocable",
                                                "heartbeat_seconds",
                                                "wait_seconds",
                                                "required_vram_mb"};
  const auto near = format::nearest_name(member, kKnown);
  return fail(ErrorKind::usage,
              fmt::format(msg::kUnknownMember, format::escape_for_terminal(member.substr(0, 64))),
              near ? fmt::format(msg::kMeantMember, *near) : std::string(msg::kAssignBody));
}

}  // namespace

Result<AssignBody> parse_assign(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 8;
  const json::value document = json::parse({text.data(), text.size()}, error, {}, options);
  const json::object* members = error ? nullptr : document.if_object();
  if (members == nullptr) return fail(ErrorKind::usage, msg::kBodyNotJson, msg::kAssignBody);
  Draft draft;
  for (const auto& [member, value] : *members) {
    if (auto taken = take(draft, {member.data(), member.size()}, value); !taken) {
      return Failure(taken.error());
    }
  }
  if (draft.model.empty()) return wrong("model", "given");
  if (!draft.vram) return fail(ErrorKind::usage, msg::kNoVram, msg::kAssignBody);
  if (draft.gpus > 1 && draft.gpu != "auto") return wrong("gpus", "1 where a GPU is named");
  AssignBody body;
  body.request.model = std::move(draft.model);
  body.request.shares = decide::on_any_gpus(draft.gpus, *draft.vram);
  body.request.shares[0].gpu = draft.gpu;
  body.request.choice = draft.choice;
  body.pid = draft.pid;
  body.only_new = draft.only_new;
  body.holder = draft.holder;
  body.library = draft.library;
  body.wait = draft.wait;
  return body;
}

namespace {

Result<void> take_library(LibraryBody& body, std::string_view member, const json::value& value) {
  if (member == "revocable" || member == "heartbeat_seconds") {
    body.has_terms = true;
    return take_terms(body.terms, member, value);
  }
  if (member == "wait_seconds" || member == "deadline_seconds") {
    auto time = seconds_in(member, value, kLongestWait);
    if (!time) return Failure(time.error());
    if (member == "wait_seconds") body.wait = *time;
    if (member == "deadline_seconds") body.deadline = *time;
    return {};
  }
  if (member == "busy") {
    if (!value.is_bool()) return wrong(member, msg::kMustBeBool);
    body.busy = value.get_bool();
    return {};
  }
  if (member == "reason") {
    const auto* text = value.if_string();
    if (text == nullptr || text->size() > kMaxModelName) return wrong(member, msg::kMustBeName);
    body.reason = format::to_valid_utf8({text->data(), text->size()});
    return {};
  }
  if (member == "vram_bytes") {
    const auto number = whole(value, 0, UINT64_MAX);
    if (!number) return wrong(member, msg::kMustBeBytes);
    body.bytes = Bytes{*number};
    return {};
  }
  const auto* text = value.if_string();
  if (text == nullptr) return wrong(member, msg::kMustBeSize);
  auto size = format::parse_size({text->data(), text->size()});
  if (!size) return Failure(size.error());
  body.bytes = *size;
  return {};
}

}  // namespace

Result<LibraryBody> parse_library(std::string_view text, std::span<const std::string_view> known) {
  LibraryBody body;
  if (text.empty()) return body;
  boost::system::error_code error;
  const json::value document = json::parse({text.data(), text.size()}, error);
  const json::object* members = error ? nullptr : document.if_object();
  const std::string expected = fmt::format(msg::kTakesMembers, fmt::join(known, ", "));
  if (members == nullptr) return fail(ErrorKind::usage, msg::kBodyNotJson, expected);
  for (const auto& [key, value] : *members) {
    const std::string_view member(key.data(), key.size());
    if (std::find(known.begin(), known.end(), member) == known.end()) {
      return fail(
          ErrorKind::usage,
          fmt::format(msg::kUnknownMember, format::escape_for_terminal(member.substr(0, 64))),
          expected);
    }
    if (auto taken = take_library(body, member, value); !taken) return Failure(taken.error());
  }
  return body;
}

}  // namespace estiva::api
