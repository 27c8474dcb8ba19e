"""Our own row beside the codebases we like: lengths, comments, test code, compile time. Never fails."""
import collections

from . import lengths, tree, words

SLOWEST = 8


def _compile_times(build):
    """Output -> seconds of its last compilation, from ninja's log."""
    log = build / ".ninja_log"
    times = {}
    if log.exists():
        for line in log.read_text(errors="replace").splitlines()[1:]:
            fields = line.split("\t")
            if len(fields) >= 4 and fields[3].endswith((".o", ".gch", ".pch")):
                times[fields[3]] = (int(fields[1]) - int(fields[0])) / 1000
    return times


def _shape(root, label, *tops):
    files, functions, comments, long_ones = lengths.measure(root, *tops)
    lines = sum(files)
    print(f"{label}: {len(files)} files, {lines} lines; file median {lengths.percentile(files, 0.5)}, "
          f"p90 {lengths.percentile(files, 0.9)}, max {max(files, default=0)}; {len(functions)} functions: median "
          f"{lengths.percentile(functions, 0.5)}, p90 {lengths.percentile(functions, 0.9)}, max "
          f"{max(functions, default=0)}; comments {100 * comments // max(lines, 1)} %")
    for length, place in long_ones[:SLOWEST]:
        print(f"  long function: {place} {length} lines")
    return lines


def check_report(root, build):
    ours = _shape(root, "source", "src", "sim")
    tests = _shape(root, "tests", "tests")
    print(f"test code to source: {tests / max(ours, 1):.2f}")
    times = _compile_times(build)
    for output, seconds in collections.Counter(times).most_common(SLOWEST):
        print(f"  slow to compile: {output.split('CMakeFiles/')[-1]} {seconds:.1f} s")
    print(f"compiled {len(times)} files in {sum(times.values()):.0f} s (wall, summed)")
    outside = words.sentences_outside(root)
    print(f"literals outside the message catalogue that look like sentences: {len(outside)}")
    for place in outside[:SLOWEST]:
        print(f"  {place}")
    return []
