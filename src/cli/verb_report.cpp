#include "cli/verb_report.h"

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "api/json.h"
#include "base/messages/cli.h"
#include "base/messages/observe.h"
#include "cli/daemon_client.h"
#include "cli/held_child.h"
#include "cli/recorded_world.h"
#include "cli/recorder.h"
#include "cli/session.h"
#include "cli/signal_queue.h"
#include "format/json_tree.h"
#include "format/json_writer.h"
#include "format/text.h"
#include "host/settings_file.h"
#include "observe/redact_text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A folder of ours that goes when this does.
class Staging {
 public:
  explicit Staging(std::string dir) : dir_(std::move(dir)) {}
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  std::string operator/(std::string_view name) const { return fmt::format("{}/{}", dir_, name); }
  const std::string& dir() const { return dir_; }

 private:
  std::string dir_;
};

std::string usual_name() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[40];
  std::strftime(text, sizeof text, "estiva-report-%Y%m%d-%H%M%S.tar.gz", &utc);
  return text;
}

std::vector<std::string> contents(bool names) {
  std::vector<std::string> lines;
  for (const std::string_view line : m::kReportDocuments) lines.emplace_back(line);
  for (const std::string_view line : m::kRecordDocuments) {
    lines.push_back(fmt::format("machine/{}", line));
  }
  for (const std::string& line : observe::tree_contents(names)) {
    lines.push_back(fmt::format("machine{}", line));
  }
  return lines;
}

std::string list_text(bool names) {
  std::string text = std::string(names ? m::kReportNames : m::kReportNoNames) + "\n";
  for (const std::string& line : contents(names)) text += fmt::format("  {}\n", line);
  return text;
}

// Whether the person at the terminal says yes.
bool is_agreed(Session& session) {
  (void)session.out.write(std::string(m::kReportAsk));
  char answer[16] = {};
  const ssize_t n = ::read(STDIN_FILENO, answer, sizeof answer - 1);
  return n > 0 && (answer[0] == '\n' || answer[0] == 'y' || answer[0] == 'Y');
}

Result<void> write(const std::string& path, const std::string& text) {
  return text.empty() ? Result<void>{} : host::write_file_atomic(path, text);
}

// What a daemon says of itself, without names; of one that can't be asked, why.
std::string about_daemon(const Session& session) {
  std::string about;
  format::JsonWriter json(about);
  json.begin_object().field("schema", "estiva/report-daemon/1");
  const auto answer = ask_if_running(session, "GET", "/api/v1/status");
  json.field("running", answer.has_value() ? answer->has_value() : true);
  if (!answer) json.field("error", kind_name(answer.error().kind));
  if (answer && *answer) {
    const auto tree = format::JsonTree::parse((*answer)->body);
    const format::JsonNode root = tree ? tree->root() : format::JsonNode();
    const auto word = [](format::JsonNode node) {
      return std::string(node.text().value_or(std::string_view()));
    };
    json.field("status", (*answer)->status)
        .field("gpu_status",
               word(root["checks"].size() > 0 ? root["checks"].at(0)["state"] : format::JsonNode()))
        .field("simulated", root["simulated"].boolean().value_or(false))
        .field("driver_state", word(root["driver"]["state"]))
        .field("driver_version", word(root["driver"]["version"]))
        .field("gpus", root["gpus"].size())
        .field("leases", root["leases"].size())
        .field("engine_state", word(root["engine"]["state"]));
  }
  json.end_object();
  return about + "\n";
}

Result<void> add_daemon(const Session& session, const Staging& staging,
                        observe::Redactor& redactor) {
  if (auto ok = write(staging / "daemon.json", about_daemon(session)); !ok) return ok;
  const auto journal = get_if_running(session, "/api/v1/journal?limit=5000");
  if (journal && *journal) {
    const std::string text = observe::redact_journal(**journal, redactor);
    if (auto ok = write(staging / "journal.json", text); !ok) return ok;
  }
  const auto leases = get_if_running(session, "/api/v1/leases");
  if (!leases || !*leases) return {};
  return write(staging / "leases.json", observe::redact_leases(**leases, redactor));
}

Result<void> add_settings(const std::string& file, const Staging& staging,
                          observe::Redactor& redactor) {
  if (file.empty()) return {};
  const auto settings = host::read_local_file(file);
  if (!settings) return Failure(settings.error());
  return write(staging / "estiva.toml", observe::redact_settings(*settings, redactor));
}

Result<void> add_machine(Session& session, const Arguments& args, const std::string& engine_host,
                         const Staging& staging, observe::Redactor& redactor,
                         const SignalQueue& signals) {
  RecordOptions options;
  options.sources = sources_of(args);
  options.engine_host = engine_host;
  const bool shows = session.style.terminal && !args.has("--json");
  options.on_reading = [&](std::size_t n) {
    if (shows) {
      (void)session.err.write("\r" + fmt::format(m::kRecordProgress, n, options.readings));
    }
  };
  bool is_over = false;
  options.wait = [&](Nanoseconds span) { return !(is_over = signals.take(span) != 0); };
  auto recording = gather_recording(options);
  if (shows) (void)session.err.write("\r\x1b[K");
  if (is_over) return fail(std::string(m::kReportStopped));
  if (!recording) return Failure(recording.error());
  auto root = host::Root::open(options.sources.root);
  if (!root) return Failure(root.error());
  const std::string dir = staging / "machine";
  auto files = observe::write_machine(dir, std::move(*recording), *root, redactor);
  if (!files) return Failure(files.error());
  const auto world = last_recorded_world(dir);
  if (!world) return Failure(world.error());
  return write(staging / "status.json", api::status_json(*world) + "\n");
}

// Owners and times of this machine are not in the archive. It is there whole or not at all.
Result<std::uint64_t> pack(const std::string& file, const Staging& staging) {
  const fs::path dir = fs::absolute(staging.dir()), outer = dir.parent_path();
  const std::string draft = outer.string() + "/archive";
  const SignalQueue signals({SIGCHLD});
  auto tar = HeldChild::start(
      {"tar", "--create", "--gzip", "--owner=0", "--group=0", "--numeric-owner", "--force-local",
       "--sort=name", "--mtime=@0", "--file", draft, "--directory", outer, dir.filename()},
      signals.mask_before());
  if (!tar) return Failure(tar.error());
  if (const int error = tar->let_go({}); error != 0) return fail_errno("tar", error);
  const int status = tar->wait_exit();
  std::error_code error;
  if (status == 0) {
    // The journal and the leases are not everybody's to read; with --names less so.
    fs::permissions(draft, fs::perms::owner_read | fs::perms::owner_write, error);
    fs::rename(draft, file, error);
    if (!error) return fs::file_size(file, error);
  }
  std::error_code ignored;
  fs::remove(draft, ignored);
  return fail(status != 0 ? fmt::format(m::kReportTar, status)
                          : fmt::format("{}: {}", file, error.message()),
              std::string(m::kReportTarRemedy));
}

Result<std::uint64_t> write_report(Session& session, const Arguments& args,
                                   const std::string& file) {
  std::error_code error;
  if (fs::exists(file, error)) {
    return fail(ErrorKind::refused, fmt::format(m::kReportThere, file),
                std::string(m::kReportThereRemedy));
  }
  const fs::path folder = fs::absolute(file).parent_path();
  if (!fs::is_directory(folder, error)) {
    return fail(fmt::format(msg::kNoFolderThere, folder.string()),
                std::string(msg::kNoFolderThereRemedy));
  }
  std::string base = fs::path(file).filename();
  for (const std::string_view end : {".gz", ".tar", ".tgz"}) {
    if (base.ends_with(end)) base.erase(base.size() - end.size());
  }
  std::string name = file + ".partial-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return fail_errno("make " + name, errno);
  const Staging outer(name);
  const Staging staging(outer / base);
  if (auto ok = host::ensure_named_dir(staging.dir(), 0700); !ok) return Failure(ok.error());
  observe::Redactor redactor(args.has("--names"));
  // As the daemon would find it.
  const std::string settings_file =
      host::find_settings(std::string(args.value("--config").value_or("")));
  const auto settings = host::read_settings(settings_file);
  std::string engine_host = settings ? settings->settings.docker.host : std::string();
  if (const auto named = args.value("--docker")) engine_host = *named;
  const SignalQueue signals({SIGINT, SIGTERM});
  if (auto ok = add_machine(session, args, engine_host, staging, redactor, signals); !ok) {
    return Failure(ok.error());
  }
  if (auto ok = add_daemon(session, staging, redactor); !ok) return Failure(ok.error());
  if (auto ok = add_settings(settings_file, staging, redactor); !ok) return Failure(ok.error());
  return pack(file, staging);
}

}  // namespace

Result<int> run_report(Session& session, const Arguments& args) {
  const bool names = args.has("--names"), json = args.has("--json");
  const std::string file = args.words.empty() ? usual_name() : args.words[0];
  if (!json || args.has("--list")) {
    std::string text = list_text(names);
    if (json) {
      text.clear();
      format::JsonWriter out(text);
      out.begin_object().field("schema", "estiva/report-list/1").key("files").begin_array();
      for (const std::string& line : contents(names)) out.value(line);
      out.end_array().end_object();
      text += "\n";
    }
    if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  }
  if (args.has("--list")) return 0;
  if (!args.has("--yes")) {
    const bool may_ask = !json && session.style.terminal && ::isatty(STDIN_FILENO) == 1;
    if (!may_ask) {
      return fail(ErrorKind::refused, std::string(m::kReportNotAsked),
                  std::string(m::kReportNotAskedRemedy));
    }
    if (!is_agreed(session)) return fail(ErrorKind::refused, std::string(m::kReportDeclined));
  }
  const auto size = write_report(session, args, file);
  if (!size) return Failure(size.error());
  std::string text =
      fmt::format(m::kReportWritten, format::escape_for_terminal(file), to_text(Bytes{*size})) +
      "\n";
  if (json) {
    text.clear();
    format::JsonWriter out(text);
    out.begin_object()
        .field("schema", "estiva/report/1")
        .field("file", file)
        .field("bytes", *size)
        .end_object();
    text += "\n";
  }
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return 0;
}

}  // namespace estiva::cli
