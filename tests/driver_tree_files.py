"""Files that a fake driver tree is made of: shared libraries and the linker's cache. Standard library only.

elf() writes the smallest library that has a DT_SONAME, a few hundred bytes, for trees that are only read;
real_stub() lets gcc make one that a program can dlopen. ld_cache() writes /etc/ld.so.cache as glibc's
dl-cache.h describes it, in the new form or with the old table before it.
"""
import os
import struct
import subprocess

I386, X86_64, AARCH64 = 3, 62, 183
FLAGS = {I386: 0x0003, X86_64: 0x0303, AARCH64: 0x0a03}  # "libc6" and the ABI


def elf(soname, machine=X86_64):
    """A shared object: header, one PT_LOAD over all of it, PT_DYNAMIC with STRTAB, STRSZ and SONAME."""
    wide = machine != I386
    head, segment, entry = (64, 56, 16) if wide else (52, 32, 8)
    word = "<qQ" if wide else "<iI"
    strings = b"\0" + (soname.encode() + b"\0" if soname is not None else b"")
    dynamic_at = head + 2 * segment
    tags = [(5, 0), (10, len(strings))] + ([(14, 1)] if soname is not None else []) + [(0, 0)]
    strings_at = dynamic_at + len(tags) * entry
    tags[0] = (5, strings_at)
    size = strings_at + len(strings)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    layout = "<HHIQQQIHHHHHH" if wide else "<HHIIIIIHHHHHH"
    header = ident + struct.pack(layout, 3, machine, 1, 0, head, 0, 0, head, segment, 2, 0, 0, 0)

    def program(kind, at, length):
        if wide:
            return struct.pack("<IIQQQQQQ", kind, 4, at, at, at, length, length, 8)
        return struct.pack("<IIIIIIII", kind, at, at, at, length, length, 4, 4)
    segments = program(1, 0, size) + program(2, dynamic_at, len(tags) * entry)
    return header + segments + b"".join(struct.pack(word, *tag) for tag in tags) + strings


_STUBS = {}


def real_stub(soname, name, folder):
    """Bytes of a library that can be loaded: estiva_stub() returns its name, and libcuda has cuInit."""
    if (soname, name) not in _STUBS:
        code = f'const char* estiva_stub(void) {{ return "{name}"; }}\n'
        if name.startswith("libcuda.so"):
            code += "int cuInit(unsigned flags) { (void)flags; return 0; }\n"
        out = os.path.join(folder, ".stub.so")
        command = ["gcc", "-shared", "-fPIC", "-nostdlib", "-o", out, "-x", "c", "-"]
        if soname is not None:
            command[1:1] = [f"-Wl,-soname,{soname}"]
        subprocess.run(command, input=code, text=True, check=True, timeout=60)
        with open(out, "rb") as file:
            _STUBS[soname, name] = file.read()
        os.unlink(out)
    return _STUBS[soname, name]


def ld_cache(entries, with_old=False):
    """`entries`: (name, path, machine). The tables are sorted as ldconfig does it: names from Z to A."""
    entries = sorted(entries, key=lambda entry: entry[0], reverse=True)
    old = b""
    if with_old:
        # One entry, whose texts stand behind all tables; the new form begins at a multiple of 8.
        old = b"ld.so-1.7.0\0" + struct.pack("<IiII", 1, 3, 0, 0) + bytes(4)
    texts, places = b"", {}
    start = 48 + 24 * len(entries)
    for text in (text for name, path, _ in entries for text in (name, path)):
        if text not in places:
            places[text] = start + len(texts)
            texts += text.encode() + b"\0"
    table = b"".join(struct.pack("<iIIIQ", FLAGS[machine], places[name], places[path], 0, 0)
                     for name, path, machine in entries)
    header = b"glibc-ld.so.cache1.1" + struct.pack("<IIB3xI12x", len(entries), len(texts), 2, 0)
    return old + header + table + texts


def read_elf(path):
    """(machine, SONAME) of a library, by the program's own reading: for the referee. None: no library."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != b"\x7fELF" or data[16:18] != b"\x03\0":
        return None
    wide = data[4] == 2
    machine = struct.unpack_from("<H", data, 18)[0]
    at = struct.unpack_from("<Q" if wide else "<I", data, 32 if wide else 28)[0]
    size, count = struct.unpack_from("<HH", data, 54 if wide else 42)
    loads, dynamic = [], None
    for i in range(count):
        if wide:
            kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", data, at + i * size)
        else:
            kind, offset, address, _, length = struct.unpack_from("<IIIII", data, at + i * size)
        if kind == 1:
            loads.append((address, offset, length))
        if kind == 2:
            dynamic = (offset, length)
    if dynamic is None:
        return machine, ""
    step, word = (16, "<qQ") if wide else (8, "<iI")
    tags = {}
    for place in range(dynamic[0], dynamic[0] + dynamic[1], step):
        tag, value = struct.unpack_from(word, data, place)
        if tag == 0:
            break
        tags[tag] = value
    if 14 not in tags:
        return machine, ""
    table = next(tags[5] - address + offset for address, offset, length in loads
                 if address <= tags[5] < address + length)
    name = data[table + tags[14]:].split(b"\0")[0].decode()
    return machine, "" if "/" in name or name in ("", ".", "..") else name
