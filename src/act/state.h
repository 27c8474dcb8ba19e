// What there is at the place where a step acts, exactly enough to bring it back.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace estiva::act {

struct Attribute {  // an extended attribute: ACLs, SELinux labels, capabilities, user.*
  std::string name, value;
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

struct UnitLink {  // a symbolic link by which a systemd unit is enabled
  std::string path, leads_to;
  friend bool operator==(const UnitLink&, const UnitLink&) = default;
};

struct State {
  enum class Is : std::uint8_t {
    absent,
    file,
    link,
    node,  // a device
    folder,
    other,  // a socket, a FIFO
    word,   // not a file: a unit's state, a setting's value
  };
  Is is = Is::absent;
  std::string sha256;      // file
  std::uint64_t size = 0;  // file, bytes
  std::string leads_to;    // link
  std::string node;        // "c 195 0", "b 8 1"
  std::string word;
  mode_t mode = 0;  // permission bits
  uid_t uid = 0;
  gid_t gid = 0;
  std::int64_t modified_ns = 0;  // file; of the Unix epoch
  std::vector<Attribute> attributes;
  std::vector<UnitLink> links;  // units: all that there are, by path
  // Units: the folders that hold the links. Modules: all that are loaded, the newest first.
  std::vector<std::string> names;
  friend bool operator==(const State&, const State&) = default;
};

std::string_view to_name(State::Is is);

// Equal but for times and extended attributes, which others may set without changing anything that
// we did.
bool is_same(const State& a, const State& b);
// "a file with the SHA-256 ...", "absent", "'enabled'", for sentences.
std::string describe(const State& state);
// How the two differ, as a sentence about `what`.
std::string describe_drift(std::string_view what, const State& left, const State& now);

// Does the state satisfy Step::expects? "" always, "absent", a SHA-256, "link:TARGET", a device
// "c 195 0", or the word of a unit, a module or a setting.
bool is_as_expected(const State& state, std::string_view expects);
std::string describe_expected(std::string_view expects);

}  // namespace estiva::act
