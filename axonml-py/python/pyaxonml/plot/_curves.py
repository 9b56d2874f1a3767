"""Pictures of what is found for each fiber: thresholds, block, velocities, responses, and recruitment."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.ticker import MaxNLocator

from .._results import BlockThresholds, Recruitment, Responses, Result, Thresholds, Velocities
from ..errors import InputError
from ._style import (
    COLORS,
    INK,
    MARKERS,
    QUANTITY,
    at_edge,
    axes,
    bar,
    color,
    coordinate,
    groups,
    label_of,
    labels,
    legend,
    of_fibers,
    of_kind,
    scales,
)

#: States of responses and their colors: the ordinary is the lightest.
STATES = {
    "transmitted": "#E7EAEF",
    "quiet": "#FFFFFF",
    "excited": COLORS[1],
    "partial": COLORS[4],
    "blocked": COLORS[0],
    "no_activation": COLORS[3],
    "diverged": INK,
    "error": "#969EA8",
}
#: States in which counts say nothing.
FAILED = ("diverged", "error")
#: Rows of a map that are all labeled.
LABELED = 24


def thresholds(found: Thresholds, *, x: Any = None, hue: Any = None, label: str = "", ax: Axes | None = None) -> Axes:
    """Thresholds over diameters, or over what tells fibers apart; axes are logarithmic from a factor of 10 on.

    ``x`` and ``hue`` are names of columns or coordinates, or a value per fiber: where a fiber is drawn, and which line it belongs to.
    ``label`` names the line in the legend. Points whose status is not ``ok`` are hollow, with the status in the legend; fibers without a
    threshold are drawn at the largest amplitude that was tried, or at the upper edge.
    """
    of_kind(found, Thresholds)
    name = next(name for name in found.columns if name.startswith("threshold_"))
    return _of_each_fiber(found, name, found[name.replace("threshold", "lower")], x, hue, label, ax)


def velocities(found: Velocities, *, x: Any = None, hue: Any = None, label: str = "", ax: Axes | None = None) -> Axes:
    """Conduction velocities over diameters; arguments as :func:`thresholds` has them."""
    return _of_each_fiber(found, "cv_m_per_s", None, x, hue, label, ax)


def _of_each_fiber(
    found: Result, name: str, lower: np.ndarray | None, x: Any, hue: Any, label: str, ax: Axes | None
) -> Axes:
    at, x_label = coordinate(found, x)
    title, each = groups(found, hue)
    values, status = found[name], found["status"]
    axis = axes(ax)
    scales(axis, at, values)
    colors = np.full(len(values), INK, dtype=object)
    # What is drawn over another result goes on with the next color.
    for index, (group, members) in enumerate(each, start=len(axis.lines)):
        colors[members] = color(index)
        _line(axis, at, values, members & (status == "ok"), "o", "-", color(index), group or label)
    _others(axis, at, values, status, np.full(len(values), np.nan) if lower is None else lower, colors)
    labels(axis, x_label, label_of(name))
    legend(axis, title)
    return axis


def _line(
    axis: Axes,
    at: np.ndarray,
    values: np.ndarray,
    which: np.ndarray,
    marker: str,
    style: str,
    shade: str,
    name: str = "",
) -> None:
    """Draws a line through points in the order of their places, or points alone where several lie above each other."""
    order = np.flatnonzero(which)[np.argsort(at[which], kind="stable")]
    if len(np.unique(at[order])) < len(order):
        style = "none"
    axis.plot(
        at[order], values[order], marker=marker, linestyle=style, color=shade, label=name or None, markersize=5, lw=1.3
    )


def _others(
    axis: Axes, at: np.ndarray, values: np.ndarray, status: np.ndarray, lower: np.ndarray, colors: np.ndarray
) -> None:
    """Marks fibers whose status is not ``ok``; those without a value at the largest amplitude that was tried, or at the upper edge."""
    for index, name in enumerate(np.unique(status[status != "ok"])):
        members = status == name
        known = members & np.isfinite(values)
        # The lower end of a search that found something that does not count is no bound.
        tried = members & ~known & np.isfinite(lower) & (name == "no_activation")
        form = MARKERS[1 + index % (len(MARKERS) - 1)]
        _hollow(axis, at[known], values[known], form, colors[known], str(name))
        up = "^" if (lower[tried] >= 0).all() else "v"
        _hollow(axis, at[tried], lower[tried], up, colors[tried], f"{name} up to here")
        lost = members & ~known & ~tried
        if lost.any():
            at_edge(axis, at[lost], list(colors[lost]), f"{name}, no value")


def _hollow(axis: Axes, x: np.ndarray, y: np.ndarray, form: str, shades: np.ndarray, name: str) -> None:
    if len(x):
        axis.scatter(
            x, y, marker=form, s=40, facecolors="none", edgecolors=list(shades), label=f"{name} ({len(x)})", zorder=3
        )


def block_thresholds(
    found: BlockThresholds, *, x: Any = None, hue: Any = None, label: str = "", ax: Axes | None = None
) -> Axes:
    """Excitation, block and re-excitation thresholds over diameters, with the bands of amplitudes that excite and that block.

    Arguments as :func:`thresholds` has them; bands are drawn where there is one line (no ``hue``) with one fiber at each ``x``. A band of
    block that no amplitude ends reaches beyond all thresholds. Statuses other than ``ok`` are marked.
    """
    at, x_label = coordinate(found, x)
    title, each = groups(found, hue)
    low, block, high = (found[f"{name}_mA"] for name in ("excitation", "block", "reexcitation"))
    axis = axes(ax)
    scales(axis, at, np.concatenate([low, block]))
    is_first = not axis.has_data()
    colors = np.empty(len(at), dtype=object)
    for index, (group, members) in enumerate(each, start=len(axis.lines) // 3):
        colors[members] = shade = color(index)
        of = ": ".join(one for one in (group or label, "block") if one)
        _line(axis, at, block, members & (found["status"] == "ok"), "o", "-", shade, of)
        is_named = index == 0
        _line(axis, at, low, members, "x", ":", shade, "excitation" if is_named else "")
        _line(axis, at, high, members, "v", "--", shade, "re-excitation" if is_named else "")
    if hue is None and is_first and len(np.unique(at)) == len(at):
        _bands(axis, at, low, block, high)
    _others(axis, at, block, found["status"], np.full(len(at), np.nan), colors)
    labels(axis, x_label, "amplitude (mA)")
    legend(axis, title)
    return axis


def _bands(axis: Axes, at: np.ndarray, low: np.ndarray, block: np.ndarray, high: np.ndarray) -> None:
    order = np.argsort(at)
    at, low, block, high = at[order], low[order], block[order], high[order]
    seen = np.concatenate([low, block, high])
    top = 1.1 * np.nanmax(seen) if np.isfinite(seen).any() else 1.0
    axis.fill_between(at, low, block, color=STATES["excited"], alpha=0.15, lw=0, label="excited")
    end = np.where(np.isnan(high), top, high)
    axis.fill_between(at, block, end, color=STATES["blocked"], alpha=0.15, lw=0, label="blocked")


def responses(
    found: Responses, *, what: str = "n_ap", kind: str = "map", rows: Any = None, ax: Axes | None = None
) -> Axes:
    """Responses by fiber and amplitude: counts of action potentials (``n_ap``), or the ``state``, as a ``map`` or (counts) ``lines``.

    ``rows`` is the name of a coordinate, or a value per fiber, that the rows of a map or the lines are labeled with, by default the numbers
    of the fibers. Responses that diverged, or could not be simulated, are crossed out.
    """
    if what not in ("n_ap", "state"):
        raise InputError(f"found what={what!r}, expected n_ap or state")
    if kind not in ("map", "lines") or (what == "state" and kind == "lines"):
        raise InputError(f"found kind={kind!r} of {what}, expected map, or lines of n_ap")
    amplitude = _amplitude(found, Responses)
    amplitudes, failed = found[amplitude], np.isin(found["state"], FAILED)
    names, rows_label = (np.arange(len(failed)), "fiber") if rows is None else of_fibers(found, rows, "rows")
    named = [f"{name:g}" if names.dtype.kind in "fiu" else str(name) for name in names]
    axis = axes(ax)
    at = np.broadcast_to(np.arange(len(failed))[:, None], failed.shape)
    if kind == "lines":
        at = found["n_ap"]
        for index, name in enumerate(named):
            order = np.argsort(amplitudes[index], kind="stable")
            axis.plot(amplitudes[index, order], at[index, order], ".-", color=color(index), label=name)
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
        labels(axis, label_of(amplitude), label_of("n_ap"))
    else:
        _map(axis, amplitudes, at, found[what])
        labeled = range(0, len(named), 1 + len(named) // (LABELED + 1))
        axis.set_yticks(labeled, [named[row] for row in labeled])
        labels(axis, label_of(amplitude), rows_label)
    if failed.any():
        axis.plot(amplitudes[failed], at[failed], "x", color=INK, label=f"failed ({failed.sum()})")
    if kind == "lines":
        legend(axis, rows_label)
    return axis


def _amplitude(found: Result, kind: type[Result]) -> str:
    """The name of the column of amplitudes of a result."""
    of_kind(found, kind)
    return next(name for name in found.columns if name.startswith("amplitude_"))


def _map(axis: Axes, amplitudes: np.ndarray, at: np.ndarray, values: np.ndarray) -> None:
    """A heat map with a bar of whole numbers, or of states."""
    if not values.size:
        return
    if values.dtype.kind in "iu":
        counts = np.arange(values.min(initial=0), values.max(initial=0) + 2) - 0.5
        norm = BoundaryNorm(counts, 256)
        mesh = axis.pcolormesh(amplitudes, at, values, cmap=QUANTITY, norm=norm, shading="nearest")
        beside = bar(axis, mesh, label=label_of("n_ap"))
        beside.ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        return
    states = [state for state in STATES if (values == state).any()]
    numbers = np.searchsorted(np.sort(states), values)
    order = np.argsort(states)
    cmap = ListedColormap([STATES[state] for state in states])
    mesh = axis.pcolormesh(
        amplitudes,
        at,
        order[numbers],
        cmap=cmap,
        norm=BoundaryNorm(np.arange(len(states) + 1) - 0.5, len(states)),
        shading="nearest",
    )
    bar(axis, mesh, ticks=range(len(states))).set_ticklabels(states)


def recruitment(found: Recruitment, *, label: str = "", ax: Axes | None = None) -> Axes:
    """The fraction of a nerve's fibers that is active, as steps over the amplitude, from 0 on; ``label`` names it in the legend."""
    axis = axes(ax)
    amplitude = _amplitude(found, Recruitment)
    amplitudes = np.concatenate([[0.0], found[amplitude]])
    fractions = np.concatenate([[0.0], found["fraction"]])
    axis.step(amplitudes, fractions, where="post", color=color(len(axis.lines)), label=label or None)
    axis.set_ylim(0.0, 1.02)
    labels(axis, label_of(amplitude), label_of("fraction"))
    legend(axis)
    return axis
