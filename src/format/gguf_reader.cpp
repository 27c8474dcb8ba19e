#include "format/gguf_reader.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/format_model.h"
#include "format/gguf.h"

namespace estiva::format {
namespace {

constexpr std::size_t kWindow = 256 << 10;
constexpr std::uint64_t kLongestText = 256;  // of a value that is kept

// enum gguf_type of gguf.h.
enum : std::uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kText,
  kList,
  kU64,
  kI64,
  kF64
};

unsigned size_of(std::uint32_t type) {
  constexpr std::array<unsigned, 13> kSizes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return type < kSizes.size() ? kSizes[type] : 0;
}

bool is_float(std::uint32_t type) {
  return type == kF32 || type == kF64;
}

GgufValue read_list(GgufCursor& in) {
  GgufValue value;
  const std::uint32_t type = in.u32();
  value.length = in.u64();
  if (type == kList) in.damaged(msg::kGgufNested);
  if (type == kText) {
    for (std::uint64_t i = 0; i < value.length && in.is_good(); ++i) in.skip_text();
    return value;
  }
  const unsigned size = size_of(type);
  if (size == 0) in.damaged(msg::kGgufType);
  if (value.length > kMaxGgufHeader) in.damaged(msg::kGgufLong);
  if (!in.is_good()) return value;
  if (is_float(type) || value.length > kMostGgufBlocks) {
    in.skip(value.length * size);
    return value;
  }
  for (std::uint64_t i = 0; i < value.length && in.is_good(); ++i)
    value.list.push_back(
        static_cast<std::uint32_t>(std::min<std::uint64_t>(in.number(size), UINT32_MAX)));
  return value;
}

}  // namespace

void GgufCursor::damaged(std::string_view what) {
  if (is_good()) error_ = Error{ErrorKind::failed, fmt::format(msg::kGgufDamaged, at_, what), {}};
}

bool GgufCursor::has(std::size_t bytes) {
  if (!is_good()) return false;
  if (at_ + bytes > kMaxGgufHeader) {
    damaged(msg::kGgufLong);
    return false;
  }
  if (at_ >= window_at_ && at_ + bytes <= window_at_ + window_size_) return true;
  window_.resize(kWindow);
  window_at_ = at_;
  window_size_ = source_.read_at(at_, window_);
  if (window_size_ >= bytes) return true;
  error_ = Error{ErrorKind::failed, fmt::format(msg::kGgufCut, at_ + window_size_),
                 std::string(msg::kModelCutHow)};
  return false;
}

std::uint64_t GgufCursor::number(unsigned bytes) {
  if (!has(bytes)) return 0;
  const char* from = window_.data() + (at_ - window_at_);
  std::uint64_t value = 0;
  for (unsigned i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(from[i]);
  at_ += bytes;
  return value;
}

void GgufCursor::skip(std::uint64_t bytes) {
  if (!is_good()) return;
  if (bytes > kMaxGgufHeader - at_) return damaged(msg::kGgufLong);
  at_ += bytes;
}

std::string GgufCursor::text(std::uint64_t most) {
  const std::uint64_t length = u64();
  if (length > most) damaged(msg::kGgufText);
  if (!is_good() || !has(static_cast<std::size_t>(length))) return {};
  std::string text(window_.data() + (at_ - window_at_), static_cast<std::size_t>(length));
  at_ += length;
  return text;
}

std::string GgufCursor::short_text(std::uint64_t most) {
  const std::uint64_t begin = at_, length = u64();
  if (length > most) {
    skip(length);
    return {};
  }
  at_ = begin;
  return text(most);
}

GgufValue read_gguf_value(GgufCursor& in) {
  const std::uint32_t type = in.u32();
  GgufValue value;
  if (type == kText) {
    value.text = in.short_text(kLongestText);
  } else if (type == kList) {
    return read_list(in);
  } else if (const unsigned size = size_of(type); size == 0) {
    in.damaged(msg::kGgufType);
  } else {
    value.number = in.number(size);
    value.is_number = !is_float(type);
  }
  return value;
}

}  // namespace estiva::format
