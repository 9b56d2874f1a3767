#!/usr/bin/env python3
"""axonml beside NEURON on single cables: node-steps per second of processor time, one thread, and how many times NEURON's.

    benches/peers/single_cables.py                  NEURON's speed as recorded below
    benches/peers/single_cables.py --neuron         NEURON runs here, in the virtual environment of compare.py

Exits with 1 where a ratio is below its limit: 15 in double and 35 in single precision. Recorded speeds are of another machine
than the one that axonml runs on here, unless that is the same.
"""

import argparse
import statistics
import sys
from pathlib import Path

from compare import HERE, ROOT, Side, build, compiled, installed

# Million segment-steps per processor second of NEURON 9.0.2: a core of an AMD EPYC (Zen 5), PyFibers' mechanisms.
RECORDED = {"tigerholm": 0.56, "thio-autonomic": 0.36, "schild94": 0.37, "sundt": 0.73}
PYFIBERS = {"tigerholm": "TIGERHOLM", "thio-autonomic": "THIO_AUTONOMIC", "schild94": "SCHILD94", "sundt": "SUNDT"}
LIMITS = {"f64": 15, "f32": 35}
COMPARTMENTS = 181
FIBERS = 64


def axonml(binary, model, precision):
    """`axonml run` over a number of steps."""
    return lambda steps: [
        binary, "run", "--model", model, "--diameter", f"0.8:1.2:{FIBERS}", "--point", "200,0,0", "--amplitude", "0.1",
        "--pulse", "monophasic:pw=0.1,delay=0.1", "--nodes", COMPARTMENTS, "--dt", "0.005", "--tstop", f"{steps * 0.005:.3f}",
        "--precision", precision, "--threads", "1", "--backend", "cpu", "--quiet", "--format", "csv"]


def speed(side, repeats, what):
    """Median of million node-steps per processor second."""
    seconds = [side.seconds_per_unit() for _ in range(repeats)]
    if min(seconds) <= 0:
        sys.exit(f"error: {what}: more work took no more time; the machine is too busy")
    return 1e-6 / statistics.median(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neuron", action="store_true", help="run NEURON, installed on the first call")
    parser.add_argument("--venv", type=Path, default=HERE / ".venv",
                        help="virtual environment of NEURON and PyFibers [default: .venv beside this file]")
    parser.add_argument("--axonml", type=Path, default=ROOT / "target/release/axonml",
                        help="the binary [default: target/release/axonml, built first]")
    parser.add_argument("--repeats", type=int, default=3, help="measurements, whose median counts [default: 3]")
    parser.add_argument("--only", default="", help="only models whose name contains this")
    arguments = parser.parse_args()
    build(("axonml-cli", arguments.axonml))
    python = None
    if arguments.neuron:
        python = installed(arguments.venv.resolve(), torch=False)
        compiled(arguments.venv.resolve(), python)
    else:
        print("NEURON does not run: its speeds are those recorded on the reference machine (--neuron runs it)")
    print(f"\n{'model':<16} {'precision':<10} {'axonml':>8} {'NEURON':>8} {'ratio':>7} {'limit':>6}   million node-steps/s")
    missed = 0
    for model, recorded in RECORDED.items():
        if arguments.only not in model:
            continue
        neuron = recorded
        if python:
            command = lambda steps: [python, HERE / "pyfibers_fibers.py", "steps", steps, PYFIBERS[model]]
            neuron = speed(Side(command, 200, 4200, COMPARTMENTS), arguments.repeats, f"NEURON, {model}")
        for precision, limit in LIMITS.items():
            side = Side(axonml(arguments.axonml.resolve(), model, precision), 100, 600, FIBERS * COMPARTMENTS)
            ours = speed(side, arguments.repeats, model)
            ratio = ours / neuron
            missed += ratio < limit
            print(f"{model:<16} {precision:<10} {ours:>8.3g} {neuron:>8.3g} {ratio:>7.3g} {limit:>6}"
                  f"{'   BELOW' if ratio < limit else ''}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
