"""AxonML's fibers: runs over dense potentials that go on from where the last one ended."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ..._arrays import spread
from ..._fibers import Fibers
from ..._field import Field
from ..._simulation import Simulation
from ..._state import FiberStates
from ..._stimulus import Detection, currents
from ..._weights import Weights
from ...errors import InputError
from .._refusal import NotSupportedError, RunError, told
from ._callbacks import DEFAULT_DT_MS, Callback, Seen

NA_PER_MA = 1e6

Self = TypeVar("Self", bound="Axon")
#: ``float`` is a method of fibers, too.
Ms: TypeAlias = float


class _Backend:
    """Defaults of all runs: ``dt`` in ms, and the ``device`` of fibers that are made from now on."""

    __slots__ = ("device", "dt")

    def __init__(self) -> None:
        self.dt = DEFAULT_DT_MS
        self.device = "cpu"


#: ``from axonml import Backend``.
Backend = _Backend()

#: What training needs of AxonML's modules.
TRAINING = (
    "train",
    "freeze",
    "unfreeze",
    "reset",
    "parameters",
    "named_parameters",
    "zero_grad",
    "requires_grad_",
    "state_dict",
)


class Axon:
    """A batch of fibers of one model, whose state a run leaves and the next goes on from."""

    _id: str
    _compartment_um: float | None = None

    def __init__(self, temp: float = 37.0, fp32: bool = True, handle_nan: bool = False) -> None:
        self.temp, self.fp32 = float(temp), bool(fp32)
        if handle_nan:
            told(
                "handle_nan has no effect: rates are finite at their singular points, and a fiber that diverges is NaN",
                3,
            )
        self._weights: Weights | str | None = "published"
        self._set: dict[str, float] = {}
        self._device = str(Backend.device)
        self._state: np.ndarray | None = None

    def __getattr__(self, name: str) -> Any:
        if name in TRAINING:
            raise NotSupportedError(f"`{name}`: fibers are not trained by this interface", "use `axonml train`")
        raise AttributeError(f"{type(self).__name__} has no attribute `{name}`")

    def cuda(self: Self, device: int | None = None) -> Self:
        """Runs on a CUDA device from now on."""
        self._device = "cuda" if device is None else f"cuda:{int(device)}"
        return self

    def cpu(self: Self) -> Self:
        """Runs on the processor from now on."""
        self._device = "cpu"
        return self

    def to(self: Self, device: str) -> Self:
        """Runs on ``cpu``, ``cuda`` or ``cuda:N`` from now on."""
        self._device = str(device)
        return self

    def double(self: Self) -> Self:
        """Runs in double precision from now on."""
        self.fp32 = False
        return self

    def float(self: Self) -> Self:
        """Runs in single precision from now on."""
        self.fp32 = True
        return self

    def eval(self: Self) -> Self:
        """Changes nothing: fibers are never in training here."""
        return self

    def compile(self: Self, nodes: int = 16, axons: int = 1) -> Self:
        """Changes nothing: runs are compiled in any case."""
        return self

    def set(self, key: str, value: Any) -> None:
        """Sets a parameter by AxonML's name, from the next run on."""
        self._set[key] = math.nan if value is None else np.asarray(value, dtype=np.float64).item()

    def load(self: Self, state_dict: str | os.PathLike[str] | Mapping[str, Any]) -> Self:
        """Parameters by name, of a file, or of a state dict."""
        raise NotImplementedError

    def run(
        self,
        ve: Any,
        diameters: Any,
        ic: Any = None,
        dt: Ms | None = None,
        intra: Any = None,
        callbacks: Sequence[Callback] | None = None,
        reinit: bool = False,
    ) -> int:
        """Runs over potentials ``ve [step, fiber, 1, node]``, mV, with diameters ``[fiber]``, um; ``dt`` in ms (0.005).

        ``intra`` are currents into nodes of the same shape in mA, positive ones depolarize. A run goes on from where the last one
        ended unless ``reinit``, or from ``ic [fiber, state, node]`` (or what spreads to it), the membrane potential as the last state.
        Row k of ``ve`` drives the step from state k to state k + 1.
        """
        step_ms = float(Backend.dt if dt is None else dt)
        potentials, injected = _dense(ve, "ve"), None if intra is None else _dense(intra, "intra")
        if injected is not None and injected.shape != potentials.shape:
            raise InputError(f"found intra of shape {injected.shape} for ve of shape {potentials.shape}")
        steps, fibers, nodes = potentials.shape
        um = spread(diameters, np.shape(diameters), "diameters").reshape(-1)
        if len(um) != fibers:
            raise InputError(f"found {len(um)} diameters for ve of shape {potentials.shape}")
        simulation = Simulation(
            Fibers(self._id, diameter=um, nodes=nodes, compartment_um=self._compartment_um),
            Field.space_time(np.ascontiguousarray(potentials.transpose(1, 0, 2))),
            inject=[] if injected is None else currents(NA_PER_MA * injected.transpose(1, 2, 0), dt=step_ms),
            dt=step_ms,
            tstop=step_ms * steps,
            precision="f32" if self.fp32 else "f64",
            weights=self._weights,
            parameters=self._set,
            celsius=self.temp,
            device=self._device,
            # Nothing is detected here, in fibers of however few nodes.
            detect=Detection(at=[0.5]),
        )
        names = [*simulation.states, "v"]
        begin = self._begin(simulation, names, None if reinit else ic, reinit)
        found = simulation.run(1.0, record=names, begin=begin)
        failed = [said for said in found.message if said]
        if failed:
            told(f"{len(failed)} of {fibers} fibers diverged, and are NaN from there on: {failed[0]}", 4)
        rows = np.stack([found[name] for name in names], axis=2).transpose(1, 0, 2, 3)
        self._state = np.stack([found.end[name] for name in names], axis=1)
        seen = Seen(rows.astype(np.float32) if self.fp32 else rows, step_ms)
        for callback in callbacks or ():
            callback._look(seen)
        return 1

    def _begin(self, simulation: Simulation, names: Sequence[str], ic: Any, reinit: bool) -> FiberStates | None:
        """What a run begins with; ``None`` is the model's initial state."""
        given = self._state if ic is None else spread(ic, np.shape(ic), "ic")
        if reinit or given is None:
            return None
        if np.isnan(given).any():
            raise RunError("found NaN in the state to go on from: fibers diverged, or ic has it", "give reinit=True")
        begin = simulation.initial_state()
        shape = (len(simulation.fibers), len(names), int(simulation.nodes[0]))
        if ic is None and given.shape != shape:
            raise InputError(
                f"found a state [fiber, state, node] of {list(given.shape)} to go on from, expected {list(shape)}",
                "give reinit=True",
            )
        values = spread(given, shape, "ic [fiber, state, node]")
        for at, name in enumerate(names):
            begin[name][...] = values[:, at]
        return begin

    @property
    def state(self) -> np.ndarray | None:
        """The state ``[fiber, state, node]`` that the last run ended with; ``None`` before the first."""
        return None if self._state is None else self._state.copy()

    def cache_state(self) -> None:
        """Keeps the present state for :meth:`restore_state`."""
        self._cached = self._state

    def restore_state(self) -> None:
        """Goes back to the state that was kept."""
        if "_cached" not in self.__dict__:
            raise RunError("found no state to restore", "call cache_state first")
        self._state = self._cached

    def __repr__(self) -> str:
        precision = "single" if self.fp32 else "double"
        return f"{type(self).__name__}(weights={self._weights!r}, temp={self.temp:g}, {precision} precision, {self._device})"


def _dense(given: Any, what: str) -> np.ndarray:
    """``[step, fiber, 1, node]`` as ``[step, fiber, node]``."""
    try:
        array = np.asarray(given)
    except TypeError as error:
        raise InputError(f"found {what} that is no array of the processor: {error}", "call .cpu() on it") from error
    except ValueError as error:
        raise InputError(f"found {what} that is no array: {error}") from error
    if array.ndim != 4 or array.shape[2] != 1 or not array.size:
        raise InputError(f"found {what} of shape {array.shape}, expected [step, fiber, 1, node]")
    return spread(array, array.shape, what)[:, :, 0]


class SMF(Axon):
    """The surrogate myelinated fiber, with the published constants until weights are loaded. States: m, h, p, s, v."""

    _id = "smf"

    def load(self: Self, state_dict: str | os.PathLike[str] | Mapping[str, Any]) -> Self:
        """Weights: ``"MRG"``, a model file (``.safetensors``), or a state dict of PyTorch AxonML or its file (``.pt``).

        ``"MRG"`` are the weights that this package was trained to, not those that AxonML ships: for these, load its file.
        """
        self._set = {}
        if isinstance(state_dict, Mapping):
            self._weights = Weights.from_state_dict(state_dict.get("model_state_dict", state_dict))
            return self
        name = os.fspath(state_dict)
        if name == "MRG":
            told('"MRG" are the weights trained for this package, not those that AxonML ships', 3)
            self._weights = None
        else:
            self._weights = Weights.load(name)
        return self


class Sundt(Axon):
    """Sundt's C fiber stepped explicitly, compartments of ``dx`` um. States: m, h, n, l, v."""

    _id = "sundt-explicit"

    def __init__(self, dx: float = 10, temp: float = 37.0, fp32: bool = True, handle_nan: bool = False) -> None:
        super().__init__(temp, fp32, handle_nan)
        self._compartment_um = float(dx)

    def load(self: Self, state_dict: str | os.PathLike[str] | Mapping[str, Any]) -> Self:
        """Refused: the fiber has no weights."""
        raise NotSupportedError("there are no weights of the explicit Sundt fiber", "set its parameters by name")
