// Runs a fuzz target without libFuzzer, which only clang has: each file of the corpus as it is,
// then random changes of them for so long. It is blind, where libFuzzer follows the coverage;
// `./test` uses it because the build with sanitizers is there anyway, `./test --long` uses
// libFuzzer.
//
//   elf_fuzz [-max_total_time=SECONDS] [-max_len=BYTES] [-seed=N] [-artifact_prefix=DIR/]
//            [-runs=N] [CORPUS|FILE...]
//
// The names are libFuzzer's; its other options are ignored. An input that crashes, or takes longer
// than ten seconds, is written to DIR/crash-input. The seed is printed: the same seed and corpus
// give the same inputs.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sanitizer/common_interface_defs.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

namespace {

using Input = std::vector<unsigned char>;

struct Options {
  double seconds = 3;
  std::size_t most_bytes = 65'536;
  std::uint64_t runs = ~std::uint64_t{0};
  std::uint64_t seed = std::random_device()();
  std::string artifacts = "./";
  std::vector<std::string> folders;
};

const Input* g_current = nullptr;
std::string g_artifact;

void save_current() {
  if (g_current == nullptr) return;
  std::FILE* file = std::fopen(g_artifact.c_str(), "wb");
  if (file == nullptr) return;
  std::fwrite(g_current->data(), 1, g_current->size(), file);
  std::fclose(file);
  std::fprintf(stderr, "the input is in %s\n", g_artifact.c_str());
}

void too_slow(int /*signal*/) {
  std::fprintf(stderr, "ERROR: one input took more than 10 seconds\n");
  save_current();
  _exit(70);
}

void aborted(int /*signal*/) {
  save_current();
  std::signal(SIGABRT, SIG_DFL);
  std::raise(SIGABRT);
}

Options read_options(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const std::string value(word.substr(std::min(word.find('=') + 1, word.size())));
    if (word.starts_with("-max_total_time=")) options.seconds = std::stod(value);
    if (word.starts_with("-max_len=")) options.most_bytes = std::stoull(value);
    if (word.starts_with("-runs=")) options.runs = std::stoull(value);
    if (word.starts_with("-seed=")) options.seed = std::stoull(value);
    if (word.starts_with("-artifact_prefix=")) options.artifacts = value;
    if (!word.starts_with('-')) options.folders.emplace_back(word);
  }
  return options;
}

std::vector<Input> read_corpus(const Options& options) {
  std::vector<std::string> paths;
  for (const std::string& folder : options.folders) {
    if (std::filesystem::is_regular_file(folder)) {
      paths.push_back(folder);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.is_regular_file()) paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Input> corpus{Input{}};
  for (const std::string& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    corpus.back().resize(std::min(corpus.back().size(), options.most_bytes));
  }
  return corpus;
}

class Mutator {
 public:
  Mutator(std::vector<Input> corpus, const Options& options)
      : corpus_(std::move(corpus)), random_(options.seed), most_(options.most_bytes) {}

  Input next() {
    Input input = pick();
    for (std::size_t changes = 1 + below(8); changes > 0; --changes) change(input);
    input.resize(std::min(input.size(), most_));
    return input;
  }

 private:
  std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }
  const Input& pick() { return corpus_[below(corpus_.size())]; }
  unsigned char byte() {
    static constexpr char kTelling[] = "\0\xff\x7f\x80 \n\r\t\"'\\/:,;=#{}[]()<>-+.0129aAZz%&";
    return below(2) == 0 ? static_cast<unsigned char>(kTelling[below(sizeof kTelling - 1)])
                         : static_cast<unsigned char>(random_());
  }

  void change(Input& input) {
    const std::size_t at = below(input.size() + 1);
    const auto where = input.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t length = below(std::min<std::size_t>(input.size() - at, 64) + 1);
    switch (below(6)) {
      case 0:
        if (at < input.size()) input[at] ^= static_cast<unsigned char>(1U << below(8));
        break;
      case 1:
        if (at < input.size()) input[at] = byte();
        break;
      case 2:
        input.insert(where, 1 + below(8), byte());
        break;
      case 3:
        input.erase(where, where + static_cast<std::ptrdiff_t>(length));
        break;
      case 4: {
        const Input part(where, where + static_cast<std::ptrdiff_t>(length));
        const auto to = input.begin() + static_cast<std::ptrdiff_t>(below(input.size() + 1));
        input.insert(to, part.begin(), part.end());
        break;
      }
      default: {
        const Input& other = pick();
        input.resize(at);
        const std::size_t from = below(other.size() + 1);
        input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
        break;
      }
    }
  }

  std::vector<Input> corpus_;
  std::mt19937_64 random_;
  std::size_t most_;
};

void run(const Input& input) {
  g_current = &input;
  alarm(10);
  (void)LLVMFuzzerTestOneInput(input.data(), input.size());
  g_current = nullptr;
}

}  // namespace

int main(int count, char** words) {
  const Options options = read_options(count, words);
  g_artifact = options.artifacts + "crash-input";
  std::signal(SIGALRM, too_slow);
  std::signal(SIGABRT, aborted);
  __sanitizer_set_death_callback(save_current);
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  std::fflush(stdout);
  const std::vector<Input> corpus = read_corpus(options);
  std::uint64_t done = 0;
  for (const Input& input : corpus) {
    run(input);
    ++done;
  }
  Mutator mutator(corpus, options);
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::duration<double>(options.seconds);
  while (done < options.runs && std::chrono::steady_clock::now() < end) {
    run(mutator.next());
    ++done;
  }
  alarm(0);
  std::printf("stat::number_of_executed_units: %llu\n", static_cast<unsigned long long>(done));
  return 0;
}
