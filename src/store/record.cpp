#include "store/record.h"

namespace estiva::store {

std::string_view to_name(RecordKind kind) {
  switch (kind) {
    case RecordKind::grant:
      return "grant";
    case RecordKind::change:
      return "change";
    case RecordKind::release:
      return "release";
    case RecordKind::voided:
      return "voided";
    case RecordKind::decision:
      return "decision";
    case RecordKind::event:
      return "event";
    case RecordKind::world:
      return "world";
    case RecordKind::note:
      return "note";
  }
  return "unknown";
}

namespace {

Write about_lease(RecordKind kind, Lease lease, std::uint64_t expected, std::string why) {
  Write write;
  write.kind = kind;
  write.subject = lease.model;
  write.lease = std::move(lease);
  write.expected_sequence = expected;
  write.text = std::move(why);
  return write;
}

Write plain(RecordKind kind, std::string subject, std::string text) {
  Write write;
  write.kind = kind;
  write.subject = std::move(subject);
  write.text = std::move(text);
  return write;
}

}  // namespace

Write Write::grant(Lease lease, std::optional<Decision> decision) {
  Write write = about_lease(RecordKind::grant, std::move(lease), 0, {});
  write.decision = std::move(decision);
  return write;
}

Write Write::change(Lease lease, std::uint64_t expected, std::string why,
                    std::optional<Decision> decision) {
  Write write = about_lease(RecordKind::change, std::move(lease), expected, std::move(why));
  write.decision = std::move(decision);
  return write;
}

Write Write::release(Lease lease, std::uint64_t expected, std::string why) {
  return about_lease(RecordKind::release, std::move(lease), expected, std::move(why));
}

Write Write::decided(std::string subject, Decision decision) {
  Write write = plain(RecordKind::decision, std::move(subject), {});
  write.decision = std::move(decision);
  return write;
}

Write Write::event(std::string subject, std::string text) {
  return plain(RecordKind::event, std::move(subject), std::move(text));
}

Write Write::world(std::string text) {
  return plain(RecordKind::world, {}, std::move(text));
}

Write Write::note(std::string name, std::string text) {
  return plain(RecordKind::note, std::move(name), std::move(text));
}

}  // namespace estiva::store
