"""Pictures of nerves: cross sections, and what an optimization changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.patches import Circle

from .._nerve import Nerve
from .._optimize import Optimization
from .._results import Thresholds
from ..errors import InputError, NerveError
from ._style import ABSENT, COLORS, QUANTITY, at_edge, axes, bar, label_of, labels, legend, norm, scales

#: Fills and outlines of the parts of a nerve, as in the pictures of the command line.
NERVE, FASCICLE, TARGET = ("#F7F6F3", "#BEBBB4"), ("#FFFFFF", "#A5A39E"), ("#FFF4E0", "#DE8A1D")


def nerve(of: Nerve, values: Any = None, *, label: str = "", ax: Axes | None = None) -> Axes:
    """The cross section of a nerve, um: fascicles where the folder's ``nerve.json`` has them, and a dot per fiber, targets with a rim.

    ``values`` are :class:`~pyaxonml.Thresholds` of the nerve's fibers, or a number per fiber with the ``label`` of the color bar. Fibers
    without a value are gray, and counted in the legend by their status.

    Raises:
        InputError: the folder has no places of fibers, or the values are not one per fiber.
        NerveError: the folder's ``nerve.json`` cannot be read.
    """
    places = of.xy_um
    if places is None:
        raise InputError(
            f"found no places of the fibers of {of.name}, expected them to draw a cross section",
            "add fibers_xy.npy, [fiber, 2], um from the axis, to the folder",
        )
    axis = axes(ax)
    _tissue(axis, of)
    target = np.zeros(len(of), dtype=bool) if of.target is None else of.target
    rims = np.where(target, TARGET[1], "#FFFFFF")
    status = np.full(len(of), "ok")
    shown = np.full(len(of), np.nan)
    if isinstance(values, Thresholds):
        shown, status = values.values, values["status"]
        label = label or label_of(next(name for name in values.columns if name.startswith("threshold_")))
    elif values is not None:
        shown = np.asarray(values, dtype=np.float64)
    if shown.shape != (len(of),):
        raise InputError(f"found values of shape {shown.shape}, expected one for each of {len(of)} fibers of {of.name}")
    known = np.isfinite(shown)
    if values is None:
        _dots(axis, places, rims, known | True, "", color=ABSENT)
    else:
        dots = _dots(axis, places, rims, known, "", c=shown[known], cmap=QUANTITY, norm=norm(shown))
        bar(axis, dots, label=label)
        for name in np.unique(status[~known]):
            lost = ~known & (status == name)
            _dots(axis, places, rims, lost, "no value" if name == "ok" else str(name), color=ABSENT)
    for name in np.unique(status[known & (status != "ok")]):
        odd = known & (status == name)
        x, y = places[odd].T
        axis.scatter(
            x,
            y,
            marker="s",
            s=90,
            facecolors="none",
            edgecolors=COLORS[3],
            label=f"{name} ({odd.sum()})",
            zorder=4,
        )
    axis.set_aspect("equal")
    labels(axis, "x (um)", "y (um)")
    legend(axis)
    return axis


def _dots(
    axis: Axes, places: np.ndarray, rims: np.ndarray, which: np.ndarray, name: str, **colors: Any
) -> PathCollection:
    """A dot with a rim per fiber, counted in the legend where they have a name."""
    x, y = places[which].T
    said = f"{name} ({which.sum()})" if name else None
    return axis.scatter(x, y, edgecolors=list(rims[which]), s=50, zorder=3, label=said, **colors)


def _tissue(axis: Axes, of: Nerve) -> None:
    """The outlines that a nerve's folder tells."""
    path = Path(of.path) / "nerve.json"
    if not path.exists():
        return
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        circles = [(0.0, 0.0, told["nerve_radius_mm"], NERVE)] if "nerve_radius_mm" in told else []
        for one in told.get("fascicles", []):
            circles.append((one["x"], one["y"], one["radius"], TARGET if one.get("target") else FASCICLE))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NerveError(f"{path}: found no nerve and fascicles with x, y and radius in mm: {error!r}") from error
    for x, y, radius, (fill, outline) in circles:
        axis.add_patch(Circle((1e3 * x, 1e3 * y), 1e3 * radius, facecolor=fill, edgecolor=outline, zorder=1))
    axis.autoscale_view()


def optimization(found: Optimization, *, nerve: int = 0, ax: Axes | None = None) -> Axes:
    """Thresholds of targets and of fibers to be spared, by the best montage and by what was found; below the line at 1 fibers are active.

    Thresholds are multiples of the delivered stimulus, in a logarithmic scale where they differ by a factor of 10. Fibers without a
    threshold are drawn at the upper edge, and counted in the legend. ``nerve`` is the number of the result where there are several.
    """
    if not 0 <= nerve < len(found.results):
        raise InputError(f"found nerve={nerve}, expected a number below {len(found.results)}")
    result = found.results[nerve]
    fibers = result["fibers"]
    keys = [key for key in ("baseline_threshold", "threshold") if any(key in fiber for fiber in fibers)]
    values = np.array([[np.nan if fiber.get(key) is None else fiber[key] for key in keys] for fiber in fibers])
    target = np.array([fiber["target"] for fiber in fibers], dtype=bool)
    axis = axes(ax)
    at = np.arange(len(keys))
    scales(axis, at.astype(float), values.ravel())
    for which, name, shade, form in ((~target, "spared", COLORS[0], "s-"), (target, "targets", COLORS[1], "o-")):
        for row, of_fiber in enumerate(values[which]):
            axis.plot(at, of_fiber, form, color=shade, lw=0.8, markersize=4, label=name if row == 0 else None)
        lost = np.isnan(values) & which[:, None]
        if lost.any():
            at_edge(axis, np.broadcast_to(at, values.shape)[lost], shade, f"{name}, no threshold")
    axis.axhline(1.0, color=ABSENT, lw=1, zorder=0)
    names = {"baseline_threshold": "best montage", "threshold": f"found\n({result['method']})"}
    axis.set_xticks(at, [names[key] for key in keys])
    axis.set_xlim(-0.4, len(keys) - 0.6)
    axis.set_ylabel("threshold (multiple of what is delivered)")
    axis.set_title(result["nerve"])
    legend(axis)
    return axis
