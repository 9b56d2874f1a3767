"""The exceptions of the package, with the library's messages.

Every one of them is an :class:`AxonmlError`. Its text is the message and, where there is one, the remedy; both are
attributes, too.
"""

from __future__ import annotations


class AxonmlError(Exception):
    """Something was refused, or failed: ``message`` says what and where, ``help`` how to mend it."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message, help)
        self.message = message
        self.help = help

    def __str__(self) -> str:
        return self.message if self.help is None else f"{self.message}\nhelp: {self.help}"


class InputError(AxonmlError, ValueError):
    """A number, a text or an array is wrong."""


class ModelError(AxonmlError, ValueError):
    """A fiber model is unknown, or its description is not in order."""


class FiberError(ModelError):
    """A fiber of one's own cannot be described: where, what was found and what is expected."""


class NerveError(AxonmlError, ValueError):
    """A nerve folder cannot be read."""


class SimulationError(AxonmlError):
    """Fibers, stimulus or settings do not fit each other, or a run failed."""


class DeviceError(AxonmlError, RuntimeError):
    """A device or its threads cannot be used."""


class StudyError(AxonmlError):
    """A study is wrong, or its work failed."""


class TrainingError(AxonmlError):
    """A recipe, a training set or a configuration is wrong, or a training failed."""


class CanceledError(AxonmlError):
    """The work was canceled."""
