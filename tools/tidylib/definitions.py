"""One definition of a name: two types of one name in one namespace, or two lists of members (fields()) of one
type, are one symbol to the linker, which keeps either. The compiler says nothing of it, and the program then
reads with the wrong one, depending on what was inlined."""
import re

from . import tree

_NAMESPACE = re.compile(r"^(?:inline )?namespace ([\w:]*) ?\{")
_END = re.compile(r"^\}  // namespace")
_TYPE = re.compile(r"^(?:struct|class|enum class|enum) (\w+)(?: final)?(?: : [^;{]+)? \{")
_FIELDS = re.compile(r"^(?:static |inline )?void fields\(Io& \w+, (?:const )?([\w:]+)& \w+\)")


def definitions(path):
    """(line, name) of what the linker sees under a name that another file may have too."""
    spaces = []
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        opened, made, listed = _NAMESPACE.match(line), _TYPE.match(line), _FIELDS.match(line)
        if opened:
            spaces.append(opened.group(1))
        elif _END.match(line) and spaces:
            spaces.pop()
        elif listed:
            yield number, f"fields({listed.group(1).split('::')[-1]}&)"
        elif made and "" not in spaces:
            yield number, "::".join([*spaces, made.group(1)])


def check_definitions(root, _build):
    first, violations = {}, []
    for path in tree.code(root, "src"):
        for line, name in definitions(path):
            if name in first:
                violations.append(f"{tree.where(path, root, line)}: {name} is defined in {first[name]} too: "
                                  "give it a name of its own, or one header for both")
            first.setdefault(name, tree.where(path, root, line))
    return violations
