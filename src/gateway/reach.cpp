#include "gateway/reach.h"

#include <algorithm>
#include <filesystem>
#include <ifaddrs.h>
#include <memory>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/socket.h"

namespace estiva::gateway {
namespace {

std::string address_of(const sockaddr* address) {
  if (address == nullptr) return {};
  if (address->sa_family != AF_INET && address->sa_family != AF_INET6) return {};
  sockaddr_storage storage{};
  const auto* bytes = reinterpret_cast<const char*>(address);
  const std::size_t size =
      address->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  std::copy(bytes, bytes + size, reinterpret_cast<char*>(&storage));
  return net::endpoint_of(storage).host;
}

// Empty: no interface has it.
std::string interface_with(const std::string& host) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(all, freeifaddrs);
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (address_of(one->ifa_addr) == host) return one->ifa_name;
  }
  return {};
}

// Is a network card among the ports of the bridge?
bool has_card(const std::string& interfaces, const std::string& bridge) {
  std::error_code failed;
  const std::filesystem::directory_iterator ports(interfaces + "/" + bridge + "/brif", failed);
  if (failed) return false;
  for (const auto& port : ports) {
    if (std::filesystem::exists(interfaces + "/" + port.path().filename().string() + "/device",
                                failed))
      return true;
  }
  return false;
}

}  // namespace

// A bridge has the folder "bridge", and its ports are listed in "brif" (Linux: br_sysfs_br.c). One
// with a network card among them, as virtual machines use, leads out of the machine.
Reach reach_of(const net::Endpoint& where, const std::string& interfaces) {
  if (net::is_loopback(where)) return Reach::this_machine;
  const std::string name = interface_with(where.host);
  const std::string folder = interfaces + "/" + name + "/bridge";
  if (name.empty() || access(folder.c_str(), F_OK) != 0) return Reach::network;
  return has_card(interfaces, name) ? Reach::network : Reach::containers;
}

}  // namespace estiva::gateway
