"""Thresholds and recordings as layers of PyTorch: exact values, exact derivatives by potentials, gains, waveforms and parameters.

>>> import torch
>>> import pyaxonml as ax
>>> from pyaxonml.torch import Thresholds
>>> fibers = ax.Fibers("mrg", diameter=10.0, nodes=53)
>>> layer = Thresholds(fibers, ax.pulse("monophasic", pw=0.1, delay=0.1))
>>> x = torch.tensor(1000.0, dtype=torch.float64, requires_grad=True)
>>> distance = torch.sqrt((layer.x_um - x) ** 2 + layer.y_um**2 + layer.z_um**2)
>>> threshold = layer(1e4 * 500 / (4 * torch.pi * distance))
>>> threshold.sum().backward()
>>> round(threshold.item(), 4), bool(x.grad > 0)
(0.1236, True)
"""

# mypy: disallow-subclassing-any=False, disallow-untyped-decorators=False, disallow-untyped-calls=False

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

try:
    import torch
except ImportError as error:
    raise ImportError("pyaxonml.torch needs PyTorch, which is not installed: pip install torch") from error

from ._differentiable import (
    Operands,
    RecordingFunction,
    ThresholdFunction,
    as_simulation,
    bases_mv,
    each_times,
    places_um,
    pulled_back,
)
from ._fibers import Fibers
from ._simulation import Simulation
from .errors import InputError

__all__ = ["Activation", "Recordings", "Thresholds"]


def _array(tensor: Any) -> np.ndarray:
    """A tensor's numbers, without a copy where it lies in the CPU's memory; numbers of less than 32 bits become those of 32."""
    held = tensor.detach().cpu()
    return np.asarray((held if held.dtype in (torch.float32, torch.float64) else held.float()).numpy())


@dataclass(frozen=True)
class _Kind:
    """Type, place and shape of a tensor."""

    dtype: Any
    device: Any
    shape: tuple[int, ...]

    @classmethod
    def of(cls, tensor: Any) -> _Kind:
        return cls(tensor.dtype, tensor.device, tuple(tensor.shape))

    def tensor(self, array: Any) -> Any:
        """A tensor of this type and place."""
        return torch.from_numpy(np.ascontiguousarray(array)).to(dtype=self.dtype, device=self.device)


def _exact(number: Any) -> Any:
    """A tensor as it is; other numbers with all of their digits."""
    return number if isinstance(number, torch.Tensor) else torch.as_tensor(number, dtype=torch.float64)


def _named(parameters: Mapping[str, Any] | None) -> tuple[tuple[str, ...], list[Any]]:
    """Names and values of parameters."""
    return tuple(parameters or ()), [_exact(value) for value in (parameters or {}).values()]


def _asked(ve: bool, waveform: bool, parameters: Sequence[bool]) -> dict[str, bool]:
    """Which kinds of operands a derivative is needed by."""
    return {"potentials": ve, "waveforms": waveform, "parameters": any(parameters)}


class _Thresholds(torch.autograd.Function):
    """Thresholds of potentials, a waveform (or none) and parameters in the order of their names."""

    @staticmethod
    def forward(
        ctx: Any, function: ThresholdFunction, names: tuple[str, ...], ve: Any, waveform: Any, *parameters: Any
    ) -> Any:
        of = Operands.of(_array, ve, waveform, dict(zip(names, parameters, strict=True)))
        _, _, by_ve, by_waveform, *by_parameters = ctx.needs_input_grad
        asked = _asked(by_ve, by_waveform, by_parameters)
        by = [kind for kind, is_asked in asked.items() if is_asked]
        if not by:
            return _Kind.of(ve).tensor(function(of))
        found = function.differentiated(of, by)
        ctx.found, ctx.names, ctx.asked = found, names, asked
        ctx.kinds = [None if one is None else _Kind.of(one) for one in (ve, waveform, *parameters)]
        return ctx.kinds[0].tensor(found.values)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, bar: Any) -> Any:
        found, asked = ctx.found, ctx.asked
        of_ve, of_waveform, *of_parameters = ctx.kinds
        # A missing threshold's derivative is 0, whatever a loss makes of its value.
        weight = np.where(found.known, _array(bar), 0.0)
        by_ve = by_waveform = None
        by_parameters = [None] * len(of_parameters)
        if asked["potentials"]:
            by_ve = of_ve.tensor(each_times(found.ve, weight))
        if asked["waveforms"]:
            by_waveform = of_waveform.tensor(pulled_back(weight, found.waveform, of_waveform.shape))
        if asked["parameters"]:
            sums = [(found.parameters[name] * weight).sum() for name in ctx.names]
            by_parameters = [
                kind.tensor(np.full(kind.shape, one)) for kind, one in zip(of_parameters, sums, strict=True)
            ]
        return None, None, by_ve, by_waveform, *by_parameters


class _Recordings(torch.autograd.Function):
    """Recordings at an amplitude, of potentials, a waveform (or none) and parameters in the order of their names."""

    @staticmethod
    def forward(
        ctx: Any,
        function: RecordingFunction,
        names: tuple[str, ...],
        amplitude: Any,
        ve: Any,
        waveform: Any,
        *parameters: Any,
    ) -> Any:
        of = Operands.of(_array, ve, waveform, dict(zip(names, parameters, strict=True)))
        ctx.function, ctx.of, ctx.amplitude, ctx.names = function, of, _array(amplitude), names
        ctx.kinds = [None if one is None else _Kind.of(one) for one in (amplitude, ve, waveform, *parameters)]
        return tuple(ctx.kinds[1].tensor(one) for one in function(of, ctx.amplitude))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *bars: Any) -> Any:
        of_amplitude, of_ve, of_waveform, *of_parameters = ctx.kinds
        _, _, _, by_ve, by_waveform, *by_parameters = ctx.needs_input_grad
        asked = _asked(by_ve, by_waveform, by_parameters)
        weights = {name: _array(bar) for name, bar in zip(ctx.function.record, bars, strict=True)}
        by = [kind for kind, is_asked in asked.items() if is_asked]
        found = ctx.function.pulled_back(ctx.of, ctx.amplitude, weights, by)
        amplitude = found.values if len(of_amplitude.shape) else found.values.sum()
        sums = [found.parameters[name].sum() if asked["parameters"] else 0.0 for name in ctx.names]
        return (
            None,
            None,
            of_amplitude.tensor(amplitude),
            of_ve.tensor(found.ve) if by_ve else None,
            of_waveform.tensor(pulled_back(np.ones(len(found.ve)), found.waveform, of_waveform.shape))
            if by_waveform
            else None,
            *(kind.tensor(np.full(kind.shape, one)) for kind, one in zip(of_parameters, sums, strict=True)),
        )


class _Layer(torch.nn.Module):
    """A simulation with its sample points as buffers."""

    #: Coordinates of the sample points, um: x and y ``[fiber, 1]``, z ``[fiber, sample]``.
    x_um: Any
    y_um: Any
    z_um: Any

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self.simulation = simulation
        for name, places in zip("xyz", places_um(simulation), strict=True):
            self.register_buffer(f"{name}_um", torch.from_numpy(places), persistent=False)

    def bases(self) -> Any:
        """Potentials of the sources of the simulation's own field, ``[fiber, source, sample]``, mV per mA."""
        return torch.from_numpy(bases_mv(self.simulation)).to(self.z_um)

    def _potentials(self, ve: Any, bases: Any) -> Any:
        """Potentials as they are, or of contacts with their gains: summed, or of each."""
        if bases is None:
            return ve
        if bases.ndim != 3 or ve.ndim not in (1, 2) or ve.shape[-1] != bases.shape[1]:
            raise InputError(
                f"found gains of shape {tuple(ve.shape)} for bases of shape {tuple(bases.shape)}, "
                "expected [contact] or [fiber, contact], and [fiber, contact, sample]"
            )
        each = ve[..., None] * bases
        return each if len(self.simulation._waveforms) > 1 else each.sum(1)

    def extra_repr(self) -> str:
        """What is printed of it."""
        return repr(self.simulation)


class Thresholds(_Layer):
    """Activation thresholds of fibers, mA, ``[fiber]``, as a layer without weights of its own.

    ``of`` is a :class:`~pyaxonml.Simulation` (its field is replaced by what the layer is called with), or :class:`~pyaxonml.Fibers` with
    a ``waveform`` and further arguments of a simulation. ``resolution`` is that of the search. ``log=True`` gives natural logarithms,
    whose gradients weigh fibers of all sizes alike.

    A fiber that no amplitude up to ``max_amplitude`` makes fire has the value ``missing`` (mA, infinite by default) and the
    derivative 0; one that fires without stimulus or diverges is an error (:class:`~pyaxonml.SimulationError`).

    Values are searched in the precision of the simulation, on its device, by NumPy arrays of the CPU; tensors elsewhere are copied there.
    The result has the type and the device of the potentials. Derivatives are taken together with the values where any is needed;
    derivatives of derivatives are refused.
    """

    def __init__(
        self,
        of: Simulation | Fibers,
        waveform: Any = None,
        *,
        resolution: float = 1e-6,
        max_amplitude: float | None = None,
        missing: float = math.inf,
        log: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(as_simulation(of, waveform, settings))
        self.function = ThresholdFunction(self.simulation, resolution, max_amplitude, missing, log)

    def forward(
        self, ve: Any, bases: Any = None, *, waveform: Any = None, parameters: Mapping[str, Any] | None = None
    ) -> Any:
        """Thresholds in a field.

        ``ve`` are potentials at the sample points, mV per mA, ``[fiber, sample]``, or ``[fiber, source, sample]`` where every source has
        a waveform of its own. With ``bases`` ``[fiber, contact, sample]`` it is gains of contacts, ``[contact]`` or
        ``[fiber, contact]``: factors of one waveform, or of the contacts' own where the simulation has one for each.

        ``waveform`` replaces the simulation's: values at every step, ``[step]``, ``[fiber, step]``, or ``[source, step]`` of several
        sources. ``parameters`` replace those of the model, by name, tensors of one number. All of them are differentiated by.
        """
        names, values = _named(parameters)
        return _Thresholds.apply(self.function, names, self._potentials(ve, bases), waveform, *values)


class Recordings(_Layer):
    """What fibers do at an amplitude, ``[fiber, time, node]``, as a layer without weights of its own.

    ``of`` and ``waveform`` are as in :class:`Thresholds`. ``record`` is ``v`` (mV), a state, or several of them, of which each is a
    tensor; ``nodes`` (counted from 0, negative ones from the end) or ``at`` (fractions of the length) say where, ``every`` how often:
    every so many steps, the start included. Nodes that a fiber does not have are NaN, and what a loss makes of them is ignored.

    A fiber that diverges is an error. The derivative is that of the discrete steps, exact but for rounding; it needs another run.
    """

    def __init__(
        self,
        of: Simulation | Fibers,
        waveform: Any = None,
        *,
        record: str | Sequence[str] = "v",
        nodes: Sequence[int] | None = None,
        at: Sequence[float] | None = None,
        every: int = 1,
        **settings: Any,
    ) -> None:
        super().__init__(as_simulation(of, waveform, settings))
        self.is_one = isinstance(record, str)
        names = (record,) if isinstance(record, str) else tuple(record)
        self.function = RecordingFunction(self.simulation, names, nodes, at, every)

    def forward(
        self,
        amplitude: Any,
        ve: Any,
        bases: Any = None,
        *,
        waveform: Any = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Any:
        """What is recorded at an amplitude, mA (one, or one per fiber); further arguments as :class:`Thresholds`.

        All of them are differentiated by. Several recorded names give a tuple in their order.
        """
        names, values = _named(parameters)
        found = _Recordings.apply(
            self.function, names, _exact(amplitude), self._potentials(ve, bases), waveform, *values
        )
        return found[0] if self.is_one else found


class Activation(torch.nn.Module):
    """The probability that fibers fire at an amplitude, ``[fiber]``, between 0 and 1: a smooth stand-in for recruitment.

    Thresholds fluctuate from pulse to pulse as a normal distribution does, with a standard deviation of ``relative_spread`` times the
    threshold (some percent in myelinated fibers; larger values let a descent see fibers from afar). Arguments beside it are those of
    :class:`Thresholds`.
    """

    def __init__(
        self, of: Simulation | Fibers, waveform: Any = None, *, relative_spread: float = 0.05, **search: Any
    ) -> None:
        super().__init__()
        if not relative_spread > 0:
            raise InputError(f"found relative_spread={relative_spread}, expected a number above 0")
        if search.get("log"):
            raise InputError("found log=True, which probabilities do not have")
        self.relative_spread = float(relative_spread)
        self.thresholds = Thresholds(of, waveform, **search)

    def forward(self, amplitude: Any, ve: Any, bases: Any = None, **operands: Any) -> Any:
        """Probabilities at an amplitude, mA (one, or one per fiber), differentiable by it; further arguments as :class:`Thresholds`."""
        thresholds = self.thresholds(ve, bases, **operands)
        return torch.special.ndtr((amplitude / thresholds - 1.0) / self.relative_spread)
