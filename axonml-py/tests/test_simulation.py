"""Questions to simulations: shapes, signs, units, statuses."""

from __future__ import annotations

import numpy as np
import pytest

import pyaxonml as ax


def test_arguments_of_fibers_broadcast() -> None:
    fibers = ax.Fibers("mrg", diameter=np.array([[5.7], [10.0]]), nodes=53, x=[0.0, 100.0, 200.0])
    assert fibers.shape == (2, 3)
    assert len(fibers) == 6
    np.testing.assert_array_equal(fibers.diameter_um, [5.7] * 3 + [10.0] * 3)
    np.testing.assert_array_equal(fibers.x_um, [0.0, 100.0, 200.0] * 2)
    with pytest.raises(ax.InputError, match="do not broadcast"):
        ax.Fibers("mrg", diameter=[5.7, 10.0], x=[0.0, 1.0, 2.0])
    with pytest.raises(ax.InputError, match="whole numbers"):
        ax.Fibers("mrg", diameter=10.0, nodes=52.5)


def test_random_offsets_lie_within_half_a_spacing() -> None:
    fibers = ax.Fibers("mrg", diameter=np.full(200, 10.0), nodes=53, offset="random", seed=1)
    assert np.abs(fibers.offset_um).max() <= 575.5
    assert np.ptp(fibers.offset_um) > 900.0
    again = ax.Fibers("mrg", diameter=np.full(200, 10.0), nodes=53, offset="random", seed=1)
    np.testing.assert_array_equal(fibers.offset_um, again.offset_um)


def test_a_batch_has_the_bits_of_one_at_a_time(
    three: ax.Simulation, monophasic: ax.Waveform, electrode: ax.Field
) -> None:
    batched = three.thresholds()
    for at, diameter in enumerate(three.fibers.diameter_um):
        alone = ax.Simulation(ax.Fibers("mrg", diameter=diameter, nodes=53), electrode, monophasic).thresholds()
        assert alone.values[0] == batched.values[at]
    assert ((batched.lower_mA < batched.values) & batched.ok).all()
    assert np.asarray(batched).shape == (3,)


def test_lengths_and_defaults(electrode: ax.Field, monophasic: ax.Waveform) -> None:
    by_length = ax.Simulation(ax.Fibers("mrg", diameter=10.0, length_mm=60), electrode, monophasic)
    places = by_length.nodes_um()
    assert by_length.nodes[0] == len(places) and len(places) % 2 == 1
    # The odd number of nodes whose length is nearest.
    assert abs(np.ptp(places) - 60e3) <= np.diff(places)[0]
    thin = ax.Simulation(ax.Fibers("sundt", diameter=1.0), electrode, monophasic)
    # A slow fiber's action potential needs longer than 5 ms.
    assert thin.tstop > 5.0


def test_run_records_what_is_asked_for(three: ax.Simulation) -> None:
    found = three.run([0.1, 0.2, 0.1], record=["v", "m"], nodes=[5, -5], every=4)
    assert found["v"].shape == found["m"].shape == (3, 251, 2)
    np.testing.assert_allclose(found["t_ms"], 0.02 * np.arange(251))
    np.testing.assert_array_equal(found["node_index"], [[5, 48]] * 3)
    np.testing.assert_array_equal(found.fired, [False, True, False])
    assert found["v"][1].max() > 0 > found["v"][0].max()
    nodes, times = found.crossings[1]
    assert found["start_ms"][1] == times[nodes == found["start_node"][1]][0]
    with pytest.raises(ax.AxonmlError, match="q"):
        three.run(0.1, record=["q"])


def test_fibers_of_different_numbers_of_nodes_are_filled_up(electrode: ax.Field, monophasic: ax.Waveform) -> None:
    fibers = ax.Fibers("mrg", diameter=[5.7, 10.0], nodes=[21, 31])
    found = ax.Simulation(fibers, electrode, monophasic).run(0.0, every=100)
    assert found["v"].shape == (2, 11, 31)
    assert np.isnan(found["v"][0, :, 21:]).all() and not np.isnan(found["v"][0, :, :21]).any()
    assert (found["node_index"][0, 21:] == -1).all()


def test_signed_amplitudes_are_pyfibers(three: ax.Simulation, electrode: ax.Field, monophasic: ax.Waveform) -> None:
    signed = ax.Simulation(three.fibers, electrode, monophasic, signed=True)
    found = signed.thresholds()
    np.testing.assert_array_equal(found.values, -three.thresholds().values)
    assert signed.run(1.01 * found.values, every=1000).fired.all()
    assert not signed.run(0.99 * found.values, every=1000).fired.any()
    anodic = ax.Simulation(three.fibers, electrode, -monophasic, signed=True)
    assert (anodic.thresholds().values > 0).all()


def test_currents_into_nodes_are_in_na() -> None:
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=53)
    simulation = ax.Simulation(fibers, inject=ax.inject(26, pw=0.1, at=0.1))
    # The library's documentation has 0.996 nA.
    found = simulation.thresholds()
    assert found.threshold_nA[0] == pytest.approx(0.996, abs=1e-3)
    assert simulation.run(1.01 * found.values, every=1000).fired.all()
    assert not simulation.run(0.99 * found.values, every=1000).fired.any()


def test_currents_into_nodes_begin_when_they_are_said_to() -> None:
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=53)
    simulation = ax.Simulation(fibers, inject=ax.inject(26, 3.0, pw=0.1, at=[0.5, 3.0]))
    nodes, times = simulation.run(every=1000).crossings[0]
    at = times[nodes == 26]
    assert len(at) == 2
    assert 0.5 < at[0] < 0.7 and 3.0 < at[1] < 3.2


def test_conduction_velocity() -> None:
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=53)
    found = ax.Simulation(fibers, inject=ax.inject(5, 3.0, pw=0.2, at=0.1)).conduction_velocity(nodes=(15, 40))
    # The library's documentation has 50.38 m/s.
    assert found.cv_m_per_s[0] == pytest.approx(50.38, abs=0.01)
    assert found.status[0] == "ok"


def test_block(electrode: ax.Field) -> None:
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=53)
    detect = ax.Detection(nodes=[5, 48], after=9.0)
    sine = ax.pulse("sine", freq=10, delay=0.5)
    simulation = ax.Simulation(fibers, electrode, sine, tstop=15.0, detect=detect, precision="f32")
    test = ax.inject(5, 2.0, pw=0.1, at=[10.0, 12.5])
    found = simulation.block_thresholds(test, first_amplitude=0.1, max_amplitude=1.0, resolution=1e-2)
    assert found.status[0] == "ok"
    assert found.excitation_mA[0] < found.block_mA[0]
    heard = simulation.response([0.0, 1.01 * found.block_mA[0]], test=test)
    assert heard.n_ap.tolist() == [[2, 0]]
    assert heard.state.tolist() == [["transmitted", "blocked"]]


def test_statuses_are_logged_and_say_why(
    electrode: ax.Field, monophasic: ax.Waveform, caplog: pytest.LogCaptureFixture
) -> None:
    simulation = ax.Simulation(ax.Fibers("mrg", diameter=10.0, nodes=53), electrode, monophasic)
    with caplog.at_level("WARNING", "pyaxonml"):
        found = simulation.thresholds(max_amplitude=0.1)
    assert found.status[0] == "no_activation"
    assert np.isnan(found.values[0]) and found.lower_mA[0] == 0.1
    assert "1 of 1 fibers: no_activation" in caplog.text


def test_doubtful_waveforms_are_logged(electrode: ax.Field, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", "pyaxonml"):
        simulation = ax.Simulation(ax.Fibers("mrg", diameter=10.0, nodes=53), electrode, "monophasic:pw=0.01")
        simulation.run(0.1, every=1000)
    assert "a phase of the pulse lasts 0.01 ms, less than 4 steps" in caplog.text


def test_waveforms_of_every_kind_are_the_same_current(three: ax.Simulation, monophasic: ax.Waveform) -> None:
    samples = monophasic.sample(0.005, 5.0)
    assert samples.sum() * 0.005 == pytest.approx(-0.1)
    for same in (
        ax.Waveform(samples, dt=0.005),
        ax.Waveform(lambda t: -np.ones_like(t), on=(0.1, 0.2)),
        ax.Waveform.table([0.0, 0.1, 0.2], [0.0, -1.0, 0.0]),
        ax.Waveform.shape("mono", 0.1, 0.1),
        ax.pulse("monophasic", pw=0.1, delay=0).delayed(0.1),
        monophasic.scaled(-1.0).scaled(-1.0),
    ):
        np.testing.assert_allclose(same.sample(0.005, 5.0), samples, atol=1e-12)
    assert monophasic.end() == pytest.approx(0.2)
    assert ax.Waveform(np.sin).end() is None


def test_guesses_and_progress_change_nothing(three: ax.Simulation) -> None:
    heard: list[float] = []
    found = three.thresholds(near=0.1, progress=heard.append)
    np.testing.assert_array_equal(found.values, three.thresholds().values)
    assert heard == sorted(heard) and heard[-1] == 1.0


def test_tables(three: ax.Simulation) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("xarray")
    found = three.thresholds()
    table = found.to_pandas()
    assert isinstance(table, pandas.DataFrame) and len(table) == 3
    data = found.to_xarray()
    assert data["threshold_mA"].attrs["units"] == "mA"
    assert data["diameter_um"].dims == ("fiber",)
    recorded = three.run(0.1, nodes=[5], every=100).to_xarray()
    assert recorded["v"].dims == ("fiber", "time", "node")
    rows = three.run(0.1, nodes=[5, -5], every=100).to_pandas()
    assert len(rows) == 3 * 11 * 2
    assert rows["t_ms"].iloc[2:4].tolist() == [0.5, 0.5] and rows["node_index"].iloc[:2].tolist() == [5, 48]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"device": "tpu"}, ax.DeviceError),
        ({"precision": "f16"}, ax.InputError),
        ({"ends": "open"}, ax.InputError),
        ({"parameters": {"gnax": 1.0}}, ax.AxonmlError),
        ({"dt": 0.0}, ax.InputError),
        ({"tstop": 1e12}, ax.AxonmlError),
        ({"threads": 0}, ax.InputError),
        ({"start": "later"}, ax.InputError),
        ({"warmup_ms": 5.0}, ax.InputError),
        ({"weights": "nobody"}, ax.InputError),
    ],
)
def test_settings_are_refused_by_name(
    electrode: ax.Field, monophasic: ax.Waveform, change: dict, expected: type
) -> None:
    with pytest.raises(expected):
        ax.Simulation(ax.Fibers("mrg", diameter=10.0, nodes=53), electrode, monophasic, **change)


def test_what_is_wrong_is_said(three: ax.Simulation, electrode: ax.Field, monophasic: ax.Waveform) -> None:
    with pytest.raises(ax.ModelError, match="mrg"):
        ax.Simulation(ax.Fibers("mgr", diameter=10.0), electrode, monophasic)
    with pytest.raises(ax.AxonmlError, match="diameter"):
        ax.Simulation(ax.Fibers("mrg", diameter=100.0), electrode, monophasic)
    with pytest.raises(ax.InputError, match="no waveform"):
        ax.Simulation(three.fibers, electrode).thresholds()
    with pytest.raises(ax.InputError, match="what is to be searched"):
        ax.Simulation(three.fibers, waveform=monophasic).thresholds()
    with pytest.raises(ax.InputError, match="did you mean `monophasic`"):
        ax.pulse("monofasic", pw=0.1)
    with pytest.raises(ax.AxonmlError, match="sample"):
        three.thresholds(np.ones((3, 7)))
    with pytest.raises(ax.AxonmlError):
        three.thresholds(np.full((3, len(three.sample_points())), np.nan))
    with pytest.raises(ax.InputError, match="amplitudes of shape"):
        three.run([0.1, 0.2])
    with pytest.raises(ax.InputError, match="at most 10000000"):
        ax.Simulation(ax.Fibers("mrg", diameter=10.0, nodes=10**12), electrode, monophasic)
    with pytest.raises(ax.InputError, match="no number"):
        ax.Fibers("mrg", diameter="thick")
    with pytest.raises(ax.InputError, match="guesses of shape"):
        three.thresholds(near=[0.1, 0.2])
    with pytest.raises(ax.InputError, match="nothing to record"):
        three.run(0.1, record=[])
    with pytest.raises(ax.InputError, match="values of the function of shape"):
        ax.Simulation(three.fibers, electrode, lambda t: np.zeros(3)).thresholds()
    assert len(ax.Simulation(ax.Fibers("mrg", diameter=[]), electrode, monophasic).thresholds()) == 0
    with pytest.raises(ax.AxonmlError, match="memory"):
        ax.Simulation(ax.Fibers("mrg", diameter=10.0, nodes=9_000_001), electrode, monophasic, tstop=5.0)


def test_gradients_by_potentials_are_those_of_differences(three: ax.Simulation) -> None:
    points = three.sample_points(1)
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=53)
    simulation = ax.Simulation(fibers, None, "monophasic:pw=0.1,delay=0.1")
    ve = 500.0 * 1e4 / (4.0 * np.pi * np.hypot(1000.0, points))[None, :]
    found, gradients = simulation.thresholds_and_gradients(ve, resolution=1e-10)
    # Twice the potentials have half the threshold.
    assert (gradients.potentials[0] * ve).sum() == pytest.approx(-found.values[0], rel=1e-3)
    along = np.random.default_rng(1).normal(size=ve.shape) * np.exp(-((points / 3000.0) ** 2))
    step = 1e-3
    ends = [simulation.thresholds(ve + sign * step * along, resolution=1e-10).values[0] for sign in (1, -1)]
    difference = (ends[0] - ends[1]) / (2 * step)
    assert (gradients.potentials[0] * along).sum() == pytest.approx(difference, rel=1e-3)
    with pytest.raises(ax.InputError, match="shape"):
        simulation.thresholds_and_gradients(by=["shape"])


def test_gradients_by_waveforms_parameters_and_gains_are_differences(electrode: ax.Field) -> None:
    fibers = ax.Fibers("mrg", diameter=[8.7, 10.0], nodes=31)
    values = np.zeros(400)
    values[20:60] = -1.0 - 0.2 * np.sin(np.arange(40))
    pulse = ax.Waveform(values, dt=0.005)
    simulation = ax.Simulation(fibers, electrode, pulse, tstop=2.0)
    kinds = ["waveforms", "parameters"]
    found, gradients = simulation.thresholds_and_gradients(by=kinds, resolution=1e-10)

    def difference(step: float, **replaced: list[object]) -> np.ndarray:
        name, both = next(iter(replaced.items()))
        ends = [simulation.replaced(**{name: one}).thresholds(resolution=1e-10).values for one in both]  # type: ignore[arg-type]
        return np.asarray((ends[0] - ends[1]) / (2 * step))

    # Twice the gain has half the threshold.
    np.testing.assert_allclose(gradients["gains"][:, 0], -found.values, rtol=1e-6)
    along = np.random.default_rng(2).normal(size=400) * (values != 0)
    step = 1e-3
    changed = [ax.Waveform(values + sign * step * along, dt=0.005) for sign in (1, -1)]
    np.testing.assert_allclose(gradients.waveforms[0] @ along, difference(step, waveform=[*changed]), rtol=1e-3)
    for name in ("gna", "cm"):
        value = next(row["value"] for row in simulation.parameters if row["name"] == name)
        step = 1e-3 * value
        changed_values = [{name: value + sign * step} for sign in (1, -1)]
        expected = difference(step, parameters=[*changed_values])
        np.testing.assert_allclose(gradients.parameters[name], expected, rtol=1e-3)


def test_injected_currents_to_search_for_are_in_na_everywhere(electrode: ax.Field) -> None:
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=31)
    simulation = ax.Simulation(fibers, inject=ax.inject(10, pw=0.1, at=0.2), tstop=3.0)
    threshold = simulation.thresholds().threshold_nA[0]
    found = simulation.response([0.9 * threshold, 1.1 * threshold])
    np.testing.assert_array_equal(found.n_ap, [[0, 1]])
    np.testing.assert_array_equal(found.amplitude_nA, [[0.9 * threshold, 1.1 * threshold]])
    np.testing.assert_array_equal(simulation.run(1.1 * threshold).fired, [True])
    assert simulation.recruitment().amplitude_nA[0] == threshold
    with pytest.raises(ax.InputError, match="amplitudes of fields"):
        simulation.block_thresholds(ax.inject(3, 1.0))
    both = ax.Simulation(fibers, electrode, ax.pulse("monophasic"), inject=ax.inject(10))
    with pytest.raises(ax.InputError, match="mA and nA at once"):
        both.thresholds()


def test_amplitudes_of_nothing_are_refused() -> None:
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=31)
    fixed = ax.Simulation(fibers, inject=ax.inject(4, 0.5, at=0.1), tstop=1.0)
    assert fixed.run().status[0] == "ok"
    for ask in (lambda: fixed.run(5.0), lambda: fixed.response([1.0])):
        with pytest.raises(ax.InputError, match="found an amplitude, but no field"):
            ask()
    with pytest.raises(ax.InputError, match="no field that it drives"):
        ax.Simulation(fibers, waveform=ax.pulse("monophasic")).run()
    with pytest.raises(ax.InputError, match="`on_every` without `on_state`"):
        fixed.run(on_every=5)
    with pytest.raises(ax.InputError, match=r"every=1\.5"):
        fixed.run(every=1.5)  # type: ignore[arg-type]
    with pytest.raises(ax.InputError, match=r"'vv' to record, expected v, m.*did you mean `v`"):
        fixed.run(record=["vv"])


def test_results_are_read_as_dictionaries_are(three: ax.Simulation) -> None:
    found = three.thresholds()
    assert "status" in found and "stat" not in found
    assert list(found) == list(found.values)
    with pytest.raises(KeyError, match="found no `0`"):
        _ = found[0]  # type: ignore[index]
    run = three.run(0.2, nodes=[5])
    assert "v" in list(run) and sorted(run)[0] == "message"
    assert np.isnan(three.recruitment(found).at(np.nan))
    with pytest.raises(ax.InputError, match="thresholds and settings"):
        three.recruitment(found, max_amplitude=3.0)
