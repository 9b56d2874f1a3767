"""Names that do not exist are answered with those that do."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest

import pyaxonml as ax
from pyaxonml._names import OF_PYFIBERS


def test_names_of_pyfibers_are_answered_with_those_of_the_package() -> None:
    with pytest.raises(TypeError, match=r"Fibers\(\) has no argument `n_nodes`; PyFibers' `n_nodes` is `nodes`"):
        ax.Fibers("sundt", diameter=1.0, n_nodes=61)
    with pytest.raises(TypeError, match="did you mean `diameter`"):
        ax.Fibers("sundt", diametre=1.0)
    fibers = ax.Fibers("sundt", diameter=1.0, nodes=61)
    for name, here in (("vm", "`v` of Simulation.run"), ("potentials", r"Field\.potentials"), ("apc", "`crossings`")):
        with pytest.raises(AttributeError, match=f"`{name}` is .*{here}"):
            getattr(fibers, name)
    with pytest.raises(AttributeError, match="did you mean `diameter_um`"):
        _ = fibers.diameters_um
    with pytest.raises(AttributeError, match=r"`build_fiber` is pyaxonml\.Fibers"):
        _ = ax.build_fiber
    with pytest.raises(AttributeError, match="found no `vm`"):
        _ = ax.Thresholds({"threshold_mA": np.zeros(1)}, {}).vm
    with pytest.raises(TypeError, match=r"Simulation\(\) has no argument `stimamp`; .*`amplitude` of Simulation\.run"):
        ax.Simulation(fibers, stimamp=1.0)  # type: ignore[call-arg]
    simulation = ax.Simulation(fibers, inject=ax.inject(5), tstop=1.0)
    with pytest.raises(AttributeError, match=r"`find_threshold` is Simulation\.thresholds"):
        _ = simulation.find_threshold
    assert not hasattr(fibers, "_description") and not hasattr(ax, "_nothing")
    assert list(inspect.signature(ax.Fibers).parameters)[:3] == ["model", "diameter", "nodes"]


def test_names_that_are_answered_with_exist() -> None:
    for name, here in OF_PYFIBERS.items():
        for of, attribute in re.findall(r"\b(pyaxonml|Simulation|Field)\.(\w+)", here):
            assert hasattr(ax if of == "pyaxonml" else getattr(ax, of), attribute), (name, here)
        for argument, of in re.findall(r"`(\w+)(?:=.*?)?` of pyaxonml\.(\w+)", here):
            assert argument in inspect.signature(getattr(ax, of)).parameters or hasattr(getattr(ax, of), argument), name
        for argument, of in re.findall(
            r"`(first_amplitude|max_amplitude|resolution|amplitude|record)` of Simulation\.(\w+)", here
        ):
            assert argument in inspect.signature(getattr(ax.Simulation, of)).parameters, name
