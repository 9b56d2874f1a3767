"""A fiber of one's own in Python, and its activation thresholds: the Hodgkin-Huxley squid axon.

The same equations as the bundled model `hh`, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyaxonml as ax


class HodgkinHuxley(ax.Fiber):
    """Hodgkin-Huxley squid axon as a fiber, 6.3 C."""

    id = "my-squid"
    citations = ("Hodgkin & Huxley 1952, J Physiol 117:500-544, doi:10.1113/jphysiol.1952.sp004764",)
    start_mv, celsius = -65, 6.3
    diameter_um = (0.1, 1000)
    length_um = 15_000

    gna: ax.Param = ax.param(0.12, "S/cm2")
    gk: ax.Param = ax.param(0.036, "S/cm2")
    gl: ax.Param = ax.param(0.0003, "S/cm2")
    ena: ax.Param = ax.param(50, "mV")
    ek: ax.Param = ax.param(-77, "mV")
    el: ax.Param = ax.param(-54.3, "mV")
    cm: ax.Param = ax.param(1, "uF/cm2")
    ra: ax.Param = ax.param(100, "ohm cm")

    def membrane(self, x: ax.Patch) -> Iterator[ax.MembranePart]:
        """Sodium, potassium and leak currents; rates in 1/ms."""
        yield ax.Ohmic(self.gna * x.m**3 * x.h, self.ena)
        yield ax.Ohmic(self.gk * x.n**4, self.ek)
        yield ax.Ohmic(self.gl, self.el)

        q = x.q10(3, 6.3)
        yield ax.Gate("m", q * ax.exprelr(-(x.v + 40) / 10), q * 4 * decay(x.v, 18))
        yield ax.Gate("h", q * 0.07 * decay(x.v, 20), q * ax.sigmoid((x.v + 35) / 10))
        yield ax.Gate("n", q * 0.1 * ax.exprelr(-(x.v + 55) / 10), q * 0.125 * decay(x.v, 80))


def decay(v: ax.Symbol, per_mv: float) -> ax.Symbol:
    """A rate that falls with depolarization; exponents end at 60, so that it stays finite in single precision."""
    return ax.exp(ax.minimum(-(v + 65) / per_mv, 60))


def main() -> None:
    """Prints thresholds of three diameters, and those of fibers with less sodium conductance."""
    field = ax.point_source(x=100, rho_ohm_cm=500)
    pulse = ax.pulse("monophasic", pw=0.1, delay=0.1)
    for fiber in (HodgkinHuxley(), HodgkinHuxley(gna=0.1)):
        fibers = ax.Fibers(fiber, diameter=[0.5, 1.0, 2.0], length_mm=5)
        found = ax.Simulation(fibers, field, pulse, dt=0.005, tstop=20).thresholds()
        print(fiber, found, sep="\n")


if __name__ == "__main__":
    main()
