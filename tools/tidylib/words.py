"""Words that may not be in the project, and the message catalogue."""
import re

from . import rooms, tree

# Written in two halves, so that this file does not find itself.
_UNDONE = re.compile("|".join([r"\bFIX" r"ME\b", r"\bTO" r"DO\b", r"\bXX" r"X\b", "not implemented" " yet"]))
_MACHINE = re.compile("|".join([
    r"(?<![\w.-])/wo" r"rk/", r"(?<![\w.-])/ro" r"ot/", r"farm-(bench" r"|studio)", r"\bissues sh" r"ow\b"]))
_REGISTRIES = re.compile("|".join([
    r"deb\.deb" r"ian\.org", r"security\.deb" r"ian\.org", r"snapshot\.deb" r"ian\.org", r"py" r"pi\.org",
    r"registry\.np" r"mjs\.org", r"pythonho" r"sted\.org", r"proxy\.gol" r"ang\.org", r"index\.cra" r"tes\.io"]))
_BANNED = [
    (_UNDONE, "finish it, or put it in an issue"),
    (_MACHINE, "a path or tool of one particular machine"),
    (_REGISTRIES, "take the mirror from the machine's own configuration"),
]
_NOT_OURS = {"LICENSE", "package-lock.json"}


def check_words(root, _build):
    violations = []
    for path in tree.project_files(root):
        if path.name in _NOT_OURS or path.stat().st_size > 2_000_000:
            continue
        source = tree.text(path)
        if "\0" in source:
            continue
        for pattern, advice in _BANNED:
            for match in pattern.finditer(source):
                violations.append(f"{tree.where(path, root, tree.line_of(source, match.start()))}: "
                                  f"\"{match.group(0)}\": {advice}")
    return violations


_CONSTANT = re.compile(r"^inline constexpr [\w:]+ (k\w+)", re.M)


def check_messages(root, _build):
    """The catalogue has a file a room (or a file ROOM_PART for a part of one), and only sentences:
    each constant lives in estiva::msg. Two files may not use one name: the linker would take one of the
    two for both, whatever its type."""
    violations, owners = [], {}
    for path in sorted((root / "src/base/messages").glob("*.h")):
        if path.stem.split("_")[0] not in {*rooms.MAY_INCLUDE, "sensor", "sim"}:
            violations.append(f"{tree.where(path, root)}: no room of that name")
        if not re.search(r"namespace estiva::msg\b", tree.text(path)):
            violations.append(f"{tree.where(path, root)}: its text belongs into namespace estiva::msg")
        space = re.search(r"namespace (estiva::msg[\w:]*)", tree.text(path))
        for found in _CONSTANT.finditer(tree.text(path)):
            name = (space and space[1], found[1])
            if name in owners:
                violations.append(f"{tree.where(path, root, tree.line_of(tree.text(path), found.start()))}: "
                                  f"{found[1]} is in {tree.where(owners[name], root)} too")
            owners[name] = path
    return violations


_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")


def check_links(root, _build):
    """A relative link in a document leads somewhere."""
    return [f"{tree.where(path, root, tree.line_of(source, match.start()))}: {match.group(1)} does not exist"
            for path in tree.project_files(root) if path.suffix == ".md"
            for source in [tree.text(path)]
            for match in _LINK.finditer(source)
            if not (path.parent / match.group(1)).exists()]


_SENTENCE = re.compile(r'"([A-Za-z](?:\\.|[^"\\\n])*)"')


def sentences_outside(root):
    """Literals that look like a sentence for a user, outside the catalogue: a heuristic, reported only."""
    found = []
    for path in tree.code(root, "src"):
        if "messages" in path.parts:
            continue
        source = re.sub(r"//[^\n]*", "", tree.text(path))
        for match in _SENTENCE.finditer(source):
            if match.group(1).count(" ") >= 5:
                found.append(f"{tree.where(path, root, tree.line_of(source, match.start()))}")
    return found
