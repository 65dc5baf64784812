#!/usr/bin/env python3
"""Checks the tree's rules on files: which folder may include which, how includes are written, how long files are.

    check_layers.py [ROOT]        prints one line per violation; exit status 1 if there is one
    check_layers.py --selftest    checks the verdicts on small trees, good and bad
"""

import re
import sys
import tempfile
from pathlib import Path

# Folder -> folders it may include besides itself. The same table stands in the folders' target_link_libraries.
MAY_INCLUDE = {
    "decoder": set(),
    "vm": {"decoder"},
    "wasi": {"vm", "decoder"},
    "hostcalls": {"vm", "decoder"},
    "spectests": {"vm", "decoder"},
    "cli": {"wasi", "hostcalls", "spectests", "vm", "decoder"},
    "bench": {"wasi", "hostcalls", "spectests", "vm", "decoder"},
}

# What wasi and hostcalls may see of the folders below them.
PUBLIC_HEADERS = {
    "vm/runtime.hpp", "vm/value.hpp", "vm/trap.hpp", "vm/guest_memory.hpp", "vm/host_function.hpp",
    "vm/interrupt.hpp", "vm/fuel.hpp",
    "decoder/types.hpp", "decoder/error.hpp",
}
SEES_PUBLIC_HEADERS_ONLY = {"wasi", "hostcalls"}

# Folders inside vm that are not for all: the handlers are vm's own, the oracle is a judge for tests.
HANDLERS_USERS = re.compile(r"^vm/")
ORACLE_USERS = re.compile(r"^(vm/oracle|vm/fuzz|spectests)/|_(test|fuzz)\.cpp$|/test_[^/]*\.hpp$")
TESTS = re.compile(r"_(test|fuzz|bench)\.cpp$")

# What a layer must not know: files and standard streams are the host's.
FORBIDDEN_SYSTEM_HEADERS = {
    "decoder": {"iostream", "fstream", "filesystem"},
    "vm": {"iostream", "fstream", "filesystem"},
}

# Guest programs: compiled for WebAssembly, not part of tfvm.
GUEST_SOURCES = {"bench/guests", "cli/examples", "hostcalls/sdk", "hostcalls/examples/c", "hostcalls/testdata"}

MAX_LINES = 600
# Longer files, each with its reason.
MAY_BE_LONGER = {}

SOURCE_SUFFIXES = {".cpp", ".hpp", ".h", ".c", ".def", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def source_files(root):
    """Every source of the layers, as a path from the root."""
    for folder in MAY_INCLUDE:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix in SOURCE_SUFFIXES and not any(name.startswith(guest + "/") for guest in GUEST_SOURCES):
                yield name


def include_violation(root, name, header):
    """Why `name` may not include "header", or None."""
    folder, target = name.split("/")[0], header.split("/")[0]
    if target not in MAY_INCLUDE:
        return f'"{header}": write includes from the root'
    if not (root / header).exists():
        return f'"{header}" does not exist'
    if header.startswith("vm/handlers/") and not HANDLERS_USERS.search(name):
        return f'"{header}" is for vm/ only'
    if header.startswith("vm/oracle/") and not ORACLE_USERS.search(name):
        return f'"{header}" is for tests, fuzzers and spectests/ only'
    if target == folder:
        return None
    if target not in MAY_INCLUDE[folder]:
        return f'"{header}": {folder}/ must not include {target}/'
    if folder in SEES_PUBLIC_HEADERS_ONLY and header not in PUBLIC_HEADERS:
        return f'"{header}" is no public header of {target}/'
    return None


def file_violations(root, name):
    """Yields (line number, text) for each violation in one file."""
    lines = (root / name).read_text(encoding="utf-8").splitlines()
    limit = MAY_BE_LONGER.get(name, (MAX_LINES, ""))[0]
    if len(lines) > limit:
        yield len(lines), f"longer than {limit} lines"
    if name.endswith(".hpp") and "#pragma once" not in lines:
        yield 1, "no #pragma once"
    folder = name.split("/")[0]
    own_header = re.sub(r"(_test|_fuzz|_bench)?\.cpp$", ".hpp", name)
    first = True
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        header, system_header = match.groups()
        if header:
            if violation := include_violation(root, name, header):
                yield number, violation
        elif system_header in FORBIDDEN_SYSTEM_HEADERS.get(folder, ()) and not TESTS.search(name):
            yield number, f"<{system_header}>: {folder}/ must not know files and streams"
        if first and own_header not in (name, header) and (root / own_header).exists():
            yield number, f'the first include is not the own header "{own_header}"'
        first = False


def check(root):
    violations = [f"{name}:{number}: {text}"
                  for name in source_files(root) for number, text in file_violations(root, name)]
    for violation in violations:
        print(violation)
    return len(violations)


def selftest():
    """A clean tree has no violation; each further file adds exactly one."""
    clean = {
        "decoder/types.hpp": "#pragma once\n#include <vector>\n",
        "decoder/reader.hpp": "#pragma once\n",
        "vm/runtime.hpp": '#pragma once\n#include "decoder/reader.hpp"\n',
        "vm/runtime.cpp": '#include "vm/runtime.hpp"\n\n#include <vector>\n\n#include "vm/handlers/add.hpp"\n',
        "vm/handlers/add.hpp": "#pragma once\n",
        "vm/oracle/oracle.hpp": "#pragma once\n",
        "vm/run_fuzz.cpp": '#include "vm/oracle/oracle.hpp"\n',
        "spectests/runner.cpp": '#include "vm/oracle/oracle.hpp"\n',
        "wasi/wasi.hpp": '#pragma once\n#include "vm/runtime.hpp"\n',
        "cli/main.cpp": '#include "wasi/wasi.hpp"\n#include "vm/runtime.hpp"\n',
        "bench/guests/fib.c": '#include "anything.h"\n',
    }
    bad = {
        "decoder/up.cpp": '#include "vm/runtime.hpp"\n',
        "decoder/stream.cpp": "#include <iostream>\n",
        "vm/up.cpp": '#include "wasi/wasi.hpp"\n',
        "vm/judge.cpp": '#include "vm/oracle/oracle.hpp"\n',
        "vm/relative.cpp": '#include "runtime.hpp"\n',
        "vm/missing.cpp": '#include "vm/nowhere.hpp"\n',
        "wasi/deep.cpp": '#include "decoder/reader.hpp"\n',
        "wasi/wasi.cpp": '#include <vector>\n#include "wasi/wasi.hpp"\n',
        "hostcalls/sibling.cpp": '#include "wasi/wasi.hpp"\n',
        "cli/handlers.cpp": '#include "vm/handlers/add.hpp"\n',
        "cli/judge.cpp": '#include "vm/oracle/oracle.hpp"\n',
        "spectests/host.cpp": '#include "wasi/wasi.hpp"\n',
        "bench/command.cpp": '#include "cli/options.hpp"\n',
        "decoder/unguarded.hpp": "struct X;\n",
        "decoder/long.cpp": "\n" * (MAX_LINES + 1),
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)

        def write(name, text):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)

        write("cli/options.hpp", "#pragma once\n")
        for name, text in clean.items():
            write(name, text)
        if check(root) != 0:
            print("selftest: the clean tree has violations")
            return 1
        for name, text in bad.items():
            write(name, text)
            if check(root) != 1:
                print(f"selftest: {name} is not exactly one violation")
                return 1
            (root / name).unlink()
    return 0


def main():
    if sys.argv[1:] == ["--selftest"]:
        return selftest()
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    return 1 if check(root) else 0


if __name__ == "__main__":
    sys.exit(main())
