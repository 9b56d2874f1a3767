"""The interface of PyFibers against PyFibers 0.13.0 on NEURON 9.0.2: thresholds, indices, resampling, intrinsic activity."""

from __future__ import annotations

import csv
import io
import logging
import pickle
import pydoc
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyaxonml as ax
from pyaxonml.compat import CompatWarning, NotSupportedError, RunError, pyfibers
from pyaxonml.compat.pyfibers import (
    BisectionMean,
    Fiber,
    FiberModel,
    IntraStim,
    ScaledStim,
    Stimulation,
    TerminationMode,
    ThresholdCondition,
    UnknownModelError,
    build_fiber,
    build_fiber_3d,
)
from pyaxonml.compat.pyfibers._search import BoundsSearchMode, Search
from pyaxonml.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore::pyaxonml.compat.CompatWarning")

GOLDEN = Path(__file__).resolve().parents[2] / "golden/neuron/thresholds_pyfibers.csv"
ROWS = list(csv.DictReader(GOLDEN.open(encoding="utf-8")))


def built(row: dict[str, str]) -> Fiber:
    fiber = build_fiber(row["model"], diameter=float(row["diameter_um"]), n_nodes=int(row["n_nodes"]))
    fiber.potentials = fiber.point_source_potentials(float(row["distance_um"]), 0, fiber.length / 2, 1, 0.2)
    return fiber


def pulse(row: dict[str, str]) -> np.ndarray:
    dt = float(row["dt_ms"])
    delay, width = round(float(row["delay_ms"]) / dt), round(float(row["pw_ms"]) / dt)
    return np.repeat([0.0, 1.0, -1.0 if row["shape"] == "biphasic" else 0.0], [delay, width, width])


@pytest.mark.parametrize("row", ROWS, ids=[f"{r['model']}-{r['shape']}-{r['pw_ms']}" for r in ROWS])
def test_thresholds_are_those_of_pyfibers(row: dict[str, str]) -> None:
    fiber = built(row)
    assert len(fiber.sections) == int(row["n_sections"])
    assert fiber.delta_z == pytest.approx(float(row["delta_z_um"]), rel=1e-9)
    assert fiber.length == pytest.approx(float(row["length_um"]), rel=1e-9)
    assert fiber.loc_index(0.9) == int(row["detect_node_index"])
    stimulation = ScaledStim(waveform=pulse(row), dt=float(row["dt_ms"]), tstop=float(row["tstop_ms"]))
    # Bounds below all of the thresholds; ends and exits as the table's own loop had them.
    found, (n_ap, last_ms) = stimulation.find_threshold(
        fiber,
        stimamp_top=-0.012,
        stimamp_bottom=-0.01,
        termination_tolerance=0.1,
        exit_t_shift=None,
        fail_on_end_excitation=None,
    )
    assert n_ap >= 1 and last_ms is not None
    assert abs(-found / float(row["threshold_mA"]) - 1) < 3e-3


def test_all_rows_are_compared() -> None:
    assert len(ROWS) == 36
    assert {row["model"] for row in ROWS} == {model.name for model in FiberModel}


#: Thresholds of PyFibers for the fibers of its integration tests: 0.1 mm from a point source in 10 S/m, biphasic pulses of 0.2 ms.
EXPECTED = {
    "MRG_DISCRETE": (5.7, 133, -1, -0.2691015625),
    "MRG_INTERPOLATION": (5.7, 133, -1, -0.27103515624999996),
    "SWEENEY": (5.7, 133, -1, -1.1550000000000002),
    "SUNDT": (1.0, 265, -5, -2.11515625),
    "RATTAY": (1.0, 265, -5, -1.36470703125),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_searches_end_in_the_bits_of_pyfibers(name: str) -> None:
    diameter, sections, top, expected = EXPECTED[name]
    fiber = build_fiber(FiberModel[name], diameter=diameter, n_sections=sections, temperature=37)
    fiber.point_source_potentials(0, 100, fiber.length / 2, 1, 10, inplace=True)
    waveform = np.concatenate((np.ones(200), -np.ones(200), np.zeros(49600)))
    found, _ = ScaledStim(waveform=waveform, dt=0.001, tstop=20).find_threshold(fiber, stimamp_top=top)
    assert found == expected


@pytest.mark.parametrize(
    ("name", "diameter", "expected"), [("SUNDT", 1.0, 0.1669921875), ("RATTAY", 1.0, 0.1865234375)]
)
def test_intracellular_thresholds(name: str, diameter: float, expected: float) -> None:
    fiber = build_fiber(name, diameter=diameter, n_sections=133)
    found, _ = IntraStim(istim_loc=0.5, dt=0.001, tstop=20).find_threshold(fiber, stimamp_top=1, stimamp_bottom=0)
    assert found == expected


def test_recordings_and_ends() -> None:
    def bell(width: float) -> np.ndarray:
        x = np.linspace(-1, 1, 133)
        return np.asarray(100 / (width * np.sqrt(2 * np.pi)) * np.exp(-0.5 * (x / width) ** 2))

    fiber = build_fiber(FiberModel.MRG_INTERPOLATION, diameter=5.7, n_sections=133)
    fiber.potentials = bell(0.05)
    fiber.record_vm()
    fiber.record_gating()
    waveform = np.concatenate((np.ones(200), -np.ones(200)))
    stimulation = ScaledStim(waveform=waveform, dt=0.001, tstop=5)
    assert [stimulation.run_sim(amplitude, fiber)[0] for amplitude in (0.01, -0.1, -1)] == [0, 1, 1]
    # As PyFibers' test has it, whose fiber of 13 nodes has passive ends.
    assert fiber.vm is not None and fiber.vm[6] is not None and fiber.gating is not None
    assert fiber.vm[6][200] == pytest.approx(389.23435435930253, rel=1e-3)
    assert stimulation.time is not None and len(stimulation.time) == len(fiber.vm[6]) == 5001
    assert set(fiber.gating) == {"m", "h", "p", "s"}
    fiber.potentials = bell(0.5)
    with pytest.raises(RuntimeError, match="end excitation"):
        stimulation.find_threshold(fiber)


# ---- the search ----------------------------------------------------------------------------------------------------


def sundt(nodes: int = 181, **keys: Any) -> Fiber:
    fiber = build_fiber(FiberModel.SUNDT, diameter=1.0, n_nodes=nodes, **keys)
    fiber.point_source_potentials(150, 0, fiber.length / 2, 1, 0.2, inplace=True)
    return fiber


def square(t: float) -> float:
    return 1.0 if 0.1 <= t < 0.3 else 0.0


def test_functions_and_arrays_and_factors_are_the_same_stimulus() -> None:
    fiber = sundt()
    by_function = ScaledStim(square, dt=0.005, tstop=10)
    assert by_function.run_sim(-0.08, fiber)[0] == 1
    expected = by_function.find_threshold(fiber, stimamp_top=-0.25)
    samples = np.array([square(0.005 * step) for step in range(100)])
    assert ScaledStim(samples, dt=0.005, tstop=10).find_threshold(fiber, stimamp_top=-0.25) == expected
    # Two halves of the source, in one row each.
    fiber.potentials = np.stack([0.25 * fiber.potentials[0], 0.75 * fiber.potentials[0]])
    halves = ScaledStim([square, square], dt=0.005, tstop=10)
    assert halves.find_threshold(fiber, stimamp_top=-0.25)[0] == pytest.approx(expected[0], rel=1e-12)
    one_by_one = halves.run_sim([-0.3, -0.01], fiber)
    fiber.potentials = fiber.potentials.sum(axis=0)
    assert one_by_one == by_function.run_sim(-0.25 * 0.3 - 0.75 * 0.01, fiber)


def test_anodic_amplitudes_and_means_and_modes() -> None:
    fiber, stimulation = sundt(), ScaledStim(square, dt=0.005, tstop=10)
    near = {"stimamp_top": -0.075, "stimamp_bottom": -0.06}
    arithmetic, _ = stimulation.find_threshold(fiber, **near)
    geometric, _ = stimulation.find_threshold(fiber, bisection_mean="geometric", **near)
    # Of PyFibers.
    assert (arithmetic, geometric) == (-0.069375, -0.06946218597227888)
    absolute, _ = stimulation.find_threshold(
        fiber,
        bounds_search_mode="absolute",
        bounds_search_step=0.01,
        termination_mode="absolute",
        termination_tolerance=1e-4,
        stimamp_top=-0.03,
        stimamp_bottom=-0.02,
    )
    assert absolute == pytest.approx(arithmetic, rel=1e-2)
    fiber.potentials = -fiber.potentials
    reversed_sign, _ = stimulation.find_threshold(fiber, stimamp_top=0.075, stimamp_bottom=0.06)
    assert reversed_sign == -arithmetic


def test_runs_that_end_early_change_no_threshold_of_a_stimulus_that_goes_on() -> None:
    fiber = build_fiber(FiberModel.MRG_DISCRETE, diameter=10, n_nodes=41)
    fiber.point_source_potentials(1000, 0, fiber.length / 2, 1, 0.2, inplace=True)
    stimulation = ScaledStim(lambda t: float(np.sin(2 * np.pi * t)), dt=0.005, tstop=12)
    for shift in (None, 6):
        # Of PyFibers; about one in two periods, as the run at the threshold is a whole one.
        found = stimulation.find_threshold(fiber, exit_t_shift=shift)
        assert found == (-0.07187500000000001, (6, 11.905))


def test_amplitudes_that_are_never_asked_for_are_not_told(caplog: pytest.LogCaptureFixture) -> None:
    fiber, stimulation = sundt(), ScaledStim(square, dt=0.005, tstop=10)
    with pytest.raises(RunError, match="no threshold in 3 steps"):
        stimulation.find_threshold(fiber, stimamp_top=-40, stimamp_bottom=-0.01, max_iterations=3)
    assert not caplog.records
    with pytest.raises(RunError, match="diverged"):
        stimulation.run_sim(-1000, fiber)


def test_block_is_where_the_library_finds_test_pulses_blocked() -> None:
    fiber = build_fiber(FiberModel.MRG_INTERPOLATION, diameter=10, n_nodes=53)
    fiber.point_source_potentials(1000, 0, fiber.length / 2, 1, 0.2, inplace=True)
    fiber.add_intrinsic_activity(loc=0.1, start_time=15, avg_interval=5, num_stims=5)

    def sine(t: float) -> float:
        return float(np.sin(2 * np.pi * 10 * (t - 0.5))) if t >= 0.5 else 0.0

    stimulation = ScaledStim(sine, dt=0.005, tstop=40)
    search = {"condition": "block", "block_delay": 19, "exit_t_shift": None, "fail_on_end_excitation": None}
    found, (count, last_ms) = stimulation.find_threshold(fiber, stimamp_top=0.8, stimamp_bottom=0.2, **search)
    # Of PyFibers.
    assert (found, count, last_ms) == (0.528125, 6, 16.52)
    early = {**search, "block_delay": 16.53}
    assert stimulation.find_threshold(fiber, stimamp_top=0.8, stimamp_bottom=0.2, **early) == (
        0.5562499999999999,
        (4, 7.495),
    )
    fibers = ax.Fibers("mrg-interpolation", diameter=10, nodes=53)
    wave = ax.Waveform(np.array([sine(0.005 * step) for step in range(8000)]), dt=0.005)
    detect = ax.Detection(nodes=[fiber.loc_index(0.9)], threshold_mv=-30, after=19)
    field = ax.point_source(1000, sigma=0.2)
    simulation = ax.Simulation(fibers, field, wave, detect=detect, dt=0.005, tstop=40, start="steady-state")
    pulses = ax.inject(fiber.loc_index(0.1), 2, pw=0.1, at=[20, 25, 30, 35])
    block = simulation.block_thresholds(pulses)
    # Pulses in place of a synapse at other times; the search stops within 1 %.
    assert found == pytest.approx(float(block["block_mA"][0]), rel=0.05)
    for delay in (None, 0):
        with pytest.raises(InputError, match="block_delay"):
            stimulation.find_threshold(fiber, **{**search, "block_delay": delay})
    quiet = build_fiber(FiberModel.MRG_INTERPOLATION, diameter=10, n_nodes=53)
    quiet.potentials = fiber.potentials
    with pytest.raises(RunError, match="add_intrinsic_activity"):
        stimulation.find_threshold(quiet, stimamp_top=0.02, stimamp_bottom=0.01, **search)


#: Action potentials at a tenth, half and nine tenths of the nodes without a stimulus, and the time of the last at nine tenths, ms,
#: in PyFibers: of a synapse that opens once, and three times.
ACTIVE = {
    ("TIGERHOLM", 1.0, None, 2500): [([1, 0, 0], None), ([3, 0, 0], None)],
    ("SUNDT", 1.0, None, 2500): [([1, 1, 1], 5.135), ([3, 3, 3], 15.69)],
    ("MRG_INTERPOLATION", 10.0, 25, None): [([1, 1, 1], 1.455), ([3, 3, 3], 11.49)],
    ("MRG_DISCRETE", 5.7, 31, None): [([1, 1, 1], 1.54), ([3, 3, 3], 11.59)],
    ("SWEENEY", 10.0, 25, None): [([1, 1, 1], 1.405), ([3, 3, 3], 11.405)],
}


@pytest.mark.parametrize(("name", "diameter", "nodes", "length"), ACTIVE)
def test_intrinsic_activity(name: str, diameter: float, nodes: int | None, length: float | None) -> None:
    for openings, (counts, last_ms) in zip((1, 3), ACTIVE[name, diameter, nodes, length], strict=True):
        fiber = build_fiber(name, diameter=diameter, n_nodes=nodes, length=length)
        fiber.add_intrinsic_activity(loc=0.1, start_time=1, avg_interval=5, num_stims=openings)
        fiber.potentials = np.ones(len(fiber.sections))
        fiber.record_gating(indices=[0])
        with pytest.warns(RuntimeWarning, match="do not propagate") if last_ms is None else nullcontext():
            count, at_ms = ScaledStim(square, dt=0.005, tstop=30).run_sim(0, fiber)
        assert [fiber.apc[fiber.loc_index(loc)].n for loc in (0.1, 0.5, 0.9)] == counts
        assert count == counts[2] and (at_ms is None) == (last_ms is None)
        # Passive ends of MRG fibers, which are not here, make a step.
        assert last_ms is None or at_ms == pytest.approx(last_ms, abs=0.0051)
        assert fiber.gating is not None and "g_syn" not in fiber.gating


def test_a_fiber_with_intrinsic_activity_is_seldom_meant_to_be_activated() -> None:
    fiber = sundt(61)
    near: dict[str, Any] = {"stimamp_top": -0.075, "stimamp_bottom": -0.06, "fail_on_end_excitation": None}
    stimulation = ScaledStim(square, dt=0.005, tstop=10)
    alone = stimulation.find_threshold(fiber, **near)
    # After the end of a run it is not there.
    fiber.add_intrinsic_activity(start_time=20)
    with pytest.warns(CompatWarning, match="intrinsic activity"):
        assert stimulation.find_threshold(fiber, **near) == alone
    fiber.add_intrinsic_activity(start_time=1)
    # Above threshold at any amplitude.
    with pytest.warns(CompatWarning), pytest.raises(RunError, match="no threshold in 4 steps"):
        stimulation.find_threshold(fiber, max_iterations=4, **near)


# ---- fibers --------------------------------------------------------------------------------------------------------


def test_places_and_fields() -> None:
    fiber = build_fiber("mrg_interpolation", diameter=10, n_nodes=25)
    assert (len(fiber), len(fiber.sections), fiber.myelinated) == (25, 265, True)
    assert fiber.coordinates.shape == (265, 3)
    # Half of the first node, and the last, which are 1 um long.
    assert fiber.longitudinal_coordinates[[0, -1]] == pytest.approx([0.5, fiber.length - 0.5], abs=1e-6)
    assert [str(section) for section in fiber.sections[:3]] == ["node[0]", "MYSA[1]", "FLUT[2]"]
    assert fiber[2] is not None and fiber[2].index == 22
    assert fiber(0.9).index == 11 * fiber.loc_index(0.9) and fiber(0.9) in fiber
    fiber.set_xyz(5, 10, -100)
    assert fiber.coordinates[0] == pytest.approx([5, 10, -99.5])
    # 1 mA, 1 mm away in 1 S/m.
    at_node = fiber.point_source_potentials(1005, 10, -99.5, 1, 1)[0]
    assert at_node == pytest.approx(1e3 / (4 * np.pi))
    stretched = fiber.point_source_potentials(1005, 10, -99.5, 1, (1, 4, 9))[0]
    assert stretched == pytest.approx(at_node / 6)


def test_lengths_and_numbers_of_sections() -> None:
    assert len(build_fiber("SUNDT", diameter=1, length=1500)) == 181
    assert len(build_fiber("SWEENEY", diameter=10, n_sections=81)) == 41
    assert len(build_fiber("MRG_DISCRETE", diameter=10, n_nodes=42)) == 41
    for wrong in ({}, {"length": 100.0, "n_nodes": 21}, {"n_sections": 101}, {"n_nodes": 1}):
        with pytest.raises(InputError):
            build_fiber("MRG_DISCRETE", diameter=10, **wrong)


def test_potentials_are_resampled() -> None:
    fiber = sundt(61)
    at = np.linspace(-200, 800, 11)
    moved = fiber.resample_potentials(3 * at, at, shift_ratio=0.5, inplace=True)
    # Without centering both begin at 0, wherever samples are counted from.
    assert moved == pytest.approx(3 * (fiber.longitudinal_coordinates + 0.5 * fiber.delta_z - 200))
    np.testing.assert_array_equal(fiber.potentials, [moved])
    # Shifts are reduced to a part of the distance of nodes, forward.
    for ratio in (2.5, -0.5):
        np.testing.assert_allclose(fiber.resample_potentials(3 * at, at, shift_ratio=ratio), moved)
    centered = fiber.resample_potentials(np.abs(at - 300), at, center=True)
    assert centered[30] == pytest.approx(0, abs=1e-9)
    with pytest.raises(InputError, match="reaches from"):
        fiber.resample_potentials(at[:5], at[:5])


def test_conduction_is_measured_between_two_fractions() -> None:
    fiber = sundt(181)
    fiber.add_intrinsic_activity()
    assert ScaledStim(square, dt=0.005, tstop=20).run_sim(0, fiber)[0] == 1
    rows = csv.DictReader((GOLDEN.parent / "cv_pyfibers.csv").open(encoding="utf-8"))
    expected = next(float(row["cv_m_per_s"]) for row in rows if row["model"] == "SUNDT")
    assert fiber.measure_cv() == pytest.approx(expected, rel=1e-3)
    with pytest.raises(InputError, match="a node between"):
        fiber.measure_cv(0.5, 0.5)


def test_velocities_that_are_not_there_say_why_and_what_helps() -> None:
    fiber = sundt(61)
    with pytest.raises(RunError, match="no run of the fiber") as raised:
        fiber.measure_cv()
    assert raised.value.help is not None and "run_sim" in raised.value.help
    stimulation = ScaledStim(square, dt=0.005, tstop=4)
    stimulation.run_sim(-0.001, fiber)
    with pytest.raises(RunError, match="at any node") as raised:
        fiber.measure_cv()
    assert raised.value.help is not None and "above threshold" in raised.value.help
    # The action potential begins in the middle, at node 30, and does not reach the ends before the run does.
    with pytest.warns(RuntimeWarning, match="to .*, but none at node 54, where they are counted"):
        assert ScaledStim(square, dt=0.005, tstop=0.5).run_sim(-0.15, fiber) == (0, None)
    with pytest.raises(
        RunError, match=r"at nodes \[6, 54\] in the last run; those that fired lie within \d+ to \d+"
    ) as raised:
        fiber.measure_cv(0.1, 0.9)
    assert raised.value.help is not None and "tstop" in raised.value.help
    stimulation.run_sim(-0.15, fiber)
    with pytest.raises(InputError, match=r"node 30 fires at .*, halfway between nodes 15 and 45") as uneven:
        fiber.measure_cv()
    assert uneven.value.help is not None and "one side" in uneven.value.help


def test_end_excitation_tells_the_end_and_the_place_of_the_electrode() -> None:
    fiber = build_fiber(FiberModel.SUNDT, diameter=1.0, n_nodes=61, passive_end_nodes=False)
    for z, end in ((0.0, "first"), (fiber.length, "last")):
        fiber.point_source_potentials(150, 0, z, 1, 0.2, inplace=True)
        place = fiber.longitudinal_coordinates[0 if end == "first" else -1]
        with pytest.raises(RunError, match=f"at the {end} end") as raised:
            ScaledStim(square, dt=0.005, tstop=3).run_sim(-0.2, fiber)
        assert raised.value.message.endswith(f"the potentials are largest at z = {place:g} um")
        with pytest.warns(CompatWarning, match=f"at the {end} end"):
            ScaledStim(square, dt=0.005, tstop=3).run_sim(-0.2, fiber, fail_on_end_excitation=False)
    fiber.potentials = np.zeros(61)
    with pytest.raises(RunError, match="end excitation") as raised:
        IntraStim(istim_ind=0, dt=0.005, tstop=3, clamp_kws={"pw": 0.2}).run_sim(1, fiber)
    assert raised.value.message.endswith(f"nodes [0] at the first end (z = {fiber.longitudinal_coordinates[0]:g} um)")


def test_trains_without_a_pulse_say_when_they_end() -> None:
    fiber = sundt(61)
    fiber.potentials = np.zeros(61)
    late = {"delay": 2.0, "dur": 1.0}
    for keys, tstop, end in ((late, 5, "dur=1 ms"), ({"delay": 10.0}, 5, "tstop=5 ms")):
        with pytest.raises(InputError, match=end) as raised:
            IntraStim(istim_loc=0.5, dt=0.005, tstop=tstop, clamp_kws=keys).run_sim(1, fiber)
        assert raised.value.help is not None and "width of a pulse" in raised.value.help


def test_words_of_searches_are_their_members() -> None:
    assert ThresholdCondition("block") is ThresholdCondition.BLOCK
    assert ThresholdCondition.BLOCK == "block" and ThresholdCondition.BLOCK != "activation"
    assert BisectionMean.GEOMETRIC != ThresholdCondition.BLOCK
    assert {BisectionMean.GEOMETRIC: 1}["geometric"] == 1
    assert pickle.loads(pickle.dumps(TerminationMode.ABSOLUTE_DIFFERENCE)) is TerminationMode.ABSOLUTE_DIFFERENCE
    shown = pydoc.render_doc(pyfibers, renderer=pydoc.plaintext).splitlines()
    # Members that are strings would list the methods of `str` four times over.
    assert len(shown) < 900


def test_fibers_go_to_other_processes() -> None:
    fiber, stimulation = sundt(61), ScaledStim(square, dt=0.005, tstop=3)
    sent_fiber, sent = pickle.loads(pickle.dumps((fiber, stimulation)))
    assert sent.run_sim(-0.1, sent_fiber) == stimulation.run_sim(-0.1, fiber)
    np.testing.assert_array_equal(sent_fiber.potentials, fiber.potentials)


# ---- what is not here ----------------------------------------------------------------------------------------------


def test_unknown_models_are_refused_with_the_nearest() -> None:
    for wrong in (lambda: build_fiber("MRG_DISCRET", diameter=10, n_nodes=21), lambda: FiberModel["MRG_DISCRET"]):
        with pytest.raises(UnknownModelError, match="nearest is MRG_DISCRETE;"):
            wrong()
    with pytest.raises(AttributeError, match="nearest is SUNDT;"):
        _ = FiberModel.SUND


def test_ends_that_are_not_applied_are_told() -> None:
    for name, diameter in (("MRG_DISCRETE", 10.0), ("PENA", 3.0)):
        with pytest.warns(CompatWarning, match="double cable"):
            build_fiber(name, diameter=diameter, n_nodes=21)
    with pytest.warns(CompatWarning, match="PyFibers ignores"):
        assert build_fiber("TIGERHOLM", diameter=1, n_nodes=21).passive_end_nodes == 0
    with pytest.raises(NotSupportedError, match="one node at each end"):
        build_fiber("SUNDT", diameter=1, n_nodes=21, passive_end_nodes=2)


#: Samples every um from 1 to 60,000 um, 250 um from a source, at four sections of a fiber of 25 nodes, as PyFibers resamples them.
RESAMPLED: list[tuple[dict[str, Any], list[float], float]] = [
    ({}, [3.3334e-05, 4.0218e-05, 6.0486e-05, 0.000325364], 0.0),
    ({"center": True}, [7.4242e-05, 0.000119971, 0.003999984, 7.4237e-05], 16532.4),
    ({"center": True, "shift": -250}, [7.9382e-05, 0.000133986, 0.001101445, 6.9722e-05], 17404.7),
    ({"shift": 1500}, [3.3759e-05, 4.0839e-05, 6.19e-05, 0.000370753], 377.7),
    ({"shift_ratio": -0.2}, [3.4362e-05, 4.1725e-05, 6.3959e-05, 0.000458749], 897.84),
    ({"center": True, "shift": 100}, [7.4797e-05, 0.000121427, 0.003711338, 7.369e-05], 16632.4),
]


@pytest.mark.parametrize("index", range(len(RESAMPLED)))
def test_resampling_is_that_of_pyfibers(index: int) -> None:
    keys, values, moved = RESAMPLED[index]
    fiber = build_fiber(FiberModel.MRG_INTERPOLATION, diameter=10, n_nodes=25)
    at = np.arange(1, 60001.0)
    found = fiber.resample_potentials(1 / np.sqrt(250**2 + (at - 30000) ** 2), at, **keys)
    np.testing.assert_allclose(found[[0, 50, 132, 264]], values, atol=1e-9)
    assert fiber.last_shift_amount == pytest.approx(moved, abs=1e-5)


def test_places_are_those_of_pyfibers() -> None:
    fiber = build_fiber(FiberModel.MRG_INTERPOLATION, diameter=10, n_nodes=25)
    assert [fiber.loc_index(loc) for loc in (0, 0.1, 0.2, 0.5, 0.7, 0.9, 1)] == [0, 2, 4, 12, 16, 21, 24]
    assert fiber.loc_index(0.33, "sections") == 87
    assert fiber[3] is fiber.nodes[3] is fiber.sections[33]
    assert not fiber.is_3d()
    for nodes, length in ((3, 2245.6), (5, 4490.2)):
        assert build_fiber(FiberModel.MRG_INTERPOLATION, diameter=10, n_nodes=nodes).length == pytest.approx(length)


def test_where_action_potentials_begin() -> None:
    fiber = build_fiber(FiberModel.MRG_INTERPOLATION, diameter=10, n_nodes=25)
    with pytest.raises(RunError, match="call run_sim"):
        fiber.initiation_nodes()
    fiber.point_source_potentials(0, 250, fiber.length / 2, 1, 10, inplace=True)
    fiber.record_vm(indices=[5, 3, -1])
    assert ScaledStim(lambda t: float(t < 0.1), dt=0.005, tstop=5).run_sim(-1.5, fiber) == (1, 0.3)
    nodes, places, times = fiber.initiation_nodes()
    assert (nodes.tolist(), places) == ([12], 1)
    # Of PyFibers; nodes next to the ends, which are passive there, are 0.005 ms off.
    expected = [0.32, 0.3, 0.28, 0.255, 0.235, 0.21, 0.19, 0.165, 0.145, 0.12, 0.065]
    assert times[2:13] == pytest.approx(expected)
    assert times[12:23] == pytest.approx(expected[::-1])
    # In the order of the indices.
    assert fiber.vm is not None and len(fiber.vm) == 3
    five, three = fiber.vm[:2]
    fiber.record_vm()
    ScaledStim(lambda t: float(t < 0.1), dt=0.005, tstop=5).run_sim(-1.5, fiber)
    np.testing.assert_array_equal(fiber.vm[5], five)
    np.testing.assert_array_equal(fiber.vm[3], three)
    with pytest.raises(InputError, match="found node 25"):
        fiber.record_vm(indices=[25])
    with pytest.raises(InputError, match="no indices"):
        fiber.record_gating(indices=[])
    for name, helps in (("im", "not recorded"), ("syn", "objects of NEURON"), ("lenght", "did you mean `length`")):
        with pytest.raises(AttributeError, match=helps):
            getattr(fiber, name)
    with pytest.raises(AttributeError, match="no object of NEURON"):
        _ = fiber[0].e_pas


def test_several_places_where_action_potentials_begin() -> None:
    fiber = build_fiber(FiberModel.MRG_INTERPOLATION, diameter=10, n_nodes=25)
    stimulation = ScaledStim(lambda t: float(t < 0.1), dt=0.005, tstop=5)
    z = fiber.coordinates[:, 2]
    fiber.potentials = sum(fiber.point_source_potentials(0, 250, z[11 * node], 1, 10) for node in (7, 19))
    stimulation.run_sim(-1.5, fiber)
    # Of PyFibers, as those below: two places, and one of two nodes that fire in the same step.
    nodes, places, _ = fiber.initiation_nodes()
    assert (nodes.tolist(), places) == ([7, 19], 2)
    fiber.potentials = fiber.point_source_potentials(0, 250, (z[110] + z[121]) / 2, 1, 10)
    stimulation.run_sim(-4, fiber)
    nodes, places, _ = fiber.initiation_nodes()
    assert (nodes.tolist(), places) == ([10, 11], 1)


@pytest.mark.parametrize(
    ("dt", "last_ms", "at_20_ms"),
    [(0.001, 0.337, 0.317), (0.0025, 0.35, 0.33), (0.01, 0.43, 0.41), (0.0125, 0.475, 0.45)],
)
def test_times_have_the_decimals_of_the_step(dt: float, last_ms: float, at_20_ms: float) -> None:
    fiber = build_fiber(FiberModel.MRG_INTERPOLATION, diameter=10, n_nodes=25)
    fiber.potentials = fiber.point_source_potentials(0, 250, fiber.length / 2, 1, 10)
    assert ScaledStim(lambda t: float(t < 0.1), dt=dt, tstop=5).run_sim(-1.0, fiber) == (1, last_ms)
    assert fiber.apc[20].time == pytest.approx(at_20_ms, abs=1e-9)


def test_ends_are_looked_at_in_the_run_at_the_threshold() -> None:
    fiber = sundt(121)
    fiber.potentials = fiber.potentials + 0.5 * fiber.point_source_potentials(60, 0, 4, 1, 0.2)
    stimulation = ScaledStim(square, dt=0.005, tstop=6)
    with pytest.raises(RunError, match="end excitation"):
        stimulation.run_sim(-0.055, fiber)
    # Of PyFibers.
    assert stimulation.find_threshold(fiber, stimamp_top=-0.1) == (-0.03162109375, (1, 2.905))


#: A weak pulse at 0.1 ms and one twice as strong at 9 ms: where the first decides, later runs do not see the second.
ENDED: list[tuple[float, float, float | None, tuple[float, tuple[int, float]]]] = [
    (-0.16, -0.08, 5, (-0.08, (1, 9.785))),
    (-0.16, -0.06, 5, (-0.14906250000000001, (2, 9.63))),
    (-0.2, -0.15, 5, (-0.1490625, (2, 9.63))),
    (-0.16, -0.03, 5, (-0.14882812499999998, (2, 9.655))),
    (-0.16, -0.06, 8.2, (-0.14906250000000001, (2, 9.63))),
    (-0.16, -0.06, 8.8, (-0.088125, (1, 9.69))),
    (-0.16, -0.06, 9.1, (-0.076015625, (1, 9.97))),
    (-0.16, -0.06, 9.8, (-0.07484375, (1, 10.335))),
    (-0.16, -0.06, None, (-0.07445312500000001, (1, 11.465))),
    (-0.2, -0.15, None, (-0.07473389062500002, (1, 10.485))),
]


@pytest.mark.parametrize(("top", "bottom", "shift", "expected"), ENDED)
def test_runs_of_a_search_end_as_in_pyfibers(
    top: float, bottom: float, shift: float | None, expected: tuple[float, tuple[int, float]]
) -> None:
    def two(t: float) -> float:
        return 0.5 * square(t) + (1.0 if 9 <= t < 9.2 else 0.0)

    keys: dict[str, Any] = {"stimamp_top": top, "stimamp_bottom": bottom, "exit_t_shift": shift}
    found = ScaledStim(two, dt=0.005, tstop=12).find_threshold(sundt(61), fail_on_end_excitation=None, **keys)
    assert found == expected


def test_a_search_ends_below_its_tolerance() -> None:
    asked: list[float] = []

    def above(amplitude: float, _: list[float]) -> bool:
        asked.append(amplitude)
        return amplitude > 0.3

    def search(mode: TerminationMode, tolerance: float) -> float:
        arithmetic = BisectionMean.ARITHMETIC
        of = Search(1.0, 0.0, BoundsSearchMode.PERCENT_INCREMENT, 10, mode, tolerance, 50, arithmetic)
        asked.clear()
        return of.bisect(of.bracket(above, lambda amplitude: None), above)

    # A bracket as wide as the tolerance is halved once more.
    assert search(TerminationMode.ABSOLUTE_DIFFERENCE, 0.125) == 0.3125
    assert asked == [1.0, 0.0, 0.5, 0.25, 0.375, 0.3125]
    assert search(TerminationMode.ABSOLUTE_DIFFERENCE, 0.126) == 0.375
    # 50 % of the upper bound: 0.25 to 0.5.
    assert search(TerminationMode.PERCENT_DIFFERENCE, 50) == 0.375
    assert search(TerminationMode.PERCENT_DIFFERENCE, 51) == 0.5


def test_a_synapse_opens_until_the_end_of_the_run() -> None:
    fiber = sundt(61)
    fiber.record_vm(indices=[6])
    for start, jumps in ((1.7, True), (2.0, False)):
        fiber.add_intrinsic_activity(loc=None, loc_index=6, start_time=start)
        # It fires there, but not as far as it is looked for.
        with pytest.warns(RuntimeWarning, match="the run ends before they arrive") if jumps else nullcontext():
            ScaledStim(square, dt=0.005, tstop=2).run_sim(0, fiber)
        assert fiber.vm is not None
        v = fiber.vm[0]
        assert abs(v[round(1.69 / 0.005)] - v[0]) < 0.1
        assert bool(v[-1] - v[0] > 20) is jumps


def test_intrinsic_activity_that_makes_no_sense_is_refused() -> None:
    fiber = sundt(61)
    for keys, says in (
        ({"loc": 0.2, "loc_index": 5}, "loc_index=5"),
        ({"loc": None}, "loc_index=None"),
        ({"loc": None, "loc_index": 61}, "61 nodes"),
        ({"num_stims": -1}, "num_stims=-1"),
        ({"num_stims": 1.5}, "num_stims=1.5"),
        ({"start_time": 0}, "start_time=0"),
        ({"num_stims": 2, "avg_interval": 0}, "avg_interval=0"),
    ):
        with pytest.raises(InputError, match=says):
            fiber.add_intrinsic_activity(**keys)
    fiber.potentials = np.ones(61)
    fiber.add_intrinsic_activity()
    assert ScaledStim(square, dt=0.005, tstop=6).run_sim(0, fiber)[0] == 1
    assert fiber.stim is not None and (fiber.stim.start, fiber.stim.interval, fiber.stim.number) == (1, 1, 1)
    # None, in place of the one before.
    fiber.add_intrinsic_activity(num_stims=0)
    assert fiber.stim is None and ScaledStim(square, dt=0.005, tstop=6).run_sim(0, fiber)[0] == 0
    fiber.add_intrinsic_activity()
    fiber.stim = None
    assert ScaledStim(square, dt=0.005, tstop=6).run_sim(0, fiber)[0] == 0
    with pytest.raises(NotSupportedError, match="add_intrinsic_activity"):
        fiber.stim = object()  # type: ignore[assignment]


def test_potentials_are_checked_and_copied() -> None:
    fiber = build_fiber(FiberModel.SUNDT, diameter=1.0, n_nodes=61)
    fiber.potentials += 1.0
    given = np.ones(61)
    fiber.potentials = given
    given[0] = 5.0
    np.testing.assert_array_equal(fiber.potentials, np.ones((1, 61)))
    for wrong in (None, np.ones(60), np.ones((1, 1, 61)), np.full(61, np.nan)):
        with pytest.raises(InputError, match="61 sections"):
            fiber.potentials = wrong
    fiber.potentials = np.zeros(61)
    with pytest.raises(InputError, match="no potentials"):
        ScaledStim(square, dt=0.005, tstop=1).run_sim(-1, fiber)
    fiber.potentials = np.ones(61)
    with pytest.warns(CompatWarning, match="1000 values is cut to 200 steps"):
        ScaledStim(np.ones(1000), dt=0.005, tstop=1).run_sim(0, fiber)


#: Thresholds that PyFibers finds from bounds and in steps like these, mA: 10 um, 25 nodes, 0.25 mm from a source in 10 S/m.
SEARCHES: list[tuple[dict[str, Any], float]] = [
    ({}, -0.961328125),
    ({"stimamp_top": -3, "stimamp_bottom": -2}, -0.9632368125000003),
    ({"bisection_mean": BisectionMean.GEOMETRIC, "termination_tolerance": 0.3}, -0.9603330490535165),
    (
        {
            "bounds_search_mode": "absolute",
            "bounds_search_step": 0.2,
            "termination_mode": "absolute",
            "termination_tolerance": 0.01,
        },
        -0.961328125,
    ),
]


@pytest.mark.parametrize(("keys", "expected"), SEARCHES)
def test_searches_move_as_those_of_pyfibers(keys: dict[str, Any], expected: float) -> None:
    fiber = build_fiber(FiberModel.MRG_INTERPOLATION, diameter=10, n_nodes=25)
    fiber.point_source_potentials(0, 250, fiber.length / 2, 1, 10, inplace=True)
    found, (count, _) = ScaledStim(lambda t: float(t < 0.1), dt=0.005, tstop=5).find_threshold(fiber, **keys)
    assert (found, count) == (expected, 1)


def test_logs_go_where_they_are_wanted() -> None:
    stream = io.StringIO()
    logger = logging.getLogger("pyaxonml")
    before = logger.handlers[:], logger.level
    try:
        pyfibers.enable_logging(format_string="said: %(message)s", stream=stream)
        pyfibers.enable_logging(format_string="said: %(message)s", stream=stream)
        ScaledStim(square, dt=0.005, tstop=10).find_threshold(sundt(), stimamp_top=-0.075, stimamp_bottom=-0.06)
    finally:
        logger.handlers[:], logger.level = before
    lines = stream.getvalue().splitlines()
    # Once each, though it was enabled twice; the last is the run at the threshold.
    assert lines[:2] == ["said: amplitude -0.075: 1 action potentials", "said: amplitude -0.06: 0 action potentials"]
    assert lines[-1] == "said: amplitude -0.069375: 1 action potentials"


def test_what_is_not_here_says_so() -> None:
    fiber, stimulation = sundt(61), ScaledStim(square, dt=0.005, tstop=2)
    refused = [
        lambda: build_fiber_3d(FiberModel.SUNDT, 1.0, path_coordinates=np.zeros((2, 3))),
        lambda: fiber.record_im(),
        lambda: fiber.record_vm(allsec=True),
        lambda: fiber.sections[0](0.5),
        lambda: fiber.add_intrinsic_activity(noise=1),
        lambda: stimulation.run_sim(-1, fiber, exit_func=lambda *_: False),
        lambda: stimulation.find_threshold(fiber, exit_func=lambda *_: False),
        lambda: stimulation.find_threshold(fiber, condition="block", block_delay=1, thresh_num_aps=2),
        lambda: Stimulation(custom_run_sim=lambda *_: (0, None)),
        lambda: Stimulation().run_sim(1, fiber),
        lambda: ScaledStim(square, dt_init_ss=1),
    ]
    for ask in refused:
        with pytest.raises(NotImplementedError) as raised:
            ask()
        assert isinstance(raised.value, NotSupportedError)
    wrong = [
        lambda: stimulation.find_threshold(fiber, stimamp_top=1, stimamp_bottom=-1),
        lambda: stimulation.find_threshold(fiber, stimamp_top=-0.01, stimamp_bottom=-1),
        lambda: stimulation.find_threshold(fiber, exit_t_shift=0),
        lambda: ScaledStim(np.ones(5), dt=0.005, tstop=2, pad_waveform=False).run_sim(1, fiber),
        lambda: ScaledStim([square, square], dt=0.005, tstop=2).run_sim(1, fiber),
        lambda: IntraStim(istim_loc=0.5).run_sim(1, fiber),
    ]
    for ask in wrong:
        with pytest.raises(InputError):
            ask()
