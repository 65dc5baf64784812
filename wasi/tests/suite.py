#!/usr/bin/env python3
# The official tests of WASI preview 1: runs the prebuilt programs of a checkout of WebAssembly/wasi-testsuite, branch
# prod/testsuite-all, and compares what each prints and its exit code with its expectation. Programs, expectations and
# the files that the programs are given must have the hashes of suite.sha256; each program works on copies of the files
# and gets no environment but what its expectation names.
#   suite.py TFVM SUITE [NAME...]       NAME: only programs whose name contains it
# One line a program, and last "wasi: P passed, F failed, S skipped". Exit code 0 only if all passed.
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HASHES = Path(__file__).with_name("suite.sha256")
TIMEOUT_SECONDS = 120


def find_tests(suite):
    for folder in (suite / "tests", suite):
        if (folder / "rust").is_dir():
            return folder
    sys.exit(f"suite.py: {suite} is no checkout of wasi-testsuite: it has no folder tests/rust")


def check_hashes(tests):
    """The programs' paths below `tests`, and the set of those files that are missing or differ."""
    programs, wrong = [], {}
    for line in HASHES.read_text().splitlines():
        expected, path = line.split(maxsplit=1)
        if path.endswith(".wasm"):
            programs.append(path)
        try:
            actual = hashlib.sha256((tests / path).read_bytes()).hexdigest()
        except OSError as error:
            wrong[path] = error.strerror
            continue
        if actual != expected:
            wrong[path] = "not the file whose hash is in suite.sha256"
    return programs, wrong


def wrong_file_of(program, wrong):
    """What is wrong with the program, its expectation or the files of its folder; none if nothing."""
    folder = os.path.dirname(program)
    for path, reason in wrong.items():
        is_other_program = os.path.dirname(path) == folder and Path(path).stem != Path(program).stem
        if path.startswith(folder + "/") and not is_other_program:
            return f"{path}: {reason}"
    return None


def run(tfvm, tests, program):
    """None if the program did what it should, else what was different."""
    expectation_file = (tests / program).with_suffix(".json")
    expectation = json.loads(expectation_file.read_text()) if expectation_file.exists() else {}
    command = [tfvm, "run"]
    with tempfile.TemporaryDirectory(prefix="tfvm-wasi-suite-") as scratch:
        for name in expectation.get("dirs", []):
            shutil.copytree(tests / os.path.dirname(program) / name, Path(scratch, name), symlinks=True)
            command += ["--dir", f"{scratch}/{name}::{name}"]
        for name, value in expectation.get("env", {}).items():
            command += ["--env", f"{name}={value}"]
        command += [str(tests / program), *expectation.get("args", [])]
        try:
            result = subprocess.run(command, input=b"", capture_output=True, timeout=TIMEOUT_SECONDS, env={})
        except subprocess.TimeoutExpired:
            return f"still running after {TIMEOUT_SECONDS} s"
    errors = result.stderr.decode(errors="replace")
    if result.returncode != expectation.get("exit_code", 0):
        return f"exit code {result.returncode}, not {expectation.get('exit_code', 0)}\n{errors}"
    output = result.stdout.decode(errors="replace")
    for stream, actual in ("stdout", output), ("stderr", errors):
        if stream in expectation and actual != expectation[stream]:
            return f"{stream} is {actual!r}, not {expectation[stream]!r}"
    return None


def main(arguments):
    if len(arguments) < 2:
        sys.exit("usage: suite.py TFVM SUITE [NAME...]")
    tfvm, tests, names = os.path.abspath(arguments[0]), find_tests(Path(arguments[1]).resolve()), arguments[2:]
    programs, wrong = check_hashes(tests)
    chosen = [each for each in programs if not names or any(name in each for name in names)]

    def judge(program):
        return wrong_file_of(program, wrong) or run(tfvm, tests, program)

    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, difference in zip(chosen, pool.map(judge, chosen)):
            label = f"{program.split('/')[0]} {Path(program).stem}"
            print(f"ok      {label}" if difference is None else f"FAILED  {label}: {difference}", flush=True)
            failed += difference is not None
    skipped = len(programs) - len(chosen)
    print(f"wasi: {len(chosen) - failed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
