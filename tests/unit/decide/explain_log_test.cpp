// The causes of errors in a pasted log: whatever stands around them, and never where there is none.
#include <algorithm>
#include <ctime>
#include <gmock/gmock.h>
#include <map>
#include <set>

#include "decide/readiness/log_patterns.h"
#include "decide/readiness/log_text.h"
#include "decide/readiness/rule.h"
#include "unit/decide/error_texts.h"
#include "unit/decide/log_mutator.h"

namespace estiva::decide {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> rules_in(std::string_view log) {
  std::vector<std::string> rules;
  for (const Explained& one : explain_log(log)) rules.push_back(one.rule);
  return rules;
}

TEST(ExplainLog, EachTextIsNamedInPlainForm) {
  LogMutator mutate(1);
  for (const ErrorText& error : kErrorTexts) {
    const std::string log = mutate.fill(error.text);
    EXPECT_THAT(rules_in(log), ElementsAre(error.rule)) << log;
  }
}

// One of many forms of one text, in the midst of a log.
void expect_named(const ErrorText& error, Wrap wrap, Prefix prefix, std::uint32_t seed) {
  LogMutator mutate(seed);
  const std::size_t before = mutate.pick(12);
  const std::string text = mutate.fill(error.text);
  const std::string log = mutate.healthy(before, 9) + mutate.dress(text, wrap, prefix) +
                          mutate.healthy(mutate.pick(12), 9);
  EXPECT_THAT(rules_in(log), ElementsAre(error.rule))
      << "seed " << seed << ", wrap " << static_cast<int>(wrap) << ", prefix "
      << static_cast<int>(prefix) << "\n"
      << log;
}

TEST(ExplainLog, WrapsPrefixesQuotesVersionsAndPathsDoNotMatter) {
  std::uint32_t seed = 4711;
  for (const ErrorText& error : kErrorTexts) {
    for (int wrap = 0; wrap <= static_cast<int>(Wrap::with_prefix); ++wrap) {
      for (int prefix = 0; prefix <= static_cast<int>(Prefix::json); ++prefix) {
        expect_named(error, static_cast<Wrap>(wrap), static_cast<Prefix>(prefix), ++seed);
      }
    }
  }
}

TEST(ExplainLog, HealthyLogsNameNothing) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    LogMutator mutate(seed);
    const std::string log = mutate.healthy(200, (seed - 1) % 10);
    EXPECT_THAT(rules_in(log), IsEmpty()) << "seed " << seed;
  }
}

TEST(ExplainLog, SaysWhereTheErrorBegins) {
  const auto found = explain_log(
      "ollama-1  | fine\n\n"
      "ollama-1  | Failed to initialize NVML: Driver/library\n"
      "ollama-1  | version mismatch\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rule, "D3");
  EXPECT_EQ(found[0].line, 3U);
  EXPECT_EQ(found[0].text, "Failed to initialize NVML: Driver/library");
}

TEST(ExplainLog, TheTextIsShownWithoutPrefixAndColours) {
  const auto found = explain_log(
      "\x1b[36mweb-1 |\x1b[0m 2026-03-04T05:06:07Z \x1b[31mRuntimeError\x1b[0m: No CUDA GPUs are "
      "available  \r\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].text, "RuntimeError: No CUDA GPUs are available");
}

TEST(ExplainLog, ANumberEndsWithItsLine) {
  const std::string before = "Mar 04 05:06:09 gpu-1 ollama[1]: cudart init failure: 999";
  EXPECT_THAT(rules_in(before + "\n100% done\n"), ElementsAre("D11"));
  EXPECT_THAT(rules_in(before + "0\n100% done\n"), IsEmpty());
  EXPECT_THAT(rules_in(before + " 100\n"), ElementsAre("D11"));
}

TEST(ExplainLog, RulesWithTheSameTextAreToldToo) {
  const auto found = explain_log("could not select device driver \"\" with capabilities: [[gpu]]");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rule, "K1");
  EXPECT_THAT(found[0].also, ElementsAre("K2", "K12", "K13"));
}

// On a host the driver is missing, in a container it was not asked for: the text alone can't tell.
TEST(ExplainLog, AMissingNvidiaSmiIsOfTheHostOrOfTheContainer) {
  const auto by_bash = explain_log("bash: nvidia-smi: command not found");
  ASSERT_EQ(by_bash.size(), 1U);
  EXPECT_EQ(by_bash[0].rule, "D1");
  EXPECT_THAT(by_bash[0].also, ElementsAre("P7"));
  const auto by_dash = explain_log("/bin/sh: 1: nvidia-smi: not found");
  ASSERT_EQ(by_dash.size(), 1U);
  EXPECT_EQ(by_dash[0].rule, "P7");
  EXPECT_THAT(by_dash[0].also, ElementsAre("D1"));
}

TEST(ExplainLog, WhyDockerDoesNotStartIsToldRatherThanThatItDoesNot) {
  const std::string end = "systemd[1]: docker.service: Failed with result 'exit-code'.\n";
  EXPECT_THAT(rules_in(end), ElementsAre("T2"));
  EXPECT_THAT(rules_in("dockerd[1]: unable to configure the Docker daemon with file "
                       "/etc/docker/daemon.json: invalid character '}'\n" +
                       end),
              ElementsAre("K7"));
}

TEST(ExplainLog, OtherWordsOfTheLogDecideBetweenThem) {
  const std::string k1 = "could not select device driver \"\" with capabilities: [[gpu]]\n";
  EXPECT_THAT(rules_in("/snap/docker/2915/bin/dockerd started\n" + k1), ElementsAre("K12"));
  EXPECT_THAT(rules_in(" Server: Docker Desktop 4.30\n" + k1), ElementsAre("K13"));
  const std::string d14 = "Failed to initialize NVML: Insufficient Permissions\n";
  EXPECT_THAT(rules_in(d14 + "lxc-start 104: started\n"), ElementsAre("K30"));
  const std::string k17 = "Failed to initialize NVML: Unknown Error\n";
  EXPECT_THAT(rules_in("no-cgroups = true\n" + k17), ElementsAre("K16"));
  const std::string d11 = "cudart init failure: 999\n";
  EXPECT_THAT(rules_in("kernel: PM: suspend exit\n" + d11), ElementsAre("D15"));
}

TEST(ExplainLog, CausesComeBeforeTheirConsequence) {
  EXPECT_THAT(rules_in("msg=\"inference compute\" id=cpu library=cpu\n"
                       "cuda driver library failed to get device context 800\n"),
              ElementsAre("K17"));
}

TEST(ExplainLog, SeveralCausesAreAllNamedOnce) {
  const std::string log =
      "unknown or invalid runtime name: nvidia\nunknown or invalid runtime name: nvidia\n"
      "CUDA error: no kernel image is available for execution on the device\n";
  EXPECT_THAT(rules_in(log), ElementsAre("K9", "K26"));
}

TEST(ExplainLog, NearMissesNameNothing) {
  for (const std::string_view line :
       {"unknown or invalid runtime name: crun",
        "Found ordering cycle on foo.service/start",
        "unresolvable CDI devices intel.com/gpu=0",
        "HW Slowdown : Not Active",
        "could not insert 'vboxdrv': Key was rejected by service",
        "FATAL: Module wireguard not found in directory /lib/modules/6.1.0",
        "cuda driver library failed to get device context 9990",
        "library=cpu",
        "NVML",
        "CUDA error",
        "msg=\"inference compute\" id=0 library=cuda",
        "/dev/nvidia-uvm-tools: fine",
        "Could not locate nvidia_drv.so: pattern nvidia_drv.so not found",
        "failed to create task for container: no space left on device",
        "error mounting \"/home/me/models\" to rootfs at \"/models\": no such file or directory",
        "bus error",
        "offloaded 10/33 layers to GPU",
        "load_tensors: offloaded 33/33 layers",
        "manifest for library/redis:99 not found",
        "ldconfig: warning",
        "Module nvidia inserted",
        "permission denied",
        "No devices were found",
        "no such file or directory - Failed to mount \"/dev/sdb\" on \"/usr/lib/lxc/rootfs/mnt\"",
        "WSL environment detected",
        "docker.service: Succeeded.",
        "Job for nginx.service failed because the control process exited with error code.",
        "docker.service: Consumed 3.2s CPU time.",
        "out of memory",
        "Out of memory: Killed process 4242 (python3)",
        "CUDA memory: 3 GiB free",
        "java.lang.OutOfMemoryError: Java heap space",
        "ggml_cuda_init: found 1 CUDA devices",
        "Additional property networks is not allowed",
        "unknown device",
        "bash: nvtop: command not found",
        "libcurl.so.4: cannot open shared object file: No such file or directory",
        "access blocked by the operating system"}) {
    EXPECT_THAT(rules_in(line), IsEmpty()) << line;
  }
}

TEST(ExplainLog, EmptyAndOddLogs) {
  EXPECT_THAT(explain_log(""), IsEmpty());
  EXPECT_THAT(explain_log("\n\n\n"), IsEmpty());
  EXPECT_THAT(explain_log(std::string(1000, '\0')), IsEmpty());
  EXPECT_THAT(explain_log("\\"), IsEmpty());
  EXPECT_THAT(explain_log("\x1b["), IsEmpty());
  EXPECT_THAT(explain_log("{\"log\":\""), IsEmpty());
}

TEST(ExplainLog, RandomTextNamesNothing) {
  std::mt19937 random(20260304);
  for (int i = 0; i < 2000; ++i) {
    std::string log(random() % 4096, '\0');
    const bool is_text = i % 2 == 0;
    for (char& c : log) {
      c = is_text ? "abcdefgh nvidia:/.-_\n0123456789\"|"[random() % 33]
                  : static_cast<char>(random() % 256);
    }
    EXPECT_THAT(rules_in(log), IsEmpty()) << "round " << i;
  }
}

// CPU time of explaining `text` until it is `size` long; 8 times the text may take 8 times as long,
// and 64 times would be quadratic.
std::clock_t cost_of(const std::string& text, std::size_t size, const std::string& last = {}) {
  std::string log;
  while (log.size() < size) log += text;
  log += last;
  const std::clock_t start = std::clock();
  rules_in(log);
  return std::clock() - start;
}

TEST(ExplainLog, ALongLogCostsInProportion) {
  LogMutator mutate(7);
  const std::string some = mutate.healthy(2000, 9);
  const std::string last = "Failed to initialize NVML: Driver/library version mismatch\n";
  EXPECT_THAT(rules_in(some + last), ElementsAre("D3"));
  EXPECT_LT(cost_of(some, 8'000'000, last), 24 * cost_of(some, 1'000'000, last));
}

TEST(ExplainLog, BeginningsWithoutTheirEndsStayLinear) {
  // What costs most: the beginning of many patterns, and nothing that follows.
  const std::string text = "error mounting /x unresolvable CDI devices avc: denied ";
  EXPECT_THAT(rules_in(text), IsEmpty());
  EXPECT_LT(cost_of(text, 4'000'000), 24 * cost_of(text, 500'000));
}

TEST(ExplainLog, WhatIsBeyondTheLimitIsNotLookedAt) {
  const std::string error = "Failed to initialize NVML: Driver/library version mismatch";
  std::string log(kMostLogBytes - error.size(), ' ');
  for (std::size_t at = 999; at < log.size(); at += 1'000) log[at] = '\n';
  log.back() = '\n';
  EXPECT_THAT(rules_in(log + error), ElementsAre("D3"));
  EXPECT_THAT(rules_in(log + "\n" + error), IsEmpty());
}

TEST(LogPatterns, BeginWithEnoughToBeFoundQuickly) {
  for (const LogPattern& pattern : log_patterns()) {
    const std::string_view first = pattern.text.substr(0, pattern.text.find('{'));
    EXPECT_GE(squash_text(first).size(), 8U) << pattern.text;
    EXPECT_EQ(std::count(pattern.text.begin(), pattern.text.end(), '{'),
              std::count(pattern.text.begin(), pattern.text.end(), '}'))
        << pattern.text;
  }
  for (const LogContext& context : log_contexts()) {
    EXPECT_GE(squash_text(context.text).size(), 8U) << context.text;
  }
}

// A signature without a text of its own is only found on the machine, or told beside another.
TEST(LogPatterns, EachSignatureWithATextHasOne) {
  std::set<std::string, std::less<>> named;
  for (const LogPattern& pattern : log_patterns()) {
    named.emplace(pattern.rule);
    std::string also(pattern.also);
    for (std::size_t at = 0; at < also.size();) {
      const std::size_t end = std::min(also.find(' ', at), also.size());
      named.insert(also.substr(at, end - at));
      at = end + 1;
    }
  }
  const std::set<std::string, std::less<>> silent = {"K10", "P2", "P3", "P8", "P10", "P11", "P14"};
  for (const auto& [family, count] :
       std::map<std::string, int>{{"D", 22}, {"K", 32}, {"C", 15}, {"P", 14}, {"T", 2}}) {
    for (int i = 1; i <= count; ++i) {
      const std::string id = family + std::to_string(i);
      EXPECT_EQ(named.count(id), silent.count(id) == 0 ? 1U : 0U) << id;
    }
  }
}

using Names = std::set<std::string, std::less<>>;

// The rules that a log names, also those beside another with the same text.
Names named_in(std::string_view log) {
  Names named;
  for (const Explained& one : explain_log(log)) {
    named.insert(one.rule);
    named.insert(one.also.begin(), one.also.end());
  }
  return named;
}

template <class Visit>
void for_each_dress(Visit visit) {
  for (int wrap = 0; wrap <= static_cast<int>(Wrap::with_prefix); ++wrap) {
    for (int prefix = 0; prefix <= static_cast<int>(Prefix::json); ++prefix)
      visit(static_cast<Wrap>(wrap), static_cast<Prefix>(prefix));
  }
}

// What the table quotes as met by users is explained as that rule, or names it beside another.
TEST(LogPatterns, TheTablesOwnTextsAreExplained) {
  // What users meet there is told in words, and is no text of a program.
  const std::set<std::string_view> in_words = {"C11", "K10", "P2",  "P3", "P8",
                                               "P9",  "P10", "P11", "P14"};
  std::uint32_t seed = 42;
  for (const Rule* rule : all_rules()) {
    if (rule->id == "D4") continue;  // what it foretells has come when it is met: D3
    const bool is_expected = in_words.count(rule->id) == 0;
    for_each_dress([&](Wrap wrap, Prefix prefix) {
      LogMutator mutate(++seed);
      const std::string log = mutate.dress(rule->symptom, wrap, prefix);
      EXPECT_EQ(named_in(log).count(rule->id) == 1, is_expected) << rule->id << ":\n" << log;
    });
  }
}

// Every row of the table, with other paths, versions and UUIDs in its places, each of them as long
// as it may be. Where a more specific row has the same text, that one may be named instead, if it
// is of those that the row gives way to.
TEST(LogPatterns, EachIsFoundWhateverStandsInItsPlaces) {
  std::uint32_t seed = 1000;
  for (const LogPattern& pattern : log_patterns()) {
    for_each_dress([&](Wrap wrap, Prefix prefix) {
      LogMutator mutate(++seed);
      const std::string log = mutate.healthy(2, 9) +
                              mutate.dress(mutate.meant_by(pattern.text), wrap, prefix) +
                              mutate.healthy(2, 9);
      const Names named = named_in(log);
      const bool gives_way = std::any_of(named.begin(), named.end(), [&](const std::string& other) {
        return other != pattern.rule &&
               (" " + std::string(pattern.yields) + " ").find(" " + other + " ") !=
                   std::string::npos;
      });
      EXPECT_TRUE(named.count(pattern.rule) == 1 || gives_way)
          << pattern.rule << " '" << pattern.text << "', seed " << seed << "\n"
          << log;
    });
  }
}

// The other way round: each rule with a pattern has a text that was met, in error_texts.h.
TEST(LogPatterns, EachRuleWithOneHasATextThatWasMet) {
  Names met;
  for (const ErrorText& error : kErrorTexts) met.emplace(error.rule);
  for (const LogPattern& pattern : log_patterns())
    EXPECT_EQ(met.count(pattern.rule), 1U) << pattern.rule << ": " << pattern.text;
}

TEST(LogPrefix, Lengths) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"Mar  4 05:06:07 host dockerd[12]: text", "text"},
      {"4月 20 22:36:49 host kernel: text", "text"},
      {"2026-03-04T05:06:07.123Z text", "text"},
      {"2026-03-04T05:06:07+0000 host ollama[1]: text", "text"},
      {"2026/03/04 05:06:07 text", "text"},
      {"[ 7386.259769] text", "text"},
      {"[Wed Mar  4 05:06:07 2026] text", "text"},
      {"<6>text", "text"},
      {"6,1234,5678,-;text", "text"},
      {"ollama-1  | text", "text"},
      {"ai_stack.1.k2j@node3    | 2026-03-04T05:06:07Z text", "text"},
      {"[ollama] | text", "text"},
      {"E0508 06:47:09.339989   38408 nvc.c:376] text", "text"},
      {"> > text", "text"},
      {"{\"log\":\"text", "text"},
      // No prefixes.
      {"text", "text"},
      {"[error] text", "[error] text"},
      {"nvidia-container-cli: text", "nvidia-container-cli: text"},
      {"2026-03-04T05:06:07Z Error: text", "Error: text"},
      {"2026-03-04T05:06:07Z nvidia-smi failed: text", "nvidia-smi failed: text"},
      {"0000:01:00.0: text", "0000:01:00.0: text"},
  };
  for (const auto& [line, rest] : cases) {
    EXPECT_EQ(line.substr(prefix_length(line)), rest) << line;
  }
}

TEST(SquashedLog, KeepsNumbersApart) {
  EXPECT_EQ(squash_log("a 12 3").text, "a12 3");
  EXPECT_EQ(squash_log("12\n3").text, "12 3");
  const std::string wrapped = std::string(60, 'x') + "12";
  EXPECT_EQ(squash_log(wrapped + "\n3").text, wrapped + "3");
  EXPECT_EQ(squash_log("A\\n\\\"B\\\"\\u003e=\\tC #012NVRM: d").text, "ab>=cd");
  EXPECT_EQ(squash_log("x &lt;6&gt;NVRM: d").text, squash_log("x <6>NVRM: d").text)
      << "no line ends there";
}

}  // namespace
}  // namespace estiva::decide
