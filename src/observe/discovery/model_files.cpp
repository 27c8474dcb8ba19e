#include "observe/discovery/model_files.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <set>

#include "base/messages/observe_discovery.h"
#include "format/gguf.h"
#include "format/safetensors.h"
#include "format/text.h"
#include "host/file_source.h"
#include "host/folder.h"

namespace estiva::observe {
namespace {

constexpr std::size_t kLongestConfig = 1 << 20, kLongestIndex = 16 << 20;
constexpr const char* kIndex = "model.safetensors.index.json";

struct Opened {
  UniqueFd fd;
  Bytes size;
  std::pair<dev_t, ino_t> identity;
};

Result<Opened> open_file(const host::Root& root, const std::string& path) {
  Opened file{UniqueFd(root.open_at(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), {}, {}};
  struct stat info {};
  const int number = file.fd ? 0 : errno;
  if (!file.fd) return fail_errno(path, number);
  if (::fstat(file.fd.get(), &info) != 0) return fail_errno(path, errno);
  if (!S_ISREG(info.st_mode)) return fail_errno(path, EINVAL);
  file.size = Bytes{static_cast<std::uint64_t>(info.st_size)};
  file.identity = {info.st_dev, info.st_ino};
  return file;
}

// "x-00001-of-00003.gguf" -> the name of part `number`; empty: it is no first part.
std::string part_name(const std::string& first, std::uint64_t number) {
  const std::size_t at = first.rfind("-00001-of-");
  if (at == first.npos) return {};
  return fmt::format("{}-{:05}{}", first.substr(0, at), number, first.substr(at + 6));
}

bool is_later_part(std::string_view name) {
  const std::size_t at = name.rfind("-of-");
  return at != name.npos && at >= 6 && name[at - 6] == '-' &&
         format::parse_u64(name.substr(at - 5, 5)).value_or(1) > 1;
}

// ".../models--Qwen--Qwen3-8B/snapshots/..." -> "Qwen/Qwen3-8B"; empty: not from a hub.
std::string repository_of(std::string_view path) {
  constexpr std::string_view kBefore = "/models--";
  const std::size_t at = path.rfind(kBefore);
  if (at == path.npos) return {};
  std::string name(path.substr(at + kBefore.size()));
  name = name.substr(0, name.find('/'));
  const std::size_t dashes = name.find("--");
  return dashes == name.npos ? name : name.replace(dashes, 2, "/");
}

class Finder {
 public:
  Finder(const host::Root& root, Discovery& found) : root_(root), found_(found) {}

  void look(const ModelFolder& folder) {
    source_ = folder.source;
    items_ = 0;
    top_ = folder.path;
    walk(folder.path, kDeepestFolder, folder.is_named);
  }

 private:
  void tell(std::string sentence) { found_.not_seen.push_back(std::move(sentence)); }

  void walk(const std::string& folder, int depth, bool is_named) {
    const auto entries = host::entries_at(root_, folder);
    if (!entries) {
      if (is_named || entries.error() != ENOENT)
        tell(fmt::format(msg::kDiscoverFolder, folder, std::strerror(entries.error())));
      return;
    }
    look_for_safetensors(folder, *entries);
    for (const host::FolderEntry& entry : *entries) {
      if (items_ > kMostFolderItems) return;
      if (++items_ > kMostFolderItems)
        return tell(fmt::format(msg::kDiscoverTooMany, top_, kMostFolderItems));
      const std::string path = folder + "/" + entry.name;
      if (entry.is_folder && depth > 0) {
        walk(path, depth - 1, true);
      } else if (!entry.is_folder && entry.name.ends_with(".gguf") && !is_later_part(entry.name)) {
        look_at_gguf(path);
      }
    }
  }

  bool is_new(const Opened& file) { return seen_.insert(file.identity).second; }

  Result<ModelFile> read_part(const std::string& path, std::string& problem, bool& known) {
    const auto file = open_file(root_, path);
    if (!file) return Failure(file.error());
    known = !is_new(*file);
    auto read = format::read_gguf(host::FileSource(file->fd.get()), file->size.value);
    if (read && read->file_size > file->size)
      problem = fmt::format(msg::kDiscoverCutFile, to_text(file->size), to_text(read->file_size));
    return read;
  }

  void look_at_gguf(const std::string& path) {
    FoundFile model{path, source_, repository_of(path), {}, {}};
    bool known = false;
    auto first = read_part(path, model.problem, known);
    if (known) return;
    if (!first) return tell(fmt::format(msg::kDiscoverFile, path, first.error().sentence()));
    model.file = std::move(*first);
    const std::uint64_t parts = std::min<std::uint64_t>(model.file.split_count.value_or(1), 1000);
    for (std::uint64_t i = 2; i <= parts; ++i) {
      const std::string name = part_name(path, i);
      const auto part = read_part(name, model.problem, known);
      if (part) {
        add_part(model.file, *part);
      } else if (model.problem.empty()) {
        model.problem = fmt::format(msg::kDiscoverNoPart, host::name_of(name));
      }
    }
    found_.files.push_back(std::move(model));
  }

  void look_for_safetensors(const std::string& folder,
                            const std::vector<host::FolderEntry>& entries) {
    const auto has = [&](std::string_view name) {
      return std::ranges::find(entries, name, &host::FolderEntry::name) != entries.end();
    };
    if (!has("config.json")) return;
    std::vector<std::string> names;
    if (has(kIndex)) {
      const auto text = host::read_file(root_, folder + "/" + kIndex, kLongestIndex);
      const auto index = text ? format::parse_safetensors_index(*text) : Failure(text.error());
      if (!index)
        return tell(fmt::format(msg::kDiscoverFile, folder + "/" + kIndex, index.error().what));
      names = index->files;
    } else if (has("model.safetensors")) {
      names = {"model.safetensors"};
    }
    if (!names.empty()) add_safetensors(folder, names);
  }

  void add_safetensors(const std::string& folder, const std::vector<std::string>& names) {
    FoundFile model{folder, source_, repository_of(folder + "/"), {}, {}};
    model.file.format = ModelFile::Format::safetensors;
    if (const auto text = host::read_file(root_, folder + "/config.json", kLongestConfig))
      (void)format::read_model_config(*text, model.file);
    for (const std::string& name : names) {
      const std::string path = fmt::format("{}/{}", folder, name);
      const auto file = open_file(root_, path);
      if (!file) {
        model.problem = fmt::format(msg::kDiscoverNoPart, name);
        continue;
      }
      if (!is_new(*file)) return;
      const auto part = format::read_safetensors(host::FileSource(file->fd.get()));
      if (!part) return tell(fmt::format(msg::kDiscoverFile, path, part.error().sentence()));
      if (part->file_size > file->size)
        model.problem =
            fmt::format(msg::kDiscoverCutFile, to_text(file->size), to_text(part->file_size));
      add_part(model.file, *part);
    }
    found_.files.push_back(std::move(model));
  }

  const host::Root& root_;
  Discovery& found_;
  std::string source_, top_;
  std::size_t items_ = 0;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

}  // namespace

std::vector<ModelFolder> usual_model_folders(const std::string& home) {
  if (home.empty() || home[0] != '/') return {};
  return {{home + "/.cache/llama.cpp", "llama.cpp", false},
          {home + "/.cache/huggingface/hub", "Hugging Face", false},
          {home + "/.lmstudio/models", "LM Studio", false},
          {home + "/.cache/lm-studio/models", "LM Studio", false}};
}

void find_model_files(const host::Root& root, const std::vector<ModelFolder>& folders,
                      Discovery& found) {
  Finder finder(root, found);
  for (const ModelFolder& folder : folders) finder.look(folder);
}

}  // namespace estiva::observe
