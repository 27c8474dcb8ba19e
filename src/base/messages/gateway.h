// Sentences of gateway/, and of the socket between it and estivad, that users read. fmt templates
// where they hold {}.
#pragma once

namespace estiva::msg {

// The socket to estivad.
inline constexpr char kGatewayPacket[] =
    "a packet between estivad and the gateway is malformed: {}";
inline constexpr char kGatewayPacketLarge[] = "it is too large";
inline constexpr char kGatewayProtocol[] =
    "the gateway speaks version {} of the protocol, and this estivad version {}: restart the "
    "gateway";
inline constexpr char kGatewayPeerSlow[] = "the other end does not read";
inline constexpr char kGatewayPeerGone[] = "the other end is gone";
inline constexpr char kGatewayLinkEnded[] = "the connection between estivad and the gateway ended";
inline constexpr char kGatewayBadPacket[] = "a packet between estivad and the gateway was refused";
inline constexpr char kGatewayStranger[] =
    "another user's program is at the gateway's socket; it was not spoken to";
inline constexpr char kGatewayNoHello[] = "the first packet of a gateway has to be its hello";
inline constexpr char kGatewayListening[] = "listening for the gateway on {}";
inline constexpr char kGatewayPathLong[] = "the socket path {} is too long";
inline constexpr char kGatewayNoSocket[] = "{} exists and is not a socket";
inline constexpr char kGatewaySocketInUse[] = "another estivad is listening on {}";

// Admission.
inline constexpr char kGatewayModelGone[] = "the model {} is not configured any more";
inline constexpr char kGatewayBadEndpoint[] = "estivad named an address that can't be used";
inline constexpr char kGatewayQueueFull[] = "{} requests wait for the model {} already";
inline constexpr char kGatewayAlone[] =
    "estivad does not answer, and the model is not loaded: nobody can load it now";
inline constexpr char kGatewayAloneRemedy[] =
    "Start estivad; requests for models that are loaded are served meanwhile";
inline constexpr char kGatewayWaiting[] = "waiting for the model {}";

inline constexpr char kGatewayNoRoutes[] = "estivad has not told yet which models there are";

// Requests.
inline constexpr char kGatewayCoded[] =
    "the body is sent in the coding {}, in which the model can't be read: send it plain";
inline constexpr char kGatewayNoBoundary[] = "the form has no boundary in its Content-Type";
inline constexpr char kGatewayNoBody[] = "the request has no body, so it names no model";
inline constexpr char kGatewayNoModel[] =
    "the request names no model: the field \"model\" is missing";
inline constexpr char kGatewayNoName[] =
    "the field \"model\" has to be a text that is not empty and not longer than a model's name";
inline constexpr char kGatewayUploadSlow[] =
    "the body came so slowly that its place at the model was given to others";
inline constexpr char kGatewayTwoModels[] =
    "the request names its model twice, and servers differ in which of the two they take";
inline constexpr char kGatewayNoJson[] =
    "the body is neither a JSON object nor a form, so the model can't be read";
inline constexpr char kGatewayBodyLarge[] =
    "the body is larger than {} bytes before it names its model: put the field \"model\" first";
inline constexpr char kGatewayNoDisk[] = "the body could not be kept in {}: {}";
inline constexpr char kGatewayReadingBack[] = "reading the body back";
inline constexpr char kGatewayNoSuchModel[] = "there is no model {}";
inline constexpr char kGatewayMeant[] = "Did you mean {}?";
inline constexpr char kGatewayModelList[] = "GET /v1/models lists those there are";
inline constexpr char kGatewayNoPath[] = "the gateway has no such path";
inline constexpr char kGatewayPaths[] =
    "It has OpenAI's below /v1/, Anthropic's /v1/messages, Ollama's below /api/, and "
    "/models/NAME/... for everything else";
inline constexpr char kGatewayEngineFailed[] = "the engine of {} failed: {}";

// Who may ask.
inline constexpr char kGatewayHost[] =
    "the request names a host that this address does not answer for";
inline constexpr char kGatewayHostRemedy[] =
    "Use 127.0.0.1, localhost or [::1]; containers use the listener that needs a key";
inline constexpr char kGatewayKeyedHostRemedy[] =
    "Use the address itself, 'estiva' or 'host.docker.internal', or name the host in gateway.hosts";
inline constexpr char kGatewayOriginRemedy[] = "Name the site's host in gateway.hosts to allow it";
inline constexpr char kGatewayBeyond[] =
    "{} can be reached from beyond this machine, where keys and prompts would travel unencrypted";
inline constexpr char kGatewayBeyondRemedy[] =
    "Set certificate and private_key under [gateway] for TLS; or listen on loopback or on the "
    "address of a bridge of containers";
inline constexpr char kGatewayTlsBoth[] = "TLS needs both a certificate and its private key";
inline constexpr char kGatewayOrigin[] = "the request comes from a web page of another site";
inline constexpr char kGatewayKeyNeeded[] = "this address needs a key";
inline constexpr char kGatewayKeyNeededRemedy[] =
    "Send it as 'Authorization: Bearer KEY' or 'x-api-key: KEY'";
inline constexpr char kGatewayKeyUnknown[] = "the key is not known, or was revoked";
inline constexpr char kGatewayKeyRole[] = "the key {} has the role {}, which may not do this";
inline constexpr char kGatewayKeyModel[] = "the key {} may not use the model {}";
inline constexpr char kGatewayKeyAtOnce[] = "the key {} has {} requests under way already";
inline constexpr char kGatewayOrders[] =
    "With the role operate: GET /api/v1/models and POST /api/v1/models/NAME/load, unload, pin or "
    "unpin";
inline constexpr char kGatewayKeyQuota[] = "the key {} has used up its {} requests of today";

// The command line.
inline constexpr char kGatewayHelp[] =
    "estiva-gateway: one address for all models. estivad says which there are.\n"
    "\n"
    "  --listen ADDR           ADDR:PORT or unix:/PATH, several times; 127.0.0.1:7701 by default.\n"
    "                          An address beyond loopback needs keys\n"
    "  --listen-with-key ADDR  the same, and keys are needed there in any case\n"
    "  --listen-behind-tls ADDR  the same, on any address of this machine: another program takes "
    "TLS\n"
    "                          off in front of it. Without that, only loopback and the bridges of\n"
    "                          containers can be listened on\n"
    "  --listen-tls ADDR       the same, with TLS\n"
    "  --certificate FILE, --private-key FILE\n"
    "                          in PEM; for --listen-tls, and for addresses that are neither\n"
    "                          loopback nor a bridge of containers\n"
    "  --listen off            only where estivad says\n"
    "  --host NAME             another name that requests with a key may use for this machine\n"
    "  --runtime-dir DIR       where estivad's sockets are\n"
    "  --socket FILE           estivad's socket for the gateway, if it is elsewhere\n"
    "  --body-limit SIZE       of a body until it names its model, 128MiB by default\n"
    "  --body-folder DIR       where a large body waits meanwhile, /tmp by default\n"
    "  --response-time TIME    from a request to the head of its answer, 1h by default\n"
    "  --idle-time TIME        between two pieces of an answer, 1h by default\n"
    "  --upload-grace TIME     then a body sends 64 KiB a second or is refused, 30s by default\n"
    "  --grace TIME            for requests under way at the end, 10s by default\n"
    "  --help, --version\n";
inline constexpr char kGatewaySeeHelp[] = "'estiva-gateway --help' lists the options";
inline constexpr char kGatewayUnknownFlag[] = "estiva-gateway has no option {}";
inline constexpr char kGatewayFlagNeedsValue[] = "{} needs a value";

}  // namespace estiva::msg
