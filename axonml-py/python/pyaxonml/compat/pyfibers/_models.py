"""Fiber models by PyFibers' names."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import Enum, EnumMeta
from typing import Any

from ...errors import ModelError


class UnknownModelError(ModelError, AttributeError):
    """No fiber model has this name; the message tells the nearest that has one."""


def unknown(name: str, names: list[str]) -> UnknownModelError:
    """Why a name is refused."""
    near = difflib.get_close_matches(name.upper(), names, n=1, cutoff=0.0)
    return UnknownModelError(
        f"found no fiber model `{name}`", f"the nearest is {near[0]}; there are {', '.join(names)}"
    )


class _ByName(EnumMeta):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise unknown(name, list(cls.__members__))

    def __getitem__(cls, name: str) -> Any:
        try:
            return super().__getitem__(name.upper())
        except KeyError:
            raise unknown(name, list(cls.__members__)) from None


class FiberModel(Enum, metaclass=_ByName):
    """Fiber models by PyFibers' names; values are the names that they have here."""

    MRG_DISCRETE = "mrg-discrete"
    MRG_INTERPOLATION = "mrg-interpolation"
    SMALL_MRG_INTERPOLATION = "small-mrg-interpolation"
    PENA = "pena"
    SWEENEY = "sweeney"
    RATTAY = "rattay"
    SUNDT = "sundt"
    TIGERHOLM = "tigerholm"
    SCHILD94 = "schild94"
    SCHILD97 = "schild97"
    THIO_AUTONOMIC = "thio-autonomic"
    THIO_CUTANEOUS = "thio-cutaneous"

    @property
    def built(self) -> Built:
        """How PyFibers builds it."""
        if self.name.startswith("MRG") or self in (FiberModel.SMALL_MRG_INTERPOLATION, FiberModel.PENA):
            return MRG
        return SWEENEY if self is FiberModel.SWEENEY else UNMYELINATED

    @property
    def passive_ends(self) -> str:
        """``applied``, ``ignored`` by PyFibers as well, or ``not applied`` here."""
        if self.built is MRG:
            return "not applied"
        ignoring = (FiberModel.TIGERHOLM, FiberModel.THIO_AUTONOMIC, FiberModel.THIO_CUTANEOUS)
        return "ignored" if self in ignoring else "applied"


@dataclass(frozen=True)
class Built:
    """Sections from a node to the next: their kinds, and the length of a node, um (``None``: the whole spacing)."""

    kinds: tuple[str, ...]
    node_um: float | None

    @property
    def myelinated(self) -> bool:
        """Whether nodes are separated by myelin."""
        return len(self.kinds) > 1


MRG = Built(("node", "MYSA", "FLUT", *["STIN"] * 6, "FLUT", "MYSA"), 1.0)
SWEENEY = Built(("node", "myelin"), 1.5)
UNMYELINATED = Built(("node",), None)


def as_model(given: FiberModel | str) -> FiberModel:
    """A model of its name in any case."""
    if isinstance(given, FiberModel):
        return given
    if isinstance(given, str):
        model: FiberModel = FiberModel[given]
        return model
    raise ModelError(f"found {type(given).__name__} as a fiber model, expected a FiberModel or its name")
