// Every row of docs/health.md as a scenario: what opens it, a near miss that does not, and its end.
// The figures are the document's; what the document names and this table does not, fails, and the
// other way round.
#include <fstream>
#include <functional>
#include <regex>
#include <set>

#include "unit/decide/health_fixture.h"

namespace estiva::decide {
namespace {

// A machine to tell a story about.
class Story : public HealthFixture {
 public:
  Story() {
    wear() = unworn();
    gpus_[0].identity.memory_max = Celsius{105};
    read();
  }
  void TestBody() override {}
  GpuWear& wear() { return gpus_[0].wear; }
  GpuIdentity& identity() { return gpus_[0].identity; }
  using HealthFixture::pass;
  using HealthFixture::sample;
  // A reading of the slow figures.
  void read() {
    pass(10s);
    wear().read_at = now_;
    pass(1s);
  }
  void unplug() {
    away_ = gpus_[0];
    gpus_.erase(gpus_.begin());
    pass(1s);
  }
  void plug() {
    gpus_.insert(gpus_.begin(), away_);
    pass(1s);
  }
  void xid(unsigned code) {
    tracker_.observe_xid({"0000:01:00", code, 1, now_, XidSource::event, false, {}, 0, {}, {}, {}},
                         now_);
    pass(1s);
  }
  // What is open of that name, of whatever GPU; nothing: it is not.
  std::optional<Condition> find(const std::string& id) const {
    for (const GpuHealth& health : tracker_.health()) {
      for (const Condition& one : health.conditions) {
        if (one.id == id) return one;
      }
    }
    return std::nullopt;
  }
  bool is_well() const {
    return std::all_of(tracker_.health().begin(), tracker_.health().end(),
                       [](const GpuHealth& health) { return health.conditions.empty(); });
  }

 private:
  Gpu away_;
};

using Step = std::function<void(Story&)>;

struct Row {
  const char* id;
  HealthState state;
  bool blocks;
  Step near_miss, raise, end;
};

template <class T>
Step wears(Reading<T> GpuWear::*member, T value) {
  return [=](Story& s) {
    s.wear().*member = value;
    s.read();
  };
}
Step heat(double celsius, std::chrono::seconds span = 1s) {
  return [=](Story& s) {
    s.sample().temperature = Celsius{celsius};
    s.pass(span);
  };
}
Step slowed(std::uint64_t reasons, std::chrono::seconds span) {
  return [=](Story& s) {
    s.sample().clock_event_reasons = reasons;
    s.pass(span);
    s.sample().clock_event_reasons = std::uint64_t{0};
  };
}
Step state(GpuState now) {
  return [=](Story& s) {
    s.sample().state = now;
    s.pass(1s);
  };
}
Step xid(unsigned code) {
  return [=](Story& s) { s.xid(code); };
}
Step wait(std::chrono::seconds span) {
  return [=](Story& s) { s.pass(span); };
}
Step link(unsigned generation, unsigned width, std::chrono::seconds span) {
  return [=](Story& s) {
    s.sample().pcie_generation = generation;
    s.sample().pcie_width = width;
    s.pass(span);
  };
}

constexpr auto kWarn = HealthState::warn;
constexpr auto kDegraded = HealthState::degraded;
constexpr auto kUnhealthy = HealthState::unhealthy;
using W = GpuWear;

// Slowdown at 90 C, shutdown at 98 C, power limit 200 W, memory 105 C.
std::vector<Row> rows() {
  const Step nothing = [](Story&) {};
  return {
      {"temperature", kWarn, false, heat(84.9), heat(85), heat(81.9)},
      {"temperature", kDegraded, false, heat(89.9, 60s), heat(90, 31s), heat(81)},
      {"temperature", kUnhealthy, true, heat(94.9, 1s), heat(95), heat(81)},
      {"hardware_slowdown", kDegraded, false, slowed(0x40, 30s), slowed(0x40, 2s), wait(620s)},
      {"hardware_slowdown", kUnhealthy, false, slowed(0x4, 400s), slowed(0x80, 301s), wait(620s)},
      {"thermal_slowdown", kWarn, false, slowed(0x20, 30s), slowed(0x20, 2s), wait(620s)},
      {"ecc_uncorrected", kUnhealthy, true,
       [](Story& s) {
         s.sample().ecc_corrected = std::uint64_t{9};
         s.pass(1s);
       },
       [](Story& s) {
         s.sample().ecc_uncorrected = std::uint64_t{1};
         s.pass(1s);
       },
       [](Story& s) {
         s.sample().ecc_uncorrected = std::uint64_t{0};
         s.pass(1s);
       }},
      {"ecc_lifetime", kWarn, false, wears(&W::ecc_uncorrected_lifetime, std::uint64_t{0}),
       wears(&W::ecc_uncorrected_lifetime, std::uint64_t{1}),
       wears(&W::ecc_uncorrected_lifetime, std::uint64_t{0})},
      {"row_remap_pending", kDegraded, false, wears(&W::remapped_corrected, 9U),
       wears(&W::remap_pending, 1U), wears(&W::remap_pending, 0U)},
      {"retired_pages_pending", kDegraded, false, wears(&W::retired_pages, 14U),
       wears(&W::retired_pending, 1U), wears(&W::retired_pending, 0U)},
      {"row_remap_failed", kUnhealthy, true, wears(&W::remapped_corrected, 9U),
       wears(&W::remap_failed, 1U), wears(&W::remap_failed, 0U)},
      {"row_remaps", kUnhealthy, false, wears(&W::remapped_uncorrected, 511U),
       wears(&W::remapped_uncorrected, 512U), wears(&W::remapped_uncorrected, 0U)},
      {"retired_pages", kWarn, false, wears(&W::retired_pages, 14U), wears(&W::retired_pages, 15U),
       wears(&W::retired_pages, 0U)},
      {"retired_pages", kUnhealthy, true, wears(&W::retired_pages, 14U),
       wears(&W::retired_pages, 63U), wears(&W::retired_pages, 0U)},
      {"recovery_action", kUnhealthy, true, wears(&W::recovery_action, 0U),
       wears(&W::recovery_action, 1U), wears(&W::recovery_action, 0U)},
      {"recovery_action", kWarn, false, wears(&W::recovery_action, 0U),
       wears(&W::recovery_action, 3U), wears(&W::recovery_action, 0U)},
      {"recovery_action", kDegraded, false, wears(&W::recovery_action, 0U),
       wears(&W::recovery_action, 99U), wears(&W::recovery_action, 0U)},
      {"memory_temperature", kWarn, false,
       [](Story& s) {
         s.sample().memory_temperature = Celsius{99.9};
         s.pass(60s);
       },
       [](Story& s) {
         s.sample().memory_temperature = Celsius{100};
         s.pass(1s);
       },
       [](Story& s) {
         s.sample().memory_temperature = Celsius{96.9};
         s.pass(1s);
       }},
      {"nvlink_down", kDegraded, false, wears(&W::nvlinks_active, 4U),
       wears(&W::nvlinks_active, 3U), wears(&W::nvlinks_active, 4U)},
      {"nvlink_errors", kDegraded, false,
       wears(&W::nvlink_crc_errors, std::uint64_t{1000}),  // 90 a second
       wears(&W::nvlink_errors, std::uint64_t{1}),
       [](Story& s) {
         for (int i = 0; i < 60; ++i) s.read();
       }},
      {"fabric", kUnhealthy, true,
       [](Story& s) {
         s.wear().fabric_state = 2U;
         for (int i = 0; i < 10; ++i) s.read();  // 110 s of 120
       },
       [](Story& s) {
         for (int i = 0; i < 3; ++i) s.read();
       },
       wears(&W::fabric_state, 3U)},
      {"pcie_width", kDegraded, false, link(4, 8, 59s), link(4, 8, 3s), link(4, 16, 12s)},
      {"pcie_generation", kWarn, false, link(3, 16, 59s), link(3, 16, 3s), link(4, 16, 12s)},
      {"fan", kWarn, false,
       [](Story& s) {
         s.sample().fan = Ratio{0};
         s.sample().temperature = Celsius{80};
         s.pass(60s);
       },
       heat(81, 32s),
       [](Story& s) {
         s.sample().fan = Ratio{0.5};
         s.pass(12s);
       }},
      {"power", kWarn, false,
       [](Story& s) {
         s.sample().power = Watts{250};
         s.pass(60s);
       },
       [](Story& s) {
         s.sample().power = Watts{251};
         s.pass(32s);
       },
       [](Story& s) {
         s.sample().power = Watts{200};
         s.pass(12s);
       }},
      {"lost", kUnhealthy, true, state(GpuState::asleep), state(GpuState::lost),
       state(GpuState::ok)},
      {"reset_required", kUnhealthy, true, state(GpuState::asleep), state(GpuState::reset_required),
       state(GpuState::ok)},
      {"no_answer", HealthState::unknown, true, state(GpuState::asleep), state(GpuState::failed),
       state(GpuState::ok)},
      {"missing", kUnhealthy, true, state(GpuState::asleep),
       [](Story& s) {
         s.sample().state = GpuState::ok;
         s.unplug();
       },
       [](Story& s) { s.plug(); }},
      {"xid_31", kWarn, false, nothing, xid(31), wait(601s)},
      {"xid_48", kUnhealthy, true, nothing, xid(48),
       [](Story& s) {
         s.unplug();
         s.plug();
       }},
  };
}

TEST(HealthTable, EachRowOpensNotBeforeItsLimitAndEnds) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(std::string(row.id) + " " + std::string(to_name(row.state)));
    Story story;
    ASSERT_TRUE(story.is_well());
    row.near_miss(story);
    const auto nearly = story.find(row.id);
    EXPECT_TRUE(!nearly || nearly->state < row.state) << nearly->reason;
    row.raise(story);
    const auto open = story.find(row.id);
    ASSERT_TRUE(open);
    EXPECT_EQ(open->state, row.state) << open->reason;
    EXPECT_EQ(open->blocks_placement, row.blocks);
    EXPECT_FALSE(open->reason.empty());
    EXPECT_FALSE(open->remedy.empty());
    row.end(story);
    EXPECT_FALSE(story.find(row.id)) << story.find(row.id)->reason;
  }
}

TEST(HealthTable, IsTheDocumentsTable) {
  // The first column of the table that begins with "| condition |".
  std::ifstream file(ESTIVA_SOURCE_DIR "/docs/health.md");
  ASSERT_TRUE(file);
  std::set<std::string> documented, exercised;
  bool is_table = false;
  const std::regex name("`([a-z_N]+)`");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| condition |")) is_table = true;
    if (is_table && line.empty()) break;
    if (!is_table) continue;
    const std::string cell = line.substr(1, line.find('|', 1) - 1);
    for (std::sregex_iterator it(cell.begin(), cell.end(), name), none; it != none; ++it) {
      documented.insert((*it)[1]);
    }
  }
  for (const Row& row : rows()) {
    const std::string id = row.id;
    exercised.insert(id.starts_with("xid_") ? "xid_N" : id);
  }
  exercised.insert("overcommitted");  // the ledger's: Evidence tests of this folder
  EXPECT_GT(documented.size(), 20u);
  EXPECT_EQ(documented, exercised);
}

}  // namespace
}  // namespace estiva::decide
