#!/usr/bin/env bash
# Everything that needs a GPU, in one call, on a machine that has one but no Rust.
#
# Build the programs elsewhere and carry them along:
#
#   cargo build --release -p axonml-cli -p xtask --features axonml-cli/cuda,xtask/cuda
#   mkdir -p gpu-bin && cp target/release/{axonml,xtask} gpu-bin && strip gpu-bin/*
#
# then, on the machine with the GPU:
#
#   scripts/gpu-check.sh [BIN_FOLDER] [RESULT_FOLDER]
#
# It compares every model with the scalar reference, gradients included (a failure ends the script with its exit code),
# checks small cases with compute-sanitizer, and measures speed. Results are JSON files and logs in RESULT_FOLDER.
# `--quick` as third argument leaves out the sweep over sizes.
set -euo pipefail
bin=${1:-gpu-bin}
out=${2:-gpu-results}
mkdir -p "$out"

say() { printf '\n=== %s\n' "$*"; }

say "devices"
"$bin/axonml" devices --json | tee "$out/devices.json"

say "verify: every model against the scalar reference"
"$bin/axonml" verify --gpu require --json >"$out/verify.json"
"$bin/axonml" verify --gpu require | tee "$out/verify.txt"

say "thresholds of 96,000 fibers"
# 12 fibers of the bundled nerve at 8000 diameters.
"$bin/axonml" threshold --backend cuda --precision f32 --diameter 5.7:14:8000 --resolution 1e-3 \
    -o "$out/thresholds.json" | tail -n 1 | tee "$out/thresholds.txt"

say "compute-sanitizer on a small case"
if command -v compute-sanitizer >/dev/null; then
    small=(threshold --backend cuda --point 1000,0,0 --nodes 21 --tstop 1 --resolution 0.1 --detect-nodes 10)
    for tool in memcheck racecheck synccheck; do
        for model in mrg smf; do
            compute-sanitizer --tool "$tool" --error-exitcode 9 "$bin/axonml" "${small[@]}" --model "$model" \
                >"$out/sanitizer-$tool-$model.txt" 2>&1 || { tail -n 20 "$out/sanitizer-$tool-$model.txt"; exit 9; }
            echo "$tool $model: no errors"
            # Forward and back: the case of `verify`.
            compute-sanitizer --tool "$tool" --error-exitcode 9 "$bin/axonml" verify --gpu require --model "$model" \
                >"$out/sanitizer-$tool-$model-verify.txt" 2>&1 || { tail -n 20 "$out/sanitizer-$tool-$model-verify.txt"; exit 9; }
            echo "$tool $model with gradients: no errors"
        done
    done
else
    echo "DID NOT RUN: compute-sanitizer is not installed"
fi

say "speed"
"$bin/xtask" bench --json "$out/bench.json"
if [ "${3:-}" != "--quick" ]; then
    "$bin/xtask" bench --sweep --repeat 3 --json "$out/bench-sweep.json"
fi
say "results are in $out"
