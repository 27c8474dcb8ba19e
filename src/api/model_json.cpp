#include "api/model_json.h"

#include <fmt/format.h>

#include "api/json_parts.h"
#include "format/json_writer.h"

namespace estiva::api {

using format::JsonWriter;

namespace {

double seconds(Nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

void write_seconds(JsonWriter& json, std::string_view member,
                   const std::optional<Nanoseconds>& time) {
  json.key(member);
  if (time) {
    json.value(seconds(*time));
  } else {
    json.null();
  }
}

template <class T>
void write_known(JsonWriter& json, std::string_view member, const std::optional<T>& value) {
  json.key(member);
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

void write_list(JsonWriter& json, std::string_view member, const std::vector<std::string>& texts) {
  json.key(member).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_text_or_null(JsonWriter& json, std::string_view member, const std::string& text) {
  json.key(member);
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

void write_model(JsonWriter& json, const ModelStatus& model) {
  json.begin_object().field("name", model.name).field("engine", to_name(model.engine));
  write_list(json, "aliases", model.aliases);
  json.field("state", model.state);
  write_text_or_null(json, "reason", model.why);
  json.field("policy", to_name(model.policy))
      .field("policy_from", model.policy_is_live ? "command" : "configuration")
      .field("policy_configured", to_name(model.configured_policy))
      .field("pinned", model.is_pinned)
      .field("pinned_from", model.pin_is_live ? "command" : "configuration")
      .field("open", model.is_open);
  write_known(json, "pid", model.pid);
  write_text_or_null(json, "endpoint", model.endpoint);
  write_text_or_null(json, "lease", model.lease);
  write_list(json, "gpus", model.gpus);
  json.field("starts_total", model.starts)
      .field("ooms_total", model.ooms)
      .field("in_flight", model.in_flight);
  json.key("vram_bytes").begin_object();
  write_known(json, "declared", model.declared);
  write_known(json, "learned", model.learned);
  json.field("need", model.need)
      .field("measured", model.measured)
      .field("charged", model.charged)
      .end_object();
  write_seconds(json, "load_seconds", model.load_time);
  write_seconds(json, "state_seconds", model.in_state);
  write_seconds(json, "idle_seconds", model.idle);
  write_seconds(json, "ttl_seconds", model.ttl);
  write_text_or_null(json, "ttl_from", model.ttl_from);
  write_seconds(json, "leaves_in_seconds", model.leaves_in);
  write_list(json, "keeps_awake", model.keeps_awake);
  json.field("waiting", model.waiting);
  write_seconds(json, "oldest_wait_seconds", model.oldest_wait);
  write_seconds(json, "bound_seconds", model.bound);
  json.end_object();
}

void write_wait(JsonWriter& json, const WaitStatus& wait) {
  json.begin_object()
      .field("ticket", wait.ticket)
      .field("model", wait.model)
      .field("place", wait.place)
      .field("waited_seconds", seconds(wait.waited))
      .field("expected_seconds", seconds(wait.expected))
      .field("bound_seconds", seconds(wait.bound))
      .field("reason", wait.why)
      .end_object();
}

}  // namespace

void write_models(JsonWriter& json, const Residents& residents) {
  json.begin_array();
  for (const ModelStatus& model : residents.models()) write_model(json, model);
  json.end_array();
}

std::string models_json(const Residents& residents, bool simulated) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/models/1").field("simulated", simulated);
  write_text_or_null(json, "gateway", residents.gateway());
  json.field("on_battery", residents.on_battery()).key("models");
  write_models(json, residents);
  json.key("waiting").begin_array();
  for (const WaitStatus& wait : residents.waiting()) write_wait(json, wait);
  json.end_array().key("pauses").begin_array();
  for (const PauseStatus& pause : residents.pauses()) {
    json.begin_object();
    write_text_or_null(json, "gpu", pause.device);
    write_seconds(json, "seconds_left", pause.left);
    json.end_object();
  }
  json.end_array().end_object();
  return text;
}

std::string reload_json(const ReloadReport& report, bool applied) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/reload/1").field("applied", applied);
  write_list(json, "added", report.added);
  write_list(json, "removed", report.removed);
  write_list(json, "changed", report.changed);
  json.end_object();
  return text;
}

std::string free_memory_json(const std::vector<FreedModel>& models, bool applied) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/free-memory/1").field("applied", applied);
  json.key("models").begin_array();
  for (const FreedModel& model : models) {
    json.begin_object()
        .field("name", model.name)
        .field("engine", to_name(model.engine))
        .field("unloaded", model.is_freed);
    write_text_or_null(json, "kept_because", model.kept_why);
    json.field("late", model.is_late);
    json.field("vram_bytes", model.vram).end_object();
  }
  json.end_array().end_object();
  return text;
}

std::string log_json(const std::string& model, const std::vector<std::string>& lines) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/log/1").field("model", model);
  write_list(json, "lines", lines);
  json.end_object();
  return text;
}

std::string model_done_json(std::string_view verb, const std::string& model) {
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .field("schema", fmt::format("estiva/{}/1", verb))
      .field("model", model)
      .end_object();
  return text;
}

}  // namespace estiva::api
