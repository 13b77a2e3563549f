#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compile_commands.json from what `make --dry-run V=1` prints, standard input to output.

The format is clang's ("JSON Compilation Database Format Specification"): a command a source file.
A file that is compiled for the library and for the command is there as it is for the library.
"""

import json
import re
import shlex
import sys
from pathlib import Path


def main() -> int:
    found: dict[str, dict[str, object]] = {}
    for line in re.sub(r"\\\n", " ", sys.stdin.read()).splitlines():
        try:
            words = shlex.split(line)
        except ValueError:  # shell code of another recipe
            continue
        sources = [word for word in words if re.search(r"\.(c|cc)$", word)]
        if len(sources) == 1 and "-MMD" in words:
            file = sources[0]
            found.setdefault(file, {"directory": str(Path.cwd()), "file": file, "arguments": words})
    print(json.dumps(list(found.values()), indent=1))
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
