"""PyFibers' interface: fibers with potentials at every section, ``run_sim``, and searches of activation and block thresholds.

>>> from pyaxonml.compat.pyfibers import FiberModel, ScaledStim, build_fiber
>>> fiber = build_fiber(FiberModel.SUNDT, diameter=1.0, n_nodes=181)
>>> fiber.potentials = fiber.point_source_potentials(150, 0, fiber.length / 2, 1, 0.2)
>>> pulse = lambda t: 1.0 if 0.1 <= t < 0.3 else 0.0
>>> stimulation = ScaledStim(waveform=pulse, dt=0.005, tstop=10)
>>> amp, (n_ap, last_ms) = stimulation.find_threshold(fiber, stimamp_top=-0.2)
>>> round(amp, 3), n_ap
(-0.069, 1)
"""

from __future__ import annotations

import logging
from typing import Any, TextIO

from .._refusal import NotSupportedError
from ._fiber import IN_3D, Fiber, build_fiber
from ._models import FiberModel, UnknownModelError
from ._search import BisectionMean, BoundsSearchMode, TerminationMode, ThresholdCondition
from ._sections import APCount, Section
from ._stimulation import IntraStim, ScaledStim, Stimulation

__all__ = [
    "APCount",
    "BisectionMean",
    "BoundsSearchMode",
    "Fiber",
    "FiberModel",
    "IntraStim",
    "ScaledStim",
    "Section",
    "Stimulation",
    "TerminationMode",
    "ThresholdCondition",
    "UnknownModelError",
    "build_fiber",
    "build_fiber_3d",
    "enable_logging",
    "register_custom_fiber",
]


def build_fiber_3d(*args: Any, **kwargs: Any) -> Fiber:
    """Refused: fibers are straight here."""
    raise NotSupportedError(*IN_3D)


def register_custom_fiber(fiber_class: type) -> None:
    """Refused: models made of NEURON's mechanisms cannot run here."""
    raise NotSupportedError(
        "models made of NEURON's mechanisms cannot run here", "write the membrane as a fiber file, or a fiber in Python"
    )


def enable_logging(level: int = logging.INFO, format_string: str | None = None, stream: TextIO | None = None) -> None:
    """Shows what searches do, on the logger ``pyaxonml``: to ``stream``, the standard error by default."""
    logger = logging.getLogger("pyaxonml")
    for handler in [one for one in logger.handlers if isinstance(one, logging.StreamHandler)]:
        logger.removeHandler(handler)
    shown = logging.StreamHandler(stream)
    shown.setFormatter(logging.Formatter(format_string or "%(levelname)s:%(name)s:%(message)s"))
    logger.addHandler(shown)
    logger.setLevel(level)
