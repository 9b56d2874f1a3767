"""Hints for names that do not exist."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

#: Names of PyFibers, and what says the same here.
OF_PYFIBERS = {
    # Arguments.
    "ap_detect_location": "`at` of pyaxonml.Detection",
    "ap_detect_threshold": "`threshold_mv` of pyaxonml.Detection",
    "delta_z": "`compartment_um` of pyaxonml.Fibers",
    "enforce_odd_nodecount": "`nodes` of pyaxonml.Fibers, which takes the number as it is",
    "fiber_model": "`model` of pyaxonml.Fibers",
    "length": "`length_mm` of pyaxonml.Fibers",
    "n_nodes": "`nodes` of pyaxonml.Fibers",
    "n_sections": "`nodes` of pyaxonml.Fibers",
    "passive_end_nodes": '`ends="passive"` of pyaxonml.Simulation',
    "stimamp": "`amplitude` of Simulation.run",
    "stimamp_bottom": "`first_amplitude` of Simulation.thresholds",
    "stimamp_top": "`max_amplitude` of Simulation.thresholds",
    "temperature": "`celsius` of pyaxonml.Simulation",
    "termination_tolerance": "`resolution` of Simulation.thresholds",
    # Attributes and methods of fibers and stimulations.
    "add_intrinsic_activity": "`synapse=pyaxonml.Synapse(...)` or `inject=pyaxonml.inject(node, na, at=[...])` of pyaxonml.Simulation",
    "apc": "`crossings` of Simulation.run",
    "coordinates": "Simulation.sample_points",
    "diameter": "`diameter_um`",
    "find_threshold": "Simulation.thresholds, or block_thresholds",
    "gating": "states that `record` of Simulation.run names",
    "longitudinal_coordinates": "Simulation.sample_points",
    "measure_cv": "Simulation.conduction_velocity",
    "nodecount": "`nodes` of pyaxonml.Fibers",
    "point_source_potentials": "pyaxonml.point_source",
    "potentials": "pyaxonml.Field.potentials, which pyaxonml.Simulation takes",
    "record_gating": "`record` of Simulation.run",
    "record_vm": "`record` of Simulation.run",
    "resample_potentials": "pyaxonml.Field.sampled",
    "run_sim": "Simulation.run",
    "time": "`t_ms` of Simulation.run",
    "vm": "`v` of Simulation.run",
    # Names of the package.
    "FiberModel": "a name of pyaxonml.models()",
    "IntraStim": "pyaxonml.inject",
    "ScaledStim": "pyaxonml.Simulation",
    "build_fiber": "pyaxonml.Fibers",
}


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that ``name`` was most likely meant to be, or None; capitals do not matter."""
    spelled: dict[str, str] = {}
    for candidate in candidates:
        spelled.setdefault(candidate.lower(), candidate)
    near = difflib.get_close_matches(name.lower(), spelled, n=1)
    return spelled[near[0]] if near else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """The end of a message: a question for the nearest candidate, empty if none is near."""
    near = nearest(name, candidates)
    return "" if near is None else f"; did you mean `{near}`?"


def hint(name: str, candidates: Iterable[str]) -> str:
    """The end of a message: what says the same as a name of PyFibers, or else a question for the nearest candidate."""
    if name not in candidates and name in OF_PYFIBERS:
        return f"; PyFibers' `{name}` is {OF_PYFIBERS[name]} (scripts as they are: pyaxonml.compat.pyfibers)"
    return did_you_mean(name, candidates)


def hinted(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """A function that answers an argument that it does not have with a hint."""
    known = [name for name in inspect.signature(function).parameters if name != "self"]
    is_made = function.__name__ == "__init__"

    @functools.wraps(function)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        for name in kwargs:
            if name not in known:
                of = type(args[0]).__name__ if is_made else function.__qualname__
                raise TypeError(f"{of}() has no argument `{name}`{hint(name, known)}")
        return function(*args, **kwargs)

    return checked


class Hinting:
    """A class whose objects answer an attribute that they do not have with a hint."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            known = [one for one in (*dir(type(self)), *vars(self)) if not one.startswith("_")]
            end = "" if name.startswith("_") else hint(name, known)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{end}")
