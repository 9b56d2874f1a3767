"""Fibers of PyFibers: steps to be timed, and thresholds.

    python pyfibers_fibers.py steps N              runs an MRG fiber of 53 nodes for N steps of 0.005 ms
    python pyfibers_fibers.py steps N MODEL        runs an unmyelinated fiber of 181 sections so
    python pyfibers_fibers.py thresholds MODEL     thresholds of unmyelinated fibers, as JSON
"""

import json
import math
import sys

from pyfibers import FiberModel, ScaledStim, build_fiber

DT_MS = 0.005
OHM_CM = 500.0
DELAY_MS = 0.1


def point_source(fiber, distance_um):
    """mV per mA at each section, of a point source beside the middle one."""
    z_um = fiber.longitudinal_coordinates
    middle_um = z_um[len(z_um) // 2]
    return [OHM_CM / (4 * math.pi * math.hypot(z - middle_um, distance_um) * 1e-4) for z in z_um]


def stimulation(pw_ms, tstop_ms):
    """A pulse of unit amplitude; negative amplitudes are cathodic."""
    first, last = round(DELAY_MS / DT_MS), round((DELAY_MS + pw_ms) / DT_MS)
    return ScaledStim(waveform=lambda t: float(first <= round(t / DT_MS) < last), dt=DT_MS, tstop=tstop_ms)


def thresholds(model):
    answers = []
    for diameter_um, distance_um, pw_ms in ((1.0, 150, 0.2), (1.0, 150, 1.0), (0.8, 250, 0.5)):
        fiber = build_fiber(FiberModel[model], diameter=diameter_um, length=1500)
        fiber.potentials = point_source(fiber, distance_um)
        stim = stimulation(pw_ms, 10.0)

        def fires(ma):
            return stim.run_sim(-ma, fiber, fail_on_end_excitation=None)[0] > 0

        resolution = 1e-3
        lower, upper = 0.0, 0.001
        while not fires(upper):
            lower, upper = upper, 2 * upper
        while upper - lower > resolution * upper:
            middle = (lower + upper) / 2
            if fires(middle):
                upper = middle
            else:
                lower = middle
        nodes = len(fiber)
        answers.append({
            "diameter_um": diameter_um, "distance_um": distance_um, "pw_ms": pw_ms, "delay_ms": DELAY_MS, "ohm_cm": OHM_CM,
            "tstop_ms": 10.0, "nodes": nodes, "delta_z_um": fiber.delta_z, "detect_node": fiber.loc_index(0.9),
            "resolution": resolution, "lower_mA": lower, "upper_mA": upper,
        })
    print(json.dumps(answers))


def main():
    task, argument, *model = sys.argv[1:]
    if task == "steps":
        if model:
            fiber = build_fiber(FiberModel[model[0]], diameter=1.0, length=1500)
        else:
            fiber = build_fiber(FiberModel.MRG_INTERPOLATION, diameter=10.0, n_nodes=53)
        fiber.potentials = point_source(fiber, 1000)
        stimulation(0.1, int(argument) * DT_MS).run_sim(-0.2, fiber, fail_on_end_excitation=None)
    else:
        thresholds(argument)


main()
