#include "decide/login_book.h"

namespace estiva::decide {
namespace {

// In a time that depends on no byte of either.
template <std::size_t size>
bool is_same(const std::array<std::uint8_t, size>& a, const std::array<std::uint8_t, size>& b) {
  unsigned difference = 0;
  for (std::size_t i = 0; i < size; ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  // The compiler must not leave the loop early once it knows the answer.
  volatile unsigned result = difference;
  return result == 0;
}

// Looks at every row, whichever it is; their number if it is none.
template <class Rows, class Is>
std::size_t place_of(const Rows& rows, Is is) {
  std::size_t found = rows.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (is(rows[i])) found = i;
  }
  return found;
}

template <class Rows>
void drop_row(Rows& rows, std::size_t at) {
  rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

void LoginBook::forget_old(SteadyTime now) {
  std::erase_if(codes_, [now](const Code& code) { return now - code.made >= kCodeLife; });
  std::erase_if(sessions_, [now](const Session& session) {
    return now - session.used >= kIdleLife || now - session.made >= kWholeLife;
  });
  while (!wrong_.empty() && now - wrong_.front() >= kWrongWindow) wrong_.pop_front();
}

void LoginBook::add_code(const LoginCode& code, SteadyTime now) {
  forget_old(now);
  if (codes_.size() == kCodes) drop_row(codes_, 0);
  codes_.push_back({code, now});
}

Nanoseconds LoginBook::locked_for(SteadyTime now) {
  forget_old(now);
  return wrong_.size() < kWrongCodes ? Nanoseconds(0) : kWrongWindow - (now - wrong_.front());
}

CodeUse LoginBook::use_code(const LoginCode& code, const SessionKey& key, SteadyTime now) {
  if (locked_for(now) > Nanoseconds(0)) return CodeUse::locked;
  const std::size_t at =
      place_of(codes_, [&code](const Code& one) { return is_same(one.code, code); });
  if (at == codes_.size()) {
    wrong_.push_back(now);
    if (wrong_.size() < kWrongCodes) return CodeUse::wrong;
    codes_.clear();
    return CodeUse::locked;
  }
  drop_row(codes_, at);
  if (sessions_.size() == kSessions) drop_row(sessions_, 0);
  sessions_.push_back({key, now, now});
  return CodeUse::accepted;
}

bool LoginBook::touch(const SessionKey& key, SteadyTime now) {
  forget_old(now);
  const std::size_t at =
      place_of(sessions_, [&key](const Session& one) { return is_same(one.key, key); });
  if (at == sessions_.size()) return false;
  sessions_[at].used = now;
  return true;
}

void LoginBook::end(const SessionKey& key) {
  std::erase_if(sessions_, [&key](const Session& one) { return is_same(one.key, key); });
}

std::size_t LoginBook::end_all(SteadyTime now) {
  forget_old(now);
  const std::size_t count = sessions_.size();
  sessions_.clear();
  codes_.clear();
  return count;
}

}  // namespace estiva::decide
