#include "format/elf.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "unit/format/elf_library.h"

namespace estiva::format {
namespace {

using test::Library;

std::optional<ElfLibrary> read(const Library& library) {
  return read_elf(TextSource(library.bytes()));
}

std::string soname(const Library& library) {
  const auto elf = read(library);
  return elf ? elf->soname : "no library";
}

TEST(Elf, BothWordSizesAndByteOrders) {
  EXPECT_EQ(read({}), (ElfLibrary{false, kElfX86_64, "libx.so.1"}));
  EXPECT_EQ(read({.wide = false, .machine = kElf386}), (ElfLibrary{true, kElf386, "libx.so.1"}));
  EXPECT_EQ(read({.big_endian = true, .machine = 21}), (ElfLibrary{false, 21, "libx.so.1"}));
  EXPECT_EQ(read({.wide = false, .big_endian = true, .machine = 20}),
            (ElfLibrary{true, 20, "libx.so.1"}));
}

TEST(Elf, OnlySharedObjectsAreLibraries) {
  EXPECT_FALSE(read({.type = 2}));  // a program at a fixed address
  EXPECT_FALSE(read_elf(TextSource("")));
  EXPECT_FALSE(
      read_elf(TextSource("/* GNU ld script */ INPUT(libx.so.1)                           ")));
  auto bytes = Library().bytes();
  bytes[4] = 3;  // no word size
  EXPECT_FALSE(read_elf(TextSource(bytes)));
  bytes[4] = 2;
  bytes[5] = 0;  // no byte order
  EXPECT_FALSE(read_elf(TextSource(bytes)));
}

TEST(Elf, ALibraryThatIsCutHasNoNameOrIsNone) {
  const auto bytes = Library().bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto elf = read_elf(TextSource(std::string_view(bytes).substr(0, size)));
    EXPECT_EQ(elf.has_value(), size >= 64) << size;
    if (elf) {
      EXPECT_EQ(elf->soname, "") << size;
    }
  }
  EXPECT_EQ(soname({}), "libx.so.1");
}

TEST(Elf, ADamagedDynamicSectionHasNoName) {
  EXPECT_EQ(soname({.strings_size = 1}), "");  // the name begins at the end of the table
  EXPECT_EQ(soname({.strings_size = 2}), "");  // and is not ended within it
  EXPECT_EQ(soname({.strings_size = 10}), "");
  EXPECT_EQ(soname({.name = 11}), "");
  EXPECT_EQ(soname({.name = UINT64_MAX}), "");
  EXPECT_EQ(soname({.name = 0}), "");  // the empty text
  EXPECT_EQ(soname({.load_size = 1}), "");
  EXPECT_EQ(soname({.tags = 2}), "");
  EXPECT_EQ(soname({.segment_count = 1}), "");
  EXPECT_EQ(soname({.segment_size = 55}), "");
  EXPECT_EQ(soname({.segment_size = 257}), "");
  EXPECT_EQ(soname({.strings_size = UINT64_MAX}), "libx.so.1");  // more than there is does no harm
}

TEST(Elf, ASonameIsAFileName) {
  const auto with = [](const std::string& name) {
    Library library;
    library.strings = '\0' + name + '\0';
    library.strings_size = library.strings.size();
    return soname(library);
  };
  EXPECT_EQ(with("libnvidia-glcore.so.550.163.01"), "libnvidia-glcore.so.550.163.01");
  EXPECT_EQ(with("../../etc/passwd"), "");
  EXPECT_EQ(with(".."), "");
  EXPECT_EQ(with("."), "");
  EXPECT_EQ(with("a b"), "");
  EXPECT_EQ(with("a\nb"), "");
  EXPECT_EQ(with("a\x7f"), "");
  EXPECT_EQ(with("a\xff"), "");
  EXPECT_EQ(with(std::string(kMaxSoname, 'a')), std::string(kMaxSoname, 'a'));
  EXPECT_EQ(with(std::string(kMaxSoname + 1, 'a')), "");
}

TEST(Elf, LooksAtSoManyEntriesAndNoMore) {
  EXPECT_EQ(soname({.padding = kMaxElfDynamic - 3}), "libx.so.1");
  EXPECT_EQ(soname({.padding = kMaxElfDynamic - 2}), "");
}

TEST(Elf, TheLinkersOwnLibrary) {
  std::ifstream file("/lib64/ld-linux-x86-64.so.2", std::ios::binary);
  if (!file) GTEST_SKIP() << "this machine is no x86-64";
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(read_elf(TextSource(bytes)), (ElfLibrary{false, kElfX86_64, "ld-linux-x86-64.so.2"}));
}

}  // namespace
}  // namespace estiva::format
