"""Injected currents of one value per step."""

from __future__ import annotations

import numpy as np

from .._stimulus import Currents, Injection, currents
from ..errors import InputError


def sampled(pulses: Injection, dt: float, steps: int) -> Currents:
    """Pulses as far as a run of so many steps sees them."""
    if isinstance(pulses.na, tuple):
        raise InputError("found pulses of one current per fiber, expected one current")
    values = np.zeros(steps)
    for at in pulses.at:
        values[round(at / dt) : round((at + pulses.pw) / dt)] += 1.0
    strength = 1.0 if pulses.na is None else pulses.na
    return currents(strength * values, pulses.node, dt=dt, searched=pulses.searched)
