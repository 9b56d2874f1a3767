"""Fibers: one or a million of a model."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from . import _native
from ._names import Hinting, hinted
from .errors import InputError


def _native_model(model: Any) -> str | _native.FiberDescription:
    """A model in the native module's terms: the name of a bundled one, the path of a fiber file, or a description."""
    if isinstance(model, type) and hasattr(model, "_description"):
        # A class stands for the fiber with its own values.
        model = model()
    if hasattr(model, "_description"):
        described = model._description()
        if isinstance(described, _native.FiberDescription):
            return described
        raise InputError(f"found {type(described).__name__} as the description of a model")
    if isinstance(model, os.PathLike):
        return str(os.fspath(model))
    if isinstance(model, str):
        return model
    raise InputError(f"found {type(model).__name__} as a model, expected a name, a fiber file, or a description")


def _numbers(name: str, given: Any) -> np.ndarray:
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"found `{name}` that is no number, and no array of numbers: {error}") from error


def models(model: Any = None) -> list[dict[str, Any]]:
    """The bundled models, or one: id, summary, diameters (um), states, parameters with units, sources."""
    found = _native.models(None if model is None else _native_model(model))
    for one in found:
        names = ("name", "group", "value", "unit")
        one["parameters"] = [dict(zip(names, row, strict=True)) for row in one["parameters"]]
    return found


class Fibers(Hinting):
    """Fibers of one model. Arguments broadcast; each fiber carries its own coordinates.

    ``model`` is the name of a bundled model, the path of a fiber file (``.toml``), or a model of one's own.
    ``diameter`` in um; ``nodes`` of Ranvier or compartments, or ``length_mm`` from the first to the last (by default as the
    field needs it); ``compartment_um`` for models that let users choose it. ``x`` and ``y`` place the fibers across the
    nerve, ``offset`` shifts their middles along it, all in um; ``offset="random"`` draws them from half a node spacing to
    either side by ``seed``. ``weight`` is how many of a nerve's fibers each one stands for.
    """

    @hinted
    def __init__(
        self,
        model: Any = "mrg",
        *,
        diameter: Any,
        nodes: Any = None,
        length_mm: Any = None,
        compartment_um: float | None = None,
        x: Any = 0.0,
        y: Any = 0.0,
        offset: Any = 0.0,
        seed: int | None = None,
        weight: Any = 1.0,
    ) -> None:
        if nodes is not None and length_mm is not None:
            raise InputError("found `nodes` and `length_mm`, expected one of them")
        drawn = isinstance(offset, str)
        if drawn and offset != "random":
            raise InputError(f'found offset={offset!r}, expected um, or "random"')
        if seed is not None and not drawn:
            raise InputError('found `seed`, which has no effect without offset="random"')
        given = {
            "diameter": diameter,
            "nodes": 0 if nodes is None else nodes,
            "length_mm": 0.0 if length_mm is None else length_mm,
            "x": x,
            "y": y,
            "offset": 0.0 if drawn else offset,
            "weight": weight,
        }
        numbers = [_numbers(name, value) for name, value in given.items()]
        try:
            arrays = np.broadcast_arrays(*numbers)
        except ValueError as error:
            shapes = ", ".join(f"{name} {np.shape(value)}" for name, value in given.items())
            raise InputError(f"the arguments of Fibers do not broadcast: {shapes}") from error
        each = {name: np.array(array).ravel() for name, array in zip(given, arrays, strict=True)}
        self.model = model
        self.shape: tuple[int, ...] = arrays[0].shape
        self.diameter_um = each["diameter"]
        self.nodes = None if nodes is None else each["nodes"].astype(np.int64)
        if self.nodes is not None and not (np.equal(self.nodes, each["nodes"]).all() and (self.nodes > 0).all()):
            raise InputError("found `nodes` that are no whole numbers above 0")
        self.length_um = None if length_mm is None else 1e3 * each["length_mm"]
        self.compartment_um = None if compartment_um is None else float(compartment_um)
        self.x_um, self.y_um, self.offset_um, self.weight = (each[name] for name in ("x", "y", "offset", "weight"))
        if drawn:
            parts = np.random.default_rng(seed).uniform(-0.5, 0.5, len(self))
            self.offset_um = parts * self.spacing_um()

    @classmethod
    def from_positions(cls, model: Any, xy_um: Any, **fibers: Any) -> Fibers:
        """Fibers at places ``[fiber, 2]`` across a nerve, um; further arguments as :class:`Fibers` takes them."""
        places = np.asarray(xy_um, dtype=np.float64)
        if places.ndim != 2 or places.shape[1] != 2:
            raise InputError(f"found places of shape {places.shape}, expected [fiber, 2]")
        return cls(model, x=places[:, 0], y=places[:, 1], **fibers)

    def __len__(self) -> int:
        return len(self.diameter_um)

    def spacing_um(self) -> np.ndarray:
        """Distances between nodes, or compartments, um, with the model's default parameters."""
        from ._prepared import native_settings

        return _native.spacings(_native_model(self.model), native_settings(), self.diameter_um, self.compartment_um)

    @property
    def model_name(self) -> str:
        """The model's id."""
        return str(models(self.model)[0]["id"])

    def __repr__(self) -> str:
        few = np.unique(self.diameter_um)
        of = ", ".join(f"{d:g}" for d in few) if len(few) <= 4 else f"{few[0]:g} to {few[-1]:g}"
        return f"Fibers({self.model_name!r}, {len(self)} of {of} um)"
