#include "cli/render_discover.h"

#include <fmt/format.h>

#include "base/messages/cli_discover.h"
#include "format/json_writer.h"
#include "format/table.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

std::string list_of(std::string_view title, const std::vector<std::string>& sentences) {
  if (sentences.empty()) return {};
  std::string text = fmt::format("\n{}\n", title);
  for (const std::string& one : sentences)
    text += fmt::format("  {}\n", format::escape_for_terminal(one));
  return text;
}

void write_texts(format::JsonWriter& json, std::string_view key,
                 const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_need(format::JsonWriter& json, const decide::Proposal& model) {
  json.key("vram_bytes");
  if (!model.spec.vram) {
    json.null().key("estimate").null();
    return;
  }
  json.value(*model.spec.vram).key("estimate");
  if (!model.need) {
    json.null();
    return;
  }
  json.begin_object()
      .field("weights_bytes", model.need->weights)
      .field("cache_bytes", model.need->cache)
      .field("compute_bytes", model.need->compute)
      .field("process_bytes", model.need->process)
      .field("context_tokens", model.need->context)
      .field("is_cache_known", model.need->is_cache_known)
      .end_object();
}

void write_model(format::JsonWriter& json, const decide::Proposal& model) {
  json.begin_object()
      .field("name", model.spec.name)
      .field("engine", to_name(model.spec.engine))
      .field("where", model.where)
      .field("is_configured", !model.configured_as.empty());
  write_need(json, model);
  json.field("why", model.need_text);
  write_texts(json, "remarks", model.remarks);
  json.end_object();
}

}  // namespace

std::string discover_table(const Discovered& found) {
  if (found.proposals.models.empty())
    return fmt::format("{}\n{}\n", m::kDiscoverNothing, m::kDiscoverNothingHow);
  std::vector<format::Column> columns;
  for (const std::string_view title : m::kDiscoverTitles)
    columns.push_back({std::string(title), title == "VRAM"});
  format::Table table(std::move(columns));
  for (const decide::Proposal& one : found.proposals.models)
    table.add_row(
        {one.spec.name, std::string(to_name(one.spec.engine)), one.where,
         one.spec.vram ? to_text(*one.spec.vram) : std::string(m::kDiscoverNoVram),
         one.configured_as.empty() ? one.need_text : std::string(m::kDiscoverConfigured)});
  return table.text();
}

std::string discover_notes(const Discovered& found) {
  return list_of(m::kDiscoverLeftOut, found.proposals.left_out) +
         list_of(m::kDiscoverNotSeen, found.not_seen);
}

std::string discover_json(const Discovered& found, const std::string& written) {
  std::string out;
  format::JsonWriter json(out);
  json.begin_object().field("schema", "estiva/models-discover/1").key("models").begin_array();
  for (const decide::Proposal& model : found.proposals.models) write_model(json, model);
  json.end_array();
  write_texts(json, "left_out", found.proposals.left_out);
  write_texts(json, "not_seen", found.not_seen);
  json.field("configuration", found.configuration).key("written");
  if (written.empty()) {
    json.null();
  } else {
    json.value(written);
  }
  json.end_object();
  return out + "\n";
}

}  // namespace estiva::cli
