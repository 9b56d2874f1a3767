"""Runs that begin with states, are looked at and changed on their way; currents of every step, and synapses."""

from __future__ import annotations

import os
import pickle
import threading

import numpy as np
import pytest

import pyaxonml as ax

#: Parts of a run and the run in one piece differ by roundings, mV.
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def two(electrode: ax.Field) -> ax.Simulation:
    fibers = ax.Fibers("mrg", diameter=[10.0, 6.0], nodes=[21, 27])
    return ax.Simulation(fibers, electrode, ax.pulse("biphasic", pw=0.2, delay=0.1), tstop=2.0)


def largest(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference, where both have the same gaps."""
    np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
    return float(np.nanmax(np.abs(a - b)))


def test_two_parts_are_one_run(two: ax.Simulation) -> None:
    record = ["v", "m"]
    whole = two.run(0.4, record=record, every=3)
    first = two.run(0.4, record=record, every=3, until=1.0)
    second = two.run(0.4, record=record, every=3, begin=pickle.loads(pickle.dumps(first.end)))
    assert first.end.t_ms == 1.0 and second.end.t_ms == 2.0
    np.testing.assert_array_equal(np.concatenate([first.t_ms, second.t_ms]), whole.t_ms)
    for name in record:
        joined = np.concatenate([first[name], second[name]], axis=1)
        assert largest(joined, whole[name]) < ROUNDING
    assert largest(second.end.modes, whole.end.modes) < ROUNDING
    assert len(first.crossings[0][0]) + len(second.crossings[0][0]) == len(whole.crossings[0][0])
    assert first.fired.all() and first.start_node[0] == 10
    with pytest.raises(ax.InputError, match="look at crossings"):
        _ = second.fired
    with pytest.raises(ax.InputError, match="look at crossings"):
        _ = second.start_ms
    assert "at 1 ms" in repr(first.end)
    assert first.end.copy().t_ms == 1.0 and first.end.at(0.0).t_ms == 0.0
    assert first.end.to_xarray().sizes == {"fiber": 2, "node": 27, "mode": 520}


def test_a_run_may_begin_with_any_state(two: ax.Simulation) -> None:
    rest = two.initial_state()
    assert rest.t_ms == 0.0 and (rest.v[0, :21] == -80.0).all() and np.isnan(rest.v[0, 21:]).all()
    np.testing.assert_array_equal(two.run(0.4, begin=rest).v, two.run(0.4).v)
    # Sodium channels that are open excite the fiber without a stimulus.
    opened = rest.copy()
    opened.m[0, 9:12] = 1.0
    found = two.run(0.0, begin=opened)
    assert found.v_max_mV[0, 5] > 0 > found.v_max_mV[1, 5]
    assert (rest.m[0, 9:12] < 0.1).all()
    # After an action potential a fiber is refractory, and the pulse comes again from its beginning.
    after = two.run(0.4, until=1.0).end.at(0.0)
    again = two.run(0.4, begin=after)
    assert len(again.crossings[0][0]) < len(two.run(0.4).crossings[0][0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.at(0.003), "multiple of dt"),
        (lambda state: state.at(2.5), "from 0 to 2 ms"),
        (lambda state: state.v.__setitem__((1, 3), np.nan), "`v` = NaN at place 3 of fiber 1"),
        (lambda state: state.m.__setitem__((0, 2), np.inf), "`m` = inf at place 2 of fiber 0"),
        (lambda state: state.v.__setitem__((0, 0), 1e7), "`v` = 10000000"),
        (lambda state: state.columns.__setitem__("v", state.v[:, :5]), r"`v` of shape \[2, 5\]"),
        (lambda state: state.columns.__delitem__("h"), "expected .'v', 'modes', 'm', 'h'"),
    ],
)
def test_states_of_no_fiber_are_refused(two: ax.Simulation, change: object, message: str) -> None:
    state = two.initial_state()
    changed = change(state)  # type: ignore[operator]
    with pytest.raises(ax.InputError, match=message):
        two.run(0.0, begin=changed if isinstance(changed, ax.FiberStates) else state)


def test_a_run_ends_after_its_begin(two: ax.Simulation) -> None:
    with pytest.raises(ax.InputError, match=r"from 1 to 0\.5 ms"):
        two.run(0.0, begin=two.initial_state().at(1.0), until=0.5)


def test_states_are_seen_on_the_calling_thread(two: ax.Simulation) -> None:
    whole = two.run(0.4)
    seen: list[float] = []

    def look(state: ax.FiberStates) -> None:
        assert threading.current_thread() is threading.main_thread()
        row = round(state.t_ms / two.dt)
        assert largest(state.v, whole.v[:, row]) < ROUNDING
        seen.append(state.t_ms)

    found = two.run(0.4, on_state=look, on_every=150)
    np.testing.assert_allclose(seen, [0.75, 1.5, 2.0])
    assert largest(found.v, whole.v) < ROUNDING
    np.testing.assert_array_equal(found.start_node, whole.start_node)


def test_a_run_goes_on_from_what_on_state_returns(two: ax.Simulation) -> None:
    def clamp(state: ax.FiberStates) -> ax.FiberStates:
        state.v[0, 10] = -80.0
        return state

    # With its middle node held at rest at every step, the fiber does not fire there.
    found = two.run(0.13, on_state=clamp)
    assert found.v[0, 2:, 10].max() < -60 < 0 < two.run(0.13).v_max_mV[0, 10]
    with pytest.raises(ax.InputError, match="changed"):
        _ = found.fired


def test_what_on_state_does_wrong_is_an_error(two: ax.Simulation) -> None:
    def fails(state: ax.FiberStates) -> None:
        raise RuntimeError(f"at {state.t_ms}")

    with pytest.raises(RuntimeError, match=r"at 0\.5"):
        two.run(0.4, on_state=fails, on_every=100)
    with pytest.raises(ax.InputError, match="one of the same time"):
        two.run(0.4, on_state=lambda state: state.at(0.0), on_every=100)
    with pytest.raises(ax.InputError, match="found int from on_state"):
        two.run(0.4, on_state=lambda state: 3, on_every=100)  # type: ignore[arg-type, return-value]
    with pytest.raises(ax.InputError, match="on_every=0"):
        two.run(0.4, on_state=fails, on_every=0)


def test_on_state_may_ask_simulations() -> None:
    one = ax.Simulation(
        ax.Fibers("mrg", diameter=10.0, nodes=21), inject=ax.inject(3, 1.0, at=0.1), tstop=0.2, threads=1
    )
    expected = one.run()
    peaks: list[float] = []

    def look(state: ax.FiberStates) -> None:
        # The same simulation again, and within that once more.
        within = one.run(on_state=lambda inner: peaks.append(float(one.run().v.max())), on_every=20)
        peaks.append(float(within.v.max()))

    assert one.run(on_state=look, on_every=20).v.max() == pytest.approx(expected.v.max(), abs=1e-9)
    assert len(peaks) == 2 * (2 + 1) and max(peaks) - min(peaks) < 1e-9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_in_on_state_ends(two: ax.Simulation) -> None:
    codes: list[int] = []

    def forks(state: ax.FiberStates) -> None:
        child = os.fork()
        # The child returns into a run whose threads it does not have.
        if child:
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    two.run(0.4, on_state=forks, on_every=400)
    assert codes == [1]


def test_states_can_be_assigned_to(two: ax.Simulation) -> None:
    def quiet(state: ax.FiberStates) -> ax.FiberStates:
        state.m = np.zeros_like(state.m)
        return state

    # Without open channels nothing fires.
    assert two.run(0.4, on_state=quiet).v_max_mV[0, 5] < -60
    state = two.initial_state()
    with pytest.raises(AttributeError, match="no `mm` in the state"):
        state.mm = state.m
    with pytest.raises(AttributeError, match="simulations do not change"):
        two.tstop = 3.0
    for wrong in (5, "x", {}, [state]):
        with pytest.raises(ax.InputError, match="as a state"):
            two.run(begin=wrong)  # type: ignore[arg-type]
    state.v = state.v.astype(complex)
    with pytest.raises(ax.InputError, match="complex"):
        two.run(begin=state)


@pytest.mark.parametrize("model", ["tigerholm", "schild94", "thio-autonomic"])
def test_states_have_all_that_slow_variables_are_handed_on(model: str, electrode: ax.Field) -> None:
    diameter = 0.5 if model == "thio-autonomic" else 1.0
    fibers = ax.Fibers(model, diameter=diameter, nodes=21)
    simulation = ax.Simulation(fibers, electrode, ax.pulse("monophasic", pw=0.2), tstop=1.0)
    whole = simulation.run(2.0)
    first = simulation.run(2.0, until=0.4)
    assert set(first.end.columns) > {"v", "modes", *simulation.states}
    second = simulation.run(2.0, begin=first.end, on_state=lambda state: state, on_every=50)
    assert largest(np.concatenate([first.v, second.v], axis=1), whole.v) < 1e-11


def test_states_of_other_fibers_are_refused(two: ax.Simulation, electrode: ax.Field) -> None:
    other = ax.Simulation(ax.Fibers("mrg", diameter=[9.0, 6.0], nodes=[21, 27]), electrode, ax.pulse("monophasic"))
    with pytest.raises(ax.InputError, match="other diameter_um"):
        two.run(begin=other.initial_state())


def test_parts_of_a_long_run_need_memory_for_the_part_alone() -> None:
    fibers = ax.Fibers("mrg", diameter=np.full(400, 10.0), nodes=101)
    simulation = ax.Simulation(fibers, inject=ax.inject(3, 1.0), tstop=2e4)
    assert simulation.run(until=0.1, nodes=[5]).v.shape == (400, 21, 1)
    with pytest.raises(ax.SimulationError, match="memory"):
        simulation.run()


def test_a_fiber_that_diverges_leaves_nan() -> None:
    fibers = ax.Fibers("mrg", diameter=[10.0, 10.0], nodes=21)
    simulation = ax.Simulation(fibers, inject=ax.inject(10, [1e12, 0.0], at=0.1), tstop=1.0)
    seen: list[bool] = []
    found = simulation.run(on_state=lambda state: seen.append(bool(np.isnan(state.v[0]).all())), on_every=100)
    assert seen == [True, True]
    # The other goes on from what is returned.
    assert list(simulation.run(on_state=lambda state: state, on_every=100).status) == ["diverged", "ok"]
    assert list(found.status) == ["diverged", "ok"]
    assert np.isnan(found.end.v[0]).all() and np.isfinite(found.end.v[1]).all()
    with pytest.raises(ax.InputError, match="fiber 0, which diverged"):
        simulation.run(begin=found.end.at(0.0))


# ---- currents ------------------------------------------------------------------------------------------------------


def test_currents_of_every_step_are_pulses() -> None:
    fibers = ax.Fibers("mrg", diameter=[10.0, 14.0], nodes=21)
    pulses = ax.Simulation(fibers, inject=ax.inject(5, [0.6, 1.1], pw=0.2, at=[0.1, 0.9]), tstop=2.0)
    dense = np.zeros((2, 21, 400))
    for begin in (20, 180):
        dense[:, 5, begin : begin + 40] = [[0.6], [1.1]]
    expected = pulses.run()
    assert pulses.tstop == 2.0
    for given in (
        ax.currents(dense),
        ax.currents(dense[:, 5:6], 5),
        ax.currents(dense[:, 5:6].astype(np.float32).astype(np.float64), [-16]),
    ):
        found = ax.Simulation(fibers, inject=given, tstop=2.0).run()
        np.testing.assert_allclose(found.v, expected.v, rtol=0, atol=1e-4)
    # The same current into every fiber.
    same = ax.Simulation(fibers, inject=ax.currents(dense[0, 5], 5), tstop=2.0).run()
    one = ax.Simulation(fibers, inject=ax.inject(5, 0.6, pw=0.2, at=[0.1, 0.9]), tstop=2.0).run()
    np.testing.assert_array_equal(same.v, one.v)


def test_thresholds_of_a_shape_of_current() -> None:
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=53)
    shape = np.zeros(60)
    shape[20:40] = 1.0
    sampled = ax.Simulation(fibers, inject=ax.currents(shape, 26, searched=True)).thresholds()
    pulse = ax.Simulation(fibers, inject=ax.inject(26, pw=0.1, at=0.1)).thresholds()
    assert sampled.threshold_nA[0] == pulse.threshold_nA[0]


def test_currents_that_fit_no_fiber_are_refused() -> None:
    fibers = ax.Fibers("mrg", diameter=[10.0, 14.0], nodes=[21, 31])

    def run(current: ax.Currents | ax.Injection) -> None:
        ax.Simulation(fibers, inject=current, tstop=1.0).run()

    with pytest.raises(ax.InputError, match="3 fibers, expected 2"):
        run(ax.currents(np.ones((3, 1, 10)), 5))
    with pytest.raises(ax.InputError, match="into 31 nodes, expected at most 21"):
        run(ax.currents(np.ones((2, 31, 10))))
    with pytest.raises(ax.InputError, match="into 2 nodes, expected 3"):
        run(ax.currents(np.ones((2, 10)), [1, 2, 3]))
    with pytest.raises(ax.InputError, match="without `nodes`"):
        ax.currents(np.ones(10))
    with pytest.raises(ax.InputError, match="not finite"):
        ax.currents(np.full(10, np.nan), 5)
    with pytest.raises(ax.InputError, match="injected currents of shape"):
        run(ax.inject(5, [1.0, 2.0, 3.0]))
    # Whatever flows: also nothing.
    for values in (np.ones(10), np.zeros(10)):
        with pytest.raises(ax.InputError, match="node 25 of a fiber of 21 nodes"):
            run(ax.currents(values, 25))
    for wrong in (lambda: ax.inject(1.5, 1.0), lambda: ax.currents(np.ones(3), [2**70]), lambda: ax.currents([], 3)):
        with pytest.raises(ax.InputError, match=r"node=1\.5|node=1180|no currents"):
            wrong()
    with pytest.raises(ax.InputError, match="found int in `inject`"):
        ax.Simulation(fibers, inject=[5])  # type: ignore[list-item]
    with pytest.raises(ax.InputError, match=r"1j.*finite|complex"):
        ax.inject(3, 1j)


# ---- synapses ------------------------------------------------------------------------------------------------------


def test_a_synapse_starts_an_action_potential() -> None:
    # PyFibers 0.8 in NEURON: its default synapse, 1 um, 181 compartments: 0.492 m/s.
    fibers = ax.Fibers("sundt", diameter=1.0, nodes=181)
    detect = ax.Detection(threshold_mv=-30.0)
    simulation = ax.Simulation(fibers, synapse=ax.Synapse(), detect=detect)
    assert simulation.conduction_velocity().cv_m_per_s[0] == pytest.approx(0.492, abs=0.002)
    assert simulation.states[-1] == "g_syn"
    found = simulation.run(record=["v", "g_syn"])
    # At the 18th compartment of 181; the conductance decays within a tenth of a ms.
    node = int(np.nanargmax(found.g_syn[0].max(axis=0)))
    assert node == 18
    opened = int(np.argmax(found.g_syn[0, :, node] > 0))
    ratio = found.g_syn[0, opened + 40, node] / found.g_syn[0, opened, node]
    assert ratio == pytest.approx(np.exp(-40 * simulation.dt / 0.1), rel=1e-9)
    assert found.t_ms[opened] == pytest.approx(1.0, abs=2 * simulation.dt)
    assert len(found.crossings[0][0]) == 181
    # Runs are as long as an action potential needs from one end to the other.
    long = ax.Simulation(ax.Fibers("sundt", diameter=[1.0, 1.5]), synapse=ax.Synapse())
    assert list(long.conduction_velocity().status) == ["ok", "ok"]


@pytest.mark.parametrize("onset", [0.0, 0.3, 0.3012])
def test_a_synapse_opens_once_wherever_a_run_is_cut(onset: float) -> None:
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=11)
    simulation = ax.Simulation(fibers, synapse=ax.Synapse(node=5, onset=onset, us=0.02), tstop=1.0)
    whole = simulation.run()
    for until in (0.0, 0.3, 0.305):
        first = simulation.run(until=until)
        second = simulation.run(begin=first.end)
        joined = np.concatenate([first.v, second.v], axis=1) if until else second.v
        assert largest(joined, whole.v) < 1e-9, until
        assert largest(second.end.g_syn, whole.end.g_syn) < 1e-12


def test_a_synapse_is_refused_where_it_does_nothing(electrode: ax.Field) -> None:
    fibers = ax.Fibers("sundt", diameter=1.0, nodes=41)
    simulation = ax.Simulation(fibers, electrode, ax.pulse("monophasic"), synapse=ax.Synapse(node=50), tstop=3.0)
    with pytest.raises(ax.InputError, match="synapse in a question for thresholds"):
        simulation.thresholds()
    with pytest.raises(ax.InputError, match="beside another stimulus"):
        simulation.conduction_velocity(1.0)
    with pytest.raises(ax.SimulationError, match="50"):
        simulation.run(1.0)
    with pytest.raises(ax.InputError, match="`node` and `at`"):
        ax.Synapse(node=3, at=0.5)
    with pytest.raises(ax.InputError, match="onset"):
        ax.Simulation(fibers, synapse=ax.Synapse(onset=4.0), tstop=3.0).run()
    with pytest.raises(ax.InputError, match="without a time"):
        ax.Synapse(onset=[])
    twice = ax.Synapse(onset=np.array([1.0, 2.0]))
    assert twice == ax.Synapse(onset=[1.0, 2.0]) and hash(twice) == hash(ax.Synapse(onset=(1.0, 2.0)))
    with pytest.raises(ax.InputError, match="opens 2 times"):
        ax.Simulation(fibers, synapse=twice, tstop=3.0).conduction_velocity()
