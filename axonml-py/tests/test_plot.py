"""Pictures: what is drawn are the numbers of results, with their units, and nothing is left out."""

from __future__ import annotations

import doctest
import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyaxonml as ax

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = importlib.import_module("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def made(status: list[str], threshold: list[float], lower: list[float], **coordinates: Any) -> ax.Thresholds:
    columns = {"threshold_mA": np.array(threshold), "lower_mA": np.array(lower), "status": np.array(status)}
    return ax.Thresholds(columns, {name: np.array(values) for name, values in coordinates.items()})


def named(axis: Any) -> list[str]:
    return [text.get_text() for text in axis.get_legend().get_texts()]


def collection(axis: Any, label: str) -> Any:
    found = [one for one in axis.collections if str(one.get_label()).startswith(label)]
    assert len(found) == 1, [one.get_label() for one in axis.collections]
    return found[0]


def test_thresholds_are_a_line_over_diameters(three: ax.Simulation) -> None:
    found = three.thresholds()
    axis = found.plot()
    np.testing.assert_array_equal(axis.lines[0].get_xdata(), found.diameter_um)
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), found.threshold_mA)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("diameter (um)", "threshold (mA)")
    assert axis.get_legend() is None and not axis.collections
    # A second result in the same axes has a color of its own, and the labels that are there.
    again = found.plot(ax=axis, label="again")
    assert again is axis and named(axis) == ["again"]
    assert axis.lines[0].get_color() != axis.lines[1].get_color()


def test_no_status_is_dropped() -> None:
    nan = np.nan
    status = ["ok", "end_excitation", "no_activation", "spontaneous", "ok", "diverged"]
    found = made(
        status,
        [0.3, 0.2, nan, nan, 0.1, nan],
        [0.29, 0.19, 20.0, nan, 0.09, 0.5],
        diameter_um=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    )
    axis = found.plot()
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), [[1.0, 0.3], [5.0, 0.1]])
    np.testing.assert_array_equal(collection(axis, "end_excitation").get_offsets(), [[2.0, 0.2]])
    np.testing.assert_array_equal(collection(axis, "no_activation up to here").get_offsets(), [[3.0, 20.0]])
    for name, x in (("spontaneous", 4.0), ("diverged", 6.0)):
        lost = collection(axis, f"{name}, no value (1)")
        assert lost.get_offsets()[0, 0] == x
        assert axis.get_xlim()[0] < x < axis.get_xlim()[1]
        # At the upper edge of the axes, whatever they show.
        place = lost.get_offset_transform().transform(lost.get_offsets())[0]
        assert axis.transAxes.inverted().transform(place)[1] == pytest.approx(0.98)
    assert len(named(axis)) == 4
    drawn = len(axis.lines[0].get_xdata()) + sum(len(one.get_offsets()) for one in axis.collections)
    assert drawn == len(status)


def test_results_without_a_value_are_drawn_as_well() -> None:
    nan = np.nan
    axis = made(["spontaneous", "diverged"], [nan, nan], [nan, nan], diameter_um=[1.0, 2.0]).plot()
    axis.figure.canvas.draw()
    assert axis.get_xlim()[0] < 1.0 and axis.get_xlim()[1] > 2.0
    assert len(named(axis)) == 2
    assert made([], [], [], diameter_um=[]).plot().get_ylabel() == "threshold (mA)"
    empty = {
        "amplitude_mA": np.zeros((0, 3)),
        "n_ap": np.zeros((0, 3), dtype=int),
        "state": np.zeros((0, 3), dtype=str),
    }
    assert ax.Responses(empty, {}).plot().get_xlabel() == "amplitude (mA)"


def test_lines_by_another_column_and_coordinates_of_ones_own() -> None:
    found = made(["ok"] * 6, [6.0, 5, 4, 3, 2, 0.2], [0.1] * 6, diameter_um=[10.0, 10, 10, 5, 5, 5])
    found.coordinates["duration_ms"] = np.array([0.1, 0.2, 1.0] * 2)
    axis = found.plot(x="duration_ms", hue="diameter_um")
    assert named(axis) == ["5", "10"] and axis.get_legend().get_title().get_text() == "diameter (um)"
    np.testing.assert_array_equal(axis.lines[1].get_xydata(), [[0.1, 6.0], [0.2, 5.0], [1.0, 4.0]])
    assert axis.get_xlabel() == "duration (ms)"
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    # Words keep their order.
    axis = found.plot(x="duration_ms", hue=["near"] * 3 + ["far"] * 3)
    assert named(axis) == ["near", "far"]
    np.testing.assert_array_equal(axis.lines[1].get_ydata(), [3.0, 2.0, 0.2])
    # Several fibers at one place are not joined.
    assert found.plot(x="duration_ms").lines[0].get_linestyle() == "None"
    with pytest.raises(ax.InputError, match="one value for each of 6 fibers"):
        found.plot(x=[1.0, 2.0])
    with pytest.raises(KeyError, match="found no `width_ms`"):
        found.plot(x="width_ms")
    with pytest.raises(ax.InputError, match="expected numbers"):
        found.plot(x="status")


def test_injected_currents_and_velocities_have_their_units() -> None:
    axis = ax.Simulation(ax.Fibers("mrg", diameter=10.0, nodes=21), inject=ax.inject(10)).thresholds().plot()
    assert axis.get_ylabel() == "threshold (nA)"
    velocities = ax.Velocities(
        {"cv_m_per_s": np.array([50.0, np.nan]), "status": np.array(["ok", "propagation_failure"])},
        {"diameter_um": np.array([10.0, 5.7])},
    )
    axis = velocities.plot()
    assert axis.get_ylabel() == "conduction velocity (m/s)"
    assert named(axis) == ["propagation_failure, no value (1)"]


def test_waterfalls_maps_and_crossings(three: ax.Simulation) -> None:
    seen = three.run(0.2, nodes=[40, 5, 26], every=4)
    axis = seen.plot(fiber=1, shift=30.0)
    order = np.argsort(seen.z_um[1])
    assert len(axis.lines) == 3
    for at, line in enumerate(axis.lines):
        np.testing.assert_array_equal(line.get_xdata(), seen.t_ms)
        np.testing.assert_allclose(line.get_ydata(), seen.v[1, :, order[at]] + 30.0 * at)
    assert axis.get_xlabel() == "time (ms)"
    assert axis.get_ylabel() == "membrane potential (mV),\nshifted by 30 from node to node"

    axis = seen.plot(kind="map", fiber=1)
    np.testing.assert_array_equal(axis.collections[0].get_array(), seen.v[1][:, order].T)
    assert axis.get_ylabel() == "z (mm)"
    np.testing.assert_allclose(axis.lines[0].get_xydata(), [[seen.start_ms[1], 1e-3 * seen.start_um[1]]])

    axis = seen.plot(kind="crossings", fiber=1)
    nodes, times = seen.crossings[1]
    assert len(nodes) >= 53
    np.testing.assert_array_equal(axis.lines[0].get_xdata(), times)
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), nodes)
    np.testing.assert_array_equal(axis.lines[1].get_xydata(), [[seen.start_ms[1], seen.start_node[1]]])

    with pytest.raises(ax.InputError, match="expected waterfall, map, crossings"):
        seen.plot(kind="raster")
    with pytest.raises(ax.InputError, match="fiber=3"):
        seen.plot(fiber=3)
    with pytest.raises(ax.InputError, match="something recorded: v"):
        seen.plot(what="m")
    with pytest.raises(ax.InputError, match="kind='waterfall'"):
        three.run(0.1, nodes=[5], every=100).plot(kind="map")


def test_nodes_that_a_fiber_lacks_are_not_drawn(electrode: ax.Field, monophasic: ax.Waveform) -> None:
    fibers = ax.Fibers("mrg", diameter=[5.7, 10.0], nodes=[21, 31])
    seen = ax.Simulation(fibers, electrode, monophasic).run(0.0, record=["m"], every=100)
    axis = seen.plot()
    assert len(axis.lines) == 21 and axis.get_ylabel().startswith("m,")
    axis = seen.plot(kind="crossings")
    assert len(axis.lines) == 1 and axis.get_ylim() == (-0.5, 20.5)
    seen.columns["status"] = np.array(["diverged", "ok"])
    assert seen.plot().get_title() == "fiber 0: diverged"


def test_responses_by_amplitude() -> None:
    amplitudes = np.array([[0.1, 0.2, 0.3]] * 2)
    states = np.array([["transmitted", "excited", "blocked"], ["transmitted", "transmitted", "diverged"]])
    columns = {"amplitude_mA": amplitudes, "n_ap": np.array([[1, 4, 0], [1, 1, 0]]), "state": states}
    found = ax.Responses(columns, {"diameter_um": np.array([5.7, 10.0])})
    axis = found.plot(rows="diameter_um")
    mesh = axis.collections[0]
    np.testing.assert_array_equal(mesh.get_array(), found.n_ap)
    assert [label.get_text() for label in axis.get_yticklabels()] == ["5.7", "10"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("amplitude (mA)", "diameter (um)")
    # The response that failed is crossed out.
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), [[0.3, 1.0]])

    figure_before = plt.gcf()
    axis = found.plot(what="state")
    assert axis.figure is not figure_before and axis.get_ylabel() == "fiber"
    bar = axis.figure.axes[1]
    shown = [label.get_text() for label in bar.get_yticklabels()]
    numbers = axis.collections[0].get_array()
    np.testing.assert_array_equal(np.array(shown)[numbers], states)

    axis = found.plot(kind="lines")
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), [[0.1, 1], [0.2, 4], [0.3, 0]])
    assert named(axis) == ["0", "1", "failed (1)"]
    with pytest.raises(ax.InputError, match="lines of n_ap"):
        found.plot(what="state", kind="lines")


def test_recruitment_is_steps_from_nothing_on(three: ax.Simulation) -> None:
    curve = three.recruitment()
    axis = curve.plot(label="all")
    line = axis.lines[0]
    assert line.get_drawstyle() == "steps-post"
    np.testing.assert_array_equal(line.get_xdata(), [0.0, *curve.amplitude_mA])
    np.testing.assert_array_equal(line.get_ydata(), [0.0, *curve.fraction])
    assert axis.get_ylabel() == "active fraction"


def test_block_has_bands_that_excite_and_block() -> None:
    nan = np.nan
    columns = {
        "excitation_mA": np.array([0.2, 0.3, 0.1]),
        "block_mA": np.array([0.5, nan, 0.4]),
        "reexcitation_mA": np.array([0.9, nan, nan]),
        "status": np.array(["ok", "no_block", "one_way_block"]),
    }
    found = ax.BlockThresholds(columns, {"diameter_um": np.array([12.0, 9.0, 6.0])})
    axis = found.plot()
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), [[12.0, 0.5]])
    np.testing.assert_array_equal(axis.lines[1].get_xydata(), [[6.0, 0.1], [9.0, 0.3], [12.0, 0.2]])
    np.testing.assert_array_equal(collection(axis, "one_way_block (1)").get_offsets(), [[6.0, 0.4]])
    assert collection(axis, "no_block, no value (1)").get_offsets()[0, 0] == 9.0
    corners = np.vstack([path.vertices for path in collection(axis, "blocked").get_paths()])
    # Re-excitation ends the block of the one fiber; above all thresholds that of the other.
    assert {(12.0, 0.5), (12.0, 0.9), (6.0, 0.4)} <= {tuple(corner) for corner in corners.round(9)}
    assert corners[:, 1].max() > 0.9
    by = found.plot(hue="diameter_um")
    assert not [one for one in by.collections if one.get_label() in ("excited", "blocked")]


def test_cross_sections_are_colored_by_thresholds(root: Path) -> None:
    nerve = ax.Nerve.load(root / "examples" / "nerves" / "N1")
    assert nerve.xy_um is not None and nerve.target is not None
    status = ["ok"] * 10 + ["no_activation", "end_excitation"]
    found = made(status, [*np.linspace(0.1, 0.2, 10), np.nan, 0.3], [0.05] * 12)
    axis = nerve.plot(found)
    dots = axis.collections[0]
    known = np.isfinite(found.values)
    np.testing.assert_array_equal(dots.get_offsets(), nerve.xy_um[known])
    np.testing.assert_array_equal(dots.get_array(), found.values[known])
    np.testing.assert_array_equal(collection(axis, "no_activation (1)").get_offsets(), nerve.xy_um[10:11])
    np.testing.assert_array_equal(collection(axis, "end_excitation (1)").get_offsets(), nerve.xy_um[11:])
    rims = {tuple(rim) for rim, is_target in zip(dots.get_edgecolors(), nerve.target[known], strict=True) if is_target}
    assert len(rims) == 1 and rims != {tuple(rim) for rim in dots.get_edgecolors()}
    assert axis.figure.axes[1].get_ylabel() == "threshold (mA)"
    # The nerve and its twelve fascicles, each around its fiber.
    outlines = axis.patches
    assert len(outlines) == 13 and outlines[0].radius == pytest.approx(1300.0)
    for fascicle, place in zip(outlines[1:], nerve.xy_um, strict=True):
        np.testing.assert_allclose(fascicle.center, place)
    assert len(nerve.plot().collections[0].get_offsets()) == 12
    with pytest.raises(ax.InputError, match="one for each of 12 fibers"):
        nerve.plot([1.0, 2.0])


def test_nerves_without_places_or_outlines(root: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(root / "examples" / "nerves" / "B1", tmp_path / "B1"))
    (folder / "nerve.json").write_text(json.dumps({"fascicles": [{"x": 1.0}]}), encoding="utf-8")
    with pytest.raises(ax.NerveError, match=r"nerve\.json"):
        ax.Nerve.load(folder).plot()
    (folder / "nerve.json").unlink()
    assert not ax.Nerve.load(folder).plot().patches
    (folder / "fibers_xy.npy").unlink()
    with pytest.raises(ax.InputError, match=r"fibers_xy\.npy"):
        ax.Nerve.load(folder).plot()


def test_optimizations_are_drawn_before_and_after() -> None:
    def fiber(target: bool, before: float | None, after: float | None) -> dict[str, Any]:
        return {"target": target, "baseline_threshold": before, "threshold": after}

    fibers = [fiber(True, 1.2, 0.9), fiber(False, 0.8, 1.5), fiber(False, 1.1, None)]
    result = {"nerve": "N", "method": "gd", "fibers": fibers}
    found = ax.Optimization(json.dumps({"request": {}, "results": [result], "summary": {}}))
    axis = found.plot()
    spared, further, target, one = axis.lines
    np.testing.assert_array_equal(target.get_ydata(), [1.2, 0.9])
    np.testing.assert_array_equal(spared.get_ydata(), [0.8, 1.5])
    np.testing.assert_array_equal(further.get_ydata(), [1.1, np.nan])
    assert target.get_color() != spared.get_color()
    assert list(one.get_ydata()) == [1.0, 1.0]
    np.testing.assert_array_equal(collection(axis, "spared, no threshold (1)").get_offsets()[:, 0], [1.0])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["best montage", "found\n(gd)"]
    with pytest.raises(ax.InputError, match="below 1"):
        found.plot(nerve=1)


def test_the_example_holds() -> None:
    failed, tried = doctest.testmod(ax.plot)
    assert tried > 0 and failed == 0


def test_results_without_a_picture_say_so() -> None:
    with pytest.raises(ax.InputError, match="found Gradients"):
        ax.Gradients({}, {}).plot()


def test_absence_of_matplotlib_is_told_with_the_remedy() -> None:
    code = """
import sys
sys.modules["matplotlib"] = None
import pyaxonml as ax
try:
    ax.Recruitment({}, {}).plot()
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'pyaxonml[plot]'" in done.stdout


def test_the_package_is_imported_without_matplotlib() -> None:
    code = "import sys, pyaxonml; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
