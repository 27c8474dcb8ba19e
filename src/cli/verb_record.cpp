#include "cli/verb_record.h"

#include <fmt/format.h>

#include "base/messages/cli.h"
#include "cli/numbers.h"
#include "cli/recorder.h"
#include "cli/session.h"
#include "cli/signal_queue.h"
#include "format/json_writer.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kUsual = 3s, kShortest = 50ms;

Result<int> print(Session& session, const std::string& text) {
  if (auto ok = session.out.write(text); !ok) return Failure(ok.error());
  return 0;
}

std::string contents(const Arguments& args) {
  const bool names = args.has("--names");
  const auto lines = observe::tree_contents(names);
  if (args.has("--json")) {
    std::string text;
    format::JsonWriter json(text);
    json.begin_object().field("schema", "estiva/record-list/1").field("names", names);
    json.key("files").begin_array();
    for (const std::string_view document : m::kRecordDocuments) json.value(document);
    for (const std::string& line : lines) json.value(line);
    json.end_array().end_object();
    return text + "\n";
  }
  std::string text = std::string(names ? m::kRecordNames : m::kRecordNoNames) + "\n";
  for (const std::string_view document : m::kRecordDocuments) {
    text += fmt::format("  {}\n", document);
  }
  for (const std::string& line : lines) text += fmt::format("  {}\n", line);
  return text;
}

struct Written {
  std::string dir;
  std::size_t readings = 0, gpus = 0;
  std::vector<observe::RecordedFile> files;
  std::vector<std::string> left_out;
};

std::string report(const Written& written, bool json) {
  std::uint64_t bytes = 0;
  for (const observe::RecordedFile& file : written.files) bytes += file.bytes;
  if (!json) {
    std::string text =
        fmt::format(m::kRecordDone, format::counted(written.readings, m::kReadingNoun),
                    format::counted(written.gpus, m::kGpuNoun),
                    format::escape_for_terminal(written.dir),
                    format::counted(written.files.size(), m::kFileNoun), to_text(Bytes{bytes})) +
        "\n";
    if (!written.left_out.empty()) text += std::string(m::kRecordLeftOut) + "\n";
    for (const std::string& line : written.left_out) {
      text += "  " + format::escape_for_terminal(line) + "\n";
    }
    return text + fmt::format(m::kRecordNext, format::escape_for_terminal(written.dir)) + "\n";
  }
  std::string text;
  format::JsonWriter out(text);
  out.begin_object()
      .field("schema", "estiva/record/1")
      .field("dir", written.dir)
      .field("readings", written.readings)
      .field("gpus", written.gpus)
      .field("bytes", bytes)
      .key("files")
      .begin_array();
  for (const observe::RecordedFile& file : written.files) out.value(file.path);
  out.end_array().key("left_out").begin_array();
  for (const std::string& line : written.left_out) out.value(line);
  out.end_array().end_object();
  return text + "\n";
}

Result<RecordOptions> options_of(const Arguments& args) {
  RecordOptions options;
  options.sources = sources_of(args);
  const auto interval = time_of(args, "--interval", 1s, kShortest);
  if (!interval) return Failure(interval.error());
  const auto seconds = time_of(args, "--seconds", kUsual, kShortest);
  if (!seconds) return Failure(seconds.error());
  options.interval = std::chrono::duration_cast<std::chrono::milliseconds>(*interval);
  const auto readings = static_cast<std::size_t>(*seconds / *interval);
  if (readings > gpu::kMaxRecorded) {
    return fail(ErrorKind::usage, fmt::format(m::kRecordTooMany, readings, gpu::kMaxRecorded),
                std::string(m::kRecordTooManyRemedy));
  }
  options.readings = std::max<std::size_t>(1, readings);
  if (const auto host = args.value("--docker")) options.engine_host = *host;
  return options;
}

}  // namespace

Result<int> run_record(Session& session, const Arguments& args) {
  if (args.has("--list")) return print(session, contents(args));
  if (args.words.empty()) {
    return fail(ErrorKind::usage, std::string(m::kRecordWhere), std::string(m::kRecordWhereRemedy));
  }
  auto options = options_of(args);
  if (!options) return Failure(options.error());
  observe::Redactor redactor(args.has("--names"));
  const SignalQueue signals({SIGINT, SIGTERM});
  const bool shows = session.style.terminal && !args.has("--json");
  options->on_reading = [&](std::size_t n) {
    if (shows) {
      (void)session.err.write("\r" + fmt::format(m::kRecordProgress, n, options->readings));
    }
  };
  options->wait = [&signals](Nanoseconds span) { return signals.take(span) == 0; };
  auto recording = gather_recording(*options);
  if (shows) (void)session.err.write("\r\x1b[K");
  if (!recording) return Failure(recording.error());
  auto root = host::Root::open(options->sources.root);
  if (!root) return Failure(root.error());
  Written written{args.words[0],
                  recording->gpus.readings.size(),
                  recording->gpus.readings.back().gpus.size(),
                  {},
                  recording->left_out};
  auto files = observe::write_machine(written.dir, std::move(*recording), *root, redactor);
  if (!files) return Failure(files.error());
  written.files = std::move(*files);
  return print(session, report(written, args.has("--json")));
}

}  // namespace estiva::cli
