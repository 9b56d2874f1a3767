"""Runs of one fiber at several amplitudes at a time."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..._results import Recording
from ..._simulation import Simulation
from .._refusal import RunError, told

if TYPE_CHECKING:
    from ._fiber import Fiber


@dataclass(frozen=True)
class Watch:
    """Where and how action potentials are detected."""

    location: float = 0.9
    threshold_mv: float = -30.0
    fail_on_end_excitation: bool | None = True


@dataclass(frozen=True)
class Trial:
    """Upward crossings in a run: per node their times, ms, ascending."""

    amplitude: float
    node_ms: list[np.ndarray]
    failure: str = ""

    def finished(self) -> Trial:
        """The run, unless a fiber diverged in it: one that was run ahead of a search may never be asked for."""
        if self.failure:
            # A trial is one of several fibers to the library, which names it by its number.
            reason = self.failure.split(" diverged ", 1)[-1]
            raise RunError(
                f"the run at an amplitude of {self.amplitude:g} diverged {reason}",
                "give a smaller amplitude or dt; to a search bounds near the threshold (stimamp_top, stimamp_bottom), as a stimulus far "
                "above it blocks what it excites",
            )
        return self

    def detected(self, node: int, dt: float, until_ms: float = math.inf) -> tuple[int, float | None]:
        """Number of action potentials of a node, and the time of the last: the step at whose end it is seen."""
        times = self.seen_ms(node, dt)
        seen = times[times <= until_ms + 1e-6 * dt]
        return len(seen), float(seen[-1]) if len(seen) else None

    def seen_ms(self, node: int, dt: float) -> np.ndarray:
        """Ends of the steps in which the action potentials of a node are seen."""
        # An interpolated crossing at k dt lies within rounding of it.
        seen: np.ndarray = np.ceil(self.node_ms[node] / dt - 1e-6) * dt
        return seen

    def last_ms(self) -> np.ndarray:
        """Times of the last crossings of all nodes, NaN without one."""
        return np.array([times[-1] if len(times) else np.nan for times in self.node_ms])

    def begins_at(self, dt: float, silent: int) -> list[int]:
        """Nodes that fire in an earlier step than the nodes around them; neighbors of the same step count as one.

        So many nodes at either end are not looked at.
        """
        steps = np.ceil(self.last_ms() / dt - 1e-6)
        steps[np.isnan(steps)] = np.inf
        steps[:silent] = steps[len(steps) - silent :] = np.inf
        found: list[int] = []
        ends = np.flatnonzero([*(steps[1:] != steps[:-1]), True]) + 1
        for begin, end in zip([0, *ends[:-1]], ends, strict=True):
            around = [*steps[max(begin - 1, 0) : begin], *steps[end : end + 1]]
            if np.isfinite(steps[begin]) and all(steps[begin] < one for one in around):
                found += range(begin, end)
        return found


def check_ends(trial: Trial, fiber: Fiber, dt: float, fail: bool | None) -> bool:
    """Whether action potentials begin in the end nodes, or next to passive ones; raises or warns as PyFibers' flag says.

    Nodes that PyFibers would make passive are taken for silent, whether they are here or not.
    """
    if fail is None:
        return False
    nodes, passive = len(trial.node_ms), fiber.passive_end_nodes
    at_ends = [node for node in trial.begins_at(dt, passive) if node <= passive or node >= nodes - 1 - passive]
    if not at_ends:
        return False
    message = f"end excitation at an amplitude of {trial.amplitude:g}: {_where(fiber, at_ends)}"
    if fail:
        raise RunError(message, "make the fiber longer, or give fail_on_end_excitation=False (a warning) or None")
    told(message, 4)
    return True


def _where(fiber: Fiber, at_ends: Sequence[int]) -> str:
    """At which ends action potentials begin, and where that lies beside the electrode, by the potentials along the fiber."""
    z_um = fiber.longitudinal_coordinates
    ends = {
        "first": [node for node in at_ends if node < fiber.nodecount // 2],
        "last": [node for node in at_ends if node >= fiber.nodecount // 2],
    }
    each = [
        f"nodes {nodes} at the {name} end (z = {z_um[0 if name == 'first' else -1]:g} um)"
        for name, nodes in ends.items()
        if nodes
    ]
    said = f"action potentials begin at {' and '.join(each)}"
    if not np.any(fiber.potentials):
        return said
    strongest = np.abs(fiber.potentials).max(axis=0)
    return f"{said}; the potentials are largest at z = {z_um[int(strongest.argmax())]:g} um"


def crossings(simulation: Simulation, amplitudes: Sequence[float]) -> list[Trial]:
    """Runs at amplitudes, as many as the simulation has fibers."""
    with _unheard():
        ran = simulation.run(list(amplitudes), nodes=[0], every=simulation.steps)
    return [_trial(ran, lane, amplitude, int(simulation.nodes[lane])) for lane, amplitude in enumerate(amplitudes)]


@contextmanager
def _unheard() -> Iterator[None]:
    """Keeps the package from logging what became of trials that a search may never ask for."""

    def none(_: logging.LogRecord) -> bool:
        return False

    logger = logging.getLogger("pyaxonml")
    logger.addFilter(none)
    try:
        yield
    finally:
        logger.removeFilter(none)


def recorded(simulation: Simulation, amplitude: float, states: Sequence[str]) -> tuple[Trial, Recording]:
    """A run of the first fiber with recordings of all nodes."""
    ran = simulation.run([amplitude], record=["v", *states])
    return _trial(ran, 0, amplitude, int(simulation.nodes[0])), ran


def _trial(ran: Recording, lane: int, amplitude: float, nodes: int) -> Trial:
    node, times = ran.crossings[lane]
    each = [np.sort(times[node == one]) for one in range(nodes)]
    return Trial(amplitude, each, str(ran.message[lane]))
