"""What is said about the measured rows: the table, the record that is written as JSON, the aims and the machine."""

import datetime
import os
import platform
import sys
from pathlib import Path

from measure import summary

NOTES = [
    "All times are milliseconds of elapsed time from before the start until the end of the process; x is the median "
    "divided by tfvm's. Peak memory is the largest resident size of the command and the processes it waited for.",
    "2019: means on another machine (the document's experiment), for comparison of the order, not of the machines.",
    "ships: the file that has to be sent to a machine that has the runtime already, and gzip -9 of it. runtime: the "
    "executables that must be there before.",
]


def describe_machine():
    """What a reader needs to know to compare figures: processor, memory, system, load now."""
    cpu_info = read("/proc/cpuinfo")
    model = next((line.split(":", 1)[1].strip() for line in cpu_info.splitlines() if line.startswith("model name")),
                 platform.processor() or platform.machine())
    memory_kib = next((int(line.split()[1]) for line in read("/proc/meminfo").splitlines()
                       if line.startswith("MemTotal")), 0)
    system = next((line.split("=", 1)[1].strip('"') for line in read("/etc/os-release").splitlines()
                   if line.startswith("PRETTY_NAME=")), platform.system())
    return {
        "processor": model,
        "processors": len(os.sched_getaffinity(0)),
        "is_virtual_machine": "hypervisor" in cpu_info,
        "memory_mib": memory_kib // 1024,
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "system": system,
    }


def read(path):
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def machine_text(machine):
    where = ", virtual machine" if machine["is_virtual_machine"] else ""
    memory = f"{machine['memory_mib'] / 1024:.0f} GiB"
    return (f"{machine['processor']}, {machine['processors']} processors, {memory}{where}, {machine['system']}, "
            f"{machine['kernel']}")


def make_record(rows, functions, settings, machine, loads):
    """Everything that was measured, as JSON takes it."""
    return {
        "format": 1,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "command": " ".join(["./dev bench startup", *shown_arguments(settings.arguments)]),
        "machine": machine,
        "load_average": {"before": loads[0], "after": loads[1]},
        "settings": {"runs": settings.runs, "slow_runs": settings.slow_runs, "warm_up": settings.warm_up,
                     "seed": settings.seed},
        "rows": [row_record(row) for row in rows],
        "aims": make_aims(rows),
        "functions": functions,
    }


def shown_arguments(arguments):
    """The arguments without what only says where files are on this machine."""
    skip_next = False
    for argument in arguments:
        if not skip_next and not argument.startswith(("--out=", "--tfvm=")) and argument not in ("--out", "--tfvm"):
            name, equals, _ = argument.partition("=")
            yield f"{name}=..." if equals and not argument.startswith("-") else argument
        skip_next = argument in ("--out", "--tfvm")


def row_record(row):
    record = {"name": row.name, "kind": row.kind, "mean_2019_ms": row.mean_2019_ms, "skipped": row.skipped,
              "version": row.version, "note": row.note, "runs": len(row.runs)}
    if row.artefact:
        record["ships"] = {"what": row.artefact.what, "bytes": row.artefact.size, "gzip_bytes": row.artefact.gzip_size}
        record["runtime_bytes"] = row.runtime_size
    if row.runs:
        record["wall_ms"] = summary([run.wall_ms for run in row.runs])
        record["cpu_ms"] = summary([run.cpu_ms for run in row.runs])
        record["peak_kib"] = max(run.peak_kib for run in row.runs)
        record["minor_faults"] = summary([run.minor_faults for run in row.runs])["median"]
        record["all_wall_ms"] = [round(run.wall_ms, 3) for run in row.runs]
    return record


# ---- Aims ------------------------------------------------------------------------------------------------------------


def make_aims(rows):
    """What tfvm wants to reach in the same run, and whether it did; `met` is None where a side was not measured."""
    medians = {row.name: summary([run.wall_ms for run in row.runs])["median"] for row in rows if row.runs}
    peaks = {row.name: max(run.peak_kib for run in row.runs) for row in rows if row.runs}
    mine = medians.get("tfvm")

    def ratio_aim(text, other, bound):
        ratio = mine / medians[other] if mine and other in medians else None
        return aim(text, ratio, bound, "{:.2f} x")

    return [
        ratio_aim("at most 1.15 x wasm3's median", "wasm3", 1.15),
        ratio_aim("below wasm3's median", "wasm3", 1),
        ratio_aim("below the shell script's median", "hello.sh", 1),
        aim("median below theory's 1 ms", mine, 1, "{:.2f} ms"),
        aim("peak memory at most 2.5 MB", megabytes(peaks["tfvm"]) if mine else None, 2.5, "{:.2f} MB"),
    ]


def aim(text, value, bound, form):
    if value is None:
        return {"aim": text, "measured": None, "met": None}
    return {"aim": text, "measured": form.format(value), "met": value <= bound}


# ---- The table -------------------------------------------------------------------------------------------------------

COLUMNS = ["", "2019", "min", "median", "mean", "p99", "x", "CPU", "peak MB", "ships", "gzip", "runtime", "runs"]


def print_table(record, out=sys.stdout):
    """Prints a Markdown table that reads as plain text too, the notes, the aims and the machine."""
    rows = record["rows"]
    base = next((row["wall_ms"]["median"] for row in rows if row["name"] == "tfvm" and row["runs"]), None)
    lines = [COLUMNS, *(table_line(row, base) for row in rows)]
    print_rows(lines, out)
    print(file=out)
    for row in rows:
        if row["skipped"]:
            print(f"* {row['name']}: not measured: {row['skipped']}", file=out)
        elif row["note"]:
            print(f"* {row['name']}: {row['note']}", file=out)
    for note in NOTES:
        print(f"* {note}", file=out)
    print(file=out)
    for item in record["aims"]:
        verdict = {True: "met", False: "not met", None: "not measured"}[item["met"]]
        print(f"* aim: {item['aim']}: {verdict}" + (f" ({item['measured']})" if item["measured"] else ""), file=out)
    print(file=out)
    load = record["load_average"]
    print(f"{machine_text(record['machine'])}; load average {load['before']:.2f} before, {load['after']:.2f} after; "
          f"{record['date']}; {record['command']}", file=out)


def print_rows(lines, out):
    """Prints lines of cells, the first one being the heads, as an aligned Markdown table."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    print_line(lines[0], widths, out)
    print("|" + "|".join("-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths)) + "|",
          file=out)
    for line in lines[1:]:
        print_line(line, widths, out)


def print_line(cells, widths, out):
    padded = [cell.rjust(width) if column else cell.ljust(width)
              for column, (cell, width) in enumerate(zip(cells, widths))]
    print("| " + " | ".join(padded) + " |", file=out)


def table_line(row, base):
    mean_2019 = f"{row['mean_2019_ms']:g}" if row["mean_2019_ms"] is not None else ""
    ships = row.get("ships")
    sizes = [size_text(ships["bytes"]), size_text(ships["gzip_bytes"])] if ships else ["", ""]
    runtime = size_text(row["runtime_bytes"]) if row.get("runtime_bytes") else ""
    if not row["runs"]:
        return [row["name"], mean_2019, "-", "-", "-", "-", "-", "-", "-", *sizes, runtime, "0"]
    wall = row["wall_ms"]
    times = [time_text(wall[name]) for name in ("min", "median", "mean", "p99")]
    ratio = time_text(wall["median"] / base) if base else ""
    return [row["name"], mean_2019, *times, ratio, time_text(row["cpu_ms"]["median"]),
            f"{megabytes(row['peak_kib']):.1f}", *sizes, runtime, str(row["runs"])]


def time_text(milliseconds, digits=2):
    """Milliseconds with `digits` decimals below 10, fewer above."""
    return f"{milliseconds:.{digits}f}" if milliseconds < 10 else f"{milliseconds:.1f}" if milliseconds < 100 else (
        f"{milliseconds:.0f}")


def megabytes(kib):
    return kib * 1024 / 1e6


def size_text(size):
    """Bytes with three digits or so: 496 B, 680 kB, 1.9 MB."""
    if size < 1000:
        return f"{size} B"
    if size < 1000000:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1000000:.1f} MB"
