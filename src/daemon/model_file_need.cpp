#include "daemon/model_file_need.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/messages/daemon.h"
#include "base/unique_fd.h"
#include "format/gguf.h"
#include "format/text.h"
#include "host/file_source.h"

namespace estiva::daemon {
namespace {

// What follows the last of these options, as "-c 8192" or "--ctx-size=8192".
std::string value_of(const std::vector<std::string>& command,
                     std::initializer_list<std::string_view> names) {
  std::string value;
  for (std::size_t i = 0; i < command.size(); ++i) {
    for (const std::string_view name : names) {
      const std::string_view word = command[i];
      if (word == name && i + 1 < command.size()) value = command[i + 1];
      if (word.starts_with(name) && word.substr(name.size()).starts_with('='))
        value = word.substr(name.size() + 1);
    }
  }
  return value;
}

// Bytes of one value in llama.cpp's types for the cache: blocks of 32 with their scales.
double bytes_of_type(std::string_view type) {
  struct Row {
    std::string_view name;
    double bytes;
  };
  constexpr std::array kTypes = {Row{"f32", 4},           Row{"q8_0", 34.0 / 32},
                                 Row{"q5_1", 24.0 / 32},  Row{"q5_0", 22.0 / 32},
                                 Row{"q4_1", 20.0 / 32},  Row{"q4_0", 18.0 / 32},
                                 Row{"iq4_nl", 18.0 / 32}};
  for (const Row& row : kTypes) {
    if (row.name == type) return row.bytes;
  }
  return 2;  // f16, bf16, and where nothing is said
}

std::uint64_t number_of(const std::string& text) {
  return format::parse_u64(text).value_or(0);
}

}  // namespace

bool is_estimated(const ModelSpec& spec) {
  return spec.engine == ModelEngine::llama_server && !spec.file.empty() && !spec.vram &&
         spec.gpus == 1;
}

decide::NeedWish wish_of(const std::vector<std::string>& command) {
  decide::NeedWish wish;
  wish.context = number_of(value_of(command, {"-c", "--ctx-size"}));
  wish.slots = std::max<std::uint64_t>(1, number_of(value_of(command, {"-np", "--parallel"})));
  const double keys = bytes_of_type(value_of(command, {"-ctk", "--cache-type-k"}));
  const double values = bytes_of_type(value_of(command, {"-ctv", "--cache-type-v"}));
  wish.value_bytes = (keys + values) / 2;
  return wish;
}

Result<ModelFileNeed> read_model_file_need(const host::Root& root, const ModelSpec& spec) {
  const UniqueFd fd(root.open_at(spec.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return fail_errno(spec.file, errno);
  auto file =
      format::read_gguf(host::FileSource(fd.get()), static_cast<std::uint64_t>(info.st_size));
  if (!file) return Failure(file.error());
  if (file->split_count.value_or(1) > 1)
    return fail(fmt::format(msg::kNeedOfParts, spec.file), std::string(msg::kNeedDeclare));
  const decide::NeedEstimate estimate = decide::estimate_need(*file, wish_of(spec.command));
  if (!estimate.is_cache_known)
    return fail(fmt::format(msg::kNeedNoCacheKnown, spec.file), std::string(msg::kNeedDeclare));
  constexpr std::uint64_t kMib = 1 << 20;
  ModelFileNeed need;
  need.need = Bytes{(estimate.total().value + kMib - 1) / kMib * kMib};
  if (value_of(spec.command, {"-c", "--ctx-size"}).empty())
    need.options = {"-c", std::to_string(estimate.context)};
  return need;
}

}  // namespace estiva::daemon
