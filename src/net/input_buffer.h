// Bytes received and not yet used: one block of memory, read at the front, filled at the back.
#pragma once
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace estiva::net {

class InputBuffer {
 public:
  std::string_view data() const { return {memory_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  std::size_t capacity() const { return capacity_; }

  void consume(std::size_t n) {
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Makes the block hold at least `capacity` bytes in all, and moves the data to its front.
  // Views into data() become invalid.
  void reserve(std::size_t capacity) {
    if (capacity > capacity_) {
      auto larger = std::make_unique_for_overwrite<char[]>(capacity);
      if (!empty()) std::memcpy(larger.get(), memory_.get() + begin_, size());
      memory_ = std::move(larger);
      capacity_ = capacity;
    } else if (begin_ > 0) {
      std::memmove(memory_.get(), memory_.get() + begin_, size());
    }
    end_ -= begin_;
    begin_ = 0;
  }
  // Frees the memory if it is empty and larger than `keep`.
  void shrink(std::size_t keep) {
    if (!empty() || capacity_ <= keep) return;
    memory_.reset();
    capacity_ = 0;
  }
  char* tail() { return memory_.get() + end_; }
  std::size_t tail_room() const { return capacity_ - end_; }
  void added(std::size_t n) { end_ += n; }

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace estiva::net
