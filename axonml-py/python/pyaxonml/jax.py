"""Thresholds as functions of JAX: exact values, exact derivatives, under ``jit``, ``grad`` and ``vmap``.

>>> import jax
>>> jax.config.update("jax_enable_x64", True)
>>> import pyaxonml as ax
>>> from pyaxonml.jax import places_um, thresholds
>>> fibers = ax.Fibers("mrg", diameter=10.0, nodes=53)
>>> simulation = ax.Simulation(fibers, None, ax.pulse("monophasic", pw=0.1, delay=0.1))
>>> find, (x_um, y_um, z_um) = thresholds(simulation), places_um(simulation)
>>> def threshold(x):
...     distance = jax.numpy.sqrt((x_um - x) ** 2 + y_um**2 + z_um**2)
...     return find(1e4 * 500 / (4 * jax.numpy.pi * distance))[0]
>>> value, by_x = jax.jit(jax.value_and_grad(threshold))(1000.0)
>>> round(float(value), 4), bool(by_x > 0)
(0.1236, True)
"""

# mypy: disallow-untyped-decorators=False, disallow-untyped-calls=False

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

try:
    import jax
    import jax.numpy as jnp
except ImportError as error:
    raise ImportError("pyaxonml.jax needs JAX, which is not installed: pip install jax") from error

from ._differentiable import Operands, ThresholdFunction, as_simulation, bases_mv, each_times, places_um, pulled_back
from ._fibers import Fibers
from ._simulation import Simulation

__all__ = ["bases_mv", "places_um", "thresholds"]


def _shaped(shape: tuple[int, ...], like: Any) -> Any:
    return jax.ShapeDtypeStruct(shape, like.dtype)


def thresholds(
    of: Simulation | Fibers,
    waveform: Any = None,
    *,
    resolution: float = 1e-6,
    max_amplitude: float | None = None,
    missing: float = math.inf,
    log: bool = False,
    **settings: Any,
) -> Callable[..., Any]:
    """The thresholds of fibers, mA, as a function ``find(ve, waveform=None, parameters=None)`` that JAX differentiates.

    ``of`` is a :class:`~pyaxonml.Simulation` (its field is replaced by the potentials), or :class:`~pyaxonml.Fibers` with a ``waveform``
    and further arguments of a simulation; ``resolution`` and ``max_amplitude`` are those of the search.

    ``ve`` are potentials at the sample points (:func:`places_um`), mV per mA, ``[fiber, sample]``, or ``[fiber, source, sample]`` where
    every source has a waveform of its own. ``waveform`` replaces the simulation's: values at every step, ``[step]``, ``[fiber, step]``,
    or ``[source, step]`` of several sources. ``parameters`` (name to number) replace those of the model. All are differentiated by.

    The result is ``[fiber]``, of the type of the potentials (of 32 bits unless ``jax_enable_x64`` is set), or its natural logarithm with
    ``log=True``. A fiber that no amplitude up to ``max_amplitude`` makes fire has the value ``missing`` and the derivative 0; one that
    fires without stimulus or diverges is an error.

    Searches run on the simulation's device by NumPy arrays of the CPU (``jax.pure_callback``); under ``vmap`` they run one after the other.
    """
    function = ThresholdFunction(as_simulation(of, waveform, settings), resolution, max_amplitude, missing, log)
    fibers = len(function.simulation.fibers)

    def values(ve: Any, waveform: Any, parameters: Any) -> Any:
        def ask(*operands: Any) -> np.ndarray:
            return function(Operands.of(np.asarray, *operands)).astype(ve.dtype)

        shape = _shaped((fibers,), ve)
        return jax.pure_callback(ask, shape, ve, waveform, parameters, vmap_method="sequential")

    def forward(ve: Any, waveform: Any, parameters: Any) -> Any:
        by = ["potentials"]
        shapes = {
            "values": _shaped((fibers,), ve),
            "known": jax.ShapeDtypeStruct((fibers,), bool),
            "ve": _shaped(ve.shape, ve),
        }
        if waveform is not None:
            by.append("waveforms")
            sources = 1 if ve.ndim == 2 else ve.shape[1]
            shapes["waveform"] = _shaped((fibers, sources, waveform.shape[-1]), waveform)
        if parameters:
            by.append("parameters")
            shapes["parameters"] = {name: _shaped((fibers,), value) for name, value in parameters.items()}

        def ask(*operands: Any) -> Any:
            found = function.differentiated(Operands.of(np.asarray, *operands), by)
            return jax.tree.map(
                lambda shape, array: array.astype(shape.dtype), shapes, {name: getattr(found, name) for name in shapes}
            )

        found = jax.pure_callback(ask, shapes, ve, waveform, parameters, vmap_method="sequential")
        return found["values"], (found, waveform)

    def backward(residual: Any, bar: Any) -> Any:
        found, waveform = residual
        # A missing threshold's derivative is 0, whatever a loss makes of its value.
        weight = jnp.where(found["known"], bar, 0.0)
        by_ve = each_times(found["ve"], weight)
        by_waveform = (
            None if waveform is None else pulled_back(weight, found["waveform"], waveform.shape).astype(waveform.dtype)
        )
        by_parameters = {
            name: (one * weight).sum().astype(one.dtype) for name, one in found.get("parameters", {}).items()
        }
        return by_ve, by_waveform, by_parameters

    differentiable = jax.custom_vjp(values)
    differentiable.defvjp(forward, backward)

    def find(ve: Any, waveform: Any = None, parameters: Mapping[str, Any] | None = None) -> Any:
        numbers = {name: jnp.asarray(value, dtype=float) for name, value in (parameters or {}).items()}
        return differentiable(jnp.asarray(ve), None if waveform is None else jnp.asarray(waveform), numbers)

    return find
