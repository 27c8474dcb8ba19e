#include "net/exchange.h"

#include "net/connection.h"

namespace estiva::net {

const RequestHead& Exchange::request() const {
  return connection_.request();
}
const BodyInfo& Exchange::body_info() const {
  return connection_.body_info();
}
const Peer& Exchange::peer() const {
  return connection_.peer();
}
std::string_view Exchange::listener() const {
  return connection_.listener();
}
bool Exchange::started() const {
  return connection_.started();
}
bool Exchange::is_hung_up() const {
  return connection_.is_hung_up();
}

Awaitable<Result<std::string_view>> Exchange::read_some() {
  return connection_.read_some();
}
Awaitable<Result<std::string>> Exchange::read_body(std::size_t limit) {
  return connection_.read_body(limit);
}
Awaitable<Result<void>> Exchange::respond(Response response) {
  return connection_.respond(std::move(response));
}

// Coroutines, so that what they are given lives until they are done.
Awaitable<Result<void>> Exchange::start(ResponseHead head, std::optional<std::uint64_t> length) {
  co_return co_await connection_.start(head, length);
}

Awaitable<Result<void>> Exchange::write(std::string_view bytes) {
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  co_return co_await connection_.write({&piece, 1});
}

Awaitable<Result<void>> Exchange::finish() {
  return connection_.finish();
}

Awaitable<Result<void>> Exchange::start_events() {
  ResponseHead head;
  head.headers.add("Content-Type", "text/event-stream");
  head.headers.add("Cache-Control", "no-store");
  co_return co_await connection_.start(head, std::nullopt);
}

Awaitable<Result<void>> Exchange::send_event(const Event& event) {
  return [](Exchange& self, std::string text) -> Awaitable<Result<void>> {
    co_return co_await self.write(text);
  }(*this, format_event(event));
}

Awaitable<void> Exchange::hung_up() {
  // A loop whose condition awaits and whose body is empty makes GCC 12 emit a trap.
  Wake why = Wake::timed_out;
  while (why != Wake::hung_up) why = co_await connection_.wait(nullptr, Nanoseconds::max());
}

void Exchange::on_hang_up(std::function<void()> gone) {
  connection_.on_hang_up(std::move(gone));
}

Awaitable<Wake> Exchange::wait(Notice& notice, Nanoseconds most) {
  return connection_.wait(&notice.impl().waiters, most);
}

}  // namespace estiva::net
