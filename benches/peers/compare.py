#!/usr/bin/env python3
"""axonml beside NEURON, PyFibers and PyTorch AxonML: ratios of speed and differences of thresholds, in one run.

    benches/peers/compare.py                                NEURON and PyFibers
    benches/peers/compare.py --pytorch-axonml CLONE         PyTorch AxonML too, from a clone of its repository

Needs Python 3.10 or later with venv, a C++ compiler (NEURON compiles the nodal membrane) and, for the first call, pip's
registry. README.md beside this file says what is measured and how.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NEURON = "neuron==9.0.2"
PYFIBERS = "pyfibers==0.13.0"
NODES = 53
# One thread on both sides: processor time of several would hold what they wait for each other.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NEURON_MODULE_OPTIONS": "-nogui"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pytorch-axonml", type=Path, metavar="CLONE", default=os.environ.get("PYTORCH_AXONML"),
                        help="clone of PyTorch AxonML [default: the environment variable PYTORCH_AXONML, else left out]")
    parser.add_argument("--venv", type=Path, default=HERE / ".venv",
                        help="virtual environment that the peers are installed into [default: .venv beside this file]")
    parser.add_argument("--axonml", type=Path, default=ROOT / "target/release/axonml",
                        help="the binary [default: target/release/axonml, built first]")
    parser.add_argument("--xtask", type=Path, default=ROOT / "target/release/xtask",
                        help="the binary of the developer tasks, for gradients [default: target/release/xtask, built first]")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of every comparison [default: 5]")
    parser.add_argument("--only", default="", help="only comparisons whose name contains this")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON as well")
    arguments = parser.parse_args()
    build(("axonml-cli", arguments.axonml), ("xtask", arguments.xtask))
    clone = arguments.pytorch_axonml and Path(arguments.pytorch_axonml).resolve()
    if clone and not (clone / "axonml/models/core.py").is_file():
        sys.exit(f"error: {clone} is no clone of PyTorch AxonML: it has no axonml/models/core.py")
    python = installed(arguments.venv.resolve(), torch=clone is not None)
    peers = Peers(python, compiled(arguments.venv.resolve(), python), clone, arguments)

    asked = lambda row: arguments.only in row.name
    figures = []
    print(f"\n{'comparison':<28} {'ratio':>8}  {'spread':<16} axonml / peer, unit of work per processor second")
    for row in filter(asked, peers.speed_rows()):
        figures.append(row.measure(arguments.pairs))
    print(f"\n{'difference':<28} {'found':>12}  what")
    for name, difference in peers.differences():
        if arguments.only in name:
            value, what = difference()
            print(f"{name:<28} {value:>12.3g}  {what}", flush=True)
            figures.append({"name": name, "value": value, "unit": what})
    if clone is None:
        print("\nDID NOT RUN: PyTorch AxonML (--pytorch-axonml CLONE)")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


def build(*binaries):
    """Builds those binaries, (package, path), that were not given."""
    packages = [name for name, path in binaries if path.is_relative_to(ROOT / "target/release")]
    if packages:
        flags = [flag for package in packages for flag in ("-p", package)]
        environment = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target")}
        subprocess.run(["cargo", "build", "--release", "--quiet", *flags], cwd=ROOT, check=True, env=environment)


def installed(folder, torch):
    """The Python of the virtual environment, with the peers in it."""
    python = folder / "bin/python"
    if not python.exists():
        print(f"making {folder}", flush=True)
        venv.create(folder, with_pip=True)
    wanted = [NEURON, PYFIBERS] + (["torch", "numpy"] if torch else [])
    present = subprocess.run([python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout.lower()
    names = {line.split("==")[0].split(" @")[0] for line in present.splitlines()}
    missing = [one for one in wanted if one not in present.split() and (("==" in one) or one not in names)]
    if missing:
        print(f"installing {', '.join(missing)}", flush=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *missing], check=True)
    return python


def compiled(folder, python):
    """The library of the nodal membrane, compiled where it is older than its source; PyFibers' mechanisms are, too."""
    sources = list((HERE / "neuron_mechanisms").glob("*.mod"))
    build = folder / "mechanisms"
    newest = max(source.stat().st_mtime for source in sources)
    library = lambda: next(build.glob("*/libnrnmech.*"), None)
    if library() is None or library().stat().st_mtime < newest:
        build.mkdir(exist_ok=True)
        compile_mechanisms([python.parent / "nrnivmodl", HERE / "neuron_mechanisms"], folder, build)
        if library() is None:
            sys.exit("error: nrnivmodl made no library")
    if not list(folder.glob("lib/python*/site-packages/pyfibers/MOD/*/libnrnmech.*")):
        compile_mechanisms([python.parent / "pyfibers_compile"], folder, folder)
    return library()


def compile_mechanisms(command, folder, build):
    print(f"compiling: {Path(command[0]).name}", flush=True)
    environment = {**ENVIRONMENT, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run([str(word) for word in command], cwd=build, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"error: {command[0]}:\n{done.stdout}{done.stderr}")


def processor_seconds(command):
    """User and system time of a command and what it waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Side:
    """A program that takes an amount of work, and two amounts of it.

    The difference of their times, by the difference of the amounts, is what a unit costs: start-up, imports and set-up are in
    both and cancel.
    """

    def __init__(self, command, small, large, units):
        self.command, self.small, self.large, self.units = command, small, large, units

    def seconds_per_unit(self):
        small = processor_seconds(self.command(self.small))
        large = processor_seconds(self.command(self.large))
        return (large - small) / ((self.large - self.small) * self.units)


class Row:
    def __init__(self, name, unit, axonml, peer):
        self.name, self.unit, self.axonml, self.peer = name, unit, axonml, peer

    def measure(self, pairs):
        """Both sides in turns: the median of the ratios of pairs, and of both speeds."""
        ours, theirs = [], []
        for _ in range(pairs):
            ours.append(self.axonml.seconds_per_unit())
            theirs.append(self.peer.seconds_per_unit())
        if min(ours + theirs) <= 0:
            sys.exit(f"error: {self.name}: more work took no more time; the machine is too busy")
        ratios = [b / a for a, b in zip(ours, theirs)]
        ratio, a, b = statistics.median(ratios), 1 / statistics.median(ours), 1 / statistics.median(theirs)
        spread = f"{min(ratios):.3g} to {max(ratios):.3g}"
        print(f"{self.name:<28} {ratio:>8.3g}  {spread:<16} {a:.3g} / {b:.3g} {self.unit}", flush=True)
        return {"name": self.name, "value": ratio, "low": min(ratios), "high": max(ratios), "axonml": a, "peer": b,
                "unit": self.unit}


class Peers:
    def __init__(self, python, mechanisms, clone, arguments):
        self.python, self.mechanisms, self.clone = python, mechanisms, clone
        self.axonml, self.xtask = arguments.axonml.resolve(), arguments.xtask.resolve()

    def run(self, model, fibers, precision):
        """`axonml run` over a number of steps."""
        # Untrained, as the peer is: the arithmetic is the same.
        weights = ["--weights", "published"] if model == "smf" else []
        return lambda steps: [
            self.axonml, "run", "--model", model, *weights, "--diameter", f"5.7:14:{fibers}", "--point", "1000,0,0",
            "--amplitude", "0.2", "--pulse", "monophasic:pw=0.1,delay=0.1", "--nodes", str(NODES), "--dt", "0.005",
            "--tstop", f"{steps * 0.005:.3f}", "--precision", precision, "--threads", "1", "--backend", "cpu", "--quiet",
            "--format", "csv"]

    def bench(self, name):
        """A row of `xtask bench`, repeated."""
        return lambda repeats: [self.xtask, "bench", "--only", name, "--repeat", str(repeats)]

    def speed_rows(self):
        neuron = lambda steps: [self.python, HERE / "neuron_mrg.py", self.mechanisms, "steps", steps]
        torch = lambda task, precision: lambda amount: [
            self.python, HERE / "pytorch_smf.py", self.clone, task, precision, amount]
        for precision in ("f32", "f64"):
            yield Row(f"mrg.{precision}:neuron", "node-steps",
                      Side(self.run("mrg", 256, precision), 200, 4200, 256 * NODES),
                      Side(neuron, 200, 4200, NODES))
        yield Row("mrg.f64:pyfibers", "node-steps",
                  Side(self.run("mrg", 256, "f64"), 200, 4200, 256 * NODES),
                  Side(lambda steps: [self.python, HERE / "pyfibers_fibers.py", "steps", steps], 200, 4200, NODES))
        if self.clone:
            for precision in ("f32", "f64"):
                yield Row(f"smf.{precision}:pytorch", "node-steps",
                          Side(self.run("smf", 1000, precision), 100, 1100, 1000 * NODES),
                          Side(torch("run", precision), 100, 600, 1000 * NODES))
            yield Row("smf.tbptt:pytorch", "chunks",
                      Side(self.bench("smf.tbptt_chunk_ms"), 5, 105, 1), Side(torch("tbptt", "f64"), 5, 25, 1))
            yield Row("smf.gd:pytorch", "gradients",
                      Side(self.bench("smf.gd_step_ms"), 2, 22, 1), Side(torch("gd", "f64"), 2, 6, 1))

    def differences(self):
        yield "thresholds.mrg:neuron", self.mrg_thresholds
        yield "thresholds.sundt:pyfibers", self.sundt_thresholds
        if self.clone:
            yield "voltages.smf:pytorch", self.smf_voltages

    def answer(self, command):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT)
        if done.returncode != 0:
            sys.exit(f"error: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def axonml_thresholds(self, *flags):
        rows = self.answer([self.axonml, "threshold", *flags, "--dt", "0.005", "--resolution", "1e-4", "--precision", "f64",
                            "--quiet", "--format", "json"])["results"]
        return [(row["lower_mA"], row["upper_mA"]) for row in rows]

    def mrg_thresholds(self):
        resolution, distance_um = 1e-4, 1000
        pulses = {"monophasic:pw=0.1,delay=0.1": [0] * 20 + [-1] * 20,
                  "biphasic:pw=0.2,delay=0.1": [0] * 20 + [-1] * 40 + [1] * 40}
        diameters = [5.7, 10, 14]
        cases = [{"diameter_um": d, "distance_um": distance_um, "waveform": waveform, "resolution": resolution}
                 for waveform in pulses.values() for d in diameters]
        ours = [bracket for pulse in pulses for bracket in self.axonml_thresholds(
            "--model", "mrg", "--diameter", ",".join(map(str, diameters)), "--point", f"{distance_um},0,0",
            "--pulse", pulse, "--nodes", str(NODES), "--tstop", "5", "--detect-nodes", "5,-5")]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "cases.json"
            file.write_text(json.dumps(cases))
            found = self.answer([self.python, HERE / "neuron_mrg.py", self.mechanisms, "thresholds", file])
        theirs = [(row["lower_mA"], row["upper_mA"]) for row in found]
        return compared(ours, theirs, f"{len(cases)} MRG fibers, each bracket {resolution:g} wide")

    def sundt_thresholds(self):
        found = self.answer([self.python, HERE / "pyfibers_fibers.py", "thresholds", "SUNDT"])
        ours = []
        for case in found:
            # PyFibers' passive end nodes lie behind 1e10 ohm cm: the fiber is one of two compartments fewer, all active.
            ours += self.axonml_thresholds(
                "--model", "sundt", "--diameter", str(case["diameter_um"]), "--delta-z", str(case["delta_z_um"]),
                "--point", f"{case['distance_um']},0,0", "--resistivity", str(case["ohm_cm"]),
                "--pulse", f"monophasic:pw={case['pw_ms']},delay={case['delay_ms']}", "--nodes", str(case["nodes"] - 2),
                "--tstop", str(case["tstop_ms"]), "--warmup", "200", "--detect-threshold", "-30",
                "--detect-nodes", str(case["detect_node"] - 1))
        theirs = [(row["lower_mA"], row["upper_mA"]) for row in found]
        return compared(ours, theirs, f"{len(found)} Sundt fibers, PyFibers' brackets {found[0]['resolution']:g} wide")

    def smf_voltages(self):
        diameters, steps, ma = [5.7, 8.7, 12.8], 300, 0.2
        with tempfile.TemporaryDirectory() as folder:
            file, csv = Path(folder) / "case.json", Path(folder) / "out.npz"
            file.write_text(json.dumps({"diameter_um": diameters, "nodes": NODES, "steps": steps, "amplitude_mA": ma}))
            theirs = self.answer([self.python, HERE / "pytorch_smf.py", self.clone, "voltages", "f64", file])
            command = [self.axonml, "run", "--model", "smf", "--weights", "published", "--diameter",
                       ",".join(map(str, diameters)), "--point", "1000,0,0", "--amplitude", str(ma), "--pulse",
                       "monophasic:pw=0.1,delay=0.1", "--nodes", str(NODES), "--dt", "0.005", "--tstop",
                       f"{steps * 0.005:.3f}", "--precision", "f64", "--quiet", "-o", csv]
            subprocess.run([str(word) for word in command], check=True, capture_output=True)
            # NumPy is in the peers' environment.
            ours = self.answer([self.python, "-c", "import json, numpy, sys; a = numpy.load(sys.argv[1])['v_mV'];"
                                " print(json.dumps(a[-1].tolist()))", csv])
        worst = max(abs(a - b) for x, y in zip(ours, theirs, strict=True) for a, b in zip(x, y, strict=True))
        return worst, f"mV, the largest at any node of {len(diameters)} fibers after {steps} steps"


def compared(ours, theirs, what):
    """The largest relative difference of the middles of brackets, and how many overlap."""
    overlap = sum(a[0] < b[1] and b[0] < a[1] for a, b in zip(ours, theirs, strict=True))
    worst = max(abs(sum(a) / sum(b) - 1) for a, b in zip(ours, theirs, strict=True))
    return worst, f"relative, the largest of {what}; {overlap} of {len(ours)} brackets overlap"


if __name__ == "__main__":
    main()
