#!/usr/bin/env bash
# Everything that needs a GPU, in one call of at most 8 minutes, on a machine that has one but no Rust.
#
# Build the programs elsewhere and carry them along:
#
#   cargo build --profile dist -p axonml-cli -p xtask --features axonml-cli/cuda,xtask/cuda
#   mkdir -p gpu-bin && cp target/dist/{axonml,xtask} gpu-bin
#
# then, on the machine with the GPU:
#
#   scripts/gpu-check.sh [--host-kernels] [--seconds N] [BIN_FOLDER] [RESULT_FOLDER]
#
# Steps come in the order of their value, each with a time limit; one that fails or hangs keeps no other from running, and a
# table at the end says what became of each. Steps that do not fit into N seconds (default 470) are not begun. The exit code
# is 1 if a step failed or took too long, 2 if the call is wrong, else 0. What steps print, and figures as JSON, lie in
# RESULT_FOLDER (gpu-results).
#
# --host-kernels tries the script without a GPU: the generated kernels run on the processor where a step compares, the
# processor takes the place of the device where it measures, with less work, and what only a device can do is left out.
set -uo pipefail

usage() { echo "usage: $0 [--host-kernels] [--seconds N] [BIN_FOLDER] [RESULT_FOLDER]" >&2; exit 2; }

host=false
seconds=470
folders=()
while (($#)); do
    case $1 in
        --host-kernels) host=true ;;
        --seconds) seconds=${2:-}; [[ $seconds =~ ^[1-9][0-9]*$ ]] || usage; shift ;;
        -*) usage ;;
        *) folders+=("$1") ;;
    esac
    shift
done
((${#folders[@]} <= 2)) || usage
bin=${folders[0]:-gpu-bin}
mkdir -p "${folders[1]:-gpu-results}" || exit 2
out=$(cd "${folders[1]:-gpu-results}" && pwd)
axonml=$bin/axonml xtask=$bin/xtask
[[ -x $axonml ]] || { echo "error: $axonml is no program; the head of $0 says how to make it" >&2; exit 2; }

began=$SECONDS
rows=()
failures=0

# NAME RESULT WALL: a line of the table.
row() { rows+=("$(printf '%-34s %8s  %s' "$1" "${3:+$3 s}" "$2")"); echo "--- $1: $2"; }

# step NAME LIMIT KIND COMMAND...: runs a command for LIMIT seconds at most. KIND `whole` has to end by itself; of `part`, what
# it printed until it was stopped counts, too.
step() {
    local name=$1 limit=$2 kind=$3 log code left start
    shift 3
    printf '\n=== %s\n' "$name"
    left=$((seconds - (SECONDS - began)))
    ((left >= 5)) || { row "$name" "NOT REACHED: the time was up" ""; return; }
    ((limit <= left)) || limit=$left
    log=$out/${name//[ \/]/-}.txt
    start=$SECONDS
    timeout --kill-after=5 "$limit" "$@" >"$log" 2>&1 </dev/null
    code=$?
    tail -n 40 "$log"
    case $code in
        0) row "$name" passed $((SECONDS - start)) ;;
        124 | 137)
            if [[ $kind == part ]]; then
                row "$name" "stopped after $limit s; $(grep -c . "$log") lines are kept" $((SECONDS - start))
            else
                row "$name" "FAILED: took more than $limit s" $((SECONDS - start))
                failures=$((failures + 1))
            fi ;;
        *)  row "$name" "FAILED: exit code $code" $((SECONDS - start))
            failures=$((failures + 1)) ;;
    esac
}

skip() { printf '\n=== %s\n' "$1"; row "$1" "DID NOT RUN: $2" ""; }

# Machine instructions of the kernels that a run has left in the cache: all, those of the unit for special functions, and
# registers. Cached files end with a checksum of 32 bytes.
count_instructions() {
    local found=false file code=$out/kernel.cubin
    for file in "$XDG_CACHE_HOME"/axonml/kernels/*.cubin; do
        [[ -f $file ]] || continue
        found=true
        head -c -32 "$file" >"$code"
        cuobjdump --dump-sass "$code" | awk '
            /Function :/ { name = $NF }
            /^[[:space:]]*\/\*[0-9a-f]+\*\/[[:space:]]/ { all[name]++; if (/ MUFU/) mufu[name]++ }
            END { for (name in all) printf "%s: %d instructions, %d MUFU\n", name, all[name], mufu[name] }'
        cuobjdump --dump-resource-usage "$code" | grep -o 'Function .*\|REG:[0-9]*'
    done
    rm -f "$code"
    $found
}

if $host; then
    compared=(--gpu never --host-kernels --model mrg,smf)
    on=(--backend cpu --threads 2)
    many=5.7:14:8 some=5.7:14:4 khz_ms=1
else
    # Kernels are compiled anew, and kept with the results.
    export XDG_CACHE_HOME=$out/cache
    compared=(--gpu require)
    on=(--backend cuda)
    # Of the bundled nerve's fibers 12 times 8000; a tenth of a kHz study of 47,600 fibers.
    many=5.7:14:8000 some=5.7:14:4760 khz_ms=100
fi

step "devices" 30 whole "$axonml" devices --json
step "verify" 150 whole "$axonml" verify "${compared[@]}"
if [[ ! -x $xtask ]]; then
    skip "speed of 100,000 fibers" "$xtask is no program"
elif $host; then
    step "speed of 100,000 fibers" 60 whole "$xtask" bench --only .f32.core --fibers 32 --repeat 1 --json "$out/bench.json"
else
    step "speed of 100,000 fibers" 60 whole "$xtask" bench --only .f32.cuda --repeat 3 --json "$out/bench.json"
fi
step "thresholds of 96,000 fibers" 60 whole "$axonml" threshold "${on[@]}" --precision f32 --diameter "$many" \
    --resolution 1e-3 --format json -o "$out/thresholds.json"
if $host; then
    skip "instructions of mrg f32" "needs a device"
elif ! command -v cuobjdump >/dev/null; then
    skip "instructions of mrg f32" "cuobjdump is not installed"
else
    # A cache of its own: only this kernel is in it.
    XDG_CACHE_HOME=$out/cache-mrg-f32
    step "compile mrg f32" 30 whole "$axonml" run "${on[@]}" --precision f32 --model mrg --diameter 10 --point 1000,0,0 \
        --nodes 53 --tstop 0.1 --format csv
    export -f count_instructions
    export out
    step "instructions of mrg f32" 30 whole bash -c 'count_instructions'
    XDG_CACHE_HOME=$out/cache
fi
step "a tenth of a kHz study" 60 whole "$axonml" run "${on[@]}" --precision f32 --model mrg --diameter "$some" --nodes 101 \
    --point 1000,0,0 --amplitude 0.2 --pulse sine:freq=10,delay=0.5 --dt 0.001 --tstop "$khz_ms" --format csv \
    -o "$out/khz.csv"
if $host; then
    for name in "speed of gradients" "sweep"; do skip "$name" "needs a device"; done
elif [[ -x $xtask ]]; then
    step "speed of gradients" 45 whole "$xtask" bench --only over_forward.cuda --repeat 3 --json "$out/bench-gradients.json"
    step "sweep f32, 53 nodes" 40 part "$xtask" bench --sweep --only f32.cuda.53nodes --repeat 2 --json "$out/sweep-f32.json"
    step "sweep f64, 53 nodes" 40 part "$xtask" bench --sweep --only f64.cuda.53nodes --repeat 2 --json "$out/sweep-f64.json"
    step "a whole kHz study" 60 part "$xtask" bench --sweep --only cuda.khz --json "$out/khz.json"
fi
if $host || ! command -v compute-sanitizer >/dev/null; then
    if $host; then why="needs a device"; else why="compute-sanitizer is not installed"; fi
    skip "sanitizer" "$why"
else
    small=(threshold "${on[@]}" --point 1000,0,0 --nodes 21 --tstop 1 --resolution 0.1 --detect-nodes 10)
    for model in mrg smf; do
        for tool in memcheck racecheck synccheck; do
            sanitizer=(compute-sanitizer --tool "$tool" --error-exitcode 9 "$axonml")
            step "$tool $model" 25 whole "${sanitizer[@]}" "${small[@]}" --model "$model"
            # Forward and back: the case of `verify`.
            step "$tool $model gradients" 40 part "${sanitizer[@]}" verify --gpu require --model "$model"
        done
    done
fi

printf '\n%-34s %8s  %s\n' step wall result
printf '%s\n' "${rows[@]}"
echo "results are in $out; $((SECONDS - began)) s of $seconds"
((failures == 0)) || { echo "$failures steps FAILED" >&2; exit 1; }
