#!/usr/bin/env python3
"""Compares engines on the guests of bench/guests: who is faster, by how much, with the right answer.

Every engine is a command line, NAME=COMMAND. The first one is the base of the ratios. COMMAND is
split as a shell would split it, but no shell runs it; these words are replaced in it:

    {wasm}    the guest as a WASI command that prints its checksum
    {bare}    the guest without imports, exporting "run: () -> i32"
    {native}  the guest as a native program
    {name}    the guest's name

Example, with the guests built by bench/guests/build.sh into /tmp/guests:

    bench/compare.py --guests /tmp/guests \\
        'tfvm=build/release/tfvm run {wasm}' 'native={native}' 'other=/opt/other/bin/engine {wasm}'

What is measured is the CPU time of the whole process, user and system, start included. The runs are
interleaved: each round runs every engine on every guest once, in an order that rotates, so that a
slow minute of the machine is shared by all. The table shows medians in seconds; "wrong" is an output
other than the expected checksum, "failed" a non-zero exit or a run beyond --timeout. The last lines
show, for each engine, the geometric mean of its time divided by the base's time, over the guests
that both got right.

Exit status: 0 when the base got every guest right, 1 otherwise, 2 for wrong options.
"""

import argparse
import json
import math
import os
import shlex
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Engine:
    """A name and a command template."""

    def __init__(self, text):
        name, separator, command = text.partition("=")
        if not separator or not name or not command:
            raise argparse.ArgumentTypeError(f"'{text}' is not NAME=COMMAND")
        self.name = name
        self.words = shlex.split(command)

    def command_line(self, directory, guest):
        places = {
            "{wasm}": str(directory / f"{guest}.wasm"),
            "{bare}": str(directory / "bare" / f"{guest}.wasm"),
            "{native}": str(directory / "native" / guest),
            "{name}": guest,
        }
        words = []
        for word in self.words:
            for place, value in places.items():
                word = word.replace(place, value)
            words.append(word)
        return words


class Cell:
    """All runs of one engine on one guest."""

    def __init__(self):
        self.times = []
        self.problem = None

    def text(self):
        return self.problem or f"{statistics.median(self.times):.3f}"


def parse_arguments():
    summary, _, details = __doc__.partition("\n")
    parser = argparse.ArgumentParser(
        description=summary, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("engines", nargs="+", type=Engine, metavar="NAME=COMMAND")
    parser.add_argument("--guests", type=Path, required=True, metavar="DIR", help="where the built guests are")
    parser.add_argument("--expected", type=Path, default=HERE / "guests" / "expected.txt", metavar="FILE",
                        help="lines of 'name checksum' (default: %(default)s)")
    parser.add_argument("--only", action="append", metavar="NAME", help="run this guest only (repeatable)")
    parser.add_argument("--runs", type=int, default=5, help="rounds (default: %(default)s)")
    parser.add_argument("--cpu", type=int, help="pin every run to this CPU")
    parser.add_argument("--wall", action="store_true", help="measure elapsed time instead of CPU time")
    parser.add_argument("--timeout", type=float, default=120, help="seconds of elapsed time for one run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single time here too")
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error("--runs must be at least 1")
    return arguments


def read_expected(path):
    """Returns the checksums by guest name, in the order of the file."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {words[0]: words[1] for words in lines if len(words) == 2}


def wait_for_end(process, timeout):
    """Reaps the process; returns (status, resource usage), or None after killing it at the timeout."""
    timed_out = False

    def stop(_signal, _frame):
        nonlocal timed_out
        timed_out = True
        process.kill()

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, timeout)
    try:
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    process.returncode = os.waitstatus_to_exitcode(status)
    return None if timed_out else (process.returncode, usage)


def run_once(words, arguments):
    """Runs one command. Returns (seconds, output), seconds being None if it failed."""
    begin = time.monotonic()
    # The output is one short line, so the pipe cannot fill up while we wait.
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError as error:
        sys.exit(f"compare.py: cannot run {words[0]}: {error.strerror}")
    ended = wait_for_end(process, arguments.timeout)
    elapsed = time.monotonic() - begin
    output = process.stdout.read().decode(errors="replace")
    process.stdout.close()
    if ended is None or ended[0] != 0:
        return None, output
    return elapsed if arguments.wall else ended[1].ru_utime + ended[1].ru_stime, output


def measure(engines, guests, expected, arguments):
    """Returns {(engine name, guest): Cell} after all rounds."""
    cells = {(engine.name, guest): Cell() for engine in engines for guest in guests}
    for round_number in range(arguments.runs):
        shift = round_number % len(engines)
        for guest in guests:
            for engine in engines[shift:] + engines[:shift]:
                cell = cells[engine.name, guest]
                if cell.problem:
                    continue
                seconds, output = run_once(engine.command_line(arguments.guests, guest), arguments)
                if seconds is None:
                    cell.problem = "failed"
                elif output.split() != [expected[guest]]:
                    cell.problem = "wrong"
                else:
                    cell.times.append(seconds)
        print(f"round {round_number + 1} of {arguments.runs} done", file=sys.stderr)
    return cells


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def ratios_to_base(name, base, guests, cells):
    """Time of the engine divided by the base's, over the guests that both got right."""
    found = []
    for guest in guests:
        mine, other = cells[name, guest], cells[base, guest]
        if not mine.problem and not other.problem:
            found.append(statistics.median(mine.times) / max(statistics.median(other.times), 1e-6))
    return found


def print_table(engines, guests, cells):
    names = [engine.name for engine in engines]
    width = max(9, *(len(name) + 1 for name in names))
    first = max(len("ratio (geometric mean)"), *(len(guest) for guest in guests))
    print(" " * first + "".join(f"{name:>{width}}" for name in names))
    for guest in guests:
        print(f"{guest:<{first}}" + "".join(f"{cells[name, guest].text():>{width}}" for name in names))
    ratios = [ratios_to_base(name, names[0], guests, cells) for name in names]
    means = [f"{geometric_mean(found):.2f}" if found else "-" for found in ratios]
    print(f"{'ratio (geometric mean)':<{first}}" + "".join(f"{mean:>{width}}" for mean in means))
    print(f"{'guests compared':<{first}}" + "".join(f"{len(found):>{width}}" for found in ratios))


def main():
    arguments = parse_arguments()
    names = [engine.name for engine in arguments.engines]
    if len(set(names)) != len(names):
        sys.exit("compare.py: two engines have the same name")
    if arguments.cpu is not None:
        os.sched_setaffinity(0, {arguments.cpu})
    expected = read_expected(arguments.expected)
    guests = arguments.only or list(expected)
    for guest in guests:
        if guest not in expected:
            sys.exit(f"compare.py: no guest '{guest}' in {arguments.expected}")

    cells = measure(arguments.engines, guests, expected, arguments)
    print_table(arguments.engines, guests, cells)
    if arguments.json:
        records = {
            guest: {name: cells[name, guest].problem or cells[name, guest].times for name in names}
            for guest in guests
        }
        arguments.json.write_text(json.dumps(records, indent=1) + "\n")
    return 0 if not any(cells[names[0], guest].problem for guest in guests) else 1


if __name__ == "__main__":
    sys.exit(main())
