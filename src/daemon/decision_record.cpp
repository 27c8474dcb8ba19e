#include "daemon/decision_record.h"

#include "format/json_writer.h"

namespace estiva::daemon {
namespace {

std::string_view choice_name(decide::Choice choice) {
  switch (choice) {
    case decide::Choice::by_gpu_count:
      return "auto";
    case decide::Choice::least_utilized:
      return "least-utilized";
    case decide::Choice::pack:
      return "pack";
  }
  return "auto";
}

}  // namespace

std::string request_record(const decide::AssignRequest& request) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("model", request.model).key("shares").begin_array();
  for (const decide::ShareWanted& share : request.shares) {
    json.begin_object().field("gpu", share.gpu).field("bytes", share.bytes).end_object();
  }
  json.end_array().field("choice", choice_name(request.choice)).key("pid");
  if (request.holder) {
    json.value(request.holder->pid);
  } else {
    json.null();
  }
  json.field("requested_at_ns", request.requested_at.ns).end_object();
  return text;
}

std::string readings_record(const decide::Ledger& ledger) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object()
      .field("driver", to_name(ledger.driver().state))
      .field("read_at_ns", ledger.read_at() ? ledger.read_at()->ns : 0)
      .key("gpus")
      .begin_array();
  for (const decide::GpuAccount& account : ledger.accounts()) {
    json.begin_object()
        .field("gpu", account.id.key())
        .field("capacity", account.capacity)
        .field("used", account.used)
        .field("measured", account.measured)
        .field("charges", account.charges)
        .field("remainder", account.remainder)
        .field("utilization", account.utilization)
        .end_object();
  }
  json.end_array().end_object();
  return text;
}

}  // namespace estiva::daemon
