"""Nerves in cuffs: the potential of every contact along every fiber, from a folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _native
from ._arrays import as_array, spread
from ._fibers import Fibers
from ._field import Field, JoinedField, Points
from .errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Nerve:
    """A nerve that was read from a folder of arrays (:meth:`Nerve.load`)."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(os.fspath(path))
        self._handle = _native.Nerve.load(self.path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Nerve:
        """Reads a nerve folder."""
        return cls(path)

    @property
    def name(self) -> str:
        """Its name."""
        return self._handle.name

    @property
    def contacts(self) -> int:
        """Number of contacts."""
        return self._handle.contacts

    @property
    def z_um(self) -> np.ndarray:
        """Places of the samples along the fibers, um."""
        return self._handle.z_um

    @property
    def xy_um(self) -> np.ndarray | None:
        """Places of the fibers across the nerve, um, where they are known."""
        return self._handle.xy_um

    @property
    def target(self) -> np.ndarray | None:
        """Which fibers are targets, where it is known."""
        return self._handle.target

    @property
    def weights(self) -> np.ndarray:
        """How many of the nerve's fibers each fiber stands for."""
        return self._handle.weights

    def potentials_mv(self, contact: int) -> np.ndarray:
        """Potentials of a contact, ``[fiber, sample]``, mV per mA."""
        return self._handle.potentials_mv(contact)

    def fibers(self, model: Any = "mrg", *, diameter: Any, **further: Any) -> Fibers:
        """One fiber for each line of the nerve; further arguments as :class:`Fibers` takes them."""
        each = spread(diameter, (len(self),), "diameters")
        further.setdefault("weight", self.weights)
        if self.xy_um is not None:
            further.setdefault("x", self.xy_um[:, 0])
            further.setdefault("y", self.xy_um[:, 1])
        return Fibers(model, diameter=each, **further)

    def field(self, contacts: Any = None, *, interpolation: str = "cubic", extend: str = "refuse") -> Field:
        """The field of the contacts' factors of one waveform; without them every contact has a waveform of its own."""
        if contacts is not None:
            return NerveField(self, as_array(contacts, "contacts", (1,)), interpolation, extend)
        each = np.eye(self.contacts)
        return JoinedField([NerveField(self, factors, interpolation, extend) for factors in each])

    def plot(self, values: Any = None, **options: Any) -> Axes:
        """Draws the cross section with matplotlib, fibers colored by values or thresholds: :func:`pyaxonml.plot.nerve`."""
        from . import plot

        return plot.nerve(self, values, **options)

    def __len__(self) -> int:
        return self._handle.fibers

    def __reduce__(self) -> tuple[type[Nerve], tuple[str]]:
        return type(self), (self.path,)

    def __repr__(self) -> str:
        return f"Nerve({self.path!r}: {len(self)} fibers, {self.contacts} contacts)"


class NerveField(Field):
    """Contacts of a nerve, each with its factor."""

    def __init__(self, nerve: Nerve, factors: np.ndarray, interpolation: str, extend: str) -> None:
        self.nerve, self.factors, self.how = nerve, factors, (interpolation, extend)

    def _native(self, fibers: Fibers, points: Points | None) -> list[_native.Field] | None:
        if len(fibers) != len(self.nerve):
            raise InputError(f"found {len(fibers)} fibers for the {len(self.nerve)} lines of nerve {self.nerve.name}")
        interpolation, extend = self.how
        return [self.nerve._handle.field(self.factors, None, interpolation, fibers.offset_um, extend)]
