#include "api/plan_json.h"

#include <fmt/format.h>

#include "api/json_parts.h"
#include "base/clock.h"

namespace estiva::api {
namespace {

void write_step(format::JsonWriter& json, const Step& step) {
  json.begin_object()
      .field("kind", to_name(step.kind))
      .field("target", step.target)
      .field("reason", step.reason)
      .field("effect", step.effect)
      .field("risk", to_name(step.risk));
  json.key("stops").begin_array();
  for (const std::string& stopped : step.stops) json.value(stopped);
  json.end_array().field("undo", step.undo);
  write_text(json, "expects", step.expects);
  json.key("mode");
  if (step.mode) {
    json.value(fmt::format("{:04o}", *step.mode));
  } else {
    json.null();
  }
  write_text(json, "diff", step.diff);
  json.end_object();
}

}  // namespace

void write_plan(format::JsonWriter& json, const Plan& plan) {
  json.begin_object().field("id", plan.id).field("hash", plan.hash).key("steps").begin_array();
  for (const Step& step : plan.steps) write_step(json, step);
  json.end_array().end_object();
}

void write_run(format::JsonWriter& json, const act::RunReport& report) {
  json.begin_object();
  write_text(json, "id", report.run);
  json.field("plan", report.plan.id).field("hash", report.plan.hash).key("steps").begin_array();
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    const Step& step = report.plan.steps[i];
    json.begin_object()
        .field("kind", to_name(step.kind))
        .field("target", step.target)
        .field("state", to_name(report.steps[i].state));
    write_text(json, "text", report.steps[i].text);
    json.end_object();
  }
  json.end_array().key("error");
  if (report.error) {
    json.begin_object()
        .field("kind", kind_name(report.error->kind))
        .field("message", report.error->what);
    write_text(json, "remedy", report.error->remedy);
    json.end_object();
  } else {
    json.null();
  }
  json.end_object();
}

void write_runs(format::JsonWriter& json, const std::vector<act::RunInfo>& runs) {
  json.begin_array();
  for (const act::RunInfo& run : runs) {
    json.begin_object()
        .field("id", run.id)
        .field("plan", run.plan_id)
        .field("hash", run.hash)
        .field("begun_at", to_rfc3339(WallTime{run.begun_ns}))
        .field("phase", to_name(run.phase))
        .field("steps", run.steps)
        .field("standing", run.standing);
    write_text(json, "problem", run.problem);
    json.end_object();
  }
  json.end_array();
}

}  // namespace estiva::api
