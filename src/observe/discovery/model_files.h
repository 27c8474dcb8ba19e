// Models that lie in folders: GGUF files, and folders of safetensors with their config.json. Only
// headers are read. Blocking.
#pragma once
#include <string>
#include <vector>

#include "host/files.h"
#include "model/discovery.h"

namespace estiva::observe {

struct ModelFolder {
  std::string path;       // absolute
  std::string source;     // told to the user: "Hugging Face"
  bool is_named = false;  // somebody named it: that it is not there is told
};

// Folders and files of one folder that are looked at, and how deep: a hub of 100 models has some
// 2,000 entries, 6 deep.
inline constexpr std::size_t kMostFolderItems = 20'000;
inline constexpr int kDeepestFolder = 8;

// Where llama.cpp, Hugging Face, LM Studio keep their downloads, for this user.
std::vector<ModelFolder> usual_model_folders(const std::string& home);

// Adds to `found`; a file that is reached by two ways is found once. Links to files are followed
// (Hugging Face's snapshots are such), links to folders are not.
void find_model_files(const host::Root& root, const std::vector<ModelFolder>& folders,
                      Discovery& found);

}  // namespace estiva::observe
