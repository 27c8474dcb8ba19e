// What the specs on a machine come to for doctor's rules: which devices the engine sees, which file
// each is from, and who asks for which. Who wins a device is decide/cdi/effective's word.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/finding.h"
#include "model/readiness.h"

namespace estiva::decide {

// A device that the engine sees, and the file that makes it.
struct CdiSeen {
  const CdiFile* file = nullptr;
  const CdiDevice* device = nullptr;
};

struct CdiView {
  bool is_off = false;                     // the engine said that it reads no directory
  std::vector<std::string> dirs;           // that it reads, by rising priority
  std::string_view newest;                 // cdiVersion that it knows; empty: not known
  std::map<std::string, CdiSeen> devices;  // by full name
  std::map<std::string, std::vector<const CdiFile*>> conflicts;  // full name -> files of one folder
  std::map<std::string, std::vector<const CdiFile*>> elsewhere;  // in folders that it does not read
  std::vector<const CdiFile*> effective;                         // make at least one of `devices`
  std::vector<const CdiFile*> broken, ignored, too_new, unreadable;  // NVIDIA's, in its folders
};
CdiView view_cdi(const ReadinessFacts& facts);

// Somebody asks for a device by its full name, "nvidia.com/gpu=0".
struct CdiAsked {
  std::string name;
  std::string who;  // a container's name or a Compose file's service
  Evidence evidence;
};
std::vector<CdiAsked> asked_for(const ReadinessFacts& facts);

// "vendor.com/class=name".
bool is_cdi_name(std::string_view text);
// A file, or a kind, that has to do with NVIDIA's GPUs.
bool is_of_nvidia(const CdiFile& file);
// "/var/run" is "/run" wherever CDI is used.
std::string same_folder(std::string_view path);

// The part of a spec that a device is injected with: what is common, then its own.
std::vector<const CdiEdits*> edits_of(const CdiSeen& seen);

}  // namespace estiva::decide
