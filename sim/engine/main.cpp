// estiva-sim-engine: a model server that is none. It takes the GPU memory that it is told to, needs
// the time to load that it is told, and then answers speech and chat requests with silence and
// words. What it shows is real: its process, its port, its memory in the driver's list, and the
// error when there is no room.
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "sim/engine/http.h"
#include "sim/engine/memory.h"

namespace estiva::sim {
namespace {

constexpr const char* kUsage =
    "estiva-sim-engine: a stand-in for a model server\n\n"
    "  estiva-sim-engine --port N --vram SIZE [OPTIONS]\n"
    "    --load-time MS     until it answers (default 0)\n"
    "    --answer-time MS   for each answer (default 0)\n"
    "    --grow SIZE        takes that much more with the first answer\n"
    "    --words N          of a streamed answer, one every 10 ms (default 20)\n"
    "    --exit-on-oom      ends when there is no room at the start, as most engines do (default:\n"
    "                       answers 500 to each request)\n"
    "GET /health; POST /v1/audio/speech, /v1/chat/completions, /v1/completions, anything else is\n"
    "echoed.\n";

struct Options {
  std::uint16_t port = 0;
  std::uint64_t vram = 0, grow = 0;
  int load_ms = 0, answer_ms = 0, words = 20;
  bool exit_on_oom = false;
};

std::uint64_t size_of(const std::string& text) {
  char* unit = nullptr;
  const double number = std::strtod(text.c_str(), &unit);
  const std::string name = unit;
  double factor = 1;
  if (name == "KiB") factor = 1024;
  if (name == "MiB") factor = 1 << 20;
  if (name == "GiB") factor = 1 << 30;
  return static_cast<std::uint64_t>(number * factor);
}

bool read_options(const std::vector<std::string>& words, Options& options) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--exit-on-oom") {
      options.exit_on_oom = true;
      continue;
    }
    if (i + 1 >= words.size()) return false;
    const std::string& value = words[++i];
    const std::string& flag = words[i - 1];
    if (flag == "--port")
      options.port = static_cast<std::uint16_t>(std::atoi(value.c_str()));
    else if (flag == "--vram")
      options.vram = size_of(value);
    else if (flag == "--grow")
      options.grow = size_of(value);
    else if (flag == "--load-time")
      options.load_ms = std::atoi(value.c_str());
    else if (flag == "--answer-time")
      options.answer_ms = std::atoi(value.c_str());
    else if (flag == "--words")
      options.words = std::atoi(value.c_str());
    else
      return false;
  }
  return options.port != 0;
}

void sleep_ms(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

GpuMemory* memory = nullptr;

// Gives the memory back before it ends, so that the machine does not have to notice.
[[noreturn]] void wait_for_end(sigset_t signals) {
  int number = 0;
  sigwait(&signals, &number);
  memory->give_back();
  std::printf("stopping\n");
  std::fflush(stdout);
  ::_exit(0);
}

// One second of silence: 16-bit, mono, 8 kHz.
std::string silence() {
  const std::uint32_t rate = 8000, bytes = rate * 2;
  std::string wav("RIFF\0\0\0\0WAVEfmt \20\0\0\0\1\0\1\0\0\0\0\0\0\0\0\0\2\0\20\0data\0\0\0\0", 44);
  const auto put = [&wav](std::size_t at, std::uint32_t value) {
    std::memcpy(wav.data() + at, &value, sizeof value);
  };
  put(4, 36 + bytes);
  put(24, rate);
  put(28, rate * 2);
  put(40, bytes);
  return wav + std::string(bytes, '\0');
}

void stream_words(const Options& options, HttpReply& reply) {
  reply.begin_stream("text/event-stream");
  for (int i = 0; i < options.words; ++i) {
    if (!reply.piece("data: {\"choices\":[{\"delta\":{\"content\":\"word \"}}]}\n\n")) return;
    sleep_ms(10);
  }
  (void)reply.piece("data: [DONE]\n\n");
  reply.end_stream();
}

struct Engine {
  Options options;
  std::string trouble;  // why the memory could not be had
  std::atomic<bool> is_ready{false};
  std::atomic<bool> has_grown{false};

  void answer(const HttpRequest& request, HttpReply& reply) {
    if (request.path == "/health") {
      return reply.whole(is_ready ? 200 : 503, "text/plain", is_ready ? "ok\n" : "loading\n");
    }
    if (!is_ready) return reply.whole(503, "text/plain", "loading\n");
    if (options.grow > 0 && !has_grown.exchange(true)) {
      if (const std::string failed = memory->take(options.grow); !failed.empty()) trouble = failed;
    }
    if (!trouble.empty()) {
      return reply.whole(500, "application/json", "{\"error\":{\"message\":\"" + trouble + "\"}}");
    }
    sleep_ms(options.answer_ms);
    if (request.path == "/v1/audio/speech") return reply.whole(200, "audio/wav", silence());
    if (request.path == "/v1/chat/completions" &&
        request.body.find("\"stream\":true") != std::string::npos) {
      return stream_words(options, reply);
    }
    if (request.path.find("/completions") != std::string::npos) {
      return reply.whole(
          200, "application/json",
          "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"words\"}}],"
          "\"port\":" +
              std::to_string(options.port) + "}");
    }
    reply.whole(200, "application/octet-stream", request.body);
  }
};

int run(const Options& options) {
  std::string why;
  const auto own = open_memory(why);
  if (!own) return std::fprintf(stderr, "estiva-sim-engine: %s\n", why.c_str()), 1;
  memory = own.get();
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT}) sigaddset(&signals, number);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(wait_for_end, signals).detach();
  const int listener = listen_at(options.port);
  if (listener < 0) {
    std::fprintf(stderr, "estiva-sim-engine: port %u: %s\n", options.port, std::strerror(errno));
    return 1;
  }
  Engine engine;
  engine.options = options;
  std::thread([&engine] {
    sleep_ms(engine.options.load_ms);
    engine.trouble = memory->take(engine.options.vram);
    if (!engine.trouble.empty()) {
      std::fprintf(stderr, "%s\n", engine.trouble.c_str());
      if (engine.options.exit_on_oom) ::_exit(1);
    }
    engine.is_ready = true;
    std::printf("ready on port %u\n", engine.options.port);
    std::fflush(stdout);
  }).detach();
  serve(listener,
        [&engine](const HttpRequest& request, HttpReply& reply) { engine.answer(request, reply); });
  return 0;
}

}  // namespace
}  // namespace estiva::sim

int main(int argc, char** argv) {
  using namespace estiva::sim;
  const std::vector<std::string> words(argv + 1, argv + argc);
  Options options;
  if (words.empty() || words[0] == "--help") return std::fputs(kUsage, stdout), 0;
  if (!read_options(words, options)) return std::fputs(kUsage, stderr), 2;
  return run(options);
}
