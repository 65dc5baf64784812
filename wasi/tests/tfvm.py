# Adapter of tfvm for the test runner of https://github.com/WebAssembly/wasi-testsuite:
#   TFVM=build/release/tfvm SUITE/run-tests --runtime-adapter wasi/tests/tfvm.py
# That runner writes into its own checkout; suite.py in this folder does not.
import os
import shlex
import subprocess

TFVM = shlex.split(os.getenv("TFVM", "tfvm"))


def get_name():
    return "tfvm"


def get_version():
    output = subprocess.run(TFVM[:1] + ["--version"], encoding="UTF-8", capture_output=True, check=True).stdout
    return output.split()[1]


def get_wasi_versions():
    return ["wasm32-wasip1"]


def get_wasi_worlds():
    return ["wasi:cli/command"]


def compute_argv(test_path, args_env_dirs, proposals, wasi_world, wasi_version):
    arguments, environment, directories = args_env_dirs
    argv = [*TFVM, "run"]
    for name, value in environment.items():
        argv += ["--env", f"{name}={value}"]
    for host, guest in directories:
        argv += ["--dir", f"{host}::{guest}"]
    return [*argv, test_path, *arguments]
