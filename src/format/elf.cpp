#include "format/elf.h"

#include <algorithm>
#include <vector>

namespace estiva::format {
namespace {

constexpr unsigned kSharedObject = 3;                               // ET_DYN
constexpr unsigned kLoad = 1, kDynamic = 2;                         // PT_LOAD, PT_DYNAMIC
constexpr std::uint64_t kStrtab = 5, kStrsz = 10, kSonameTag = 14;  // DT_*

// Integers of a piece of the file, in its byte order. A piece that ends early gives zeros: each use
// checks the length first.
class Fields {
 public:
  Fields(std::string_view bytes, bool big_endian, bool wide)
      : bytes_(bytes), big_endian_(big_endian), wide_(wide) {}

  std::uint64_t number(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || bytes_.size() - at < size) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t place = big_endian_ ? at + i : at + size - 1 - i;
      value = value << 8 | static_cast<unsigned char>(bytes_[place]);
    }
    return value;
  }
  // An address or an offset: 8 bytes, 4 in a 32-bit file.
  std::uint64_t word(std::size_t at) const { return number(at, wide_ ? 8 : 4); }
  bool wide() const { return wide_; }

 private:
  std::string_view bytes_;
  bool big_endian_, wide_;
};

struct Segment {
  std::uint64_t type = 0, offset = 0, address = 0, size = 0;
};

struct Header {
  bool big_endian = false, wide = false;
  unsigned machine = 0;
  std::uint64_t segments_at = 0;
  std::size_t segment_size = 0, segment_count = 0;
};

std::string read_piece(const ByteSource& source, std::uint64_t offset, std::size_t size) {
  std::string piece(size, '\0');
  piece.resize(std::min(source.read_at(offset, piece), size));
  return piece;
}

std::optional<Header> read_header(const ByteSource& source) {
  const std::string bytes = read_piece(source, 0, 64);
  if (bytes.size() < 52 || !bytes.starts_with("\x7f"
                                              "ELF"))
    return std::nullopt;
  const char word_size = bytes[4], order = bytes[5];
  if ((word_size != 1 && word_size != 2) || (order != 1 && order != 2)) return std::nullopt;
  Header header;
  header.wide = word_size == 2;
  header.big_endian = order == 2;
  if (header.wide && bytes.size() < 64) return std::nullopt;
  const Fields fields(bytes, header.big_endian, header.wide);
  if (fields.number(16, 2) != kSharedObject) return std::nullopt;
  header.machine = static_cast<unsigned>(fields.number(18, 2));
  header.segments_at = fields.word(header.wide ? 32 : 28);
  header.segment_size = fields.number(header.wide ? 54 : 42, 2);
  header.segment_count =
      std::min<std::size_t>(fields.number(header.wide ? 56 : 44, 2), kMaxElfSegments);
  return header;
}

std::vector<Segment> read_segments(const ByteSource& source, const Header& header) {
  const std::size_t least = header.wide ? 56 : 32;
  if (header.segment_size < least || header.segment_size > 256) return {};
  const std::string bytes =
      read_piece(source, header.segments_at, header.segment_size * header.segment_count);
  const Fields fields(bytes, header.big_endian, header.wide);
  std::vector<Segment> segments;
  for (std::size_t at = 0; bytes.size() - at >= header.segment_size; at += header.segment_size) {
    segments.push_back({fields.number(at, 4), fields.word(at + (header.wide ? 8 : 4)),
                        fields.word(at + (header.wide ? 16 : 8)),
                        fields.word(at + (header.wide ? 32 : 16))});
  }
  return segments;
}

// Where in the file what is mapped at `address` stands.
std::optional<std::uint64_t> offset_of(const std::vector<Segment>& segments,
                                       std::uint64_t address) {
  for (const Segment& segment : segments) {
    if (segment.type != kLoad || address < segment.address) continue;
    const std::uint64_t inside = address - segment.address;
    if (inside < segment.size && inside <= UINT64_MAX - segment.offset)
      return segment.offset + inside;
  }
  return std::nullopt;
}

struct NamePlace {
  std::uint64_t table = 0, table_size = 0, name = 0;
  bool has_table = false, has_name = false;
};

NamePlace find_name(const ByteSource& source, const Header& header, const Segment& dynamic) {
  const std::size_t entry = header.wide ? 16 : 8;
  const std::size_t size =
      static_cast<std::size_t>(std::min<std::uint64_t>(dynamic.size, kMaxElfDynamic * entry));
  const std::string bytes = read_piece(source, dynamic.offset, size);
  const Fields fields(bytes, header.big_endian, header.wide);
  NamePlace place;
  for (std::size_t at = 0; bytes.size() - at >= entry; at += entry) {
    const std::uint64_t tag = fields.word(at), value = fields.word(at + entry / 2);
    if (tag == 0) break;
    if (tag == kStrtab) place.table = value, place.has_table = true;
    if (tag == kStrsz) place.table_size = value;
    if (tag == kSonameTag) place.name = value, place.has_name = true;
  }
  return place;
}

// A SONAME becomes a file's name in a container, so it has to be one.
bool is_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c > ' ' && c < '\x7f' && c != '/'; });
}

std::string read_soname(const ByteSource& source, const Header& header,
                        const std::vector<Segment>& segments) {
  const auto dynamic = std::find_if(segments.begin(), segments.end(),
                                    [](const Segment& s) { return s.type == kDynamic; });
  if (dynamic == segments.end()) return {};
  const NamePlace place = find_name(source, header, *dynamic);
  if (!place.has_table || !place.has_name || place.name >= place.table_size) return {};
  const auto table = offset_of(segments, place.table);
  if (!table || *table > UINT64_MAX - place.name) return {};
  const std::size_t longest = static_cast<std::size_t>(
      std::min<std::uint64_t>(place.table_size - place.name, kMaxSoname + 1));
  const std::string bytes = read_piece(source, *table + place.name, longest);
  const std::size_t end = bytes.find('\0');
  if (end == std::string::npos) return {};
  std::string name = bytes.substr(0, end);
  return is_file_name(name) ? name : std::string();
}

}  // namespace

std::optional<ElfLibrary> read_elf(const ByteSource& source) {
  const auto header = read_header(source);
  if (!header) return std::nullopt;
  return ElfLibrary{!header->wide, header->machine,
                    read_soname(source, *header, read_segments(source, *header))};
}

}  // namespace estiva::format
