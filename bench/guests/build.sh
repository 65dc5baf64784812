#!/bin/sh
# Builds every guest of this folder: build.sh DIRECTORY
#   DIRECTORY/NAME.wasm        a WASI command that prints its checksum, and exports "run"
#   DIRECTORY/bare/NAME.wasm   the same without imports: exports "run" alone
#   DIRECTORY/native/NAME      the native program (gcc -O2)
# CLANG and CC choose the compilers. Features are pinned, so that a newer clang brings no new ones.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 2; }
directory=$1
source=$(cd "$(dirname "$0")" && pwd)
cc=${CC:-gcc}
clang=${CLANG:-}
for candidate in clang-19 clang-16 clang; do
    [ -n "$clang" ] || ! command -v "$candidate" >/dev/null || clang=$candidate
done
[ -n "$clang" ] || { echo "$0: no clang found; set CLANG" >&2; exit 1; }

# No loop may become a call of memset or memcpy, and the stack stays small and in front of the data.
flags="--target=wasm32 -mcpu=mvp -msign-ext -mmutable-globals -O2 -ffreestanding -fno-builtin
    -nostdlib -Wall -Wextra -Wl,--no-entry -Wl,--stack-first -Wl,-z,stack-size=65536"
mkdir -p "$directory/bare" "$directory/native"
for file in "$source"/*.c; do
    name=$(basename "$file" .c)
    # shellcheck disable=SC2086
    "$clang" $flags -o "$directory/$name.wasm" "$file"
    # shellcheck disable=SC2086
    "$clang" $flags -DBARE -o "$directory/bare/$name.wasm" "$file"
    "$cc" -O2 -fno-math-errno -ffp-contract=off -DNATIVE -o "$directory/native/$name" "$file"
done
