"""The exact McIntyre-Richardson-Grill fiber in NEURON: steps to be timed, and thresholds.

Built from the equations of McIntyre, Richardson and Grill (2002) with the continuous geometry that axonml's `mrg` has: the
double cable, one compartment per section, all nodes active, ends sealed, v = -80 mV everywhere at the start. A value of the
waveform holds during the step that follows it.

    python neuron_mrg.py MECHANISMS steps N           runs one 53-node fiber for N steps of 0.005 ms
    python neuron_mrg.py MECHANISMS thresholds FILE   thresholds of the cases in a JSON file, as JSON
"""

import json
import math
import sys

from neuron import h

NODES = 53
DT_MS = 0.005
TSTOP_MS = 5.0
V_START_MV = -80.0


def section(length_um, diameter_um, axon_um, cm, gap_um):
    """A section of one compartment whose membrane has the outer, whose axoplasm the inner diameter."""
    s = h.Section()
    s.L, s.nseg, s.diam = length_um, 1, diameter_um
    s.Ra = 70.0 * (diameter_um / axon_um) ** 2
    s.cm = cm
    s.insert("extracellular")
    inner_um = axon_um / 2
    area_um2 = math.pi * ((inner_um + gap_um) ** 2 - inner_um**2)
    s.xraxial[0] = 0.7e6 * 0.01 / area_um2
    return s


class Fiber:
    def __init__(self, diameter_um, nodes=NODES):
        d = diameter_um
        axon = 0.01876226 * d * d + 0.4787487 * d + 0.1203613
        node = 0.006303781 * d * d + 0.2070544 * d + 0.5339006
        spacing = -8.215284 * d * d + 272.4201 * d - 780.2411 if d >= 5.26 else 500 / 5.7 * d
        flut = -0.01989947 * d * d + 3.016265 * d + 17.43604
        lamellae = -0.3889695 * d * d + 14.87838 * d + 9.721088
        stin = (spacing - 1 - 2 * 3 - 2 * flut) / 6
        self.nodes, self.sections, self.z_um = [], [], []
        at_um = 0.0

        def add(s, length_um):
            nonlocal at_um
            if self.sections:
                s.connect(self.sections[-1](1), 0)
            self.sections.append(s)
            self.z_um.append(at_um + length_um / 2)
            at_um += length_um

        def internodal(length_um, axon_um, gap_um, g):
            s = section(length_um, d, axon_um, 2 * axon_um / d, gap_um)
            s.insert("pas")
            s.g_pas, s.e_pas = g * axon_um / d, V_START_MV
            s.xc[0], s.xg[0] = 0.1 / (2 * lamellae), 0.001 / (2 * lamellae)
            add(s, length_um)

        for k in range(nodes):
            s = section(1.0, node, node, 2.0, 0.002)
            s.insert("mrgnode")
            s.xc[0], s.xg[0] = 0.0, 1e10
            self.nodes.append(s)
            add(s, 1.0)
            if k == nodes - 1:
                break
            internodal(3.0, node, 0.002, 0.001)
            internodal(flut, axon, 0.004, 0.0001)
            for _ in range(6):
                internodal(stin, axon, 0.004, 0.0001)
            internodal(flut, axon, 0.004, 0.0001)
            internodal(3.0, node, 0.002, 0.001)
        middle_um = self.z_um[len(self.z_um) // 2]
        self.z_um = [z - middle_um for z in self.z_um]

    def potentials_mv(self, distance_um, ohm_cm=500.0):
        """Potential of each section per mA of a point source beside the middle node."""
        return [ohm_cm / (4 * math.pi * math.hypot(z, distance_um) * 1e-4) for z in self.z_um]

    def apply(self, potentials_mv, factor):
        for s, mv in zip(self.sections, potentials_mv):
            s.e_extracellular = factor * mv

    def run(self, potentials_mv, waveform, steps):
        """Runs with values of the waveform, one a step, 0 after its end."""
        h.celsius, h.dt = 37.0, DT_MS
        last = 0.0
        self.apply(potentials_mv, last)
        h.finitialize(V_START_MV)
        for k in range(steps):
            value = waveform[k] if k < len(waveform) else 0.0
            if value != last:
                self.apply(potentials_mv, value)
                last = value
            h.fadvance()


def threshold_ma(case):
    """A bracket of the activation threshold: the lower amplitude does not fire, the upper one does."""
    fiber = Fiber(case["diameter_um"])
    potentials = fiber.potentials_mv(case["distance_um"])
    counters = [h.APCount(fiber.nodes[k](0.5)) for k in (5, NODES - 5)]
    for counter in counters:
        counter.thresh = 0.0

    def fires(ma):
        waveform = [ma * value for value in case["waveform"]]
        fiber.run(potentials, waveform, round(TSTOP_MS / DT_MS))
        return any(counter.n > 0 for counter in counters)

    lower, upper = 0.0, 0.01
    while not fires(upper):
        lower, upper = upper, 2 * upper
    while upper - lower > case["resolution"] * upper:
        middle = (lower + upper) / 2
        if fires(middle):
            upper = middle
        else:
            lower = middle
    return {"lower_mA": lower, "upper_mA": upper}


def main():
    mechanisms, task, argument = sys.argv[1:]
    h.load_file("stdrun.hoc")
    h.nrn_load_dll(mechanisms)
    if task == "steps":
        fiber = Fiber(10.0)
        # Cathodic, 0.1 ms long from 0.1 ms on, as what it is compared with.
        waveform = [0.0] * 20 + [-0.2] * 20
        fiber.run(fiber.potentials_mv(1000.0), waveform, int(argument))
        if not math.isfinite(fiber.nodes[0].v):
            sys.exit("the voltage is not finite")
    else:
        with open(argument) as file:
            cases = json.load(file)
        print(json.dumps([threshold_ma(case) for case in cases]))


main()
