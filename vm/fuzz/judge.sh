#!/bin/sh
# Lets node's V8 judge the tree interpreter: runs random modules in both and compares results, traps, what host functions
# saw, memories, tables and globals. NaNs are made canonical by the modules themselves.
#   vm/fuzz/judge.sh DIFFERENTIAL FIRST LAST      DIFFERENTIAL: the executable, for example build/asan/differential
set -eu
if [ $# -ne 3 ]; then
  echo "usage: $0 DIFFERENTIAL FIRST LAST" >&2
  exit 2
fi
"$1" --transcripts "$2" "$3" | node --experimental-wasm-memory64 --no-warnings "$(dirname "$0")/judge.mjs"
