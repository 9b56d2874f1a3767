"""Thresholds and recordings as functions of arrays, with their derivatives: what the layers of torch and jax have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ._fibers import Fibers
from ._field import Field, JoinedField, PotentialsField
from ._results import Gradients, Thresholds
from ._simulation import Simulation
from ._waveform import Waveform
from .errors import InputError, SimulationError

#: Statuses of fibers that no amplitude up to the largest makes fire; others without a threshold are failures.
WITHOUT_THRESHOLD = ("no_activation", "propagation_failure", "artifact")


def as_simulation(of: Simulation | Fibers, waveform: Any, settings: Mapping[str, Any]) -> Simulation:
    """A simulation as it is, or one of fibers, whose potentials are given later."""
    if isinstance(of, Simulation):
        if waveform is not None or settings:
            given = ", ".join(["waveform"] * (waveform is not None) + sorted(settings))
            raise InputError(f"found a simulation and {given}, which the simulation has already")
        return of
    if isinstance(of, Fibers):
        return Simulation(of, None, waveform, **settings)
    raise InputError(f"found {type(of).__name__}, expected a Simulation or Fibers")


def sample_counts(simulation: Simulation) -> np.ndarray:
    """Numbers of sample points, ``[fiber]``: those of one model depend on its number of nodes only."""
    _, first, which = np.unique(simulation.nodes, return_index=True, return_inverse=True)
    counts = np.array([len(simulation.sample_points(int(fiber))) for fiber in first], dtype=np.int64)
    return np.asarray(counts[which])


def places_um(simulation: Simulation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates of the sample points, um: x and y ``[fiber, 1]``, z ``[fiber, sample]``, as functions of a :class:`Field` get them.

    Rows of fibers with fewer points go on with their last one.
    """
    fibers = simulation.fibers
    points = [simulation.sample_points(fiber) for fiber in range(len(fibers))]
    width = max((len(z) for z in points), default=0)
    z = np.array([np.pad(z, (0, width - len(z)), mode="edge") for z in points])
    return fibers.x_um[:, None], fibers.y_um[:, None], z + fibers.offset_um[:, None]


def bases_mv(simulation: Simulation) -> np.ndarray:
    """Potentials of the sources of a simulation's field at the sample points, ``[fiber, source, sample]``, 0 beyond their number."""
    if simulation.field is None:
        raise InputError("found a simulation without a field, expected one whose potentials can be told")
    if not simulation.field.has_waveform:
        raise InputError("found a field in space and time, which has no potentials per unit of current")
    points = [simulation.sample_points(fiber) for fiber in range(len(simulation.fibers))]
    natives = simulation.field._native(simulation.fibers, points) or []
    bases = np.zeros((len(points), len(natives), max((len(z) for z in points), default=0)))
    for source, native in enumerate(natives):
        for fiber, z in enumerate(points):
            # A field that all fibers share is one of one fiber.
            bases[fiber, source, : len(z)] = native.at(fiber if len(native) > 1 else 0, z)
    return bases


@dataclass
class Operands:
    """What thresholds and recordings are a function of.

    ``ve`` are potentials at the sample points, mV per mA, ``[fiber, sample]``, or ``[fiber, source, sample]`` where every source has a
    waveform of its own. ``waveform`` replaces the simulation's: values at every step, ``[step]``, one row per fiber of a field of one
    source, or one per source of several. ``parameters`` replace those of the model.
    """

    ve: np.ndarray
    waveform: np.ndarray | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, array: Callable[[Any], np.ndarray], ve: Any, waveform: Any, parameters: Mapping[str, Any] | None
    ) -> Operands:
        """Operands of the tensors of another package, which ``array`` makes arrays of."""
        return cls(
            array(ve),
            None if waveform is None else array(waveform),
            {name: float(value) for name, value in (parameters or {}).items()},
        )


@dataclass
class Differentiated:
    """Values ``[fiber]``, and the derivatives of each by its own operands: rows of fibers without a threshold are 0."""

    values: np.ndarray
    #: Whether a fiber has a threshold.
    known: np.ndarray
    #: ``[fiber, sample]`` or ``[fiber, source, sample]``, as the potentials.
    ve: np.ndarray
    #: ``[fiber, source, step]``.
    waveform: np.ndarray | None
    #: ``[fiber]`` each.
    parameters: dict[str, np.ndarray]


def each_times(jacobian: Any, weight: Any) -> Any:
    """Derivatives ``[fiber, ...]`` times a number ``[fiber]``."""
    return jacobian * weight.reshape(-1, *[1] * (jacobian.ndim - 1))


def pulled_back(bar: Any, jacobian: Any, shape: tuple[int, ...]) -> Any:
    """The cotangent of a waveform of a shape, from that of the thresholds and their derivatives ``[fiber, source, step]``."""
    each = each_times(jacobian, bar)
    if len(shape) == 1:
        return each.sum((0, 1))
    if jacobian.shape[1] > 1:
        return each.sum(0)
    return each.sum(0) if shape[0] == 1 else each[:, 0]


class FieldFunction:
    """A simulation asked with other potentials, waveforms and parameters."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.counts = sample_counts(simulation)

    def simulated(self, of: Operands) -> Simulation:
        """The simulation with the operands in their places."""
        return self.simulation.replaced(
            field=JoinedField([self._field(of.ve)] if of.ve.ndim == 2 else self._fields(of.ve)),
            waveform=None if of.waveform is None else self._waveforms(of.waveform),
            parameters=of.parameters,
        )

    def _fields(self, ve: np.ndarray) -> list[Field]:
        if ve.ndim != 3:
            raise InputError(
                f"found potentials of shape {ve.shape}, expected [fiber, sample] or [fiber, source, sample]"
            )
        return [self._field(ve[:, source]) for source in range(ve.shape[1])]

    def _field(self, ve: np.ndarray) -> Field:
        """Potentials of one source, the rows as long as the fibers have sample points."""
        expected = (len(self.counts), int(self.counts.max(initial=0)))
        if ve.shape != expected:
            raise InputError(
                f"found potentials of {ve.shape[0]} fibers at {ve.shape[1]} points, "
                f"expected {expected[0]} fibers and {expected[1]} points"
            )
        if (self.counts == expected[1]).all():
            return PotentialsField(ve)
        return PotentialsField([row[:count] for row, count in zip(ve, self.counts, strict=True)])

    def _waveforms(self, values: np.ndarray) -> Waveform | list[Waveform]:
        steps = self.simulation.steps
        if values.ndim not in (1, 2) or values.shape[-1] != steps:
            raise InputError(f"found a waveform of shape {values.shape}, expected one value for each of {steps} steps")
        dt = self.simulation.dt
        return Waveform(values, dt=dt) if values.ndim == 1 else [Waveform(row, dt=dt) for row in values]


def by_potentials(gradients: Gradients, shape: tuple[int, ...]) -> np.ndarray:
    """Derivatives by potentials of a shape, which may be wider than the longest fiber that has a derivative."""
    each = [np.pad(one, ((0, 0), (0, shape[-1] - one.shape[1]))) for one in gradients.potentials]
    return np.asarray(each[0] if len(shape) == 2 else np.stack(each[: shape[1]], axis=1))


def by_waveforms(gradients: Gradients, sources: int, steps: int) -> np.ndarray:
    """Derivatives by the waveforms of sources, ``[fiber, source, step]``."""
    return np.asarray(np.stack(gradients.waveforms[:sources], axis=1)[:, :, :steps])


class ThresholdFunction(FieldFunction):
    """The thresholds of a simulation's fibers as a function of potentials, waveforms and parameters.

    ``missing`` (mA) is the value of fibers that fire at no amplitude up to ``max_amplitude``; their derivatives are 0. Fibers that fire
    without stimulus, or diverge, are errors. ``log`` gives natural logarithms.
    """

    def __init__(
        self,
        simulation: Simulation,
        resolution: float = 1e-6,
        max_amplitude: float | None = None,
        missing: float = float("inf"),
        log: bool = False,
    ) -> None:
        super().__init__(simulation)
        self.resolution, self.max_amplitude, self.missing, self.log = resolution, max_amplitude, missing, log
        if self.simulation.signed and self.log:
            raise InputError("found log=True for a simulation with signed=True, whose thresholds can be negative")
        if self.log and self.missing <= 0:
            raise InputError(f"found missing={self.missing} with log=True, expected a value above 0, or NaN")

    def __call__(self, of: Operands) -> np.ndarray:
        """The thresholds, ``[fiber]``."""
        search: dict[str, Any] = {"resolution": self.resolution, "max_amplitude": self.max_amplitude}
        simulation = self.simulated(of)
        return self._values(simulation, simulation.thresholds(**search))

    def differentiated(self, of: Operands, by: Sequence[str]) -> Differentiated:
        """Thresholds and derivatives; ``by`` as :meth:`Simulation.thresholds_and_gradients` has it."""
        simulation = self.simulated(of)
        found, gradients = simulation.thresholds_and_gradients(
            by=by, resolution=self.resolution, max_amplitude=self.max_amplitude
        )
        known = np.isfinite(found.values)
        self._check(found, gradients, known)

        def rows(jacobian: np.ndarray) -> np.ndarray:
            per = found.values if self.log else np.ones(len(known))
            factor = np.where(known, 1.0 / np.where(known, per, 1.0), 0.0)
            # Derivatives that are not there are NaN.
            there = np.reshape(factor != 0.0, (-1, *[1] * (jacobian.ndim - 1)))
            return np.asarray(np.where(there, each_times(jacobian, factor), 0.0))

        some = "potentials" in by and known.any()
        ve = rows(by_potentials(gradients, of.ve.shape)) if some else np.zeros(of.ve.shape)
        waveform = None
        if "waveforms" in by and of.waveform is not None:
            sources = 1 if of.ve.ndim == 2 else of.ve.shape[1]
            width = of.waveform.shape[-1]
            waveform = (
                rows(by_waveforms(gradients, sources, width)) if known.any() else np.zeros((len(known), sources, width))
            )
        parameters = {name: rows(gradients.parameters[name]) for name in of.parameters if "parameters" in by}
        return Differentiated(self._values(simulation, found), known, ve, waveform, parameters)

    def _values(self, simulation: Simulation, found: Thresholds) -> np.ndarray:
        statuses = found["status"]
        failed = np.flatnonzero(np.isnan(found.values) & ~np.isin(statuses, WITHOUT_THRESHOLD))
        if len(failed):
            fiber = int(failed[0])
            raise SimulationError(f"fiber {fiber} has no threshold ({statuses[fiber]}): {found['message'][fiber]}")
        values = np.where(np.isnan(found.values), self.missing * simulation._sign(), found.values)
        return np.asarray(np.log(values) if self.log else values)

    @staticmethod
    def _check(found: Thresholds, gradients: Gradients, known: np.ndarray) -> None:
        messages = gradients["message"]
        failed = np.flatnonzero(known & (messages != ""))
        if len(failed):
            fiber = int(failed[0])
            raise SimulationError(
                f"the threshold of fiber {fiber} ({found.values[fiber]:g} mA) has no derivative: {messages[fiber]}"
            )


@dataclass
class RecordingFunction:
    """What the fibers of a simulation do at an amplitude, as a function of potentials, waveforms, parameters and the amplitude.

    ``record`` are names (``v``, states), ``nodes``, ``at`` and ``every`` as :meth:`Simulation.run` has them.
    """

    simulation: Simulation
    record: tuple[str, ...] = ("v",)
    nodes: Sequence[int] | None = None
    at: Sequence[float] | None = None
    every: int = 1

    def __post_init__(self) -> None:
        self.of = FieldFunction(self.simulation)

    @property
    def places(self) -> dict[str, Any]:
        """Where and how often is recorded."""
        return {"nodes": self.nodes, "at": self.at, "every": self.every}

    def __call__(self, of: Operands, amplitude: np.ndarray) -> tuple[np.ndarray, ...]:
        """What is recorded, ``[fiber, time, node]`` each; NaN at nodes that a fiber does not have."""
        found = self.of.simulated(of).run(amplitude, record=self.record, **self.places)
        diverged = np.flatnonzero(found["status"] != "ok")
        if len(diverged):
            raise SimulationError(str(found["message"][int(diverged[0])]))
        return tuple(found[name] for name in self.record)

    def pulled_back(
        self, of: Operands, amplitude: np.ndarray, weights: Mapping[str, np.ndarray], by: Sequence[str]
    ) -> Differentiated:
        """Derivatives of the sum of what is recorded times weights; the values are those by each fiber's amplitude."""
        simulation = self.of.simulated(of)
        found = simulation.run_gradients(weights, amplitude, by=by, **self.places)
        ve = by_potentials(found, of.ve.shape) if "potentials" in by else np.zeros(of.ve.shape)
        waveform = None
        if "waveforms" in by and of.waveform is not None:
            sources = 1 if of.ve.ndim == 2 else of.ve.shape[1]
            waveform = by_waveforms(found, sources, of.waveform.shape[-1])
        parameters = {name: found.parameters[name] for name in of.parameters if "parameters" in by}
        known = np.ones(len(ve), dtype=bool)
        return Differentiated(found["amplitude"], known, ve, waveform, parameters)
