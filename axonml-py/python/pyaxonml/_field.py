"""Extracellular fields: potentials along fibers per unit of current."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _native
from ._arrays import as_array, spread
from ._fibers import Fibers
from ._portable import Portable
from .errors import InputError

#: Places of the sample points of every fiber, um from its middle.
Points = Sequence[np.ndarray]


class Field:
    """The potential along fibers, mV per mA: ``Field(function)`` of places x, y, z (um), called once with all of them.

    Fields pickle; those of functions without a name that other processes can import (lambdas) where cloudpickle is installed.

    Others: :func:`point_source`, :meth:`Field.sampled`, :meth:`Field.bases`, :meth:`Field.potentials`,
    :meth:`Field.space_time`, and those of a :class:`Nerve`.
    """

    #: Sources that the field consists of: contacts with a waveform each.
    sources: int = 1
    #: Whether it has a waveform, or is one in space and time.
    has_waveform: bool = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Field:
        """Makes the field of a function where none of the others is asked for."""
        return super().__new__(FunctionField if cls is Field else cls)

    def __init__(self, function: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]) -> None:
        raise NotImplementedError

    @staticmethod
    def sampled(
        z_um: Any,
        ve_mv: Any,
        *,
        interpolation: str = "cubic",
        extend: str = "refuse",
    ) -> Field:
        """Potentials at samples along lines, for all fibers (``[sample]``) or ``[fiber, sample]``.

        The fibers' middles lie at the middle of the line, plus their offsets. ``interpolation`` is ``cubic`` or ``linear``;
        a fiber that reaches beyond the line is refused, unless ``extend="point-source"``.
        """
        return SampledField(z_um, ve_mv, interpolation, extend)

    @staticmethod
    def bases(
        bases: Any,
        *,
        contacts: Any = None,
        z_um: Any = None,
        interpolation: str = "cubic",
        extend: str = "refuse",
    ) -> Field:
        """Potentials of contacts, ``[fiber, contact, sample]``, mV per mA of each.

        Samples lie at the fibers' own sample points (:meth:`Simulation.sample_points`), or along ``z_um``.
        ``contacts`` are the contacts' factors of one waveform; without them every contact has a waveform of its own.
        """
        array = as_array(bases, "bases", (3,))
        each = [array[:, contact] for contact in range(array.shape[1])]
        if contacts is not None:
            factors = as_array(contacts, "contacts", (1,))
            if len(factors) != len(each):
                raise InputError(f"found {len(factors)} factors for {len(each)} contacts")
            each = [np.einsum("c,fcs->fs", factors, array)]
        if z_um is None:
            return JoinedField([PotentialsField(one) for one in each])
        return JoinedField([SampledField(z_um, one, interpolation, extend) for one in each])

    @staticmethod
    def potentials(ve_mv: Any) -> Field:
        """Potentials at the fibers' own sample points, ``[sample]`` for all or ``[fiber, sample]``, mV per mA.

        Fibers of different numbers of samples have a list of arrays.
        """
        return PotentialsField(ve_mv)

    @staticmethod
    def space_time(ve_mv: Any) -> Field:
        """Potentials at the fibers' sample points for every step, ``[step, sample]`` for all or ``[fiber, step, sample]``."""
        return SpaceTimeField(ve_mv)

    def _native(self, fibers: Fibers, points: Points | None) -> list[_native.Field] | None:
        """One native field per source; ``None`` if sample points are needed that are not known yet."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.sources} source{'s' if self.sources > 1 else ''}>"


class FunctionField(Field):
    """A function of x, y, z."""

    def __init__(self, function: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]) -> None:
        if not callable(function):
            raise InputError(f"found {type(function).__name__}, expected a function of x, y and z in um")
        self.function = function

    def __reduce__(self) -> tuple[Any, ...]:
        return _function_field, (Portable(self.function),)

    def _native(self, fibers: Fibers, points: Points | None) -> list[_native.Field] | None:
        if points is None:
            return None
        counts = [len(z) for z in points]
        x, y, middle = (np.repeat(at, counts) for at in (fibers.x_um, fibers.y_um, fibers.offset_um))
        z = np.concatenate(points) + middle if points else middle
        ve = spread(self.function(x, y, z), z.shape, "potentials of the function")
        return [_native.Field.potentials(np.split(ve, np.cumsum(counts)[:-1]))]


def _function_field(function: Any) -> FunctionField:
    """The field of a function, which copies hand over as it was packed."""
    return FunctionField(function.function if isinstance(function, Portable) else function)


class PointField(Field):
    """Point electrodes."""

    def __init__(self, x: Any, y: Any, z: Any, transverse_ohm_cm: float, longitudinal_ohm_cm: float) -> None:
        self.x, self.y, self.z = (as_array(at, "a coordinate", (0, 1)) for at in (x, y, z))
        self.medium = (float(transverse_ohm_cm), float(longitudinal_ohm_cm))

    def _native(self, fibers: Fibers, points: Points | None) -> list[_native.Field] | None:
        def seen(at: np.ndarray, fiber: np.ndarray) -> np.ndarray:
            if at.size not in (1, len(fiber)):
                raise InputError(f"found {at.size} coordinates of electrodes for {len(fiber)} fibers")
            return np.asarray(np.broadcast_to(at, fiber.shape) - fiber)

        x, y, z = seen(self.x, fibers.x_um), seen(self.y, fibers.y_um), seen(self.z, fibers.offset_um)
        if len(fibers) > 1 and all((at == at[0]).all() for at in (x, y, z)):
            # Fibers that see the same electrode share its field.
            x, y, z = x[:1], y[:1], z[:1]
        return [_native.Field.point_source(x, y, z, *self.medium)]


def point_source(
    x: Any,
    y: Any = 0.0,
    z: Any = 0.0,
    *,
    rho_ohm_cm: float | tuple[float, float] | None = None,
    sigma: float | tuple[float, float] | None = None,
) -> Field:
    """A point electrode at x, y, z (um; or one per fiber), its return infinitely far away.

    The medium has a resistivity ``rho_ohm_cm`` (500 by default) or a conductivity ``sigma`` in S/m, or two of them: across
    and along the fibers.
    """
    if rho_ohm_cm is not None and sigma is not None:
        raise InputError("found `rho_ohm_cm` and `sigma`, expected one of them")
    if sigma is not None:
        across, along = sigma if isinstance(sigma, tuple) else (sigma, sigma)
        if across == 0 or along == 0:
            raise InputError("found a conductivity of 0 S/m, expected one above 0")
        return PointField(x, y, z, 100.0 / across, 100.0 / along)
    across, along = rho_ohm_cm if isinstance(rho_ohm_cm, tuple) else (rho_ohm_cm or 500.0,) * 2
    return PointField(x, y, z, across, along)


class SampledField(Field):
    """Potentials along lines."""

    def __init__(self, z_um: Any, ve_mv: Any, interpolation: str, extend: str) -> None:
        self.z_um = as_array(z_um, "z_um", (1,))
        self.ve_mv = as_array(ve_mv, "potentials", (1, 2))
        if self.ve_mv.shape[-1] != len(self.z_um):
            raise InputError(f"found potentials of shape {self.ve_mv.shape} at {len(self.z_um)} places")
        self.how = (interpolation, extend)

    def _native(self, fibers: Fibers, points: Points | None) -> list[_native.Field] | None:
        interpolation, extend = self.how
        offsets = fibers.offset_um if fibers.offset_um.any() else np.zeros(1)
        return [_native.Field.sampled(self.z_um, self.ve_mv, interpolation, offsets, extend)]


class PotentialsField(Field):
    """Potentials at sample points."""

    def __init__(self, ve_mv: Any) -> None:
        ragged = isinstance(ve_mv, (list, tuple)) and len({np.shape(row) for row in ve_mv}) > 1
        self.ve_mv = (
            [as_array(row, "potentials", (1,)) for row in ve_mv] if ragged else as_array(ve_mv, "potentials", (1, 2))
        )

    def _native(self, fibers: Fibers, points: Points | None) -> list[_native.Field] | None:
        return [_native.Field.potentials(self.ve_mv)]


class SpaceTimeField(Field):
    """Potentials in space and time."""

    has_waveform = False

    def __init__(self, ve_mv: Any) -> None:
        self.ve_mv = as_array(ve_mv, "potentials", (2, 3))

    def _native(self, fibers: Fibers, points: Points | None) -> list[_native.Field] | None:
        return [_native.Field.space_time(self.ve_mv)]


class JoinedField(Field):
    """Several fields, each with a waveform of its own."""

    def __init__(self, parts: Sequence[Field]) -> None:
        if not parts:
            raise InputError("found no fields to join")
        self.parts = list(parts)
        self.sources = sum(part.sources for part in self.parts)

    def _native(self, fibers: Fibers, points: Points | None) -> list[_native.Field] | None:
        made: list[_native.Field] = []
        for part in self.parts:
            native = part._native(fibers, points)
            if native is None:
                return None
            made += native
        return made
