#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the rows of src/preload/v8/v8_offsets.def for the Node.js binaries that are named.

    scripts/v8_offsets.py NODE...            the table
    scripts/v8_offsets.py --check NODE...    is each of these binaries as the table says?

Most of what a stack walk needs V8 says itself, at run time (src/preload/v8/symbols.def). A row has
what it does not say. Part of that stands in the binary all the same, and is read from there: the
sizes of the bytecodes (.symtab, which the binaries of npm and nodejs.org have), where JSEntry finds
c_entry_fp, and what one version exports and the next does not. The rest has no trace in a binary.
It is in KNOWN below, by the version that it begins with; a wrong one shows in `make test-node`,
which compares every frame with what V8 says of it.
"""

import argparse
import re
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "src/preload/v8/v8_offsets.def"

HEAD = """/* SPDX-License-Identifier: Apache-2.0 */
/* THE table of what V8 does not say of itself (symbols.def has the rest), one row for each minor
 * version. scripts/v8_offsets.py prints it from the binaries of Node.js; the members are those of
 * struct lh_v8_offsets.
 *
 * V8_BYTECODES(version, count, sizes...)   bytes of each bytecode: plain, wide, extra wide
 * V8(version, ...)                         904 is 9.4
 */
/* clang-format off */
"""
TAIL = "#undef V8_BYTECODES\n#undef V8\n"

# What no binary says: member, then from which version on it is what.
KNOWN: dict[str, list[tuple[int, str]]] = {
    "function_code": [(904, "48"), (1204, "24"), (1306, "0")],
    "function_shared": [(904, "24"), (1204, "32")],
    "shared_name": [(904, "16"), (1306, "24")],
    "shared_script": [(904, "32"), (1306, "40")],
    "bytecodes_data": [(904, "54"), (1002, "56"), (1103, "54"), (1204, "64")],
    "bytecodes_table": [(904, "32"), (1204, "24")],
    "code_deopt": [(904, "16"), (1204, "8")],
    "code_table": [(904, "24"), (1204, "16")],
    "code_start": [(904, "96"), (1002, "128"), (1103, "40")],
    "code_size": [(904, "40"), (1103, "56"), (1204, "52"), (1306, "56")],
    "code_flags": [(904, "48"), (1306, "52")],
    "stream_code": [(904, "0"), (1103, "8")],
    "scope_first": [(904, "3"), (1306, "5")],
    "scope_has_receiver": [(904, "1"), (1002, "0")],
    "descriptors_first": [(904, "24"), (1401, "32")],
    "deopt_literals": [(904, "2"), (1306, "3")],
    "deopt_positions": [(904, "7"), (1306, "8")],
    "deltas": [(904, "LH_V8_ZIGZAG"), (1401, "LH_V8_FLAGS_BELOW")],
    "has_translations": [(904, "0"), (1306, "1")],
    "builtin_receiver": [(904, "48"), (1406, "40")],
    "kind_baseline": [(904, "11"), (1204, "10"), (1406, "11")],
}

# The same, of the versions that export it: the two have to agree.
EXPORTED = {
    "function_shared": "class_JSFunction__shared__SharedFunctionInfo",
    "shared_name": "class_SharedFunctionInfo__name_or_scope_info__Object",
    "bytecodes_data": "class_BytecodeArray__data__uintptr_t",
    "code_start": "class_Code__instruction_start__uintptr_t",
    "code_size": "class_Code__instruction_size__int",
    "code_flags": "class_Code__flags__uint32_t",
    "scope_first": "scopeinfo_idx_first_vars",
    "descriptors_first": "class_DescriptorArray__header_size__uintptr_t",
    "deopt_literals": "DeoptimizationDataLiteralArrayIndex",
    "deopt_positions": "DeoptimizationDataInliningPositionsIndex",
    "kind_baseline": "CodeKindBaseline",
}

# JSEntry, once it has saved the callee-saved registers: mov %rdi,%r13; push disp32(%r13), which is
# c_entry_fp; clear that; since 13.6 the same of fast_c_call_caller_fp. %r13 points into the
# isolate.
JS_ENTRY = re.compile(
    rb"\x41\x54\x41\x55\x41\x56\x41\x57\x53\x4c\x8b\xef\x41\xff\xb5(....)"
    rb"\x49\xc7\x85........(?:\x41\xff\xb5(....))?",
    re.S,
)
ROOT_REGISTER = 0x80

# It stands behind what the library knows of V8 by then, by less than ENTRY_BYTES of engine.c.
BEFORE_ENTRY = "_ZN2v87Isolate13TryGetCurrentEv"
ENTRY_BYTES = 32 << 20


class Binary:
    """An ELF file with V8 in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = path.read_bytes()
        self.symbols: dict[str, tuple[int, int]] = {}
        for table in ([], ["-D"]):
            self.read_symbols(table)
        major, minor = (self.int_at(f"_ZN2v88internal7Version6{part}_E") for part in NUMBERS)
        if major is None or minor is None:
            raise SystemExit(f"{path}: does not say which V8 it has")
        self.version = major * 100 + minor

    def read_symbols(self, options: list[str]) -> None:
        command = ["nm", "-S", *options, str(self.path)]
        listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        for line in listed.splitlines():
            parts = line.split()
            if len(parts) == 4:
                self.symbols[parts[3].partition("@")[0]] = (int(parts[0], 16), int(parts[1], 16))

    def offset(self, address: int) -> int:
        """Where the file has what it puts at an address."""
        start, count = struct.unpack_from("<Q", self.bytes, 32)[0], self.bytes[56]
        for i in range(count):
            kind, _, offset, low, _, length = struct.unpack_from(
                "<IIQQQQ", self.bytes, start + 56 * i
            )
            if kind == 1 and low <= address < low + length:
                return int(address - low + offset)
        raise SystemExit(f"{self.path}: nothing at {address:#x}")

    def at(self, address: int, size: int) -> bytes:
        return self.bytes[self.offset(address) :][:size]

    def int_at(self, symbol: str) -> int | None:
        if symbol not in self.symbols:
            return None
        value: int = struct.unpack("<i", self.at(self.symbols[symbol][0], 4))[0]
        return value

    def exported(self, name: str) -> int | None:
        return self.int_at(f"v8dbg_{name}")

    def bytecode_sizes(self) -> bytes | None:
        name = "_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE"
        return self.at(*self.symbols[name]) if name in self.symbols else None

    def saved_by_entry(self) -> list[str]:
        """Where in the isolate JSEntry finds the innermost frame of JavaScript."""
        found = JS_ENTRY.search(self.bytes)
        if found is None:
            raise SystemExit(f"{self.path}: JSEntry is not as it is known")
        before = self.offset(self.symbols[BEFORE_ENTRY][0])
        if not before < found.start() < before + ENTRY_BYTES:
            raise SystemExit(f"{self.path}: JSEntry is not where it is looked for")
        return [
            hex(struct.unpack("<i", place)[0] + ROOT_REGISTER) if place else "0"
            for place in found.groups()
        ]

    def members(self) -> dict[str, str]:
        found = dict(zip(("exit_frame", "fast_frame"), self.saved_by_entry(), strict=True))
        for member, history in KNOWN.items():
            values = [value for first, value in history if first <= self.version]
            found[member] = values[-1]
            exported = self.exported(EXPORTED.get(member, ""))
            if exported is not None and str(exported) != values[-1]:
                raise SystemExit(
                    f"{self.path}: {EXPORTED[member]} is {exported}, KNOWN has {values[-1]}"
                )
        return found

    def row(self) -> str:
        sizes = self.bytecode_sizes()
        text = ""
        if sizes is not None:
            numbers = [f"{size}," for size in sizes]
            lines = [" ".join(numbers[i : i + 30]) for i in range(0, len(numbers), 30)]
            body = "\n    ".join(lines).rstrip(",")
            text = f"V8_BYTECODES({self.version}, {len(sizes) // 3},\n    {body})\n"
        body = "".join(f"   .{member} = {value},\n" for member, value in self.members().items())
        return f"{text}V8({self.version},\n{body})\n"


NUMBERS = ("major", "minor")


def check(binaries: list[Binary]) -> int:
    """Is what each says in the table? A binary without .symtab has no sizes to compare."""
    table = TABLE.read_text()
    wrong = 0
    for binary in binaries:
        for part in re.split(r"^(?=V8\()", binary.row(), flags=re.M):
            if part not in table:
                print(f"{binary.path}: V8 {binary.version} is not as {TABLE.name} says")
                wrong = 1
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("node", nargs="+", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    binaries = sorted(map(Binary, options.node), key=lambda binary: binary.version)
    if options.check:
        return check(binaries)
    print(HEAD + "\n".join(binary.row() for binary in binaries) + TAIL, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
