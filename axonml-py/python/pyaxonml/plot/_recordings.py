"""Pictures of runs: recorded voltages and states along a fiber, and its action potentials."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from .._results import Recording
from ..errors import InputError
from ._style import COLORS, INK, QUANTITY, axes, bar, label_of, labels, legend, of_kind

#: Traces of a waterfall lie this part of the largest one apart.
SHIFT = 0.4
KINDS = ("waterfall", "map", "crossings")


def recording(
    found: Recording,
    *,
    kind: str = "waterfall",
    fiber: int = 0,
    what: str | None = None,
    shift: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """What a fiber does in a run, as a ``waterfall``, a ``map`` or its ``crossings``.

    A waterfall is a line per recorded node over time, each ``shift`` above the one before (in the unit of what is recorded; chosen by
    default). A map has colors over time and place along the fiber, mm. Crossings are a dot per upward crossing of the level of detection,
    at all nodes, recorded or not. ``what`` is ``v`` or a state, by default what was recorded first. The start of the first action potential
    is a ring in maps and crossings; a run that diverged says so in the title.
    """
    of_kind(found, Recording)
    if kind not in KINDS:
        raise InputError(f"found kind={kind!r}, expected {', '.join(KINDS)}")
    fibers = len(found["status"])
    if not -fibers <= fiber < fibers:
        raise InputError(f"found fiber={fiber} in a recording of {fibers}")
    recorded = [name for name in found.columns if found.dims(name) == ("fiber", "time", "node")]
    name = recorded[0] if what is None else what
    if name not in recorded:
        raise InputError(f"found what={what!r}, expected something recorded: {', '.join(recorded)}")
    axis = axes(ax)
    if kind == "crossings":
        _crossings(axis, found, fiber)
    else:
        # Fibers of fewer nodes than others are filled up with -1.
        nodes = np.flatnonzero(found["node_index"][fiber] >= 0)
        order = nodes[np.argsort(found["z_um"][fiber][nodes])]
        values = found[name][fiber][:, order]
        if kind == "map":
            _map(axis, found, fiber, name, order, values)
        else:
            _waterfall(axis, found, fiber, name, order, values, shift)
    if found["status"][fiber] != "ok":
        axis.set_title(f"fiber {fiber}: {found['status'][fiber]}")
    return axis


def _waterfall(
    axis: Axes, found: Recording, fiber: int, name: str, order: np.ndarray, values: np.ndarray, shift: float | None
) -> None:
    if shift is None:
        seen = values[np.isfinite(values)]
        shift = float(f"{SHIFT * np.ptp(seen):.1g}") if len(seen) else 0.0
    for at, node in enumerate(found["node_index"][fiber][order]):
        axis.plot(found["t_ms"], values[:, at] + shift * at, color=COLORS[0], lw=1, label=f"_node {node}")
    further = f",\nshifted by {shift:g} from node to node" if len(order) > 1 and shift else ""
    labels(axis, "time (ms)", f"{label_of(name)}{further}")


def _map(axis: Axes, found: Recording, fiber: int, name: str, order: np.ndarray, values: np.ndarray) -> None:
    if len(order) < 2:
        raise InputError(f"found {len(order)} recorded node, expected 2 or more for a map", "give kind='waterfall'")
    if len(found["t_ms"]) < 2:
        raise InputError(
            f"found {len(found['t_ms'])} recorded times, expected 2 or more for a map", "give kind='waterfall'"
        )
    z_mm = 1e-3 * found["z_um"][fiber][order]
    mesh = axis.pcolormesh(found["t_ms"], z_mm, values.T, cmap=QUANTITY, shading="nearest", rasterized=True)
    bar(axis, mesh, label=label_of(name))
    _start(axis, found, fiber, "start_um", 1e-3, "#FFFFFF")
    labels(axis, "time (ms)", "z (mm)")


def _crossings(axis: Axes, found: Recording, fiber: int) -> None:
    nodes, times = found.crossings[fiber]
    axis.plot(times, nodes, "o", color=COLORS[0], markersize=3)
    _start(axis, found, fiber, "start_node", 1.0, INK)
    axis.set_xlim(found["t_ms"][0], found["t_ms"][-1])
    axis.set_ylim(-0.5, found["n_nodes"][fiber] - 0.5)
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    labels(axis, "time (ms)", "node")
    legend(axis)


def _start(axis: Axes, found: Recording, fiber: int, place: str, scale: float, shade: str) -> None:
    """A ring where the first action potential began, if there is one and it is known where."""
    if "start_ms" in found and np.isfinite(found["start_ms"][fiber]):
        axis.plot(
            [found["start_ms"][fiber]],
            [scale * found[place][fiber]],
            "o",
            color=shade,
            fillstyle="none",
            markersize=9,
            label="start",
        )
