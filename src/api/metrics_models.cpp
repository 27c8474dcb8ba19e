// Leases, and the models that are loaded for requests. Their names are users' own: with the token
// only. Counters begin with the daemon.
#include <algorithm>
#include <array>
#include <map>

#include "api/metrics_parts.h"

namespace estiva::api {
namespace {

using decide::ModelTally;
using decide::Residency;
using decide::SwapPhase;
using format::Exposition;
using format::Labels;
using format::MetricType;
using Models = std::vector<ModelStatus>;

constexpr std::array kStates = {Residency::absent,       Residency::reserving, Residency::loading,
                                Residency::resident,     Residency::draining,  Residency::sleeping,
                                Residency::checkpointed, Residency::unloading, Residency::failed};

double seconds(const std::optional<Nanoseconds>& time) {
  return std::chrono::duration<double>(time.value_or(Nanoseconds{0})).count();
}

// A model's lease and one of its name that is still being released are one series.
void write_lease_bytes(Exposition& out, const World& world, const Models& models) {
  struct Part {
    const char* kind;
    Bytes LeaseUse::*bytes;
  };
  std::map<std::string_view, LeaseUse> sums;
  for (const ModelStatus& model : models) sums[model.name];
  for (std::size_t i = 0; i < world.leases.size() && i < world.lease_uses.size(); ++i) {
    LeaseUse& sum = sums[world.leases[i].model];
    sum.declared += world.lease_uses[i].declared;
    sum.measured += world.lease_uses[i].measured;
    sum.charged += world.lease_uses[i].charged;
  }
  out.family(MetricType::gauge, "estiva_model_vram_bytes", "VRAM of a model, by how it is known.",
             "bytes");
  for (const auto& [model, sum] : sums) {
    for (const Part& part :
         {Part{"declared", &LeaseUse::declared}, Part{"measured", &LeaseUse::measured},
          Part{"charged", &LeaseUse::charged}}) {
      out.sample({{"model", model}, {"kind", part.kind}}, sum.*part.bytes);
    }
  }
}

void write_counts(Exposition& out, const World& world, const Models& models) {
  out.family(MetricType::gauge, "estiva_leases", "Leases by state.");
  for (const LeaseState state : {LeaseState::reserved, LeaseState::active, LeaseState::releasing}) {
    const auto n = std::count_if(world.leases.begin(), world.leases.end(),
                                 [state](const Lease& lease) { return lease.state == state; });
    out.sample({{"state", to_name(state)}}, static_cast<std::uint64_t>(n));
  }
  if (models.empty()) return;
  out.family(MetricType::gauge, "estiva_models", "Models of the configuration by state.");
  for (const Residency state : kStates) {
    const auto n = std::count_if(models.begin(), models.end(), [state](const ModelStatus& model) {
      return model.state == to_name(state);
    });
    out.sample({{"state", to_name(state)}}, static_cast<std::uint64_t>(n));
  }
}

void write_needs(Exposition& out, const Models& models) {
  out.family(
      MetricType::gauge, "estiva_model_need_bytes",
      "VRAM that a model needs of each GPU: as declared, as learned, and as it is asked for.",
      "bytes");
  for (const ModelStatus& model : models) {
    const auto sample = [&](std::string_view kind, const std::optional<Bytes>& bytes) {
      if (bytes) out.sample({{"model", model.name}, {"kind", kind}}, *bytes);
    };
    sample("declared", model.declared);
    sample("learned", model.learned);
    if (model.need > Bytes{}) sample("asked", model.need);
  }
}

void write_states(Exposition& out, const Models& models) {
  out.family(MetricType::info, "estiva_model", "How a model is treated, and who says so.");
  for (const ModelStatus& model : models) {
    out.sample({{"model", model.name},
                {"engine", to_name(model.engine)},
                {"policy", to_name(model.policy)},
                {"policy_from", model.policy_is_live ? "command" : "configuration"}},
               1U);
  }
  out.family(MetricType::gauge, "estiva_model_state", "1 for the state that the model is in.");
  for (const ModelStatus& model : models) {
    for (const Residency state : kStates) {
      out.sample({{"model", model.name}, {"state", to_name(state)}},
                 model.state == to_name(state) ? 1U : 0U);
    }
  }
}

// One family with a sample for each model.
template <class Value>
void write_model(Exposition& out, const Models& models, const Family& family, Value value) {
  out.family(family.type, family.name, family.help, family.unit);
  for (const ModelStatus& model : models) out.sample({{"model", model.name}}, value(model));
}

void write_use(Exposition& out, const Models& models) {
  write_model(out, models, {"estiva_model_requests_in_flight", "Requests under way.", ""},
              [](const ModelStatus& model) { return model.in_flight; });
  write_model(out, models, {"estiva_model_requests_waiting", "Requests that wait for it.", ""},
              [](const ModelStatus& model) { return std::uint64_t{model.waiting}; });
  write_model(out, models,
              {"estiva_model_oldest_wait_seconds", "How long the oldest of them waits.", "seconds"},
              [](const ModelStatus& model) { return seconds(model.oldest_wait); });
}

// One family with a sample for each model and kind.
struct Kind {
  const char* name;
  std::uint64_t ModelTally::*count;
};
void write_kinds(Exposition& out, const Models& models, const char* name, const char* help,
                 std::string_view label, std::initializer_list<Kind> kinds) {
  out.family(MetricType::counter, name, help);
  for (const ModelStatus& model : models) {
    for (const Kind& kind : kinds) {
      out.sample({{"model", model.name}, {label, kind.name}}, model.tally.*kind.count);
    }
  }
}

void write_totals(Exposition& out, const Models& models) {
  write_kinds(out, models, "estiva_model_loads", "Loads that succeeded.", "how",
              {{"start", &ModelTally::starts}, {"wake", &ModelTally::wakes}});
  write_kinds(out, models, "estiva_model_unloads", "Times that it left the GPU.", "how",
              {{"stop", &ModelTally::stops}, {"sleep", &ModelTally::sleeps}});
  write_kinds(out, models, "estiva_model_failures", "Loads that failed, and engines that ended.",
              "reason",
              {{"out_of_memory", &ModelTally::out_of_memory},
               {"load", &ModelTally::failures},
               {"ended", &ModelTally::deaths}});
  write_model(out, models,
              {"estiva_model_mispredictions", "Loads that needed more VRAM than was believed.", "",
               MetricType::counter},
              [](const ModelStatus& model) { return model.tally.mispredictions; });
}

void write_phases(Exposition& out, const Models& models) {
  const auto each = [&](auto value) {
    for (const ModelStatus& model : models) {
      for (std::size_t i = 0; i < decide::kSwapPhases; ++i) {
        out.sample({{"model", model.name}, {"phase", to_name(static_cast<SwapPhase>(i))}},
                   value(model.tally.phases[i]));
      }
    }
  };
  out.family(MetricType::counter, "estiva_model_swap_phases", "Phases of swaps that were ended.");
  each([](const decide::PhaseSum& sum) { return sum.count; });
  out.family(MetricType::counter, "estiva_model_swap_seconds", "Time spent in phases of swaps.",
             "seconds");
  each([](const decide::PhaseSum& sum) { return seconds(sum.time); });
}

}  // namespace

void write_model_metrics(Exposition& out, const World& world, const Models& models,
                         bool with_names) {
  write_counts(out, world, models);
  if (!with_names) return;
  write_lease_bytes(out, world, models);
  write_needs(out, models);
  write_states(out, models);
  write_use(out, models);
  write_totals(out, models);
  write_phases(out, models);
}

}  // namespace estiva::api
