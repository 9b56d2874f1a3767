"""Layers of torch: derivatives against differences, shapes and types, fibers without thresholds."""

from __future__ import annotations

import copy
import math
import os
import pickle
from typing import Any

import numpy as np
import pytest

import pyaxonml as ax

torch = pytest.importorskip("torch", reason="torch is not installed: the layers of torch were not tested")

from pyaxonml.torch import Activation, Recordings, Thresholds  # noqa: E402

# Brackets as narrow as f64 allows, so that differences of thresholds have eight digits.
FINE = {"resolution": 1e-12}
CLOSE = {"atol": 1e-9, "rtol": 1e-4}


def short(diameter: Any = 10.0, nodes: int = 21, **settings: Any) -> ax.Simulation:
    fibers = ax.Fibers("mrg", diameter=diameter, nodes=nodes)
    return ax.Simulation(fibers, None, ax.pulse("monophasic", pw=0.1, delay=0.1), tstop=1.5, **settings)


def point(layer: Any, at: Any, rho_ohm_cm: float = 500.0) -> Any:
    """The field of a point source as a user writes it."""
    x, y, z = at
    distance = torch.sqrt((layer.x_um - x) ** 2 + (layer.y_um - y) ** 2 + (layer.z_um - z) ** 2)
    return 1e4 * rho_ohm_cm / (4 * math.pi * distance)


def place(x: float, y: float, z: float, **kind: Any) -> Any:
    return torch.tensor([x, y, z], dtype=torch.float64, **kind)


def test_values_are_those_of_the_simulation(three: ax.Simulation) -> None:
    layer = Thresholds(three)
    ve = point(layer, place(1000, 0, 0))
    np.testing.assert_allclose(layer.bases()[:, 0], ve, rtol=1e-12)
    np.testing.assert_allclose(layer(ve), three.thresholds(resolution=1e-6).values, rtol=1e-9)
    logarithms = Thresholds(three, log=True)(ve)
    np.testing.assert_allclose(logarithms.exp(), layer(ve), rtol=1e-12)


def test_by_potentials() -> None:
    layer = Thresholds(short(nodes=9), **FINE)
    ve = point(layer, place(1000, 0, 0)).requires_grad_()
    assert ve.shape == (1, 89)
    assert torch.autograd.gradcheck(layer, ve, eps=1e-2, **CLOSE)
    logarithms = Thresholds(short(diameter=[5.7, 10.0]), log=True, **FINE)
    both = point(logarithms, place(800, 0, 100)).requires_grad_()
    assert torch.autograd.gradcheck(logarithms, both, eps=1e-2, fast_mode=True, **CLOSE)


def test_by_the_place_of_an_electrode() -> None:
    layer = Thresholds(short(diameter=[5.7, 10.0]), **FINE)
    at = place(900, 150, 120, requires_grad=True)
    by_place = torch.autograd.functional.jacobian(lambda at: layer(point(layer, at)), at)
    step = 0.1
    for axis in range(3):
        along = step * torch.eye(3, dtype=torch.float64)[axis]
        with torch.no_grad():
            difference = (layer(point(layer, at + along)) - layer(point(layer, at - along))) / (2 * step)
        np.testing.assert_allclose(by_place[:, axis], difference, rtol=1e-4)


def test_by_gains_of_contacts_that_share_a_waveform() -> None:
    layer = Thresholds(short(diameter=[5.7, 10.0]), **FINE)
    bases = torch.stack([point(layer, place(800, 0, z)) for z in (-600, 0, 600)], dim=1)
    gains = torch.tensor([-0.3, 1.0, -0.2], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda gains: layer(gains, bases), gains, eps=1e-4, **CLOSE)
    each = gains.expand(2, 3)
    torch.testing.assert_close(layer(each, bases), layer(gains, bases))
    torch.testing.assert_close(layer(torch.einsum("c,fcs->fs", gains, bases)), layer(gains, bases), rtol=1e-9, atol=0.0)


def test_by_gains_of_contacts_with_a_waveform_each() -> None:
    fibers = ax.Fibers("mrg", diameter=[5.7, 10.0], nodes=21)
    contacts = [ax.point_source(x=800, z=z) for z in (0, 800)]
    waveforms = ["monophasic:pw=0.1,delay=0.1", "monophasic:pw=0.3,delay=0.15"]
    layer = Thresholds(ax.Simulation(fibers, contacts, waveforms, tstop=1.5), **FINE)
    bases = layer.bases()
    gains = torch.tensor([1.0, 0.5], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda gains: layer(gains, bases), gains, eps=1e-4, **CLOSE)
    # Twice all gains have half the threshold.
    found = layer(gains, bases)
    (by_gains,) = torch.autograd.grad(found.log().sum(), gains)
    assert (by_gains * gains).sum().item() == pytest.approx(-2.0, rel=1e-6)


def test_by_waveforms() -> None:
    layer = Thresholds(short(diameter=[5.7, 10.0]), **FINE)
    ve = point(layer, place(1000, 0, 0))
    steps = torch.arange(layer.simulation.steps, dtype=torch.float64)
    duration = torch.tensor([0.1], dtype=torch.float64, requires_grad=True)

    def bump(duration: Any) -> Any:
        return -torch.exp(-(((0.005 * steps - 0.3) / duration) ** 2))

    def found(duration: Any) -> Any:
        return layer(ve, waveform=bump(duration))

    assert torch.autograd.gradcheck(found, duration, eps=1e-5, **CLOSE)
    of_each = torch.tensor([0.08, 0.12], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda each: layer(ve, waveform=torch.stack([bump(one) for one in each])), of_each, eps=1e-5, **CLOSE
    )


def test_by_parameters() -> None:
    layer = Thresholds(short(diameter=[5.7, 10.0]), **FINE)
    ve = point(layer, place(1000, 0, 0))
    values = {row["name"]: row["value"] for row in layer.simulation.parameters}
    names = ("gna", "cm", "ra", "el")
    relative = torch.ones(len(names), dtype=torch.float64, requires_grad=True)

    def found(relative: Any) -> Any:
        return layer(ve, parameters={name: values[name] * of for name, of in zip(names, relative, strict=True)})

    torch.testing.assert_close(found(relative), layer(ve), rtol=1e-9, atol=0.0)
    # Numbers that are no tensors keep their digits.
    torch.testing.assert_close(layer(ve, parameters={"gl": values["gl"]}), layer(ve), rtol=0.0, atol=0.0)
    assert torch.autograd.gradcheck(found, relative, eps=1e-5, **CLOSE)


def test_descent_makes_contacts_selective() -> None:
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=21, x=[0.0, 0.0], y=[250.0, -250.0])
    layer = Thresholds(fibers, "biphasic:pw=0.1,delay=0.1", tstop=2.0, log=True)
    angles = [2 * math.pi * k / 6 for k in range(6)]
    contacts = [point(layer, place(1000 * math.cos(a), 1000 * math.sin(a), 0)) for a in angles]
    bases = torch.stack(contacts, dim=1)
    gains = torch.tensor([1.0, 0, 0, 0, 0, 0], dtype=torch.float64, requires_grad=True)
    descent = torch.optim.Adam([gains], lr=0.1)
    losses = []
    for _ in range(25):
        target, other = layer(gains, bases)
        loss = target - other
        descent.zero_grad()
        loss.backward()
        descent.step()
        losses.append(loss.item())
    # Both fibers see the first contact alike; in the end the target fires at less than a fifth of the other's current.
    assert losses[0] == pytest.approx(0.0, abs=1e-5)
    assert losses[-1] < math.log(0.2)
    driven = torch.einsum("c,fcs->fs", gains.detach(), bases).numpy()
    target, other = layer.simulation.thresholds(driven).values
    assert target < 0.2 * other


def test_fibers_without_a_threshold_have_a_value_and_no_derivative(caplog: pytest.LogCaptureFixture) -> None:
    simulation = short(diameter=[5.7, 10.0])
    for missing in (math.inf, math.nan, 1.0):
        layer = Thresholds(simulation, max_amplitude=0.15, missing=missing)
        ve = point(layer, place(1000, 0, 0)).requires_grad_()
        with caplog.at_level("WARNING", "pyaxonml"):
            found = layer(ve)
        assert "1 of 2 fibers: no_activation" in caplog.text
        np.testing.assert_equal(found[0].item(), missing)
        (found**2).sum().backward()
        assert (ve.grad[0] == 0).all() and ve.grad[1].isfinite().all() and (ve.grad[1] != 0).any()
    none = Thresholds(simulation, max_amplitude=0.01)
    found = none(ve)
    assert found.isinf().all()
    (by_ve,) = torch.autograd.grad(found.sum(), ve)
    assert by_ve.shape == ve.shape and (by_ve == 0).all()


def test_fibers_that_fire_by_themselves_are_refused() -> None:
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=21)
    simulation = ax.Simulation(fibers, None, "monophasic:pw=0.1,delay=0.1", inject=ax.inject(3, 5.0), tstop=2.0)
    layer = Thresholds(simulation)
    with pytest.raises(ax.SimulationError, match="fiber 0 has no threshold"):
        layer(point(layer, place(1000, 0, 0)))


def test_rows_of_fibers_of_different_lengths_are_filled_up() -> None:
    layer = Thresholds(short(diameter=[5.7, 10.0], nodes=[21, 31]))  # type: ignore[arg-type]
    ve = point(layer, place(1000, 0, 0)).requires_grad_()
    assert ve.shape == (2, 331)
    found = layer(ve)
    found.sum().backward()
    alone = Thresholds(short(diameter=5.7, nodes=21))
    torch.testing.assert_close(found[:1], alone(ve[:1, :221]), rtol=1e-9, atol=0.0)
    assert (ve.grad[0, 221:] == 0).all() and (ve.grad[0, :221] != 0).any() and (ve.grad[1, 221:] != 0).any()


def test_types_are_kept() -> None:
    layer = Thresholds(short())
    ve = point(layer, place(1000, 0, 0))
    exact = layer(ve)
    for kind in (torch.float32, torch.float16):
        less = ve.to(kind).requires_grad_()
        found = layer(less)
        assert found.dtype == kind
        torch.testing.assert_close(found.double(), exact, rtol=1e-3, atol=0.0)
        found.sum().backward()
        assert less.grad.dtype == kind
    assert not layer(ve).requires_grad
    assert layer.float().z_um.dtype == torch.float32


def test_layers_can_be_copied_and_pickled() -> None:
    layer = Thresholds(short())
    ve = point(layer, place(1000, 0, 0))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(other(ve), layer(ve), rtol=0.0, atol=0.0)
    assert list(layer.parameters()) == [] and layer.state_dict() == {}
    assert "mrg" in repr(layer)


class Computed(torch.utils.data.Dataset):
    """Thresholds that are computed when they are asked for, with the diameters they belong to."""

    def __init__(self, diameters: list[float]) -> None:
        self.diameters = diameters

    def __len__(self) -> int:
        return len(self.diameters)

    def __getitem__(self, index: int) -> tuple[float, float]:
        fibers = ax.Fibers("mrg", diameter=self.diameters[index], nodes=21)
        simulation = ax.Simulation(fibers, ax.point_source(1000), "monophasic:pw=0.1,delay=0.1", tstop=2.0)
        return self.diameters[index], float(simulation.thresholds().values[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("workers", [0, 2])
def test_workers_of_a_loader_compute(workers: int) -> None:
    diameters = [6.0, 8.0, 10.0, 12.0, 14.0]
    fibers = ax.Fibers("mrg", diameter=diameters, nodes=21)
    # The parent has used its threads before it forks; children must not wait for them.
    simulation = ax.Simulation(fibers, ax.point_source(1000), "monophasic:pw=0.1,delay=0.1", tstop=2.0, threads=2)
    expected = simulation.thresholds().values
    loader = torch.utils.data.DataLoader(
        Computed(diameters),
        batch_size=2,
        num_workers=workers,
        timeout=30 if workers else 0,
        multiprocessing_context="fork" if workers else None,
    )
    batches = list(loader)
    assert [len(diameter) for diameter, _ in batches] == [2, 2, 1]
    np.testing.assert_array_equal(torch.cat([diameter for diameter, _ in batches]).numpy(), diameters)
    np.testing.assert_array_equal(torch.cat([threshold for _, threshold in batches]).numpy(), expected)
    np.testing.assert_array_equal(simulation.thresholds().values, expected)


def test_activation_is_a_probability() -> None:
    layer = Activation(short(diameter=[5.7, 10.0]), relative_spread=0.1, **FINE)
    ve = point(layer.thresholds, place(1000, 0, 0))
    thresholds = layer.thresholds(ve)
    torch.testing.assert_close(layer(thresholds, ve), torch.full((2,), 0.5, dtype=torch.float64))
    # A standard deviation above the mean: 84.13 % of a normal distribution.
    assert layer(1.1 * thresholds, ve)[0].item() == pytest.approx(0.8413447, abs=1e-6)
    amplitude = torch.tensor(0.13, dtype=torch.float64, requires_grad=True)
    scale = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, s: layer(a, s * ve), (amplitude, scale), eps=1e-5, **CLOSE)
    unreached = Activation(short(), max_amplitude=0.01)
    assert unreached(amplitude, ve[:1]).item() == pytest.approx(0.0, abs=1e-80)


def test_what_is_wrong_is_said() -> None:
    simulation = short()
    layer = Thresholds(simulation)
    ve = point(layer, place(1000, 0, 0))
    with pytest.raises(ax.InputError, match="expected 1 fibers and 221 points"):
        layer(ve[:, :-1])
    with pytest.raises(ax.InputError, match=r"\[fiber, sample\]"):
        layer(ve[0])
    with pytest.raises(ax.InputError, match="one value for each of 300 steps"):
        layer(ve, waveform=torch.ones(7))
    with pytest.raises(ax.InputError, match="gains of shape"):
        layer(torch.ones(2), ve[:, None])
    with pytest.raises(ax.AxonmlError, match="gnax"):
        layer(ve, parameters={"gnax": 1.0})
    with pytest.raises(ax.InputError, match="has already"):
        Thresholds(simulation, "monophasic:pw=0.1")
    with pytest.raises(ax.InputError, match="without a field"):
        layer.bases()
    with pytest.raises(ax.InputError, match="Simulation or Fibers"):
        Thresholds("mrg")  # type: ignore[arg-type]
    with pytest.raises(ax.InputError, match="signed"):
        Thresholds(short(signed=True), log=True)
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    (once,) = torch.autograd.grad(layer(scale * ve).square().sum(), scale, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        once.backward()


# ---- recordings ----------------------------------------------------------------------------------------------------

# Differences of recordings have twelve digits.
RECORDED = {"atol": 1e-7, "rtol": 1e-5}


def brief(**settings: Any) -> ax.Simulation:
    fibers = ax.Fibers("mrg", diameter=[5.7, 10.0], nodes=9)
    return ax.Simulation(fibers, None, ax.pulse("monophasic", pw=0.1, delay=0.02), tstop=0.3, **settings)


def test_recordings_are_those_of_a_run() -> None:
    simulation = brief()
    layer = Recordings(simulation, record=["v", "m"], nodes=[4, -1], every=5)
    ve = point(layer, place(1000, 0, 100))
    voltages, gates = layer(0.6, ve)
    run = simulation.replaced(field=ax.point_source(x=1000, z=100)).run(0.6, record=["v", "m"], nodes=[4, -1], every=5)
    assert voltages.shape == (2, 13, 2) and run.v.max() > 0
    np.testing.assert_allclose(voltages, run.v, rtol=1e-9)
    np.testing.assert_allclose(gates, run["m"], rtol=1e-9)
    one = Recordings(simulation, nodes=[4, -1], every=5)(torch.full((2,), 0.6, dtype=torch.float64), ve)
    torch.testing.assert_close(one, voltages)


def test_recordings_by_potentials_and_amplitudes() -> None:
    layer = Recordings(brief(), record=["v", "h"], at=[0.5, 1.0], every=12)
    ve = point(layer, place(1000, 0, 100)).requires_grad_()
    amplitude = torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True)
    # Some of the potentials: each takes two runs.
    some = torch.arange(0, ve.shape[1], 6)

    def found(amplitude: Any, moved: Any) -> Any:
        return layer(amplitude, ve.detach().index_copy(1, some, moved))

    moved = ve.detach()[:, some].clone().requires_grad_()
    assert torch.autograd.gradcheck(found, (amplitude, moved), eps=1e-4, **RECORDED)
    for_all = torch.tensor(0.6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda one: layer(one, ve.detach()), for_all, eps=1e-5, **RECORDED)


def test_recordings_by_waveforms_parameters_and_gains() -> None:
    layer = Recordings(brief(), nodes=[2, 6], every=10)
    ve = point(layer, place(1000, 0, 100))
    steps = torch.arange(layer.simulation.steps, dtype=torch.float64)
    duration = torch.tensor([0.05], dtype=torch.float64, requires_grad=True)
    conductance = torch.tensor([3.1], dtype=torch.float64, requires_grad=True)

    def found(duration: Any, conductance: Any) -> Any:
        bump = -torch.exp(-(((0.005 * steps - 0.12) / duration) ** 2))
        return layer(0.5, ve, waveform=bump, parameters={"gna": conductance})

    names = [row["name"] for row in layer.simulation.parameters]
    assert "gna" in names, names
    assert torch.autograd.gradcheck(found, (duration, conductance), eps=1e-6, **RECORDED)
    bases = torch.stack([point(layer, place(800, 0, z)) for z in (-600, 0, 600)], dim=1)
    gains = torch.tensor([-0.3, 1.0, -0.2], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda gains: layer(0.4, gains, bases), gains, eps=1e-5, **RECORDED)


def test_recordings_of_fibers_of_several_lengths() -> None:
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=[9, 11])
    simulation = ax.Simulation(fibers, None, ax.pulse("monophasic", pw=0.1, delay=0.02), tstop=0.2)
    layer = Recordings(simulation, every=20)
    ve = point(layer, place(1000, 0, 0)).requires_grad_()
    found = layer(0.4, ve)
    assert found.shape == (2, 3, 11)
    missing = torch.isnan(found)
    assert missing[0, :, 9:].all() and int(missing.sum()) == 6
    torch.nan_to_num(found).sum().backward()
    # The longer fiber alone has the same derivative.
    alone = Recordings(
        ax.Simulation(ax.Fibers("mrg", diameter=10.0, nodes=11), None, simulation._waveforms[0][0], tstop=0.2), every=20
    )
    own = ve.detach()[1:].clone().requires_grad_()
    alone(0.4, own).sum().backward()
    np.testing.assert_allclose(ve.grad[1], own.grad[0], rtol=1e-12)
    assert torch.isfinite(ve.grad).all()


def test_weights_of_another_shape_are_refused() -> None:
    simulation = brief().replaced(field=ax.point_source(x=1000))
    shape = simulation.run(0.1, every=5).v.shape
    simulation.run_gradients({"v": np.ones(shape)}, 0.1, every=5)
    for other in ((shape[0], shape[1] + 1, shape[2]), (shape[0], shape[1], shape[2] - 1), (1, *shape[1:])):
        with pytest.raises(ax.InputError, match="expected that of the recording"):
            simulation.run_gradients({"v": np.ones(other)}, 0.1, every=5)


def test_recordings_that_diverge_are_an_error() -> None:
    layer = Recordings(brief())
    with pytest.raises(ax.SimulationError, match="diverged"):
        layer(1e12, point(layer, place(1000, 0, 100)))
    with pytest.raises(ax.AxonmlError, match="to record, expected v, m"):
        Recordings(brief(), record="nonsense")(0.1, point(layer, place(1000, 0, 100)))


def test_a_gate_learns_to_stay_shut() -> None:
    """A descent on a recording: to an amplitude at which the gate of the middle node does not open."""
    layer = Recordings(brief(), record="m", nodes=[4], every=4)
    ve = point(layer, place(1000, 0, 100))
    before = layer(0.5, ve).amax()
    gain = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([gain], lr=0.05)
    for _ in range(12):
        optimizer.zero_grad()
        (layer(gain, ve).amax((1, 2)) ** 2).sum().backward()
        optimizer.step()
    assert layer(gain.detach(), ve).amax() < 0.7 * before
