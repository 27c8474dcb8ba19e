#include "unit/act/act_fixture.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "format/text.h"

namespace estiva::act::test {

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

namespace {

namespace fs = std::filesystem;

std::string attributes_of(const std::string& path) {
  char names[4096];
  const ssize_t n = ::llistxattr(path.c_str(), names, sizeof names);
  std::string out;
  for (const char* name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
    char value[4096];
    const ssize_t size = ::lgetxattr(path.c_str(), name, value, sizeof value);
    out += fmt::format(" {}={}", name, std::string(value, size > 0 ? size : 0));
  }
  return out;
}

std::string describe_entry(const std::string& path) {
  struct stat info {};
  ::lstat(path.c_str(), &info);
  auto text = fmt::format("{:o} {}:{}", info.st_mode, info.st_uid, info.st_gid);
  if (S_ISLNK(info.st_mode)) return text + " -> " + fs::read_symlink(path).string();
  if (S_ISREG(info.st_mode)) {
    // What the kernel shows and what runs has no time of its own.
    const bool timeless = path.find("/proc/") != path.npos || path.find("/run/") != path.npos;
    if (!timeless) text += fmt::format(" {}.{:09}", info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    text += " " + format::sha256_hex(slurp(path));
  } else if (!S_ISDIR(info.st_mode)) {
    text += fmt::format(" {}/{}", major(info.st_rdev), minor(info.st_rdev));
  }
  return text + attributes_of(path);
}

CommandEnd said(std::string text, int code = 0) {
  return {code, std::move(text) + "\n", {}};
}

CommandEnd failed(std::string text) {
  return {1, {}, std::move(text) + "\n"};
}

}  // namespace

std::map<std::string, std::string> snapshot(const std::string& dir) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    const std::string path = entry.path();
    all[path.substr(dir.size())] = describe_entry(path);
  }
  return all;
}

std::string difference(const std::map<std::string, std::string>& before,
                       const std::map<std::string, std::string>& after) {
  std::string out;
  for (const auto& [path, what] : before) {
    const auto found = after.find(path);
    if (found == after.end()) {
      out += fmt::format("gone: {}: {}\n", path, what);
    } else if (found->second != what) {
      out += fmt::format("changed: {}: {} -> {}\n", path, what, found->second);
    }
  }
  for (const auto& [path, what] : after) {
    if (!before.contains(path)) out += fmt::format("new: {}: {}\n", path, what);
  }
  return out;
}

Result<CommandEnd> FakeCommands::run(const Command& command) {
  std::vector<std::string> words = command.words;
  if (missing.contains(words.front())) return fail(ErrorKind::not_found, "no " + words.front());
  std::erase_if(words, [](const std::string& word) { return word == "--"; });
  const std::string call = fmt::format("{}", fmt::join(words, " "));
  if (call.find(" is-") == call.npos) calls.push_back(call);
  if (failing.contains(call)) return failed("it does not want to");
  if (words.front() == "systemctl") return systemctl(words);
  return modules(words.front(), words.back());
}

CommandEnd FakeCommands::systemctl(std::vector<std::string> words) {
  std::erase_if(words, [](const std::string& word) { return word.starts_with("--root="); });
  const std::string verb = words.at(1), unit = words.back(), active = root_ + "/run/fake-active/";
  if (verb == "daemon-reload") return said("");
  if (verb == "is-active") {
    const bool runs = fs::exists(active + unit);
    return said(runs ? "active" : "inactive", runs ? 0 : 3);
  }
  if (verb == "is-enabled") {
    if (!fs::exists(root_ + "/etc/systemd/system/" + unit)) return failed("No such file");
    for (const auto& entry : fs::recursive_directory_iterator(root_ + "/etc/systemd/system")) {
      if (entry.is_symlink() && entry.path().filename() == unit) return said("enabled");
    }
    return said("disabled", 1);
  }
  if (verb == "enable" || verb == "disable") return enable(unit, verb == "enable");
  if (verb == "stop") {
    fs::remove(active + unit);
  } else {
    std::ofstream(active + unit).put('\n');
  }
  return said("");
}

CommandEnd FakeCommands::enable(const std::string& unit, bool on) {
  const std::string folder = root_ + "/etc/systemd/system";
  const std::string text = slurp(folder + "/" + unit);
  if (text.empty()) return failed("Unit file " + unit + " does not exist.");
  for (std::string_view rest = text, line; format::next_line(rest, line);) {
    if (!line.starts_with("WantedBy=")) continue;
    const std::string wants = folder + "/" + std::string(line.substr(9)) + ".wants";
    if (on) {
      fs::create_directories(wants);
      std::error_code ignored;
      fs::create_symlink("/etc/systemd/system/" + unit, wants + "/" + unit, ignored);
    } else {
      fs::remove(wants + "/" + unit);
      if (fs::exists(wants) && fs::is_empty(wants)) fs::remove(wants);
    }
  }
  return said("");
}

CommandEnd FakeCommands::modules(const std::string& program, const std::string& name) {
  const std::string path = root_ + "/proc/modules";
  std::string text = slurp(path);
  const auto line = [](std::string module) {
    std::replace(module.begin(), module.end(), '-', '_');
    return module + " 16384 0 - Live 0x0\n";
  };
  if (program == "modprobe") {
    if (companions.contains(name)) text = line(companions[name]) + text;
    text = line(name) + text;
  } else {
    const auto at = text.find(line(name));
    if (at == text.npos) return failed("rmmod: ERROR: Module " + name + " is not currently loaded");
    text.erase(at, line(name).size());
  }
  std::ofstream(path) << text;
  return said("");
}

ActTest::ActTest()
    : journal_(state_.path() + "/plans"),
      root_(*host::Root::open(tree_.path())),
      commands_(tree_.path()),
      machine_{root_, commands_, {}, {}} {
  put("/proc/modules", "ext4 16384 0 - Live 0x0\n");
  fs::create_directories(at("/etc/systemd/system"));
  fs::create_directories(at("/run/systemd/system"));
  fs::create_directories(at("/run/fake-active"));
}

std::string ActTest::content(const std::string& path) const {
  return slurp(at(path));
}

std::string ActTest::applied(const Plan& plan) {
  const auto report = do_it(plan);
  if (!report) {
    ADD_FAILURE() << report.error().sentence();
    return {};
  }
  EXPECT_FALSE(report->error) << report->error->sentence();
  EXPECT_EQ(phase_of(report->run), RunPhase::applied);
  return report->run;
}

void ActTest::expect_undone(const std::string& run,
                            const std::map<std::string, std::string>& before) {
  const auto report = undo_it(run);
  ASSERT_TRUE(report) << report.error().sentence();
  EXPECT_FALSE(report->error) << report->error->sentence();
  EXPECT_EQ(difference(before, now()), "");
  EXPECT_EQ(phase_of(run), RunPhase::undone);
}

RunPhase ActTest::phase_of(const std::string& run) const {
  const auto runs = *list_runs(journal_);
  for (const RunInfo& info : runs) {
    if (info.id == run) return info.phase;
  }
  ADD_FAILURE() << "no run " << run;
  return RunPhase::interrupted;
}

Plan plan_of(std::vector<Step> steps, const std::string& id) {
  Plan plan{id, {}, std::move(steps)};
  plan.hash = format::hash_of(plan);
  return plan;
}

Step step_of(StepKind kind, const std::string& target, const std::string& content) {
  Step step;
  step.kind = kind;
  step.target = target;
  step.content = content;
  return step;
}

Step write_step(const std::string& target, const std::string& content, const std::string& expects) {
  Step step = step_of(StepKind::write_file, target, content);
  step.expects = expects;
  return step;
}

}  // namespace estiva::act::test
