#!/usr/bin/env bash
# Compiles C guests for WebAssembly: build.sh FOLDER puts the modules of the examples and of the tests there; without
# FOLDER it renews those beside their sources. CLANG: a clang with the target wasm32, and lld beside it (Debian: clang-19,
# lld-19).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-}

compile() {  # OUTPUT SOURCE [OPTIONS...]
  local output=$1
  [[ -z $folder ]] || output=$folder/$(basename "$1")
  shift
  "${CLANG:-clang-19}" --target=wasm32-unknown-unknown -O2 -Wall -Wextra -Werror -nostdlib -Wl,--no-entry \
    -Wl,--strip-all -Isdk/c -o "$output" "$@"
  chmod 644 "$output"
}

for source in examples/c/*.c; do
  compile "${source%.c}.wasm" "$source"
done
compile testdata/replay_hello.wasm testdata/replay.c -DREPLAY=1
compile testdata/replay_simple.wasm testdata/replay.c -DREPLAY=2
compile testdata/replay_c.wasm testdata/replay.c -DREPLAY=3
