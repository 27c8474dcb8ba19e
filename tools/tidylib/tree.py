"""Which files there are, and C++ text without its comments and literals."""
import re
import subprocess

CODE = {".h", ".cpp", ".c"}
SKIPPED_DIRS = {"build", ".git", "node_modules", "__pycache__", ".cache"}


def files(root, *tops):
    """All files under the given top folders (or all), sorted; what git ignores by habit left out."""
    starts = [root / top for top in tops] if tops else [root]
    found = []
    for start in starts:
        if not start.is_dir():
            continue
        for path in start.rglob("*"):
            parts = path.relative_to(root).parts
            if not SKIPPED_DIRS.intersection(parts) and path.is_file():
                found.append(path)
    return sorted(found)


def project_files(root):
    """The files git knows or would take; without git (an unpacked archive) all of them."""
    try:
        listed = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"],
            capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return files(root)
    return sorted(root / name for name in listed if (root / name).is_file())


def code(root, *tops):
    return [path for path in files(root, *tops) if path.suffix in CODE]


def text(path):
    return path.read_text(encoding="utf-8", errors="replace")


def room_of(path, root):
    """src/gpu/nvml.cpp -> gpu; files of other folders -> the folder's name."""
    parts = path.relative_to(root).parts
    return parts[1] if parts[0] == "src" and len(parts) > 2 else parts[0]


_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^()\s\\]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
    re.S)


def _blank(match):
    """A comment becomes spaces, a literal an empty one; line breaks stay, so that lines still count."""
    found = match.group(0)
    newlines = "\n" * found.count("\n")
    return newlines + (" " if found.startswith("/") else '""')


def bare(source):
    """C++ without comments and with empty literals; same number of lines."""
    return _TOKEN.sub(_blank, source)


def line_of(source, position):
    return source.count("\n", 0, position) + 1


def where(path, root, line=None):
    name = str(path.relative_to(root))
    return f"{name}:{line}" if line else name
