// Several requests to an engine within one time limit, for programs that act and end. Blocking.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "net/address.h"

namespace estiva::container {

struct TalkAnswer {
  int status = 0;
  std::string body;
  bool is_good() const { return status >= 200 && status < 300; }
  // {"message": "..."} of an engine's error; else the status and the body's beginning.
  std::string message() const;
  // A text member of a JSON object; empty where there is none.
  std::string member(std::string_view name) const;
};

class Talk {
 public:
  Talk(net::Endpoint engine, std::chrono::milliseconds limit);
  // Errors: those of net::fetch, and timed_out once the limit is over. A status is no error.
  Result<TalkAnswer> say(std::string_view method, std::string target, std::string body = {},
                         std::string_view type = "application/json");

 private:
  net::Endpoint engine_;
  SteadyTime deadline_;
  std::chrono::milliseconds limit_;
};

}  // namespace estiva::container
