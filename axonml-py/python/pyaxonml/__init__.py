"""How nerve fibers respond to electrical stimulation: exact models and surrogates, batch first, differentiable.

Units are in names, or ms, mV, mA (extracellular currents), nA (currents into nodes) and um. Cathodic current is negative, pulses are
cathodic first, amplitudes positive. A fiber lies along z, its middle node at 0.

>>> import pyaxonml as ax
>>> fibers = ax.Fibers("mrg", diameter=10.0, nodes=53)
>>> field = ax.point_source(x=1000, rho_ohm_cm=500)
>>> found = ax.Simulation(fibers, field, ax.pulse("monophasic", pw=0.1, delay=0.1)).thresholds()
>>> round(float(found.threshold_mA[0]), 4)
0.1236
"""

import importlib as _importlib
import logging as _logging
import os as _os
from typing import Any as _Any

from . import compat, errors, training
from ._fibers import Fibers, models
from ._field import Field, point_source
from ._membrane import Current, Gate, InfTau, MembranePart, Ohmic, Patch, State
from ._names import hint as _hint
from ._native import FiberDescription, __version__, after_fork, devices
from ._nerve import Nerve
from ._optimize import Limits, Optimization, optimize
from ._parameters import Param, param
from ._results import BlockThresholds, Gradients, Recording, Recruitment, Responses, Result, Thresholds, Velocities
from ._simulation import Simulation
from ._state import FiberStates
from ._stimulus import Currents, Detection, Injection, Synapse, currents, inject
from ._study import Study, StudyResults, merge
from ._waveform import Waveform, pulse
from ._weights import Weights
from .errors import (
    AxonmlError,
    CanceledError,
    DeviceError,
    FiberError,
    InputError,
    ModelError,
    NerveError,
    SimulationError,
    StudyError,
    TrainingError,
)
from .fiber import Fiber
from .symbols import (
    Comparison,
    Symbol,
    exp,
    expm1,
    exprelr,
    log,
    maximum,
    minimum,
    sigmoid,
    sqrt,
    where,
)

__all__ = [
    "__version__",
    "AxonmlError",
    "BlockThresholds",
    "CanceledError",
    "compat",
    "Comparison",
    "Current",
    "Currents",
    "currents",
    "Detection",
    "DeviceError",
    "devices",
    "errors",
    "exp",
    "expm1",
    "exprelr",
    "Fiber",
    "FiberDescription",
    "FiberError",
    "FiberStates",
    "Fibers",
    "Field",
    "Gate",
    "Gradients",
    "InfTau",
    "inject",
    "Injection",
    "InputError",
    "log",
    "maximum",
    "Limits",
    "MembranePart",
    "merge",
    "minimum",
    "ModelError",
    "models",
    "Nerve",
    "NerveError",
    "Ohmic",
    "Optimization",
    "optimize",
    "Param",
    "param",
    "Patch",
    "point_source",
    "pulse",
    "Recording",
    "Recruitment",
    "Responses",
    "Result",
    "sigmoid",
    "Simulation",
    "SimulationError",
    "sqrt",
    "State",
    "Study",
    "StudyError",
    "StudyResults",
    "Symbol",
    "Synapse",
    "Thresholds",
    "training",
    "TrainingError",
    "Velocities",
    "Waveform",
    "Weights",
    "where",
]

_logging.getLogger("pyaxonml").addHandler(_logging.NullHandler())

# Threads do not survive a fork: a child makes its own when it first computes.
if hasattr(_os, "register_at_fork"):
    _os.register_at_fork(after_in_child=after_fork)


def __getattr__(name: str) -> _Any:
    """Modules that need another package are imported when they are asked for."""
    if name in ("dask", "jax", "plot", "torch"):
        return _importlib.import_module(f"{__name__}.{name}")
    end = "" if name.startswith("_") else _hint(name, __all__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{end}")
