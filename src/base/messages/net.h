// Sentences of net/ that a user may see.
#pragma once
#include <string_view>

namespace estiva::msg {

// Addresses.
inline constexpr std::string_view kNetBadEndpoint = "\"{}\" is not an address";
inline constexpr std::string_view kNetEndpointForms =
    "write ADDRESS:PORT such as 127.0.0.1:7700, [ADDRESS]:PORT for IPv6, or unix:/absolute/path";
inline constexpr std::string_view kNetPathTooLong =
    "the socket path {} is longer than the {} bytes that the kernel allows";
inline constexpr std::string_view kNetShorterPath = "choose a shorter folder";

// Listening.
inline constexpr std::string_view kNetListen = "listening on {}";
inline constexpr std::string_view kNetPortInUse = "port {} is already in use{}";
inline constexpr std::string_view kNetPortHolder = " by process {} ({})";
inline constexpr std::string_view kNetPortInUseRemedy =
    "stop that program, or choose another port with --listen {}:PORT (0 picks a free one)";
inline constexpr std::string_view kNetSocketInUse = "another program is listening on {}";
inline constexpr std::string_view kNetSocketInUseRemedy =
    "is estiva already running? Stop it, or give this one its own ESTIVA_RUNTIME_DIR";
inline constexpr std::string_view kNetNotASocket = "{} exists and is not a socket";
inline constexpr std::string_view kNetNotASocketRemedy = "move it away; it was left untouched";
inline constexpr std::string_view kNetNotListening = "descriptor {} is not a listening socket";
inline constexpr std::string_view kNetCheckUnit = "check the socket unit that passes it";
inline constexpr std::string_view kNetPrivilegedPort =
    "ports below 1024 need CAP_NET_BIND_SERVICE; choose a higher one";

// Connecting.
inline constexpr std::string_view kNetConnect = "connecting to {}";
inline constexpr std::string_view kNetNobodyThere = "nothing is listening on {}";
inline constexpr std::string_view kNetIsItRunning =
    "Start what should listen there, or correct the address";
inline constexpr std::string_view kNetNoPermission = "this user may not connect to {}";
inline constexpr std::string_view kNetNoPermissionRemedy =
    "run as root or join the group that owns the socket";
inline constexpr std::string_view kNetConnectTimedOut =
    "{} did not accept a connection within {} ms";
inline constexpr std::string_view kNetResponseTimedOut = "{} did not answer within {} ms";
inline constexpr std::string_view kNetBodyTimedOut = "{} sent nothing for {} ms";
inline constexpr std::string_view kNetClosedEarly = "{} closed the connection before it answered";
inline constexpr std::string_view kNetBadResponse = "the answer of {} is not valid HTTP: {}";
inline constexpr std::string_view kNetLostUpstream = "the connection to {} broke: {}";
inline constexpr std::string_view kNetResponseTooLarge = "the answer of {} is larger than {} bytes";
inline constexpr std::string_view kNetCancelled = "the request was cancelled";
inline constexpr std::string_view kNetStreamEnded = "{} ended its event stream";
inline constexpr std::string_view kNetNotEventStream =
    "{} answered with {}, not with an event stream";

// Serving.
inline constexpr std::string_view kNetClientGone = "the client hung up";
inline constexpr std::string_view kNetClientSlow = "the client was too slow";
inline constexpr std::string_view kNetBodyLimit = "the request body is larger than {} bytes";
inline constexpr std::string_view kNetWrongLength =
    "the response body is not as long as its Content-Length says";
inline constexpr std::string_view kNetAlreadyAnswered = "this request was already answered";
inline constexpr std::string_view kNetNotStarted = "the response was not started";
inline constexpr std::string_view kNetForgedHead =
    "a header field holds a line break or another forbidden character";
inline constexpr std::string_view kNetTooManyConnections = "too many connections; try again later";
inline constexpr std::string_view kNetHandlerFailed = "the request could not be handled";
inline constexpr std::string_view kNetUnaskedSwitch =
    "{} changed to another protocol without being asked to";
inline constexpr std::string_view kNetUpstreamFailed = "the upstream server failed";

// What a malformed message is refused for.
inline constexpr std::string_view kNetHeaderTooLarge = "the header is too large";
inline constexpr std::string_view kNetBadLineEnding = "a line does not end with CR LF";
inline constexpr std::string_view kNetBadStartLine = "the first line is malformed";
inline constexpr std::string_view kNetBadVersion = "only HTTP/1.1 and HTTP/1.0 are spoken here";
inline constexpr std::string_view kNetBadField = "a header field is malformed";
inline constexpr std::string_view kNetFoldedField = "a header field is folded over two lines";
inline constexpr std::string_view kNetSpaceBeforeColon = "there is a blank before a header's colon";
inline constexpr std::string_view kNetBadLength = "Content-Length is not one plain number";
inline constexpr std::string_view kNetBadTransferCoding =
    "the only transfer coding here is chunked";
inline constexpr std::string_view kNetLengthAndCoding =
    "Content-Length and Transfer-Encoding exclude each other";
inline constexpr std::string_view kNetBadHost = "exactly one well-formed Host field is needed";
inline constexpr std::string_view kNetTooManyFields = "there are too many header fields";
inline constexpr std::string_view kNetBadChunk = "a chunk of the body is malformed";
inline constexpr std::string_view kNetBodyTooLarge = "the body is too large";
inline constexpr std::string_view kNetTruncated = "the connection ended inside the message";

// Targets.
inline constexpr std::string_view kNetBadEncoding = "the target holds a bad %-encoding";
inline constexpr std::string_view kNetBadTarget = "the target is not a plain /path?query";
inline constexpr std::string_view kNetTooManyParts = "the target has too many parts";

// Events and processes.
inline constexpr std::string_view kNetEventTooLarge = "an event is larger than {} bytes";
inline constexpr std::string_view kNetNoProcess = "there is no process {}";

inline constexpr std::string_view kFetchStopped = "the wait for an answer was broken off";

}  // namespace estiva::msg
