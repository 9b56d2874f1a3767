"""What simulations are made of: fibers, field, waveforms and settings in the native module's terms."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _native
from ._arrays import spread
from ._fibers import Fibers, _native_model
from ._field import Field, JoinedField, PotentialsField
from ._machine import thread_count
from ._names import Hinting, hinted
from ._stimulus import Detection, NodeCurrent, Synapse
from ._types import Extents
from ._waveform import Waveform, WaveformLike, as_waveform, as_waveforms
from ._weights import WeightsLike, _native_weights
from .errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Self

log = logging.getLogger("pyaxonml")

#: Steady-state start unless another duration is given, ms.
WARMUP_MS = 200.0
NA_PER_MA = 1e6


def native_settings(
    *,
    precision: str = "f64",
    rates: str = "exact",
    weights: WeightsLike | None = None,
    parameters: Mapping[str, float] | None = None,
    celsius: float | None = None,
    ends: str = "active",
    warmup_ms: float | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> _native.Settings:
    """Settings in the native module's terms."""
    return _native.Settings(
        precision=precision,
        rates=rates,
        weights=_native_weights(weights),
        parameters=[(name, float(value)) for name, value in (parameters or {}).items()],
        celsius=celsius,
        ends=ends,
        warmup_ms=warmup_ms,
        device=device,
        threads=thread_count(threads),
    )


class Prepared(Hinting):
    """A simulation as its questions need it: fibers that are built, and their stimulus."""

    @hinted
    def __init__(
        self,
        fibers: Fibers,
        field: Field | Sequence[Field] | None = None,
        waveform: WaveformLike | Sequence[WaveformLike] | None = None,
        *,
        inject: NodeCurrent | Sequence[NodeCurrent] = (),
        synapse: Synapse | None = None,
        detect: Detection | None = None,
        dt: float = 0.005,
        tstop: float | None = None,
        precision: str = "f64",
        rates: str = "exact",
        device: str = "auto",
        threads: int | None = None,
        start: str = "published",
        warmup_ms: float | None = None,
        ends: str = "active",
        parameters: Mapping[str, float] | None = None,
        weights: WeightsLike | None = None,
        celsius: float | None = None,
        signed: bool = False,
    ) -> None:
        if start not in ("published", "steady-state"):
            raise InputError(f"found start={start!r}, expected published or steady-state")
        if warmup_ms is not None and start == "published":
            raise InputError("found `warmup_ms`, which needs start='steady-state'")
        for what, given, kind in (
            ("fibers", fibers, Fibers),
            ("synapse", synapse, Synapse | None),
            ("detect", detect, Detection | None),
        ):
            if not isinstance(given, kind):
                raise InputError(f"found {type(given).__name__} as `{what}`, expected pyaxonml.{what.capitalize()}")
        self.fibers = fibers
        self.field = field if field is None or isinstance(field, Field) else JoinedField(list(field))
        self.injections = (inject,) if isinstance(inject, NodeCurrent) else tuple(inject)
        for current in self.injections:
            if not isinstance(current, NodeCurrent):
                raise InputError(
                    f"found {type(current).__name__} in `inject`, expected pyaxonml.inject(...) or pyaxonml.currents(...)"
                )
        self.synapse = synapse
        self.detect = detect or Detection()
        self.dt = float(dt)
        self.signed = bool(signed)
        settled = start == "steady-state"
        self._settings: dict[str, Any] = {
            "precision": precision,
            "rates": rates,
            "weights": weights,
            "parameters": dict(parameters or {}),
            "celsius": celsius,
            "ends": ends,
            "warmup_ms": (WARMUP_MS if warmup_ms is None else float(warmup_ms)) if settled else None,
            "device": device,
            "threads": threads,
        }
        self._early: list[_native.Field] | None = None
        self._waveforms = self._arranged(waveform)
        native = native_settings(**self._settings)
        found = self._extents(native)
        self.nodes: np.ndarray = found["nodes"]
        self.tstop = float(found["tstop_ms"] if tstop is None else tstop)
        if found["ends_driven"].any():
            count = int(found["ends_driven"].sum())
            log.warning(
                "the field drives the ends of %d of %d fibers, which are as long as it allows", count, len(fibers)
            )
        self._handle: _native.Simulation | None = self._built(native)
        self._made = True
        self._stimulus: _native.Stimulus | None = None
        self._signs: np.ndarray | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        if "_made" in self.__dict__ and not name.startswith("_"):
            raise AttributeError(
                f"found an assignment to `{name}`: simulations do not change; make another, or `replaced(...)`"
            )
        super().__setattr__(name, value)

    def replaced(
        self,
        *,
        field: Field | Sequence[Field] | None = None,
        waveform: WaveformLike | Sequence[WaveformLike] | None = None,
        parameters: Mapping[str, float] | None = None,
    ) -> Self:
        """The same with another field, waveform or (some) parameters; fibers keep their nodes and the run its length.

        Cables are built again only where parameters change.
        """
        made = copy.copy(self)
        if parameters:
            made._settings = {**self._settings, "parameters": {**self._settings["parameters"], **parameters}}
            made._handle = None
        else:
            made._handle = self._running
        made._stimulus = made._early = None
        if field is not None:
            made.__dict__["field"] = field if isinstance(field, Field) else JoinedField(list(field))
        if waveform is not None:
            made._signs = None
            made._waveforms = made._arranged(waveform)
        elif made.field is not self.field and len({id(one) for source in self._waveforms for one in source}) == 1:
            # One waveform is that of every source, however many a field has.
            made._waveforms = made._arranged(self._waveforms[0][0])
        return made

    def _arranged(self, waveform: Any) -> list[list[Waveform]]:
        """The waveforms of every source: one, or one per fiber."""
        sources = 1 if self.field is None else self.field.sources
        each = as_waveforms(waveform)
        if waveform is None:
            return []
        if each is None:
            return [[as_waveform(waveform)]] * sources
        if sources > 1:
            if len(each) != sources:
                raise InputError(f"found {len(each)} waveforms for the {sources} sources of the field")
            return [[one] for one in each]
        if len(each) not in (1, len(self.fibers)):
            raise InputError(
                f"found {len(each)} waveforms for {len(self.fibers)} fibers, expected one, or one per fiber: "
                "one fiber under several waveforms is as many fibers, diameter=[10.0] * 5"
            )
        return [each]

    def _stimulus_end(self) -> float | None:
        """When the last of the waveforms ends, ms."""
        unique = {id(one): one for source in self._waveforms for one in source}.values()
        ends = [one.end() for one in unique]
        ends += [current._end(self.dt) for current in self.injections]
        ends += [] if self.synapse is None else [max(self.synapse.onsets)]
        known = [end for end in ends if end is not None]
        return None if len(known) < len(ends) else max(known, default=0.0)

    def _extents(self, settings: _native.Settings) -> Extents:
        fibers = self.fibers
        # Kept until the first question, so that potentials are not read twice.
        self._early = None if self.field is None else self.field._native(fibers, None)
        spec = self.detect._spec()
        # An action potential that begins at a node may have to pass the whole fiber.
        sites = ([0], None) if self.injections or self.synapse is not None else (spec["nodes"], spec["at"])
        return _native.extents(
            _native_model(fibers.model),
            settings,
            fibers.diameter_um,
            None if fibers.nodes is None else fibers.nodes.tolist(),
            None if fibers.length_um is None else fibers.length_um.tolist(),
            fibers.compartment_um,
            self._early or [],
            sites,
            self._stimulus_end(),
        )

    def _built(self, settings: _native.Settings) -> _native.Simulation:
        fibers = self.fibers
        model, grid = _native_model(fibers.model), (self.dt, self.tstop)
        synapse = None if self.synapse is None else (float(self.synapse.e_mv), float(self.synapse.tau))
        return _native.Simulation(
            model, fibers.diameter_um, self.nodes.tolist(), fibers.compartment_um, grid, settings, synapse
        )

    @property
    def _running(self) -> _native.Simulation:
        if self._handle is None:
            self._handle = self._built(native_settings(**self._settings))
        return self._handle

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handle": None, "_stimulus": None, "_early": None}

    @property
    def device(self) -> str:
        """The device that computes."""
        return self._running.device

    @property
    def states(self) -> list[str]:
        """Names of the model's states, which can be recorded."""
        return self._running.states

    @property
    def steps(self) -> int:
        """Number of time steps."""
        return self._running.steps

    def sample_points(self, fiber: int = 0) -> np.ndarray:
        """Places at which the potential along a fiber is needed, um from its middle node."""
        return self._running.sample_points_um(fiber)

    def nodes_um(self, fiber: int = 0) -> np.ndarray:
        """Places of a fiber's nodes, um from the middle one."""
        return self._running.nodes_um(fiber)

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """Parameters of the model that runs: name, group, value, unit."""
        names = ("name", "group", "value", "unit")
        return [dict(zip(names, row, strict=True)) for row in self._running.parameters]

    def _stimulated(self, ve: Any = None) -> _native.Stimulus:
        """The stimulus; with potentials ``ve`` at sample points in place of the field."""
        if ve is None and self._stimulus is not None:
            return self._stimulus
        field = self.field if ve is None else PotentialsField(ve)
        if field is None and self._waveforms:
            raise InputError("found a waveform, but no field that it drives")
        if field is not None and any(current.searched for current in self.injections):
            raise InputError(
                "found an injected current to search for beside a field, of which one amplitude would be mA and nA at once: give it `na`, "
                "or leave the field out"
            )
        stimulus = _native.Stimulus(len(self.fibers))
        if field is not None:
            if not field.has_waveform and self._waveforms:
                raise InputError("found a waveform, expected none: the field is one in space and time")
            if field.has_waveform and not self._waveforms:
                raise InputError("found no waveform, expected one beside the field")
            natives = self._natives(field)
            known: dict[int, _native.Waveform] = {}
            waveforms = self._waveforms or [[]] * len(natives)
            if len(waveforms) != len(natives):
                raise InputError(f"found waveforms of {len(waveforms)} sources for potentials of {len(natives)}")
            for native, source in zip(natives, waveforms, strict=True):
                for one in source:
                    if id(one) not in known:
                        known[id(one)] = one._on_grid(self.dt, self.tstop)
                stimulus.add(native, [known[id(one)] for one in source])
            doubts = [text for one in known.values() for text in one.doubts(self.dt, self.tstop)]
            for text in dict.fromkeys(doubts):
                log.warning("%s", text)
        sampled: dict[int, tuple[Waveform, _native.Waveform]] = {}
        for current in self.injections:
            for fiber, node, na, waveform in current._placed(len(self.fibers), self.nodes, self.dt):
                if id(waveform) not in sampled:
                    # The waveform is kept, so that no other has its identity.
                    sampled[id(waveform)] = (waveform, waveform._on_grid(self.dt, self.tstop))
                stimulus.inject(node, na, sampled[id(waveform)][1], fiber)
        if ve is None:
            self._stimulus = stimulus
        return stimulus

    def _natives(self, field: Field) -> list[_native.Field]:
        """A field's sources in the native module's terms, at the fibers' sample points where it needs them."""
        if field is self.field and self._early is not None:
            made, self._early = self._early, None
            return made
        early = field._native(self.fibers, None)
        if early is not None:
            return early
        points = [self.sample_points(fiber) for fiber in range(len(self.fibers))]
        return field._native(self.fibers, points) or []

    def _sign(self) -> Any:
        """What turns the library's amplitudes into the user's: 1, or the sign of each fiber's first phase."""
        if not self.signed or not self._waveforms:
            return 1.0
        if self._signs is None:

            def sign(waveform: Waveform) -> float:
                sampled = waveform.sample(self.dt, self.tstop)
                acting = np.flatnonzero(sampled)
                return float(np.sign(sampled[acting[0]])) if len(acting) else 1.0

            self._signs = np.array([sign(one) for one in self._waveforms[0]])
            if (self._signs > 0).any():
                log.warning(
                    "signed=True with a waveform that begins anodic: amplitudes are anodic ones; PyFibers' cathodic thresholds of a "
                    "positive unit pulse are those of Waveform(...).scaled(-1)"
                )
        return self._signs

    def _search(self, **search: Any) -> dict[str, Any]:
        spec = self.detect._spec()
        defaults = {"first_ma": None, "max_ma": 20.0, "resolution": 1e-4, "early_end": True, "guesses_ma": None}
        return {**spec, "after_ms": spec["after_ms"] or 0.0, **defaults, **search}

    def _amplitudes(self, amplitude: Any) -> list[float]:
        each = spread(amplitude, (len(self.fibers),), "amplitudes")
        return list((each * self._sign() / self._unit()[1]).tolist())

    def _unit(self, ve: Any = None) -> tuple[str, float]:
        """The unit of amplitudes, and how many of it are a mA: nA where an injected current is searched for."""
        inside = self.field is None and ve is None and any(one.searched for one in self.injections)
        return ("nA", NA_PER_MA) if inside else ("mA", 1.0)

    def _coordinates(self) -> dict[str, np.ndarray]:
        fibers = self.fibers
        given = {"diameter_um": fibers.diameter_um, "n_nodes": self.nodes}
        places = {"x_um": fibers.x_um, "y_um": fibers.y_um, "offset_um": fibers.offset_um}
        return {**given, **{name: at for name, at in places.items() if at.any()}}
