"""The map: who may include whom, what a pure room may not touch, what stays in .cpp files."""
import re

from . import tree

_LOW = {"base", "model", "format"}
_PORTS = _LOW | {"host", "net", "store"}
_DEVICES = _PORTS | {"gpu", "container"}
_SOURCES = _DEVICES | {"engines", "observe"}
_ROOMS = _SOURCES | {"act", "decide", "memd", "api", "gateway", "daemon", "cli", "tui"}

# Room -> rooms it may include besides itself (docs/architecture.md shows the same as a picture).
MAY_INCLUDE = {
    "base": set(),
    "model": {"base"},
    "format": {"base", "model"},
    "host": _LOW, "net": _LOW, "store": _LOW,
    "gpu": _PORTS, "container": _PORTS,
    "engines": _DEVICES, "observe": _DEVICES,
    "act": _SOURCES,
    "decide": _LOW,
    "memd": {"base", "decide"},
    "api": _ROOMS - {"cli", "tui"},
    "gateway": _ROOMS - {"cli", "tui"},
    "daemon": _ROOMS - {"cli", "tui"},
    "cli": _ROOMS,
    "tui": _ROOMS,
}

PURE_ROOMS = {"decide", "format"}
_IMPURE_HEADERS = re.compile(
    r"(iostream|fstream|filesystem|thread|mutex|shared_mutex|condition_variable|future|atomic|random|"
    r"cstdio|stdio\.h|ctime|time\.h|unistd\.h|fcntl\.h|dirent\.h|sys/(?!types\.h).*|boost/asio.*|systemd/.*)$")
_IMPURE_CALLS = re.compile(
    r"(_clock::now\s*\(|\bsteady_now\s*\(|\bwall_now\s*\(|\blog\s*\(\s*LogLevel|\bgetenv\s*\(|\bstd::c(?:out|err|log|in)\b|\bfopen\s*\(|\brand\s*\(|\bsrand\s*\(|"
    r"\brandom_device\b|\btime\s*\(\s*(?:0|NULL|nullptr)\s*\)|\bclock_gettime\s*\(|\bthread_local\b)")
_VENDORS = re.compile(
    r"^(boost/|sqlite3\.h|toml\+\+|toml\.h|CLI/|nvml\.h|cuda\.h|systemd/|openssl/|nlohmann/|libfyaml)")
_VENDORS_ALLOWED = {"boost/asio/awaitable.hpp"}
# Headers that only the .cpp files beside them include -> which.
_PRIVATE_HEADERS = {"src/format/settings_reader.h": "settings.cpp, settings_reader.cpp and model_toml.cpp"}
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def includes(path):
    """(line, kind, name) of each #include; kind is '<' or '\"'."""
    source = tree.text(path)
    return [(tree.line_of(source, m.start(1)), m.group(1), m.group(2))
            for m in _INCLUDE.finditer(source)]


def _check_file(path, root, room):
    for line, kind, name in includes(path):
        if kind != '"' or "/" not in name:
            continue
        target = name.split("/")[0]
        if target == "sim":
            yield f"{tree.where(path, root, line)}: the product never includes the simulator"
        elif target in MAY_INCLUDE and target != room and target not in MAY_INCLUDE[room]:
            yield (f"{tree.where(path, root, line)}: {room} may not include {target}; "
                   f"it may include {', '.join(sorted(MAY_INCLUDE[room])) or 'nothing'}")


def _check_links(root):
    """A link in a room's CMakeLists.txt follows the same order as an #include."""
    for path in sorted(root.glob("src/*/CMakeLists.txt")):
        room = path.parent.name
        for block in re.findall(r"\b(?:estiva_room|estiva_program|target_link_libraries)\(([^)]*)\)", tree.text(path)):
            # estiva_gpu and estiva_gpu_core both belong to the room gpu.
            for target in re.findall(r"\bestiva_([a-z]+)", block):
                if target in MAY_INCLUDE and target != room and target not in MAY_INCLUDE.get(room, set()):
                    yield f"{tree.where(path, root)}: {room} may not link {target}"


def check_includes(root, _build):
    violations = []
    for path in tree.code(root, "src"):
        room = tree.room_of(path, root)
        if room not in MAY_INCLUDE:
            violations.append(f"{tree.where(path, root)}: room {room} is not on the map: "
                              "add it to tools/tidylib/rooms.py and docs/architecture.md")
            continue
        violations.extend(_check_file(path, root, room))
    return violations + list(_check_links(root)) + list(_check_simulator(root))


def _check_simulator(root):
    """The simulator stands for somebody else's library: it shares no code with the product."""
    for path in tree.code(root, "sim"):
        for line, kind, name in includes(path):
            if kind == '"' and not name.startswith("sim/") and (root / "src" / name).exists():
                yield f"{tree.where(path, root, line)}: the simulator may not include {name} of the product"


def check_purity(root, _build):
    violations = []
    for path in tree.code(root, *(f"src/{room}" for room in sorted(PURE_ROOMS))):
        for line, _, name in includes(path):
            if _IMPURE_HEADERS.match(name):
                violations.append(f"{tree.where(path, root, line)}: a pure room may not include {name}; "
                                  "let the caller pass the value in")
        source = tree.bare(tree.text(path))
        for match in _IMPURE_CALLS.finditer(source):
            violations.append(f"{tree.where(path, root, tree.line_of(source, match.start()))}: "
                              f"a pure room may not use {match.group(0).strip()}")
    return violations


def check_vendor_headers(root, _build):
    return [f"{tree.where(path, root, line)}: {name} in a header; include it in the .cpp file"
            for path in tree.code(root, "src")
            if path.suffix == ".h" and tree.where(path, root) not in _PRIVATE_HEADERS
            for line, _, name in includes(path)
            if _VENDORS.match(name) and name not in _VENDORS_ALLOWED]
