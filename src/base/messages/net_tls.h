// Sentences about the certificate of a listener with TLS.
#pragma once

namespace estiva::msg {

inline constexpr char kTlsReading[] = "reading the private key {}";
inline constexpr char kTlsKeyOpen[] = "everybody on this machine may read the private key {}";
inline constexpr char kTlsKeyOpenRemedy[] =
    "chmod 640 it, and chgrp it to the group that estiva runs as";
inline constexpr char kTlsFile[] = "{} can't be used for TLS: {}";
inline constexpr char kTlsFileRemedy[] =
    "Both files have to be PEM: the certificate with its chain, and its private key without a "
    "password";

}  // namespace estiva::msg
