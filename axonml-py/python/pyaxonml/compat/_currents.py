"""Injected currents of one value per step."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .._stimulus import Injection
from .._waveform import Waveform


@dataclass(frozen=True)
class SampledCurrent(Injection):
    """A current into one node of every fiber: ``na`` nA (or, of ``None``, the amplitude of the run) times a value per step."""

    values: np.ndarray = field(repr=False, default_factory=lambda: np.zeros(0))
    dt: float = 0.005

    def _waveforms(self) -> list[Waveform]:
        return [Waveform(self.values, dt=self.dt)]

    @classmethod
    def of(cls, node: int, na: float | None, values: np.ndarray, dt: float) -> SampledCurrent:
        """A current of values per step of ``dt`` ms."""
        return cls(node, na, dt, (0.0,), values, dt)


def sampled(pulses: Injection, dt: float, steps: int) -> SampledCurrent:
    """Pulses as far as a run of so many steps sees them."""
    values = np.zeros(steps)
    for at in pulses.at:
        values[round(at / dt) : round((at + pulses.pw) / dt)] += 1.0
    return SampledCurrent.of(pulses.node, pulses.na, values, dt)
