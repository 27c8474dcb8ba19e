// cdi_of_tree ROOT [--graphics] [--video] [--display] [--compat32] [--sockets] [--no-index]
//             [--no-uuid] [--no-all] [--newest VERSION]
// Prints as JSON what would be written for the driver's files of a tree, with what would be told
// beside it; or {"error": SENTENCE} and exit 1. What NVML would say stands in ROOT/word:
//   gpu BUS INDEX UUID whole|mig
//   mig BUS INDEX PARENT-UUID UUID GPU-INSTANCE COMPUTE-INSTANCE      ("- -" where it does not say)
#include <cstdio>
#include <fmt/format.h>

#include "decide/cdi/generate.h"
#include "format/json_writer.h"
#include "format/text.h"
#include "host/driver_files.h"

using namespace estiva;

namespace {

std::vector<Gpu> read_words(const host::Root& root) {
  std::vector<Gpu> known;
  const auto text = host::read_file(root, "/word");
  std::string_view rest = text ? std::string_view(*text) : std::string_view(), line;
  while (format::next_line(rest, line)) {
    std::vector<std::string> words;
    for (std::string_view next; format::next_word(line, next);) words.emplace_back(next);
    Gpu gpu;
    gpu.identity.pci_bus_id = words.at(1);
    gpu.identity.index = static_cast<unsigned>(std::stoul(words.at(2)));
    gpu.identity.id.uuid = words.at(3);
    gpu.identity.mig_enabled = words.at(4) == "mig";
    if (words[0] == "mig") {
      gpu.identity.id.instance = words.at(4);
      if (words.at(5) != "-") {
        gpu.identity.gpu_instance = static_cast<unsigned>(std::stoul(words[5]));
        gpu.identity.compute_instance = static_cast<unsigned>(std::stoul(words.at(6)));
      }
    }
    known.push_back(gpu);
  }
  return known;
}

void write(format::JsonWriter& json, const CdiEdits& edits) {
  json.key("nodes").begin_array();
  for (const auto& node : edits.nodes) {
    json.begin_object().field("path", node.path);
    if (!node.host_path.empty()) json.field("hostPath", node.host_path);
    if (node.major || node.minor || node.file_mode || node.gid) json.field("numbers", true);
    json.end_object();
  }
  json.end_array().key("gids").begin_array();
  for (const auto gid : edits.additional_gids) json.value(gid);
  json.end_array().field("hooks", edits.hooks.size()).key("env").begin_array();
  for (const auto& env : edits.env) json.value(env);
  json.end_array().key("mounts").begin_array();
  for (const auto& mount : edits.mounts) {
    std::string options;
    for (const auto& option : mount.options) options += (options.empty() ? "" : ",") + option;
    json.begin_object().field("host", mount.host_path).field("container", mount.container_path);
    json.field("options", options).end_object();
  }
  json.end_array();
}

std::string to_json(const CdiSpec& spec, const std::vector<std::string>& notes) {
  std::string out;
  format::JsonWriter json(out);
  json.begin_object().field("version", spec.version).field("kind", spec.kind);
  write(json.key("edits").begin_object(), spec.edits);
  json.end_object().key("devices").begin_array();
  for (const auto& device : spec.devices) {
    write(json.begin_object().field("name", device.name), device.edits);
    json.end_object();
  }
  json.end_array().key("notes").begin_array();
  for (const auto& note : notes) json.value(note);
  json.end_array().end_object();
  return out;
}

bool take(std::string_view flag, decide::CdiOptions& options) {
  if (flag == "--graphics")
    options.capabilities.graphics = true;
  else if (flag == "--video")
    options.capabilities.video = true;
  else if (flag == "--display")
    options.capabilities.display = true;
  else if (flag == "--compat32")
    options.capabilities.compat32 = true;
  else if (flag == "--sockets")
    options.with_sockets = true;
  else if (flag == "--no-index")
    options.by_index = false;
  else if (flag == "--no-uuid")
    options.by_uuid = false;
  else if (flag == "--no-all")
    options.with_all = false;
  else
    return false;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  decide::CdiOptions options;
  for (int i = 2; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--newest" && i + 1 < argc)
      options.newest_version = argv[++i];
    else if (!take(argv[i], options))
      return 2;
  }
  const auto root = argc > 1 ? host::Root::open(argv[1]) : host::Root::open("");
  if (!root) return 2;
  const auto files = host::find_driver_files(*root, read_words(*root));
  const auto spec = decide::generate_cdi(files, options);
  if (!spec) {
    std::string out;
    format::JsonWriter(out).begin_object().field("error", spec.error().sentence()).end_object();
    fmt::print("{}\n", out);
    return 1;
  }
  fmt::print("{}\n", to_json(*spec, decide::cdi_notes(files, options)));
  return 0;
}
