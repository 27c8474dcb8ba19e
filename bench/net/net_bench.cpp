// CPU per keep-alive request of our server, and our relay against nginx in the same run: proxied
// bytes per CPU-second, and what each adds to the delay of a token. CPU time is that of the serving
// process alone (clock_getcpuclockid), so the load on the machine shifts it little.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench_parts.h"
#include "net/socket.h"

namespace estiva::bench {
namespace {

using net::Endpoint;

constexpr int kRounds = 5;

// How much each round does.
struct Amount {
  int requests, events, bulks;
};
constexpr Amount kFull{40'000, 800, 4}, kQuick{10'000, 200, 4}, kHandicapped{500, 100, 1};

// A child process that is killed and reaped at the end.
class Child {
 public:
  explicit Child(std::vector<std::string> command) {
    pid_ = fork();
    if (pid_ != 0) return;
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  ~Child() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  double cpu_seconds() const {
    clockid_t clock{};
    timespec used{};
    if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
  }

 private:
  pid_t pid_ = -1;
};

Endpoint free_port() {
  return net::open_listener(Endpoint::tcp("127.0.0.1", 0), 0).value().endpoint;
}

bool wait_for(const Endpoint& endpoint) {
  for (int i = 0; i < 500; ++i) {
    if (!load_small(endpoint, 1, 1).values.empty()) return true;
    usleep(10'000);
  }
  return false;
}

// One worker without a master, so that its CPU time is one process's.
std::string write_nginx_config(const std::string& folder, const Endpoint& where,
                               const Endpoint& upstream) {
  const std::string file = folder + "/nginx.conf";
  std::ofstream(file) << "daemon off; master_process off; worker_processes 1;\n"
                      << "pid " << folder << "/pid; error_log " << folder << "/error.log;\n"
                      << "events { worker_connections 256; }\n"
                      << "http { access_log off; tcp_nodelay on;\n"
                      << "client_body_temp_path " << folder << "/a; proxy_temp_path " << folder
                      << "/b; fastcgi_temp_path " << folder << "/c; uwsgi_temp_path " << folder
                      << "/d; scgi_temp_path " << folder << "/e;\n"
                      << "upstream up { server " << to_text(upstream) << "; keepalive 32; }\n"
                      << "server { listen " << to_text(where) << "; keepalive_requests 10000000;\n"
                      << "location / { proxy_pass http://up; proxy_http_version 1.1;\n"
                      << "  proxy_set_header Connection \"\"; proxy_max_temp_file_size 0; }\n"
                      << "location /events { proxy_pass http://up; proxy_http_version 1.1;\n"
                      << "  proxy_set_header Connection \"\"; proxy_buffering off; } } }\n";
  return file;
}

void print_row(const char* what, const Series& series, const char* unit) {
  std::printf("%-44s n=%-7zu median %9.2f  p99 %9.2f %s\n", what, series.values.size(),
              series.median(), series.p99(), unit);
}

void print_setting() {
  double load[3] = {};
  getloadavg(load, 3);
#ifdef NDEBUG
  const char* build = "release";
#else
  const char* build = "not a release build";
#endif
  std::printf("net: build %s, load %.2f %.2f %.2f\n", build, load[0], load[1], load[2]);
}

// CPU microseconds of `child` per request, one value a round.
Series cpu_per_request(const Child& child, const Endpoint& to, int connections, int count,
                       Series& latency) {
  Series out;
  for (int round = 0; round < kRounds; ++round) {
    const double before = child.cpu_seconds();
    const Series done = load_small(to, connections, count);
    if (done.values.empty()) return out;
    out.values.push_back((child.cpu_seconds() - before) * 1e6 /
                         static_cast<double>(done.values.size()));
    latency.values.insert(latency.values.end(), done.values.begin(), done.values.end());
  }
  return out;
}

struct Side {
  const char* name;
  const Child& child;
  Endpoint to;
  Series bytes_per_cpu, events, small_cpu, small;  // bytes in MB per CPU-second
};

bool compare(Side& ours, Side& nginx, const Endpoint& upstream, const Amount& amount) {
  Series direct;
  const auto take = [](Series& to, const Series& from) {
    to.values.insert(to.values.end(), from.values.begin(), from.values.end());
  };
  for (int round = 0; round < kRounds; ++round) {
    for (Side* side : {&ours, &nginx}) {
      const double before = side->child.cpu_seconds();
      const std::uint64_t bytes = load_bulk(side->to, amount.bulks);
      side->bytes_per_cpu.values.push_back(static_cast<double>(bytes) / 1e6 /
                                           (side->child.cpu_seconds() - before));
    }
    take(direct, load_events(upstream, amount.events));
    for (Side* side : {&ours, &nginx}) take(side->events, load_events(side->to, amount.events));
  }
  for (Side* side : {&ours, &nginx})
    side->small_cpu = cpu_per_request(side->child, side->to, 8, amount.requests / 2, side->small);
  print_row("event delay, direct", direct, "us");
  for (Side* side : {&ours, &nginx}) {
    std::printf("-- %s\n", side->name);
    print_row("proxied MB per CPU-second", side->bytes_per_cpu, "MB/s");
    print_row("event delay through the proxy", side->events, "us");
    print_row("CPU per proxied request, 8 connections", side->small_cpu, "us");
  }
  if (direct.values.empty() || ours.events.values.empty() || nginx.events.values.empty())
    return false;
  const double added = ours.events.median() - direct.median();
  const double nginx_added = nginx.events.median() - direct.median();
  std::printf("bytes per CPU-second: %.2fx nginx (target >= 0.9)\n",
              ours.bytes_per_cpu.median() / nginx.bytes_per_cpu.median());
  std::printf("added median per event: %.2f us, nginx %.2f us: %.2fx (target <= 1.5)\n", added,
              nginx_added, added / nginx_added);
  return true;
}

int run(const std::string& self, const std::string& handicap, const Amount& amount) {
  if (system("command -v nginx >/dev/null 2>&1") != 0) {
    std::fprintf(stderr, "bench_net: nginx is missing; install it with bench/peers\n");
    return 1;
  }
  print_setting();
  const Endpoint upstream = free_port(), proxy = free_port(), peer = free_port();
  char folder[] = "/tmp/estiva-bench-net-XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  {
    const Child server({self, "--upstream", to_text(upstream), "--handicap", handicap});
    if (!wait_for(upstream)) return 1;
    for (const int connections : {1, 8}) {
      Series latency;
      const Series cpu = cpu_per_request(server, upstream, connections, amount.requests, latency);
      std::printf("-- server, %d keep-alive connection(s)\n", connections);
      print_row("CPU per request (rounds)", cpu, "us");
      print_row("latency", latency, "us");
    }
    const Child ours({self, "--proxy", to_text(proxy), to_text(upstream), "--handicap", handicap});
    const Child nginx({"nginx", "-p", folder, "-c", write_nginx_config(folder, peer, upstream)});
    if (!wait_for(proxy) || !wait_for(peer)) return 1;
    Side a{"estiva relay", ours, proxy, {}, {}, {}, {}}, b{"nginx", nginx, peer, {}, {}, {}, {}};
    if (!compare(a, b, upstream, amount)) {
      std::fprintf(stderr, "bench_net: a stream of events did not arrive\n");
      return 1;
    }
  }
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace estiva::bench

// bench_net [--handicap 1ms] [--quick]
int main(int argc, char** argv) {
  using namespace estiva;
  const std::vector<std::string> words(argv + 1, argv + argc);
  std::string handicap = "0ms";
  bool quick = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--handicap" && i + 1 < words.size()) handicap = words[i + 1];
    if (words[i] == "--quick") quick = true;
  }
  const std::chrono::microseconds held(1000 * std::atoi(handicap.c_str()));
  if (words.size() > 1 && words[0] == "--upstream")
    return bench::run_upstream(net::parse_endpoint(words[1]).value(), held);
  if (words.size() > 2 && words[0] == "--proxy")
    return bench::run_proxy(net::parse_endpoint(words[1]).value(),
                            net::parse_endpoint(words[2]).value(), held);
  setvbuf(stdout, nullptr, _IOLBF, 0);
  const bench::Amount& usual = quick ? bench::kQuick : bench::kFull;
  return bench::run("/proc/self/exe", handicap, held.count() > 0 ? bench::kHandicapped : usual);
}
