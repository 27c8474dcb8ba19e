#include "engines/launch.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/messages/engines.h"
#include "engines/process_tree.h"

namespace estiva::engines {
namespace {

// systemd.exec(5): what it tells this service and nobody else. CREDENTIALS_DIRECTORY leads to
// secrets; NOTIFY_SOCKET would let an engine end our watchdog.
constexpr std::array<std::string_view, 18> kOnlyOurs = {"CACHE_DIRECTORY",
                                                        "CONFIGURATION_DIRECTORY",
                                                        "CREDENTIALS_DIRECTORY",
                                                        "INVOCATION_ID",
                                                        "JOURNAL_STREAM",
                                                        "LISTEN_FDNAMES",
                                                        "LISTEN_FDS",
                                                        "LISTEN_PID",
                                                        "LOGS_DIRECTORY",
                                                        "MAINPID",
                                                        "MANAGERPID",
                                                        "MEMORY_PRESSURE_WATCH",
                                                        "NOTIFY_SOCKET",
                                                        "RUNTIME_DIRECTORY",
                                                        "STATE_DIRECTORY",
                                                        "SYSTEMD_EXEC_PID",
                                                        "WATCHDOG_PID",
                                                        "WATCHDOG_USEC"};

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

void put(std::vector<std::string>& into, std::string_view variable) {
  const auto same = [&](const std::string& one) { return name_of(one) == name_of(variable); };
  std::erase_if(into, same);
  into.emplace_back(variable);
}

std::string folder_of(const ModelSpec& spec) {
  return spec.directory.empty() ? "/" : spec.directory;
}

std::vector<std::string> home_of(const Account& account) {
  return {"HOME=" + account.home, "USER=" + account.name, "LOGNAME=" + account.name};
}

Failure no_such_user(const ModelSpec& spec) {
  return fail(ErrorKind::usage, fmt::format(msg::kNoUser, spec.name, spec.user),
              fmt::format(msg::kNoUserHow, spec.name));
}

bool may_run(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

// getpwnam_r(3) or getpwuid_r(3).
template <class Ask>
std::optional<Account> account_of(Ask ask) {
  passwd entry{}, *found = nullptr;
  std::array<char, 16384> buffer{};
  if (ask(&entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return Account{found->pw_uid, found->pw_gid, found->pw_name, found->pw_dir};
}

}  // namespace

std::optional<Account> find_account(const std::string& name) {
  return account_of([&](auto... into) { return ::getpwnam_r(name.c_str(), into...); });
}

std::optional<Account> find_account(uid_t uid) {
  return account_of([&](auto... into) { return ::getpwuid_r(uid, into...); });
}

std::vector<std::string> engine_environment(const char* const* ours,
                                            const std::vector<std::string>& further) {
  std::vector<std::string> out;
  for (; ours != nullptr && *ours != nullptr; ++ours) {
    const std::string_view name = name_of(*ours);
    if (std::find(kOnlyOurs.begin(), kOnlyOurs.end(), name) == kOnlyOurs.end())
      out.emplace_back(*ours);
  }
  for (const std::string& variable : further) put(out, variable);
  return out;
}

std::vector<std::string> marks_of(const ModelSpec& spec, const LoadTerms& terms,
                                  const std::string& mark) {
  return {fmt::format("CUDA_VISIBLE_DEVICES={}", fmt::join(terms.gpus, ",")),
          fmt::format("ESTIVA_LEASE={}", terms.lease), fmt::format("ESTIVA_MODEL={}", spec.name),
          fmt::format("{}={}", kMarkVariable, mark)};
}

Result<Launch> as_user(const ModelSpec& spec, std::vector<std::string> words) {
  Launch launch{std::move(words), {}, folder_of(spec)};
  if (spec.user.empty()) return launch;
  const auto user = find_account(spec.user);
  if (!user) return no_such_user(spec);
  if (user->uid == ::geteuid()) return launch;
  if (::geteuid() != 0) {
    return fail(ErrorKind::refused, fmt::format(msg::kOtherUser, spec.name, spec.user),
                fmt::format(msg::kOtherUserHow, spec.name));
  }
  // util-linux's, on every Debian: groups first, then the user, and no way back.
  const std::vector<std::string> change = {"setpriv",
                                           fmt::format("--reuid={}", user->uid),
                                           fmt::format("--regid={}", user->gid),
                                           "--init-groups",
                                           "--no-new-privs",
                                           "--inh-caps=-all",
                                           "--"};
  launch.words.insert(launch.words.begin(), change.begin(), change.end());
  launch.environment = home_of(*user);
  return launch;
}

Result<Launch> as_user_apart(const ModelSpec& spec, std::vector<std::string> words) {
  Launch launch{std::move(words), {}, folder_of(spec)};
  if (spec.user.empty()) return launch;
  const auto user = find_account(spec.user);
  if (!user) return no_such_user(spec);
  launch.environment = home_of(*user);
  return launch;
}

Result<std::string> find_program(const ModelSpec& spec, const std::string& name) {
  const auto absent =
      fail(ErrorKind::not_found, fmt::format(msg::kEngineNoProgram, spec.name, name),
           fmt::format(msg::kEngineNoProgramHow, spec.name));
  if (name.find('/') != name.npos) {
    const bool is_relative = name[0] != '/' && !spec.directory.empty();
    const std::string path = is_relative ? spec.directory + "/" + name : name;
    if (may_run(path)) return path;
    return absent;
  }
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  for (std::size_t end = 0; end != rest.npos; rest.remove_prefix(end == rest.npos ? 0 : end + 1)) {
    end = rest.find(':');
    const auto found = fmt::format("{}/{}", rest.substr(0, end), name);
    if (may_run(found)) return found;
  }
  return absent;
}

}  // namespace estiva::engines
