// What of a machine may be shown to others. An allow-list: a name goes into a recording only where
// it is one that thousands of machines have (python3, llama-server, nvidia/cuda); any other gets a
// number that stays the same throughout the recording. Sizes, counts and times are kept.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/recording.h"
#include "model/container.h"
#include "model/host.h"
#include "model/xid.h"

namespace estiva::observe {

class Redactor {
 public:
  // `keep_names`: for a recording that does not leave the owner's hands; nothing is renamed.
  explicit Redactor(bool keep_names = false) : keeps_(keep_names) {}

  bool keeps_names() const { return keeps_; }

  // "GPU-3b1f.." -> "GPU-00000000-0000-4000-8000-000000000001", MIG instances likewise.
  std::string uuid(const std::string& uuid);
  // 64 hexadecimal digits -> 64 others.
  std::string container_id(const std::string& id);
  // A program's name: kept where it is well known, else "program-3".
  std::string program(const std::string& name);
  // Of anything users name: "project-1".
  std::string name(std::string_view kind, const std::string& name);
  // "ghcr.io/ollama/ollama:0.5" -> "ollama/ollama:0.5" is kept, another one is "image-2".
  std::string image(const std::string& image);
  // A path on disk: kept where every machine has it, else "/path-2".
  std::string path(const std::string& path);
  // A sentence of ours or of the driver's, in which paths and UUIDs may stand.
  std::string sentence(const std::string& text);
  // A control group's path, level by level.
  std::string cgroup(std::string_view path);

  void apply(gpu::GpuRecording& recording);
  void apply(HostSample& sample);
  void apply(Container& container);
  void apply(XidReport& report);

 private:
  std::string numbered(std::string_view kind, const std::string& name, std::string_view separator);
  unsigned number(std::string_view kind, const std::string& name);

  bool keeps_;
  std::map<std::string, std::map<std::string, unsigned>, std::less<>> numbers_;
};

}  // namespace estiva::observe
