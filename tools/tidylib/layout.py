"""clang-format: one layout, decided by .clang-format, not by anybody's taste."""
import shutil
import subprocess

from . import tree

TOOL = "clang-format-16"
BATCH = 50


def sources(root):
    return tree.code(root, "src", "sim", "tests", "bench", "clients", "cmake")


def check_format(root, _build):
    if not shutil.which(TOOL):
        return [f"{TOOL} is not installed: run ./test, which installs it"]
    paths, violations = sources(root), set()
    for start in range(0, len(paths), BATCH):
        done = subprocess.run([TOOL, "--dry-run", "-Werror", *map(str, paths[start:start + BATCH])],
                              capture_output=True, text=True, check=False)
        for line in done.stderr.splitlines():
            if ": error:" in line or ": warning:" in line:
                violations.add(line.split(":")[0])
    return [f"{name.removeprefix(str(root) + '/')}: not in our layout: run tools/format" for name in sorted(violations)]
