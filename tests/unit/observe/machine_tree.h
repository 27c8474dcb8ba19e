// A machine of tests/machines in a folder of the test's own, completed with what git can't keep:
// device nodes, sockets (its file `nodes`), and the driver's libraries as empty files
// (`driver.json`). Nodes need root; without it they are left out, and has_nodes() says so.
#pragma once
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "format/json_tree.h"
#include "format/text.h"
#include "host/files.h"
#include "unit/host/temp_dir.h"

namespace estiva::test {

class MachineTree {
 public:
  explicit MachineTree(const std::string& name) {
    namespace fs = std::filesystem;
    fs::copy(std::string(ESTIVA_SOURCE_DIR "/tests/machines/") + name, dir_.path(),
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    make_nodes();
    make_libraries();
  }
  const std::string& path() const { return dir_.path(); }
  bool has_nodes() const { return has_nodes_; }
  std::string write(const std::string& name, const std::string& text) const {
    return dir_.write(name, text);
  }
  void remove(const std::string& name) const {
    std::filesystem::remove_all(dir_.path() + "/" + name);
  }

 private:
  static std::string read(const std::string& path) {
    return host::read_local_file(path).value_or("");
  }
  void make_nodes() {
    std::string text = read(path() + "/nodes");
    std::string_view rest = text;
    for (std::string_view row; format::next_line(rest, row);) {
      std::string_view word[7];
      for (auto& one : word) format::next_word(row, one);
      const std::string file = path() + std::string(word[0]);
      std::filesystem::create_directories(std::filesystem::path(file).parent_path());
      if (word[1] == "s") {
        bind_socket(file);
      } else {
        make_node(file, word);
      }
    }
  }
  void make_node(const std::string& file, const std::string_view (&word)[7]) {
    const auto number = [](std::string_view digits) {
      return static_cast<unsigned>(format::parse_u64(digits).value_or(0));
    };
    const mode_t mode = static_cast<mode_t>(std::stoul(std::string(word[4]), nullptr, 8));
    const bool made =
        ::mknod(file.c_str(), S_IFCHR | 0600, makedev(number(word[2]), number(word[3]))) == 0 &&
        ::chown(file.c_str(), number(word[5]), number(word[6])) == 0 &&
        ::chmod(file.c_str(), mode) == 0;
    has_nodes_ = has_nodes_ && made;
  }
  static void bind_socket(const std::string& file) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    file.copy(address.sun_path, sizeof address.sun_path - 1);
    (void)::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::close(fd);
  }
  void make_libraries() {
    const std::string text = read(path() + "/driver.json");
    const auto tree = format::JsonTree::parse(text);
    if (!tree) return;
    const auto root = tree->root();
    const std::string version(root["version"].text().value_or(""));
    const std::string folder(root["folder"].text().value_or(""));
    for (std::size_t i = 0; i < root["libraries"].size(); ++i) {
      dir_.write(folder + "/" + std::string(*root["libraries"].at(i).text()) + "." + version, "");
    }
    for (std::size_t i = 0; i < root["files"].size(); ++i) {
      dir_.write(std::string(*root["files"].at(i).text()), "");
    }
  }

  TempDir dir_;
  bool has_nodes_ = true;
};

}  // namespace estiva::test
