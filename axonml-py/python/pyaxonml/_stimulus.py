"""Currents into nodes, synapses, and what counts as an action potential."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ._arrays import as_array, node_index, spread
from ._waveform import Waveform, pulse
from .errors import InputError

#: Of a current: its fiber (none: every fiber), node, nA (none: those under study), and waveform.
Placed = tuple[int | None, int, float | None, Waveform]


class NodeCurrent:
    """A current into nodes: pulses (:func:`inject`), or values of every step (:func:`currents`)."""

    #: Whether the current is what thresholds are searched of.
    searched: bool

    def _placed(self, fibers: int, nodes: np.ndarray, dt: float) -> Iterator[Placed]:
        raise NotImplementedError

    def _end(self, dt: float) -> float | None:
        """When it ends, ms."""
        raise NotImplementedError


@dataclass(frozen=True)
class Injection(NodeCurrent):
    """Rectangular currents into one node of every fiber (:func:`inject`)."""

    node: int
    na: float | tuple[float, ...] | None
    pw: float
    at: tuple[float, ...]

    @property
    def searched(self) -> bool:  # type: ignore[override]
        """Whether the current is what thresholds are searched of."""
        return self.na is None

    def _waveforms(self) -> list[Waveform]:
        # Pulses are cathodic first; inside a fiber the depolarizing current is positive.
        return [-pulse("monophasic", pw=self.pw, delay=at) for at in self.at]

    def _placed(self, fibers: int, nodes: np.ndarray, dt: float) -> Iterator[Placed]:
        for waveform in self._waveforms():
            if isinstance(self.na, tuple):
                each = spread(self.na, (fibers,), "injected currents")
                yield from ((fiber, self.node, float(na), waveform) for fiber, na in enumerate(each))
            else:
                yield None, self.node, self.na, waveform

    def _end(self, dt: float) -> float | None:
        return max((at + self.pw for at in self.at), default=0.0)

    def _test(self) -> dict[str, Any]:
        if not isinstance(self.na, float):
            found = "test pulses without `na`" if self.na is None else "test pulses of one current per fiber"
            raise InputError(f"found {found}, expected their current in nA")
        return {"node": self.node, "na": self.na, "pw_ms": self.pw, "at_ms": list(self.at)}


def inject(node: int, na: Any = None, *, pw: float = 0.1, at: float | Sequence[float] = 1.0) -> Injection:
    """Currents of ``na`` nA (one, or one per fiber) for ``pw`` ms into a node of every fiber, at one or several times (ms).

    Nodes are counted from 0, negative ones from the end; positive currents depolarize. Without ``na`` the current is what
    thresholds are searched of.
    """
    times = tuple(as_array(np.atleast_1d(at), "times", (1,)).astype(np.float64).tolist())
    given = None if na is None else as_array(na, "injected currents", (0, 1)).astype(np.float64)
    if given is not None and not np.isfinite(given).all():
        raise InputError(f"found injected currents of {na} nA, expected finite numbers")
    strength = None if given is None else float(given) if given.ndim == 0 else tuple(given.ravel().tolist())
    return Injection(node_index(node), strength, float(pw), times)


@dataclass(frozen=True, eq=False)
class Currents(NodeCurrent):
    """Currents of one value per step (:func:`currents`)."""

    values: np.ndarray = field(repr=False)
    nodes: tuple[int, ...] | None
    dt: float | None
    searched: bool

    def _placed(self, fibers: int, nodes: np.ndarray, dt: float) -> Iterator[Placed]:
        step_ms = dt if self.dt is None else self.dt
        given = self.values
        if given.ndim == 3 and len(given) != fibers:
            raise InputError(f"found currents of {len(given)} fibers, expected {fibers}")
        # Equal rows are sampled once.
        known: dict[bytes, Waveform] = {}
        for fiber, of_nodes in [(None, given)] if given.ndim == 2 else list(enumerate(given)):
            most = int(nodes.max(initial=0) if fiber is None else nodes[fiber])
            least = int(nodes.min(initial=most) if fiber is None else nodes[fiber])
            places = range(len(of_nodes)) if self.nodes is None else self.nodes
            if len(places) != len(of_nodes) or (self.nodes is None and len(places) > most):
                expected = f"{len(self.nodes)}" if self.nodes is not None else f"at most {most}"
                raise InputError(f"found currents into {len(of_nodes)} nodes, expected {expected}")
            for node in places:
                if not -least <= node < least:
                    raise InputError(f"found currents into node {node} of a fiber of {least} nodes")
            for node, row in zip(places, of_nodes, strict=True):
                if row.any():
                    waveform = known.setdefault(row.tobytes(), Waveform(row, dt=step_ms))
                    yield fiber, int(node), None if self.searched else 1.0, waveform

    def _end(self, dt: float) -> float | None:
        driven = np.flatnonzero(self.values.any(axis=tuple(range(self.values.ndim - 1))))
        return 0.0 if len(driven) == 0 else (int(driven[-1]) + 1) * (dt if self.dt is None else self.dt)


def currents(
    values: Any, nodes: int | Sequence[int] | None = None, *, dt: float | None = None, searched: bool = False
) -> Currents:
    """Currents into nodes of one value per step, nA: ``[step]`` into one node, ``[node, step]`` of every fiber, or ``[fiber, node, step]``.

    ``nodes`` are counted from 0, negative ones from the end; by default all from 0 on. Positive currents depolarize. Steps are those of
    the simulation unless ``dt`` (ms) is given. With ``searched`` the values have no unit, and thresholds are searched of the nA that
    multiply them.
    """
    array = as_array(values, "currents", (1, 2, 3)).astype(np.float64, copy=False)
    if array.size == 0:
        raise InputError(f"found no currents: an array of shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError("found currents that are not finite, expected nA")
    places = None if nodes is None else tuple(node_index(node) for node in np.atleast_1d(nodes).tolist())
    if array.ndim == 1 and places is None:
        raise InputError("found currents of one row without `nodes`, expected the node that they flow into")
    return Currents(array[None] if array.ndim == 1 else array, places, dt, bool(searched))


@dataclass(frozen=True)
class Synapse:
    """A synapse: ``us`` uS at ``onset`` ms that decay with ``tau`` ms, a current of reversal ``e_mv``.

    It opens once more at every further time of ``onset``, and conductances add up. It lies at a ``node`` (negative ones from the end)
    or at the fraction ``at`` of the length, 0.1 by default. The mechanism is NEURON's ``ExpSyn``, the defaults those of PyFibers'
    ``add_intrinsic_activity``.
    """

    at: float | None = None
    node: int | None = None
    onset: float | Sequence[float] = 1.0
    us: float = 0.1
    e_mv: float = 0.0
    tau: float = 0.1

    def __post_init__(self) -> None:
        if self.at is not None and self.node is not None:
            raise InputError("found `node` and `at`, expected one of them")
        if not self.onsets:
            raise InputError("found a synapse without a time at which it opens, expected `onset` in ms")
        object.__setattr__(self, "onset", self.onsets if np.ndim(self.onset) else self.onsets[0])

    @property
    def onsets(self) -> tuple[float, ...]:
        """All times at which it opens, ms."""
        return tuple(np.atleast_1d(np.asarray(self.onset, dtype=np.float64)).tolist())

    def _spec(self) -> dict[str, Any]:
        node = None if self.node is None else node_index(self.node)
        return {
            "node": node,
            "at": 0.1 if self.at is None else float(self.at),
            "onsets_ms": self.onsets,
            "us": float(self.us),
        }


@dataclass(frozen=True)
class Detection:
    """What counts as an action potential: an upward crossing at one of the sites that arrived from a neighbor.

    ``nodes`` (negative from the end) or fractions ``at`` of the length; ``threshold_mv`` is the level; what begins before
    ``after`` ms does not count.
    """

    nodes: Sequence[int] | None = None
    at: Sequence[float] | None = None
    threshold_mv: float = 0.0
    after: float | None = None

    def __post_init__(self) -> None:
        if self.nodes is not None and self.at is not None:
            raise InputError("found `nodes` and `at`, expected one of them")

    def _spec(self) -> dict[str, Any]:
        return {
            "nodes": None if self.nodes is None else [node_index(node, "detection node") for node in self.nodes],
            "at": None if self.at is None else [float(part) for part in self.at],
            "threshold_mv": float(self.threshold_mv),
            "after_ms": None if self.after is None else float(self.after),
        }
