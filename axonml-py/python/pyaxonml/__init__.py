"""Simulation of peripheral nerve fibers: fibers of one's own."""

from ._fiber_error import FiberError
from ._membrane import Current, Gate, InfTau, MembranePart, Ohmic, Patch, State
from ._parameters import Param, param
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
    "Comparison",
    "Current",
    "Fiber",
    "FiberError",
    "Gate",
    "InfTau",
    "MembranePart",
    "Ohmic",
    "Param",
    "Patch",
    "State",
    "Symbol",
    "exp",
    "expm1",
    "exprelr",
    "log",
    "maximum",
    "minimum",
    "param",
    "sigmoid",
    "sqrt",
    "where",
]
