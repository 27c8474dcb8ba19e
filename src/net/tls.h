// TLS taken off in front of a server. Each connection that wrap() is given goes on as the plain end
// of a socket pair, and what passes is decrypted and encrypted here; so the server and its hot path
// know nothing of TLS, and plain listeners pay nothing for it. TLS 1.2 and 1.3, HTTP/1.1 only, no
// certificates of clients. Loop thread only; in a library of its own, because it brings OpenSSL.
#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "net/loop.h"

namespace estiva::net {

struct TlsFiles {
  std::string certificate;  // in PEM, with those that lead to its root
  std::string private_key;  // in PEM, without a password
};

struct TlsLimits {
  std::chrono::milliseconds handshake_time{10'000};
  // Once the server has closed: no byte taken by the client for so long, and what is left is lost.
  std::chrono::milliseconds stall_time{30'000};
};

class TlsFront {
 public:
  // Reads the files. Errors: refused, naming the file: it can't be read, is no PEM, the two don't
  // belong together, or others may read the private key.
  static Result<std::shared_ptr<TlsFront>> open(Loop& loop, TlsFiles files, TlsLimits limits = {});
  ~TlsFront();

  // The plain end, at once; the handshake goes on meanwhile. What fails it, or takes longer than
  // handshake_time, looks like a client that hung up. Empty: no descriptors are left.
  UniqueFd wrap(UniqueFd encrypted);
  // Reads the files again where they changed; what is accepted from then on has the new
  // certificate. True: it did. Errors as open(), once for each change; the old one goes on.
  Result<bool> reload_if_changed();
  // Those that are open, their handshakes included.
  std::size_t connections() const;

 private:
  struct Impl;
  explicit TlsFront(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace estiva::net
