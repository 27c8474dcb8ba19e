#include "observe/readiness/module_file.h"

#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <optional>
#include <unistd.h>

namespace estiva::observe {
namespace {

constexpr std::size_t kMostSections = 4096;  // a module built with a section a function
constexpr std::size_t kMostText = 1 << 20;   // of .modinfo and of the section names
// scripts/sign-file.c of the kernel's source; the last bytes of the file.
constexpr std::string_view kSignatureMark = "~Module signature appended~\n";

std::optional<std::string> read_at(int fd, std::uint64_t offset, std::size_t size) {
  std::string buffer(size, '\0');
  const ssize_t got = ::pread(fd, buffer.data(), size, static_cast<off_t>(offset));
  if (got < 0 || static_cast<std::size_t>(got) != size) return std::nullopt;
  return buffer;
}

template <class T>
std::optional<T> read_struct(int fd, std::uint64_t offset) {
  const auto bytes = read_at(fd, offset, sizeof(T));
  if (!bytes) return std::nullopt;
  T value;
  std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

std::optional<std::string> read_section(int fd, const Elf64_Ehdr& head, std::size_t i) {
  const auto section = read_struct<Elf64_Shdr>(fd, head.e_shoff + i * sizeof(Elf64_Shdr));
  if (!section || section->sh_size > kMostText) return std::nullopt;
  return read_at(fd, section->sh_offset, section->sh_size);
}

// The section that is called so.
std::optional<std::string> find_section(int fd, const Elf64_Ehdr& head, std::string_view name) {
  const auto names = read_section(fd, head, head.e_shstrndx);
  if (!names) return std::nullopt;
  for (std::size_t i = 0; i < head.e_shnum && i < kMostSections; ++i) {
    const auto section = read_struct<Elf64_Shdr>(fd, head.e_shoff + i * sizeof(Elf64_Shdr));
    if (!section) return std::nullopt;
    if (section->sh_name >= names->size()) continue;
    if (name == names->c_str() + section->sh_name) return read_section(fd, head, i);
  }
  return std::nullopt;
}

bool is_elf64(const Elf64_Ehdr& head) {
  return std::memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 && head.e_ident[EI_CLASS] == ELFCLASS64 &&
         head.e_shentsize == sizeof(Elf64_Shdr);
}

// Entries "name=value", each ended by a zero byte.
Reading<std::string> entry_of(std::string_view modinfo, std::string_view name) {
  while (!modinfo.empty()) {
    const std::size_t end = std::min(modinfo.find('\0'), modinfo.size());
    const std::string_view entry = modinfo.substr(0, end);
    if (entry.starts_with(name)) return std::string(entry.substr(name.size()));
    modinfo.remove_prefix(std::min(end + 1, modinfo.size()));
  }
  return Missing::not_supported;
}

}  // namespace

ModuleFile read_module_file(const Tree& tree, const std::string& path) {
  const int opened = tree.root().open_at(path.c_str(), O_RDONLY | O_NONBLOCK);
  if (opened < 0) return {missing_of(-opened), missing_of(-opened)};
  const UniqueFd fd(opened);
  const auto head = read_struct<Elf64_Ehdr>(fd.get(), 0);
  if (!head || !is_elf64(*head)) return {Missing::not_supported, Missing::not_supported};
  ModuleFile file{Missing::not_supported, false};
  if (const auto modinfo = find_section(fd.get(), *head, ".modinfo")) {
    file.version = entry_of(*modinfo, "version=");
  }
  const off_t size = ::lseek(fd.get(), 0, SEEK_END);
  if (size < static_cast<off_t>(kSignatureMark.size())) return file;
  const auto mark = read_at(fd.get(), static_cast<std::uint64_t>(size) - kSignatureMark.size(),
                            kSignatureMark.size());
  file.is_signed = mark && *mark == kSignatureMark;
  return file;
}

}  // namespace estiva::observe
