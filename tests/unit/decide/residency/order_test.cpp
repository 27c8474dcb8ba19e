// Who is served first, until when, and who is not let in at all.
#include "unit/decide/residency/room_parts.h"

namespace estiva::residency_test {
namespace {

// Three models of which one fits at a time; `busy` is in, and its quantum lasts.
MachineRoom one_at_a_time(int priority_of_b = 0) {
  ModelSpec a = model("a", gib(3)), b = model("b", gib(3)), busy = model("busy", gib(3));
  b.priority = priority_of_b;
  MachineRoom room({gib(4)}, {a, b, busy});
  room.ask("busy", seconds(8));
  room.run_for(seconds(3));
  return room;
}

TEST(Order, WhoCameFirstIsServedFirst) {
  MachineRoom room = one_at_a_time();
  const Ticket b = room.ask("b");
  room.run_for(seconds(1));
  const Ticket a = room.ask("a");
  room.run_until_idle();
  EXPECT_LT(*room.request(b).began, *room.request(a).began);
  expect_clean(room);
}

TEST(Order, APriorityIsAHeadStartOfTenSecondsAStep) {
  for (const int head_start : {-1, 1}) {
    MachineRoom room = one_at_a_time();
    const Ticket a = room.ask("a");
    room.run_for(seconds(1));
    const Ticket b = room.ask("b", milliseconds(100), head_start);
    room.run_until_idle();
    EXPECT_EQ(*room.request(b).began<*room.request(a).began, head_start> 0);
    expect_clean(room);
  }
}

TEST(Order, ThePriorityOfTheModelCountsToo) {
  MachineRoom room = one_at_a_time(1);
  const Ticket a = room.ask("a");
  room.run_for(seconds(1));
  const Ticket b = room.ask("b");
  room.run_until_idle();
  EXPECT_LT(*room.request(b).began, *room.request(a).began);
}

TEST(Order, AHeadStartDoesNotOutlastALongerWait) {
  ModelSpec a = model("a", gib(3)), b = model("b", gib(3)), busy = model("busy", gib(3));
  busy.quantum = seconds(40);
  MachineRoom room({gib(4)}, {a, b, busy});
  room.ask("busy", seconds(60));
  room.run_for(seconds(3));
  const Ticket first = room.ask("a");
  room.run_for(seconds(15));
  const Ticket second = room.ask("b", milliseconds(100), 1);
  room.run_until_idle();
  EXPECT_LT(*room.request(first).began, *room.request(second).began);
}

TEST(Order, NobodyIsPushedPastWhatHeWasPromised) {
  // Ten requests of the highest priority for other models, all after the first one.
  std::vector<ModelSpec> specs{model("busy", gib(3)), model("patient", gib(3))};
  for (int i = 0; i < 10; ++i) specs.push_back(model("urgent" + std::to_string(i), gib(3)));
  MachineRoom room({gib(4)}, specs);
  room.ask("busy", seconds(5));
  room.run_for(seconds(3));
  const Ticket patient = room.ask("patient");
  for (int i = 0; i < 10; ++i) {
    room.run_for(milliseconds(200));
    room.ask("urgent" + std::to_string(i), milliseconds(100), 10);
  }
  room.run_until_idle();
  ASSERT_TRUE(room.request(patient).began);
  EXPECT_LE(*room.request(patient).began, room.request(patient).bound);
  EXPECT_EQ(room.timed_out(), 0U);
  expect_clean(room);
}

TEST(Bounds, TheWordsNameWhoHoldsTheBytesAndUntilWhen) {
  MachineRoom room = one_at_a_time();
  const Ticket a = room.ask("a");
  const auto view = room.machine().explain(a, room.now(), room.ledger());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->why, "busy holds 3.00 GiB and may go on for 9.0 s");
  EXPECT_EQ(view->place, 1U);
  // Quantum and drain of the one in the way, then unload and load by twice what was measured.
  EXPECT_GT(view->bound - room.now(), seconds(9 + 30));
  EXPECT_LT(view->bound - room.now(), seconds(9 + 30 + 15));
  EXPECT_LT(view->expected, seconds(15));
}

TEST(Bounds, WhoWouldWaitLongerThanItsLimitIsRefusedAtOnceAndToldWhen) {
  ModelSpec a = model("a", gib(3)), busy = model("busy", gib(3));
  a.wait_limit = seconds(20);
  MachineRoom room({gib(4)}, {a, busy});
  room.ask("busy", seconds(30));
  room.run_for(seconds(3));
  const Ticket refused = room.ask("a");
  ASSERT_TRUE(room.request(refused).refusal);
  EXPECT_EQ(room.request(refused).refusal->kind, ErrorKind::refused);
  ASSERT_TRUE(room.request(refused).refusal->retry_after);
  EXPECT_GT(*room.request(refused).refusal->retry_after, seconds(9));
}

TEST(Bounds, AModelThatWasNeverMeasuredIsNotRefusedForItsLimits) {
  // Two loads of at most five minutes are more than the ten that anybody waits.
  Behaviour unknown;
  unknown.is_measured = false;
  MachineRoom room({gib(4)}, {model("a", gib(3)), model("b", gib(3))},
                   {{"a", unknown}, {"b", unknown}});
  const Ticket a = room.ask("a");
  const Ticket b = room.ask("b");
  room.run_until_idle();
  EXPECT_TRUE(room.request(a).ended);
  EXPECT_TRUE(room.request(b).ended);
  EXPECT_EQ(room.request(b).bound - room.request(b).arrived, Nanoseconds(minutes(10)));
}

TEST(Bounds, PastItARequestIsAnsweredWithWhatItWaitedFor) {
  // Measured as two seconds, and this time it takes a minute.
  MachineRoom room({gib(4)}, {model("a", gib(3))});
  room.behave("a", loads_in(minutes(1)));
  const Ticket a = room.ask("a");
  room.run_for(seconds(30));
  ASSERT_TRUE(room.request(a).refusal);
  EXPECT_EQ(room.request(a).refusal->kind, ErrorKind::timed_out);
  EXPECT_NE(room.request(a).refusal->why.find("it is being loaded"), std::string::npos);
  EXPECT_EQ(room.cancels("a"), 1U);  // it was the only one
}

TEST(Queue, OneMoreThanItsLimitIsRefused) {
  ModelSpec a = model("a", gib(3));
  a.queue_limit = 3;
  MachineRoom room({gib(4)}, {a});
  for (int i = 0; i < 3; ++i) room.ask("a");
  const Ticket fourth = room.ask("a");
  ASSERT_TRUE(room.request(fourth).refusal);
  EXPECT_EQ(room.request(fourth).refusal->kind, ErrorKind::refused);
  room.run_until_idle();
  EXPECT_TRUE(room.request(1).ended);
}

TEST(Queue, AnUnknownModelIsNotFound) {
  MachineRoom room({gib(4)}, {model("a", gib(3))});
  const Ticket ticket = room.ask("b");
  ASSERT_TRUE(room.request(ticket).refusal);
  EXPECT_EQ(room.request(ticket).refusal->kind, ErrorKind::not_found);
}

TEST(Queue, WhatIsBehindMayStartWhereItTakesNothingFromTheHead) {
  // `large` waits for the whole of GPU 0; `small` fits beside nothing there, but on GPU 1.
  ModelSpec large = model("large", gib(7)), small = model("small", gib(2)),
            busy = model("busy", gib(5));
  large.gpu = busy.gpu = "0";
  MachineRoom room({gib(8), gib(4)}, {large, small, busy});
  room.ask("busy", seconds(60));
  room.run_for(seconds(3));
  const Ticket head = room.ask("large");
  const Ticket behind = room.ask("small");
  room.run_for(seconds(4));
  ASSERT_TRUE(room.request(behind).began);
  ASSERT_TRUE(room.ledger().find_model("small"));
  EXPECT_EQ(room.ledger().find_model("small")->lease.shares[0].device.uuid, "GPU-1");
  room.run_until_idle();
  EXPECT_LE(*room.request(head).began, room.request(head).bound);
  expect_clean(room);
}

}  // namespace
}  // namespace estiva::residency_test
