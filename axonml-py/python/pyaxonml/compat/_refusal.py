"""What is refused, and what is told."""

from __future__ import annotations

import warnings

from ..errors import AxonmlError, SimulationError


class NotSupportedError(AxonmlError, NotImplementedError):
    """The other program can do this, the interface here cannot; the message says why, and what to do instead."""


class AbsentError(NotSupportedError, AttributeError):
    """The other program's object has this attribute, the one here has not."""


class RunError(SimulationError, RuntimeError):
    """A run or a search gave nothing that can be used: a fiber diverged, or was excited at its end."""


class CompatWarning(UserWarning):
    """Something is done differently than in the other program."""


def told(message: str, level: int = 3) -> None:
    """Warns of a difference at the line of the user, ``level`` calls above."""
    warnings.warn(message, CompatWarning, stacklevel=level)
