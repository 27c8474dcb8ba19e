// Short questions to servers of this machine, all within one time limit. Blocking.
#pragma once
#include <chrono>
#include <string>

#include "base/clock.h"
#include "net/address.h"
#include "net/fetch.h"

namespace estiva::observe {

class LocalAsk {
 public:
  // `total` for all questions together, `each` for one.
  LocalAsk(std::chrono::milliseconds total, std::chrono::milliseconds each)
      : deadline_(steady_now() + total), each_(each) {}

  // The answer of status 200. Errors: those of net::fetch, refused for an address that is not this
  // machine's, failed for another status, timed_out once the time is over.
  Result<net::ClientResponse> get(const net::Endpoint& to, const std::string& target) const;
  Result<net::ClientResponse> post(const net::Endpoint& to, const std::string& target,
                                   std::string json) const;
  bool is_over() const { return steady_now() >= deadline_; }

 private:
  Result<net::ClientResponse> ask(const net::Endpoint& to, const net::ClientRequest& request) const;

  SteadyTime deadline_;
  std::chrono::milliseconds each_;
};

}  // namespace estiva::observe
