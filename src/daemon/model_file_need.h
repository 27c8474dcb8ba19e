// What a llama-server's model will take of a GPU, from its GGUF and its options, for one whose need
// nobody declared; and the option that holds it to that.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "decide/residency/estimate.h"
#include "host/files.h"
#include "model/model_spec.h"

namespace estiva::daemon {

struct ModelFileNeed {
  Bytes need;  // of one GPU; whole MiB
  // To be added to its command: without -c llama-server takes as long a context as fits, whatever
  // was estimated. Empty where the command says one.
  std::vector<std::string> options;
};

// True where it is worth reading: a llama-server with a file, on one GPU, and no declared need.
bool is_estimated(const ModelSpec& spec);
// What the options of a llama-server's command (-c, -np, -ctk, -ctv, in their long forms, too) say.
// Pure.
decide::NeedWish wish_of(const std::vector<std::string>& command);
// Reads the head of the file: blocks, so not on the loop. Errors: it can't be read, is no GGUF, is
// one of several parts, or does not say what its cache needs.
Result<ModelFileNeed> read_model_file_need(const host::Root& root, const ModelSpec& spec);

}  // namespace estiva::daemon
