"""How long files and functions are. A file over 500 lines fails unless it is listed with a reason."""
import re

from . import tree

MAX_FILE_LINES = 500
LONG_FUNCTION = 50
# Path -> why it may be longer. Tables of cases only; code is to be divided.
ALLOWED = {}

_NAMESPACE = re.compile(r"(^|[\s;}])((inline\s+)?namespace\b[\w:\s]*|extern\s+\"\")\s*$")
_TYPE = re.compile(r"\b(class|struct|union|enum)\b[^()=]*$")
_FUNCTION_TAIL = re.compile(r"\)\s*(const|noexcept(\([^)]*\))?|override|final|&|&&|mutable|try|->[^{;]*|\s)*$")
_INITIALISER = re.compile(r"\)\s*(noexcept\s*)?:\s*[^:].*[\w>]\s*$|\)\s*(noexcept\s*)?:\s*[\w:<>]+\s*$", re.S)


def _kind(head, parent):
    """What an opening brace opens: namespace, type, function or block."""
    head = re.sub(r"^\s*#.*$", "", head, flags=re.M)
    if parent not in ("top", "type"):
        return "block"
    if _NAMESPACE.search(head):
        return "top"
    if _INITIALISER.search(head):
        return "init"
    if _FUNCTION_TAIL.search(head):
        return "function"
    if _TYPE.search(head):
        return "type"
    return "block"


def functions(source):
    """(name line, lines) of each function body at namespace or class level."""
    stripped = tree.bare(source)
    stack, found, head_start = [], [], 0
    for match in re.finditer(r"[{};]", stripped):
        char, at = match.group(0), match.start()
        parent = stack[-1][0] if stack else "top"
        if char == "{":
            kind = _kind(stripped[head_start:at], parent)
            stack.append((kind, head_start, at))
            if kind == "init":
                continue
            head_start = at + 1
        elif char == "}" and stack:
            kind, started, opened = stack.pop()
            if kind == "init":
                continue  # the head of the constructor goes on
            if kind == "function":
                first = tree.line_of(stripped, opened)
                found.append((first, tree.line_of(stripped, at) - first + 1))
            head_start = at + 1
        elif parent != "init" and (not stack or stack[-1][0] in ("top", "type")):
            head_start = at + 1
    return found


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0


def measure(root, *tops):
    """Line counts of files, of functions, and the share of comment lines, for the report."""
    file_lines, function_lines, comments, long_ones = [], [], 0, []
    for path in tree.code(root, *tops):
        source = tree.text(path)
        lines = source.splitlines()
        file_lines.append(len(lines))
        comments += sum(line.lstrip().startswith(("//", "/*", "*")) for line in lines)
        for first, length in functions(source):
            function_lines.append(length)
            if length > LONG_FUNCTION:
                long_ones.append((length, tree.where(path, root, first)))
    return file_lines, function_lines, comments, sorted(long_ones, reverse=True)


def check_lengths(root, _build):
    violations = []
    for path in tree.project_files(root):
        if path.suffix not in tree.CODE | {".py", ".sh"} and path.parent != root / "tools":
            continue
        name = tree.where(path, root)
        lines = tree.text(path).count("\n")
        if lines > MAX_FILE_LINES and name not in ALLOWED:
            violations.append(f"{name}: {lines} lines, at most {MAX_FILE_LINES}: divide it, or list it "
                              "in tools/tidylib/lengths.py with the reason")
    return violations
