"""Pictures of results by matplotlib: each function draws one result into ``Axes``, and gives them back to be changed.

Results have them as a method, too: ``found.plot()``. ``ax`` are axes to draw into, by default those of a new figure. Labels have the
units of the columns, colors are told apart with any common color vision, and fibers without a regular value are marked by their status.
Values of one's own become a coordinate by ``found.coordinates["frequency_kHz"] = [...]``.

>>> import pyaxonml as ax
>>> fibers = ax.Fibers("mrg", diameter=[5.7, 10.0, 14.0], nodes=53)
>>> pulse = ax.pulse("monophasic", pw=0.1, delay=0.1)
>>> found = ax.Simulation(fibers, ax.point_source(x=1000), pulse).thresholds()
>>> axes = found.plot()
>>> axes.get_xlabel(), axes.get_ylabel()
('diameter (um)', 'threshold (mA)')
"""

from __future__ import annotations

import importlib as _importlib

try:
    _importlib.import_module("matplotlib.axes")
except ImportError as error:
    raise ImportError(
        "pyaxonml.plot needs matplotlib, which is not installed: pip install 'pyaxonml[plot]', or matplotlib"
    ) from error

from ._curves import block_thresholds, recruitment, responses, thresholds, velocities
from ._nerves import nerve, optimization
from ._recordings import recording

__all__ = [
    "block_thresholds",
    "nerve",
    "optimization",
    "recording",
    "recruitment",
    "responses",
    "thresholds",
    "velocities",
]
