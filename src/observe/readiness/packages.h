// What the package manager has installed of the driver, the toolkit and the engine, what it holds
// back, and whether it upgrades by itself. dpkg and pacman are read; rpm's database is binary: rpm
// is asked (on the real machine), or the tree's file `packages` has what it said.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "observe/readiness/tree.h"

namespace estiva::observe {

struct Packages {
  std::map<std::string, std::string> versions;  // name -> version
  std::vector<std::string> held;
  bool upgrades_itself = false;
  std::string trouble;  // a sentence; empty: all was read
};
Packages read_packages(const Tree& tree);

// Names that concern GPUs in containers: the driver, CUDA, the toolkit, engines, kernels and
// headers.
bool is_wanted_package(std::string_view name);
// "550.163.01" of "3:550.163.01-1~deb12u1": without epoch and revision.
std::string upstream_version(std::string_view version);

// /var/lib/dpkg/status: adds what is installed, and what is on hold.
void parse_dpkg_status(std::string_view text, Packages& packages);
// "NAME VERSION" rows.
void parse_package_rows(std::string_view text, Packages& packages);
// A folder's name of pacman's local database: "nvidia-open-570.86.16-5".
void parse_pacman_name(std::string_view folder, Packages& packages);

}  // namespace estiva::observe
