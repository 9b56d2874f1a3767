"""What looks at runs: recordings, and action potentials at nodes, by AxonML's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._refusal import NotSupportedError

DEFAULT_DT_MS = 0.005


class Record(np.ndarray):
    """An array that also answers to what scripts ask tensors for."""

    @classmethod
    def of(cls, array: Any) -> Record:
        """A view of an array."""
        return np.asarray(array).view(cls)

    def cpu(self) -> Record:
        """Itself."""
        return self

    def detach(self) -> Record:
        """Itself."""
        return self

    def numpy(self) -> np.ndarray:
        """As a plain array."""
        return self.view(np.ndarray)


@dataclass(frozen=True)
class Seen:
    """A run: ``states [row, fiber, state, node]``, the start as row 0, the membrane potential as the last state."""

    states: np.ndarray
    dt: float

    @property
    def v(self) -> np.ndarray:
        """Membrane potentials ``[row, fiber, node]``, mV."""
        return self.states[:, :, -1]


class Callback:
    """Looks at a run once it is done: hooks are called with the states ``[fiber, state, node]`` in order of time.

    What a hook does to its states has no effect on the run.
    """

    def pre_loop_hook(self, states: np.ndarray) -> None:
        """Called with the states from which a run starts."""

    def post_step_hook(self, states: np.ndarray) -> None:
        """Called with the states after every step."""

    def post_loop_hook(self, states: np.ndarray) -> None:
        """Called with the states in the end."""

    def _look(self, seen: Seen) -> None:
        self.pre_loop_hook(seen.states[0])
        for states in seen.states[1:]:
            self.post_step_hook(states)
        self.post_loop_hook(seen.states[-1])


class Recorder(Callback):
    """The states of the last run at every step, of all nodes and states or of some."""

    def __init__(
        self,
        max_only: bool = False,
        node_indices: Sequence[int] | None = None,
        state_indices: Sequence[int] | None = None,
    ) -> None:
        if max_only:
            raise NotSupportedError("found max_only=True, which is not here", "take stack().max(axis=0)")
        self.node_indices, self.state_indices = node_indices, state_indices
        self.reset()

    def reset(self) -> None:
        """Forgets what was recorded."""
        self._rows: np.ndarray | None = None

    def _look(self, seen: Seen) -> None:
        rows = seen.states
        if self.state_indices is not None:
            rows = rows[:, :, list(self.state_indices)]
        if self.node_indices is not None:
            rows = rows[..., list(self.node_indices)]
        self._rows = rows

    @property
    def record(self) -> list[Record]:
        """One array ``[fiber, state, node]`` per row."""
        return [Record.of(row) for row in self.stack()]

    def stack(self) -> Record:
        """States ``[row, fiber, state, node]``: the start, then one row per step."""
        return Record.of(np.empty((0, 0, 0, 0)) if self._rows is None else self._rows)


class ThresholdCallback(Callback):
    """Upward crossings of ``threshold`` (mV) at nodes: at or above it after below it at the step checked before.

    The state after step i (from 1) is checked where (i - 1) dt, not its time i dt, is at least ``t_start_check`` ms; before the first
    that is checked a node counts as below. Steps, counts and what was last seen carry on from run to run until they are reset.
    """

    def __init__(
        self,
        threshold: float = 0.0,
        t_start_check: float = 0.0,
        node_check: Sequence[int] = (5, -5),
        dt: float | None = None,
    ) -> None:
        self.threshold, self.t_start_check = float(threshold), float(t_start_check)
        self.node_check, self.dt = list(node_check), dt
        self.reset()

    def reset_timer(self) -> None:
        """Counts steps from 0 again."""
        self._steps = 0

    def reset_count(self) -> None:
        """Forgets action potentials."""
        self._crossed: list[np.ndarray] = []

    def reset_state_cache(self) -> None:
        """Takes nodes for below the threshold."""
        self._above: np.ndarray | None = None

    def reset(self) -> None:
        """All of it."""
        self.reset_timer()
        self.reset_count()
        self.reset_state_cache()

    def _look(self, seen: Seen) -> None:
        v = seen.v[1:][..., self.node_check]
        dt = seen.dt if self.dt is None else self.dt
        # A start that is a multiple of dt but for rounding is reached.
        checked = dt * (self._steps + np.arange(len(v))) >= self.t_start_check - 1e-9 * dt
        crossed = np.zeros(v.shape, dtype=bool)
        above = v[checked] >= self.threshold
        if len(above):
            first = np.zeros_like(above[:1]) if self._above is None else self._above[None]
            crossed[checked] = above & ~np.concatenate([first, above[:-1]])
            self._above = above[-1]
        self._steps += len(v)
        self._crossed.append(crossed)

    @property
    def _all(self) -> np.ndarray:
        """Crossings ``[step, fiber, node]`` since the last reset."""
        return np.concatenate(self._crossed) if self._crossed else np.zeros((0, 0, len(self.node_check)), dtype=bool)

    @property
    def record(self) -> Record:
        """What was found."""
        raise NotImplementedError

    def numpy(self) -> np.ndarray:
        """What was found, as a plain array."""
        return self.record.numpy()


class APCount(ThresholdCallback):
    """Number of action potentials ``[fiber, node]`` at the checked nodes."""

    @property
    def record(self) -> Record:
        """Numbers of action potentials ``[fiber, node]``."""
        return Record.of(self._all.sum(axis=0).astype(np.float64))


class Active(ThresholdCallback):
    """Whether an action potential came to any of the checked nodes, by fiber."""

    @property
    def record(self) -> Record:
        """Whether fibers are active ``[fiber]``."""
        return Record.of(self._all.any(axis=(0, 2)))

    def is_active(self) -> Record:
        """Whether fibers are active ``[fiber]``."""
        return self.record


class Raster(ThresholdCallback):
    """Steps at which action potentials come, ``[step, fiber, node]``."""

    @property
    def record(self) -> Record:
        """Crossings ``[step, fiber, node]``; row 0 is the state after the first step."""
        return Record.of(self._all)

    def stack(self) -> Record:
        """As :attr:`record`."""
        return self.record
