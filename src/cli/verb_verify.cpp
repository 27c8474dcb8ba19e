#include "cli/verb_verify.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/cli.h"
#include "base/messages/cli_doctor.h"
#include "cli/container_look.h"
#include "cli/gl_look.h"
#include "cli/numbers.h"
#include "cli/readiness.h"
#include "cli/render_doctor.h"
#include "cli/session.h"
#include "container/endpoint.h"
#include "decide/readiness/rule.h"
#include "format/cdi_rules.h"
#include "format/json_writer.h"
#include "format/size.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::JsonWriter;

int exit_code_of(decide::LadderVerdict verdict) {
  switch (verdict) {
    case decide::LadderVerdict::usable:
      return 0;
    case decide::LadderVerdict::cpu_only:
    case decide::LadderVerdict::unproven:
      return 3;
    case decide::LadderVerdict::broken:
      return 1;
  }
  return 1;
}

std::string ladder_json(const decide::Ladder& ladder, const decide::ContainerLook& look) {
  std::string text;
  JsonWriter json(text);
  const auto text_or_null = [&json](const std::string& value) {
    if (value.empty())
      json.null();
    else
      json.value(value);
  };
  json.begin_object().field("schema", "estiva/verify/1").field("verdict", to_name(ladder.verdict));
  json.field("summary", ladder.summary).key("container");
  text_or_null(look.name);
  json.key("asked_by");
  text_or_null(look.asked_by);
  json.key("rungs").begin_array();
  for (const decide::Rung& rung : ladder.rungs) {
    json.begin_object().field("name", rung.name).field("state", to_name(rung.state));
    json.field("seen", rung.seen).key("rule");
    text_or_null(rung.rule);
    json.key("remedy");
    text_or_null(rung.remedy);
    json.end_object();
  }
  json.end_array().end_object();
  return text + "\n";
}

bool is_tree(const Arguments& args) {
  return args.value("--root").value_or("/") != "/";
}

Result<std::chrono::milliseconds> limit_of(const Arguments& args) {
  const auto text = args.value("--time");
  if (text && !format::parse_duration(*text))
    return fail(ErrorKind::usage,
                fmt::format(m::kBadDuration, format::escape_for_terminal(*text), "--time"),
                std::string(m::kDurationForms));
  const auto limit = time_of(args, "--time", std::chrono::seconds(30), std::chrono::seconds(1));
  if (!limit) return Failure(limit.error());
  return std::chrono::duration_cast<std::chrono::milliseconds>(*limit);
}

Result<void> check_device(const Arguments& args) {
  const std::string device(args.value("--device").value_or("nvidia.com/gpu=all"));
  const std::size_t equals = std::min(device.find('='), device.size());
  const bool is_named = equals < device.size() &&
                        format::fault_of_kind(device.substr(0, equals)).empty() &&
                        format::fault_of_device_name(device.substr(equals + 1)).empty();
  if (!is_named)
    return fail(ErrorKind::usage, fmt::format(m::kBadDevice, format::escape_for_terminal(device)),
                std::string(m::kBadDeviceRemedy));
  const auto way = args.value("--with").value_or("auto");
  if (args.has("--device") && (way == "gpus" || way == "runtime"))
    return fail(ErrorKind::usage, fmt::format(m::kDeviceIsCdi, way),
                std::string(m::kDeviceIsCdiRemedy));
  return {};
}

// What was asked for and can't be: said before anything is looked at.
Result<void> check_words(const Arguments& args) {
  if (const auto limit = limit_of(args); !limit) return Failure(limit.error());
  if (auto ok = check_device(args); !ok) return ok;
  if (args.words.empty()) return {};
  if (is_tree(args))
    return fail(ErrorKind::usage, std::string(m::kTreeHasNone),
                fmt::format(m::kTreeHasNoneRemedy, format::escape_for_terminal(args.words[0]),
                            *args.value("--root")));
  // An address that can't be spoken with is no reason to look at the machine.
  const auto address = container::find_engine(readiness_sources(args).engine);
  if (!address) return Failure(address.error());
  return {};
}

Result<decide::ContainerLook> look_at_container(const Arguments& args,
                                                const ReadinessFacts& facts) {
  decide::ContainerLook look;
  if (args.has("--no-container") || is_tree(args)) {
    look.why_not = is_tree(args) ? fmt::format(m::kTreeStartsNone, *args.value("--root"))
                                 : std::string(m::kNotWanted);
    return look;
  }
  const auto address = container::find_engine(readiness_sources(args).engine);
  if (!address) {
    look.why_not = address.error().what;
    return look;
  }
  if (!args.words.empty()) return look_into(address->endpoint, facts, args.words[0]);
  ProbeWish wish;
  wish.with = args.value("--with").value_or("auto");
  wish.device = args.value("--device").value_or("");
  const auto limit = limit_of(args);
  if (!limit) return Failure(limit.error());
  wish.limit = *limit;
  if (!facts.engine.api_error.empty()) {
    look.why_not = facts.engine.api_error;
    return look;
  }
  return try_container(address->endpoint, facts, wish);
}

std::string in_words(const Drawn& drawn) {
  const std::string renderer = format::escape_for_terminal(drawn.renderer);
  const std::string vendor = format::escape_for_terminal(drawn.vendor);
  if (drawn.state != Drawn::State::drawn)
    return fmt::format(m::kDidNotDraw, format::escape_for_terminal(drawn.reason));
  if (drawn.devices.empty()) return fmt::format(m::kDrewBy, renderer, vendor);
  return fmt::format(m::kDrewOn, renderer, vendor, fmt::join(drawn.devices, ", "));
}

void write_drawn(JsonWriter& json, const Drawn& drawn) {
  json.begin_object().field("drawn", drawn.state == Drawn::State::drawn);
  json.field("vendor", drawn.vendor).field("renderer", drawn.renderer);
  json.field("version", drawn.version).key("devices").begin_array();
  for (const std::string& device : drawn.devices) json.value(device);
  json.end_array().field("reason", drawn.reason).end_object();
}

Result<int> graphics(Session& session, const Arguments& args) {
  const auto look = look_at_graphics();
  if (!look) return Failure(look.error());
  const GraphicsVerdict verdict = judge_graphics(*look);
  std::string text;
  if (args.has("--json")) {
    JsonWriter json(text);
    json.begin_object().field("schema", "estiva/verify-graphics/1");
    json.field("summary", verdict.sentence).key("plain");
    write_drawn(json, look->plain);
    json.key("offloaded");
    write_drawn(json, look->offloaded);
    json.end_object();
    text += "\n";
  } else {
    if (verdict.exit_code != 3)
      text = fmt::format(m::kDrewWithout, in_words(look->plain)) + "\n" +
             fmt::format(m::kDrewWith, in_words(look->offloaded)) + "\n\n";
    text += verdict.sentence + "\n";
  }
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return verdict.exit_code;
}

}  // namespace

Result<int> run_verify(Session& session, const Arguments& args) {
  if (args.has("--graphics")) {
    if (!args.words.empty()) return fail(ErrorKind::usage, std::string(m::kOneOrTheOther));
    return graphics(session, args);
  }
  if (auto ok = check_words(args); !ok) return Failure(ok.error());
  auto facts = readiness_of(args);
  if (!facts) return Failure(facts.error());
  const auto look = look_at_container(args, *facts);
  if (!look) return Failure(look.error());
  const auto ladder = decide::climb(*facts, decide::judge_readiness(*facts), *look);
  const std::string text =
      args.has("--json") ? ladder_json(ladder, *look) : render_ladder(ladder, session.style);
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return exit_code_of(ladder.verdict);
}

}  // namespace estiva::cli
