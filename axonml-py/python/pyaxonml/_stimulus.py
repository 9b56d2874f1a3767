"""Currents into nodes, and what counts as an action potential."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._waveform import Waveform, pulse
from .errors import InputError


@dataclass(frozen=True)
class Injection:
    """Rectangular currents into one node of every fiber (:func:`inject`)."""

    node: int
    na: float | None
    pw: float
    at: tuple[float, ...]

    def _waveforms(self) -> list[Waveform]:
        # Pulses are cathodic first; inside a fiber the depolarizing current is positive.
        return [-pulse("monophasic", pw=self.pw, delay=at) for at in self.at]

    def _test(self) -> dict[str, Any]:
        if self.na is None:
            raise InputError("found test pulses without `na`, expected their current in nA")
        return {"node": self.node, "na": self.na, "pw_ms": self.pw, "at_ms": list(self.at)}


def inject(node: int, na: float | None = None, *, pw: float = 0.1, at: float | Sequence[float] = 1.0) -> Injection:
    """Currents of ``na`` nA for ``pw`` ms into a node of every fiber, at one or several times (ms).

    Nodes are counted from 0, negative ones from the end; positive currents depolarize. Without ``na`` the current is what
    thresholds are searched of.
    """
    times = tuple(np.atleast_1d(np.asarray(at, dtype=np.float64)).tolist())
    return Injection(int(node), None if na is None else float(na), float(pw), times)


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
            "nodes": None if self.nodes is None else [int(node) for node in self.nodes],
            "at": None if self.at is None else [float(part) for part in self.at],
            "threshold_mv": float(self.threshold_mv),
            "after_ms": self.after,
        }
