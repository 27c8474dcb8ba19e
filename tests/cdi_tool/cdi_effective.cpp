// cdi-effective VERSION FOLDER...: which CDI devices a Docker of that version sees in the folders,
// by rising priority, as JSON: {"devices": {NAME: FILE}, "vanished": [...], "unused": {FILE: WHY}}.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "decide/cdi/effective.h"
#include "format/cdi_rules.h"
#include "format/cdi_spec.h"
#include "format/json_writer.h"

using namespace estiva;

static std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), {});
}

static int render(const std::string& how, const std::string& path) {
  const auto spec = format::parse_cdi_spec(read_text(path));
  if (!spec) {
    std::cerr << spec.error().what << '\n';
    return 1;
  }
  std::cout << (how == "render-yaml" ? format::render_cdi_yaml(*spec)
                                     : format::render_cdi_json(*spec));
  return 0;
}

static std::vector<CdiFile> read_folder(const std::string& folder, unsigned priority) {
  std::vector<CdiFile> files;
  if (!std::filesystem::is_directory(folder)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_directory()) continue;
    files.push_back(format::read_cdi_file(entry.path(), priority, read_text(entry.path())));
  }
  return files;
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  if (std::string_view(argv[1]).starts_with("render-")) return render(argv[1], argv[2]);
  std::vector<CdiFile> files;
  for (int i = 2; i < argc; ++i) {
    for (CdiFile& file : read_folder(argv[i], static_cast<unsigned>(i))) {
      files.push_back(std::move(file));
    }
  }
  const auto newest = format::newest_version_of_engine(EngineKind::docker, argv[1]);
  const auto effective = decide::effective_devices(files, newest);
  std::string json;
  format::JsonWriter out(json);
  out.begin_object().key("newest").value(newest).key("devices").begin_object();
  for (const auto& device : effective.devices) {
    if (!device.winner.empty()) out.key(device.name).value(device.winner);
  }
  out.end_object().key("vanished").begin_array();
  for (const auto& device : effective.devices) {
    if (device.winner.empty()) out.value(device.name);
  }
  out.end_array().key("unused").begin_object();
  for (const auto& file : effective.unused) {
    out.key(file.path).value(std::string(decide::to_name(file.why)) + ": " + file.text);
  }
  out.end_object().end_object();
  std::cout << json << '\n';
  return 0;
}
