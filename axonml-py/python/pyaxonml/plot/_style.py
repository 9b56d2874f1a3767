"""Colors, labels and axes that all pictures share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LogNorm, Normalize

from .._results import UNITS, Result, unit_of
from ..errors import InputError

#: Colors that people with any common color vision tell apart, in the order of the pictures of the command line.
#: Source: Okabe & Ito (2008), "Color universal design", https://jfly.uni-koeln.de/color/, without the yellow.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#1D2530")
#: Markers of regular and other values.
MARKERS = "os^Dv>"
#: Text and marks that matter most; marks that matter less; what has no value.
INK, MUTED, ABSENT = "#1D2530", "#586372", "#969EA8"
#: Quantities: dark violet through teal to light yellow, lightness in equal steps.
QUANTITY = "viridis"
#: An axis is logarithmic where its positive values differ by this factor or more.
DECADE = 10.0

_SAID = {
    "v": "membrane potential (mV)",
    "cv_m_per_s": "conduction velocity (m/s)",
    "n_ap": "action potentials",
    "n_nodes": "nodes",
    "fraction": "active fraction",
}


def label_of(name: str) -> str:
    """The label of an axis: a column's name in words, its unit in parentheses."""
    if name in _SAID:
        return _SAID[name]
    unit = unit_of(name)
    if unit is None:
        return name.replace("_", " ")
    ending = next(ending for ending, one in UNITS.items() if one == unit)
    return f"{name.removesuffix(f'_{ending}').replace('_', ' ')} ({unit})"


def color(index: int) -> str:
    """The color of one of several unordered things."""
    return COLORS[index % len(COLORS)]


def of_kind(found: Any, kind: type) -> None:
    """Refuses a result of another kind."""
    if not isinstance(found, kind):
        raise InputError(f"found {type(found).__name__}, expected {kind.__name__}")


def axes(given: Axes | None) -> Axes:
    """The axes that were given, or those of a new figure."""
    if given is not None:
        return given
    import matplotlib.pyplot as plt

    made: Axes = plt.subplots(layout="constrained")[1]
    return made


def labels(axis: Axes, x: str, y: str) -> None:
    """Labels axes that have none yet."""
    if not axis.get_xlabel():
        axis.set_xlabel(x)
    if not axis.get_ylabel():
        axis.set_ylabel(y)


def legend(axis: Axes, title: str = "") -> None:
    """A legend, where something is named."""
    if axis.get_legend_handles_labels()[1]:
        axis.legend(title=title or None, frameon=False)


def bar(axis: Axes, shown: ScalarMappable, **options: Any) -> Colorbar:
    """A bar of colors beside axes."""
    figure = axis.get_figure()
    assert figure is not None
    return figure.colorbar(shown, ax=axis, **options)


def at_edge(axis: Axes, x: np.ndarray, shades: Any, name: str) -> None:
    """Crosses at the upper edge, whatever the axes show, for what has no value."""
    axis.scatter(
        x,
        np.full(len(x), 0.98),
        marker="X",
        s=40,
        facecolors="none",
        edgecolors=shades,
        transform=axis.get_xaxis_transform(),
        clip_on=False,
        label=f"{name} ({len(x)})",
        zorder=3,
    )
    # What is drawn in other coordinates than the axes' own does not widen them.
    axis.update_datalim(np.column_stack([x, np.zeros(len(x))]), updatey=False)
    axis.autoscale_view()


def spans_decades(values: np.ndarray) -> bool:
    """Whether numbers are read best in a logarithmic scale."""
    seen = values[np.isfinite(values)]
    return bool(len(seen)) and bool(seen.min() > 0) and bool(seen.max() >= DECADE * seen.min())


def scales(axis: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Scales of axes in which nothing was drawn yet."""
    if axis.has_data():
        return
    if spans_decades(x):
        axis.set_xscale("log")
    if spans_decades(y):
        axis.set_yscale("log")


def norm(values: np.ndarray) -> Normalize:
    """The scale of colors of a quantity."""
    seen = values[np.isfinite(values)]
    ends = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
    return LogNorm(*ends) if spans_decades(values) else Normalize(*ends)


def of_fibers(result: Result, given: Any, what: str) -> tuple[np.ndarray, str]:
    """One value per fiber, and its label: a column or coordinate by name, or values as they are given."""
    fibers = len(result["status"]) if "status" in result.columns else len(result["n_ap"])
    values, label = (np.asarray(result[given]), label_of(given)) if isinstance(given, str) else (np.asarray(given), "")
    if values.shape != (fibers,):
        raise InputError(f"found `{what}` of shape {values.shape}, expected one value for each of {fibers} fibers")
    return values, label


def coordinate(result: Result, given: Any) -> tuple[np.ndarray, str]:
    """Where fibers are drawn, and its label; by default at what tells them apart: diameters, places, or their numbers."""
    if given is None:
        names = [name for name in result.coordinates if result.dims(name) == ("fiber",) and name.endswith("_um")]
        varied = [name for name in names if len(np.unique(result[name])) > 1]
        alone = len(result["status"]) == 1
        if not varied and not (alone and names):
            return np.arange(len(result["status"])), "fiber"
        given = (varied or names)[0]
    at, label = of_fibers(result, given, "x")
    if at.dtype.kind not in "fiu":
        raise InputError(f"found `x` of type {at.dtype}, expected numbers")
    return at, label


def groups(result: Result, hue: Any) -> tuple[str, list[tuple[str, np.ndarray]]]:
    """The title of a legend, and each group's name and flags ``[fiber]``: numbers by size, words as they come."""
    if hue is None:
        return "", [("", np.ones(len(result["status"]), dtype=bool))]
    values, title = of_fibers(result, hue, "hue")

    def each() -> Iterator[tuple[str, np.ndarray]]:
        different, first = np.unique(values, return_index=True)
        are_numbers = values.dtype.kind in "fiu"
        for value in different if are_numbers else different[np.argsort(first)]:
            yield (f"{value:g}" if are_numbers else str(value)), values == value

    return title, list(each())
