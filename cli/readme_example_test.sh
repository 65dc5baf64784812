#!/usr/bin/env bash
# Runs the README's embedding example and checks that it prints what its comments promise.
#   readme_example_test.sh EXECUTABLE README
# EXECUTABLE is built from the first ```cpp block of README, whose comments "// prints: TEXT" are, in order, the lines
# of its output.
set -euo pipefail
executable=$1 readme=$2

expected=$(awk '/^```cpp$/ { inside = 1; next } inside && /^```$/ { exit } inside' "$readme" |
  sed -n 's|^.*// prints: ||p')
actual=$("$executable")
if [[ -z $expected ]]; then
  echo "$readme: the first C++ block has no comment '// prints: ...'" >&2
  exit 1
fi
if [[ $actual != "$expected" ]]; then
  printf '%s\n' "the example prints" "$actual" "where the README promises" "$expected" >&2
  exit 1
fi
echo "the example prints what the README promises: $actual"
