"""Measuring: builds the launcher, runs rows through it in rounds, and computes the figures of a row from its runs.

What the rows are stands in rows.py; what is made of the figures, in report.py and chart.py.
"""

import math
import random
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TIMEOUT_SECONDS = 60


class MeasureError(Exception):
    """A command that cannot be measured; the text says why, in one line."""


@dataclass
class Run:
    """One start of one command, as the launcher reports it."""

    wall_ms: float
    cpu_ms: float
    peak_kib: int
    minor_faults: int


def compile_static(source, program):
    """Compiles one C file into a static executable with the first C compiler there is."""
    compilers = [name for name in ("cc", "gcc", "clang", "clang-19") if shutil.which(name)]
    if not compilers:
        raise MeasureError("no C compiler (cc, gcc, clang, clang-19)")
    command = [compilers[0], "-O2", "-s", "-static", "-o", str(program), str(source)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MeasureError(f"{compilers[0]} cannot compile {source.name}: {last_line(done.stderr)}")
    return program


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


class Launcher:
    """The program launcher.c, compiled into `directory`."""

    def __init__(self, directory):
        self.program = compile_static(HERE / "launcher.c", directory / "launcher")

    def run(self, row):
        """Starts the row's command once and returns its Run; MeasureError if it failed or did not greet."""
        words = [str(self.program), str(TIMEOUT_SECONDS), *row.command]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        figures, _, output = done.stdout.decode(errors="replace").partition("\n")
        errors = done.stderr.decode(errors="replace")
        if done.returncode != 0:
            raise MeasureError(last_line(errors))
        wall_ns, user_us, system_us, peak_kib, minor_faults, status = map(int, figures.split())
        if status != 0:
            raise MeasureError(f"{last_line(errors)} (exit status {status})")
        if row.greeting not in output:
            raise MeasureError(f"printed {output.strip()[:60]!r} instead of {row.greeting!r}")
        return Run(wall_ns / 1e6, (user_us + system_us) / 1e3, peak_kib, minor_faults)


def measure(rows, launcher, settings, progress):
    """Measures the rows that have no `skipped` reason. Sets their `runs`, or `skipped` if they fail.

    Every round starts the rows in another random order. A fast row is started twice in its turn, and the first start
    is not counted: so every row finds its own files and the processor's caches warm, whatever ran before it. A slow row
    (containers) takes part in `slow_runs` of the rounds, spread over all of them, and is followed by a pause in which
    its engine can clean up.
    """
    order = random.Random(settings.seed)
    for row in rows:
        for _ in range(settings.warm_up):
            attempt(row, launcher)
        row.runs.clear()
    for number in range(settings.runs):
        turn = [row for row in rows if not row.skipped]
        order.shuffle(turn)
        for row in turn:
            if not row.is_slow:
                attempt(row, launcher)
                if row.runs:
                    row.runs.pop()
                attempt(row, launcher)
            elif takes_part(number, settings):
                attempt(row, launcher)
                time.sleep(settings.pause_seconds)
        progress(number + 1, settings.runs)


def takes_part(number, settings):
    """Whether slow rows run in this round: slow_runs of all rounds, evenly spread."""
    slow, rounds = min(settings.slow_runs, settings.runs), settings.runs
    return number * slow // rounds != (number - 1) * slow // rounds


def attempt(row, launcher):
    """Adds one run to the row, or gives the row up with the reason."""
    if row.skipped:
        return
    try:
        row.runs.append(launcher.run(row))
    except MeasureError as error:
        row.skipped = str(error)
        row.runs.clear()


def summary(values, digits=4):
    """Minimum, median, mean and 99th percentile (nearest rank) of a non-empty list."""
    ordered = sorted(values)
    rank = max(0, math.ceil(0.99 * len(ordered)) - 1)
    return {
        "min": round(ordered[0], digits),
        "median": round(statistics.median(ordered), digits),
        "mean": round(statistics.fmean(ordered), digits),
        "p99": round(ordered[rank], digits),
    }
