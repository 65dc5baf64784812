#!/usr/bin/env bash
# Renews startup.order: the functions that run when a small program starts, for the linker to put side by side. A name
# that is not there any more does no harm. Needs valgrind.
#   cli/startup_order.sh TFVM
set -euo pipefail
tfvm=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")"
profile=$(mktemp)
trap 'rm -f "$profile"' EXIT
for arguments in 'run examples/hello.wasm' 'examples/hello.wasm'; do
  # shellcheck disable=SC2086  # words
  valgrind --quiet --tool=callgrind --demangle=no --callgrind-out-file="$profile" "$tfvm" $arguments >/dev/null
  grep -oE '^c?fn=\([0-9]+\) .*' "$profile" | sed -E "s/^c?fn=\([0-9]+\) //; s/'[0-9]*\$//"
done | awk '!seen[$0]++' >startup.order
