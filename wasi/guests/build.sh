#!/usr/bin/env bash
# Builds the guests of this folder, which are committed beside their sources. Needs Debian's clang (16 or later),
# wasi-libc, the wasm32 runtime library of that clang and lld: clang-16 lld-16 libclang-rt-16-dev-wasm32 wasi-libc.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
clang=${CLANG:-clang-16}
for source in *.c; do
  "$clang" --target=wasm32-wasi --sysroot=/usr -Os -Wall -Wextra -Werror -Wl,--strip-all -I../.. -o "${source%.c}.wasm" "$source"
done
