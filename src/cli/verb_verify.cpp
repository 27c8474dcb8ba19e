#include "cli/verb_verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/cli_doctor.h"
#include "cli/container_look.h"
#include "cli/gl_look.h"
#include "cli/numbers.h"
#include "cli/readiness.h"
#include "cli/render_doctor.h"
#include "cli/session.h"
#include "container/endpoint.h"
#include "decide/readiness/rule.h"
#include "format/json_writer.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::JsonWriter;

int exit_code_of(decide::Verdict verdict) {
  switch (verdict) {
    case decide::Verdict::usable:
      return 0;
    case decide::Verdict::cpu_only:
    case decide::Verdict::unproven:
      return 3;
    case decide::Verdict::broken:
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

Result<decide::ContainerLook> look_at_container(const Arguments& args,
                                                const ReadinessFacts& facts) {
  decide::ContainerLook look;
  const bool on_this_machine = args.value("--root").value_or("/") == "/";
  if (args.has("--no-container") || !on_this_machine) {
    look.why_not = m::kNotWanted;
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
  const auto limit = time_of(args, "--time", std::chrono::seconds(30), std::chrono::seconds(1));
  if (!limit) return Failure(limit.error());
  wish.limit = std::chrono::duration_cast<std::chrono::milliseconds>(*limit);
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
