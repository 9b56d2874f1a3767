"""A membrane of one's own on the cable of a bundled model: the nodes of the MRG fiber, written out.

The same equations as the bundled model `mrg`, to the bit. Run this file to get a fiber file for the command line.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyaxonml as ax


class MrgNode(ax.Fiber):
    """MRG fiber with its nodal membrane written out."""

    id = "my-mrg"
    citations = ("McIntyre, Richardson & Grill 2002, J Neurophysiol 87:995-1006, doi:10.1152/jn.00353.2001",)
    start_mv, celsius = -80, 37
    # Geometry, myelin and axoplasm, with their parameters.
    cable = "mrg"

    gna: ax.Param = ax.param(3.0, "S/cm2")
    gnap: ax.Param = ax.param(0.01, "S/cm2")
    gk: ax.Param = ax.param(0.08, "S/cm2")
    gl: ax.Param = ax.param(0.007, "S/cm2")
    ena: ax.Param = ax.param(50, "mV")
    ek: ax.Param = ax.param(-90, "mV")
    el: ax.Param = ax.param(-90, "mV")

    def membrane(self, x: ax.Patch) -> Iterator[ax.MembranePart]:
        """Fast and persistent sodium, slow potassium and leak currents; rates in 1/ms."""
        yield ax.Ohmic(self.gna * x.m**3 * x.h, self.ena)
        yield ax.Ohmic(self.gnap * x.p**3, self.ena)
        yield ax.Ohmic(self.gk * x.s, self.ek)
        yield ax.Ohmic(self.gl, self.el)

        v = x.v
        q_m, q_h, q_s = x.q10(2.2, 20), x.q10(2.9, 20), x.q10(3, 36)

        # Rates beyond +-150 mV are the constants of the published implementation.
        def below(q: ax.Symbol, constant: float, rate: ax.Symbol) -> ax.Symbol:
            return ax.where(v < -150, q * constant, q * rate)

        def above(q: ax.Symbol, constant: float, rate: ax.Symbol) -> ax.Symbol:
            return ax.where(v > 150, q * constant, q * rate)

        # x/(1 - e^(-x/k)) = k exprelr(-x/k), and x/(e^(x/k) - 1) = k exprelr(x/k).
        yield ax.Gate(
            "m",
            below(q_m, 0.15733, 1.86 * 10.3 * ax.exprelr(-(v + 21.4) / 10.3)),
            above(q_m, 0.0057268, 0.086 * 9.16 * ax.exprelr((v + 25.7) / 9.16)),
        )
        yield ax.Gate(
            "h",
            above(q_h, 0.0032594, 0.062 * 11 * ax.exprelr((v + 114) / 11)),
            below(q_h, 0.0014054, 2.3 * ax.sigmoid((v + 31.8) / 13.4)),
        )
        yield ax.Gate(
            "p",
            below(q_m, 0.00086725, 0.01 * 10.2 * ax.exprelr(-(v + 27) / 10.2)),
            above(q_m, 1.5855e-5, 0.00025 * 10 * ax.exprelr((v + 34) / 10)),
        )
        yield ax.Gate(
            "s",
            below(q_s, 3.3484e-5, 0.3 * ax.sigmoid((v + 53) / 5)),
            below(q_s, 3.3484e-6, 0.03 * ax.sigmoid(v + 90)),
        )


if __name__ == "__main__":
    print(MrgNode().to_toml(), end="")
