// Random Compose files beside what each must become: written in one go as pieces, so that no parser
// is needed to know which bytes have to stay.
#pragma once
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace estiva::property {

struct ComposeCase {
  std::string before, after;
  std::vector<std::string> changed;  // services, in their order
  std::vector<std::string> refused;
};

class ComposeMaker {
 public:
  explicit ComposeMaker(std::uint64_t seed) : random_(seed) {}
  ComposeCase make();

 private:
  struct Style {
    std::size_t step = 2;  // of mappings
    std::size_t list = 2;  // from a key to its dashes
    bool crlf = false, mark = false, open_end = false;
  };
  // Which GPUs, and how a request says so.
  struct Asked {
    std::vector<std::string> devices;
    std::string count, ids;  // one of them, or neither
  };

  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <std::size_t n>
  const char* any(const char* const (&all)[n]) {
    return all[below(n)];
  }

  void both(const std::string& text);  // a line that stays
  void gone(const std::string& text);
  void made(const std::string& text);
  void noise(std::size_t columns);
  void other_entry(std::size_t columns);
  void service(const std::string& name, std::size_t columns);
  void flow_service(const std::string& name, std::size_t columns);
  void refused_service(const std::string& name, std::size_t columns);
  void reservation(std::size_t columns, const Asked& asked, bool has_devices);
  void gpus(std::size_t columns, const Asked& asked, bool has_devices);
  void devices(std::size_t columns, const Asked& asked, std::size_t list);
  std::vector<std::string> request(const Asked& asked, bool needs_capabilities);
  void item(std::size_t columns, const Asked& asked, bool needs_capabilities);
  Asked ask();
  std::string quoted(const std::string& text);
  std::string tail();  // a comment behind something, or nothing

  std::mt19937_64 random_;
  Style style_;
  unsigned others_ = 0;  // entries that the service has already, a bit each
  ComposeCase made_;
};

}  // namespace estiva::property
