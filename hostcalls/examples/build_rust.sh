#!/usr/bin/env bash
# Compiles the Rust examples for WebAssembly into FOLDER: build_rust.sh FOLDER. RUSTC: a rustc with the target
# wasm32-unknown-unknown (Debian: rustc and libstd-rust-dev-wasm32).
set -euo pipefail
folder=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
compile=("${RUSTC:-rustc}" --edition 2021 --target wasm32-unknown-unknown -O -D warnings)

"${compile[@]}" --crate-type rlib --crate-name terrafirma -o "$folder/libterrafirma.rlib" sdk/rust/src/lib.rs
for source in examples/rust/*.rs; do
  name=$(basename "$source" .rs)
  "${compile[@]}" -C lto -C panic=abort -C strip=symbols --crate-type cdylib \
    --extern "terrafirma=$folder/libterrafirma.rlib" -o "$folder/$name.wasm" "$source"
done
