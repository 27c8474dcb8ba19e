// Pieces of documents that more than one of them holds.
#pragma once
#include <string_view>

#include "format/json_writer.h"
#include "model/world.h"

namespace estiva::api {

class Residents;

// Members of an open object, each null where unknown; the reasons are gathered by MissingList.
class MissingList {
 public:
  void note(std::string_view member, Missing why) { items_.push_back({member, why}); }
  // "missing":{"power_watts":"not_supported"}; nothing where all is known.
  void write(format::JsonWriter& json) const;

 private:
  struct Item {
    std::string_view member;
    Missing why;
  };
  std::vector<Item> items_;
};

template <class T>
void write_reading(format::JsonWriter& json, MissingList& missing, std::string_view member,
                   const Reading<T>& reading) {
  json.field(member, reading);
  if (!reading) missing.note(member, reading.why());
}

void write_driver(format::JsonWriter& json, const World& world);      // an object's value
void write_gpus(format::JsonWriter& json, const World& world);        // an array's value
void write_not_listed(format::JsonWriter& json, const World& world);  // an array's value
// An object's value: how the container engine is, and how many it has. Null: nobody asks one.
void write_engine(format::JsonWriter& json, const World& world);
void write_lease(format::JsonWriter& json, const Lease& lease, const LeaseUse* use);
void write_leases(format::JsonWriter& json, const World& world);  // an array's value
// Only those for which `shown` says true.
void write_leases(format::JsonWriter& json, const World& world, const std::vector<bool>& shown);
void write_models(format::JsonWriter& json, const Residents& residents);  // an array's value
// A member that is null where the text is empty.
void write_text(format::JsonWriter& json, std::string_view member, std::string_view text);
// "simulated", "source", "driver", "sampled_at", "sampled_age_seconds", "stale".
void write_origin(format::JsonWriter& json, const World& world);

}  // namespace estiva::api
