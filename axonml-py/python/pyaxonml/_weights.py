"""Weights: parameters of a model with where they come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Union

import numpy as np

from . import _native
from ._fibers import _native_model

#: Weights, bundled ones by name, a file, or ``published``.
WeightsLike = Union["Weights", str, os.PathLike[str]]


def _native_weights(of: WeightsLike | None) -> _native.Weights | str | None:
    if of is None or isinstance(of, str):
        return of
    return of._native if isinstance(of, Weights) else os.fspath(of)


class Weights:
    """Parameters of a model, with units, the conditions they were trained on, and provenance; ``Simulation(weights=...)`` takes them.

    They are read from bundled weights by name, model files (``.safetensors``), or files of ``torch.save`` of AxonML's surrogate
    (``.pt``), of which nothing is executed.

    >>> import pyaxonml as ax
    >>> weights = ax.Weights.load("smf-mrg")
    >>> weights.model, len(weights.parameters)
    ('smf', 57)
    """

    def __init__(self, native: _native.Weights) -> None:
        self._native = native

    @classmethod
    def load(cls, name: str | os.PathLike[str]) -> Weights:
        """Bundled weights by name, or those in a file."""
        return cls(_native.Weights.load(os.fspath(name)))

    @classmethod
    def published(cls, model: Any) -> Weights:
        """The constants that a model itself declares."""
        return cls(_native.Weights.published(_native_model(model)))

    @classmethod
    def from_state_dict(cls, state_dict: Mapping[str, Any]) -> Weights:
        """Of tensors or arrays by PyTorch AxonML's keys, for model ``smf``: ``torch.load(FILE)["model_state_dict"]``."""
        arrays = {key: np.asarray(value) for key, value in state_dict.items()}
        return cls(_native.Weights.from_state_dict(arrays))

    def state_dict(self) -> dict[str, np.ndarray]:
        """Arrays by PyTorch AxonML's keys, of weights of model ``smf``; ``ssd.weight`` is symmetric."""
        return dict(self._native.state_dict())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a model file, ``.safetensors``."""
        self._native.save(os.fspath(path))

    def replaced(self, parameters: Mapping[str, float], model: Any = None) -> Weights:
        """The same with other values of parameters; ``model`` is needed of those of a fiber of one's own."""
        given = [(name, float(value)) for name, value in parameters.items()]
        of = self.model if model is None else _native_model(model)
        return Weights(self._native.with_parameters(of, given))

    @property
    def model(self) -> str:
        """Id of the model."""
        return self._native.model

    @property
    def parameters(self) -> dict[str, float]:
        """Values by name."""
        return self._native.parameters

    @property
    def units(self) -> dict[str, str]:
        """Units by name."""
        return self._native.units

    @property
    def domain(self) -> dict[str, tuple[float, float]]:
        """The smallest and largest of each condition that they were trained on, as far as it is known."""
        return self._native.domain

    @property
    def provenance(self) -> dict[str, str]:
        """Where they come from."""
        return self._native.provenance

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Weights) and self._native == other._native

    def __hash__(self) -> int:
        return hash(self._native.to_bytes())

    def __repr__(self) -> str:
        return f"<Weights of {self.model}: {len(self.parameters)} parameters>"
