"""Results: NumPy arrays by name, the unit in each name; tables of pandas and xarray where these are installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ._names import hint
from .errors import InputError

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.axes import Axes

    from ._state import FiberStates

#: Units by the endings of names.
UNITS = {
    "mA": "mA",
    "nA": "nA",
    "um": "um",
    "ms": "ms",
    "mV": "mV",
    "pct": "%",
    "m_per_s": "m/s",
    "kHz": "kHz",
}


def unit_of(name: str) -> str | None:
    """The unit that a name ends with."""
    return next((unit for ending, unit in UNITS.items() if name.endswith(f"_{ending}")), None)


class Result:
    """Arrays by name (attributes, and by ``result["name"]``) over the fibers of a simulation.

    ``columns`` are the arrays, ``coordinates`` those that tell fibers apart, ``dims`` the names of each array's axes.
    """

    def __init__(
        self,
        columns: Mapping[str, np.ndarray],
        coordinates: Mapping[str, np.ndarray],
        dims: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.columns = dict(columns)
        self.coordinates = dict(coordinates)
        self._dims = dict(dims or {})

    def dims(self, name: str) -> tuple[str, ...]:
        """Names of an array's axes."""
        return self._dims.get(name, ("fiber",))

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            return self.columns[name] if name in self.columns else self.coordinates[name]
        except (KeyError, TypeError):
            known = [*self.columns, *self.coordinates]
            raise KeyError(f"found no `{name}`, but: {', '.join(known)}{hint(str(name), known)}") from None

    def __getattr__(self, name: str) -> np.ndarray:
        if name.startswith("_") or name in ("columns", "coordinates"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(str(error.args[0])) from None

    def __setattr__(self, name: str, value: Any) -> None:
        columns = self.__dict__.get("columns", {})
        if name in columns:
            columns[name] = np.asarray(value)
        else:
            super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.columns or name in self.coordinates

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.columns, *self.coordinates]

    def to_xarray(self) -> xarray.Dataset:
        """A dataset, units in the attributes ``units``."""
        import xarray

        def variable(name: str, array: np.ndarray) -> Any:
            unit = unit_of(name)
            return (self.dims(name), array, {} if unit is None else {"units": unit})

        return xarray.Dataset(
            {name: variable(name, array) for name, array in self.columns.items()},
            coords={name: variable(name, array) for name, array in self.coordinates.items()},
        )

    def to_pandas(self) -> pandas.DataFrame:
        """A table: one row per element of the arrays of most axes, and the columns that belong to one."""
        import pandas

        every = {**self.coordinates, **self.columns}
        widest = max((name for name in self.columns), key=lambda name: len(self.dims(name)))
        dims, shape = self.dims(widest), self.columns[widest].shape
        table: dict[str, np.ndarray] = {}
        if dims != ("fiber",):
            table.update(zip(dims, (at.ravel() for at in np.indices(shape)), strict=True))
        for name, array in every.items():
            own = self.dims(name)
            if set(own) <= set(dims):
                spread = array.reshape([size if dim in own else 1 for dim, size in zip(dims, shape, strict=True)])
                table[name] = np.broadcast_to(spread, shape).ravel()
        return pandas.DataFrame(table)

    #: The function of :mod:`pyaxonml.plot` that draws results of this kind.
    _picture: str | None = None

    def plot(self, **options: Any) -> Axes:
        """Draws it with matplotlib (``pip install 'pyaxonml[plot]'``): the function of :mod:`pyaxonml.plot` of this kind of result.

        Raises:
            InputError: there is no picture of this kind of result.
        """
        if self._picture is None:
            raise InputError(f"found {type(self).__name__}, of which there is no picture", "draw its arrays by name")
        from . import plot

        draw: Callable[..., Axes] = getattr(plot, self._picture)
        return draw(self, **options)

    def __repr__(self) -> str:
        sizes: dict[str, int] = {}
        for name, array in {**self.coordinates, **self.columns}.items():
            sizes.update(zip(self.dims(name), array.shape, strict=True))
        of = ", ".join(f"{dim}: {size}" for dim, size in sizes.items())
        lines = [f"<{type(self).__name__} ({of})>"]
        with np.printoptions(threshold=6, edgeitems=3, precision=6):
            for name, array in self.columns.items():
                shown = str(array).replace("\n", "") if array.ndim == 1 else f"{array.dtype}{list(array.shape)}"
                lines.append(f"  {name:<20} {shown}")
        return "\n".join(lines)


class Thresholds(Result):
    """Activation thresholds, one per fiber: ``threshold_mA`` (or ``threshold_nA``, of an injected current) is the smallest amplitude
    that fired, NaN where there is none, ``lower_mA`` the largest below it that did not; ``status`` and ``message`` say why.
    """

    _picture = "thresholds"

    @property
    def values(self) -> np.ndarray:
        """The thresholds, NaN where there is none; those with a status beside ``ok`` (``end_excitation``, ...) too: see :attr:`ok`."""
        name = next(name for name in self.columns if name.startswith("threshold_"))
        return self.columns[name]

    @property
    def ok(self) -> np.ndarray:
        """Whether a fiber has a regular threshold."""
        return np.asarray(self.columns["status"] == "ok")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = self.values if dtype is None else self.values.astype(dtype)
        return values.copy() if copy else values

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)


class BlockThresholds(Result):
    """Excitation, block and re-excitation thresholds, one per fiber, and their ``status``."""

    _picture = "block_thresholds"


class Recording(Result):
    """Recorded arrays ``[fiber, time, node]``: ``v`` in mV and states by their names; ``node_index`` and ``z_um`` are ``[fiber, node]``.
    ``crossings`` has, per fiber, the nodes and times (ms, interpolated) of all upward crossings of the level of detection, in order of
    time: what PyFibers' ``apc`` has.

    ``start_node``, ``start_um`` and ``start_ms`` tell where each fiber's first action potential began that reached a site of detection
    (-1 and NaN without one); runs that began with a state, or whose states were changed, have none of the three. ``v_max_mV`` is the
    largest voltage of every node; ``status`` is ``ok`` or ``diverged``; ``end`` are the states after the last step.
    """

    _picture = "recording"

    #: Per fiber the nodes and the times (ms) of the upward crossings of the level of detection, in order of time.
    crossings: list[tuple[np.ndarray, np.ndarray]]
    #: The state after the last step: what another run may begin with.
    end: FiberStates

    def __getitem__(self, name: str) -> np.ndarray:
        if name in ("start_node", "start_um", "start_ms") and name not in self.columns:
            raise InputError(
                "found a run that began with given states, or whose states a synapse or on_state changed: where its action potentials "
                "began is not known; look at crossings"
            )
        return super().__getitem__(name)

    @property
    def fired(self) -> np.ndarray:
        """Whether an action potential reached a site of detection; unknown of runs that began with a state or were changed."""
        return np.asarray(self["start_node"] >= 0)


class Responses(Result):
    """Action potentials that arrive, ``[fiber, amplitude]``: ``n_ap`` of ``n_ap_expected`` at ``amplitude_mA`` (``amplitude_nA``, of an
    injected current), and the ``state`` of the fiber.
    """

    _picture = "responses"


class Velocities(Result):
    """Conduction velocities ``cv_m_per_s`` between two nodes, and their ``status``."""

    _picture = "velocities"


class Recruitment(Result):
    """Steps of a recruitment curve: ``fraction`` of the nerve's fibers that is active from ``amplitude_mA`` (or ``amplitude_nA``, of an
    injected current) on.
    """

    _picture = "recruitment"

    def at(self, amplitude: Any) -> np.ndarray:
        """The fraction that is active at amplitudes."""
        given = np.asarray(amplitude, dtype=np.float64)
        steps = next(column for name, column in self.columns.items() if name.startswith("amplitude_"))
        step = np.searchsorted(steps, given, side="right")
        fraction = np.concatenate([[0.0], self.columns["fraction"]])[step]
        return np.asarray(np.where(np.isnan(given), np.nan, fraction))


class Gradients(Result):
    """Derivatives of thresholds, of a unit of amplitude per unit of what they are by; rows of fibers without one are NaN.

    ``potentials`` and ``waveforms`` have one array per source, ``[fiber, sample]`` and ``[fiber, step]``; ``gains`` is
    ``[fiber, source]``, ``parameters`` holds one array per parameter of the model. ``message`` says why there is none.
    """

    potentials: list[np.ndarray]
    waveforms: list[np.ndarray]
    parameters: dict[str, np.ndarray]
