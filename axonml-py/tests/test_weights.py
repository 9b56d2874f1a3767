"""Weights between files, programs and simulations, against what PyTorch read from its own files."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyaxonml as ax
from pyaxonml import training


@pytest.fixture(scope="module")
def torch_values(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "golden/pytorch/values.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", ["state_dict_f64.pt", "state_dict_f32.pt", "training_checkpoint_f32.pt"])
def test_files_of_torch_have_the_numbers_that_torch_reads(root: Path, torch_values: dict[str, Any], name: str) -> None:
    weights = ax.Weights.load(root / "golden/pytorch" / name)
    held = torch_values[name]
    assert weights.model == "smf"
    assert weights.provenance["checkpoint file"] == name
    # A pi that was trained acts on the nodes' area and the axial resistance.
    trained_pi = "noded1 noded2 noded3 rhoa" if name.startswith("training") else ""
    for key, value in held.items():
        if key != "ssd.weight" and key not in trained_pi:
            assert weights.parameters[key] == value
    v, ve = np.array(held["ssd.weight"])[0]
    assert weights.parameters["v_neighbor"] == 0.5 * (v[0] + v[2])
    assert weights.parameters["ve_center"] == ve[1]
    # The same numbers as a state dict in memory.
    if not trained_pi:
        assert ax.Weights.from_state_dict(held).parameters == weights.parameters
    exported = weights.state_dict()
    assert set(exported) == {*held, "pi"} and exported["pi"] == np.pi
    assert exported["ssd.weight"].shape == (1, 2, 3) and exported["gl"].shape == ()
    assert ax.Weights.from_state_dict(exported).parameters == weights.parameters


def test_weights_are_saved_and_read_and_run(tmp_path: Path, root: Path, electrode: ax.Field) -> None:
    bundled = ax.Weights.load("smf-mrg")
    more = {"gnabar": 1.001 * bundled.parameters["gnabar"]}
    weights = bundled.replaced(more)
    assert weights.provenance["set by hand"].startswith("gnabar=") and weights.parameters == bundled.parameters | more
    assert weights.units["gl"] == "S/cm2" and weights.domain["dt_ms"] == (0.005, 0.005)
    path = tmp_path / "mine.safetensors"
    weights.save(path)
    assert ax.Weights.load(path) == weights == pickle.loads(pickle.dumps(weights))
    fibers = ax.Fibers("smf", diameter=10.0, nodes=53)

    def threshold(**settings: Any) -> float:
        return float(ax.Simulation(fibers, electrode, ax.pulse("monophasic"), **settings).thresholds().values[0])

    by_value = threshold(parameters=more)
    assert threshold(weights=weights) == threshold(weights=path) == threshold(weights=str(path)) == by_value
    assert threshold() != by_value
    # Simulations with weights pickle.
    simulation = ax.Simulation(fibers, electrode, ax.pulse("monophasic"), weights=weights)
    assert pickle.loads(pickle.dumps(simulation)).thresholds().values[0] == by_value


def test_weights_of_a_fiber_of_ones_own(electrode: ax.Field) -> None:
    class Leaky(ax.Fiber):
        gl: ax.Param = ax.param(1e-3, "S/cm2")
        el: ax.Param = ax.param(-70.0, "mV")
        start_mv = -70

        def membrane(self, x: ax.Patch) -> Any:
            yield ax.Ohmic(self.gl, self.el)

    weights = ax.Weights.published(Leaky()).replaced({"el": -75.0}, model=Leaky())
    assert weights.model == "leaky"
    fibers = ax.Fibers(Leaky(), diameter=1.0, nodes=21)
    run = ax.Simulation(fibers, weights=weights, tstop=20.0).run()
    # The membrane goes to its reversal potential.
    assert run.v[0, -1, 10] == pytest.approx(-75.0, abs=1e-6)


def test_weights_that_fit_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ax.InputError, match="smf-mrg"):
        ax.Weights.load("smf-mgr")
    with pytest.raises(ax.InputError, match=r"cannot read `nowhere\.pt`"):
        ax.Weights.load("nowhere.pt")
    bad = tmp_path / "bad.pt"
    bad.write_bytes(b"no zip")
    with pytest.raises(ax.InputError, match=r"not a file of torch\.save"):
        ax.Weights.load(bad)
    with pytest.raises(ax.InputError, match=r"keys are missing.*ssd\.weight"):
        ax.Weights.from_state_dict({"gl": 1.0})
    with pytest.raises(ax.InputError, match=r"Weights\.published"):
        ax.Weights.load("published")
    weights = ax.Weights.load("smf-mrg")
    with pytest.raises(ax.InputError, match="gkbar"):
        weights.replaced({"gkbat": 1.0})
    with pytest.raises(ax.InputError, match="NaN"):
        weights.replaced({"gkbar": np.nan})
    with pytest.raises(ax.InputError, match="smf"):
        ax.Weights.load("two-mode-mrg").state_dict()
    with pytest.raises(ax.SimulationError, match="smf"):
        ax.Simulation(ax.Fibers("mrg", diameter=10.0, nodes=21), weights=weights)


# ---- evaluation ----------------------------------------------------------------------------------------------------

TABLE = "model,diameter_um,distance_um,shape,pw_ms\nmrg,10,1000,mono,0.1\nmrg,5.7,500,biphasic,0.2\n"


def test_a_surrogate_is_compared_with_its_exact_model(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(TABLE)
    found = training.evaluate("two-mode", table)
    for row, (diameter, distance, shape, pw) in enumerate([(10.0, 1000, "mono", 0.1), (5.7, 500, "biphasic", 0.2)]):
        waveform = ax.Waveform.shape(shape, pw, 0.1)

        def threshold(model: str, diameter: float, distance: float, waveform: ax.Waveform) -> float:
            field = ax.point_source(x=distance, rho_ohm_cm=500)
            fibers = ax.Fibers(model, diameter=diameter, nodes=53)
            return float(ax.Simulation(fibers, field, waveform).thresholds().values[0])

        ours = threshold("two-mode", diameter, distance, waveform)
        exact = threshold("mrg", diameter, distance, waveform)
        assert found["threshold_mA"][row] == pytest.approx(ours, rel=2e-4)
        assert found["error_pct"][row] == pytest.approx(100 * (ours / exact - 1), abs=0.03)
    assert found.summary["rows"] == 2
    quick = training.evaluate("two-mode", table, thresholds_only=True, weights=ax.Weights.load("two-mode-mrg"))
    np.testing.assert_array_equal(quick["threshold_mA"], found["threshold_mA"])
    other = training.evaluate("mrg", table, reference="two-mode", thresholds_only=True)
    np.testing.assert_allclose(other["reference_mA"], found["threshold_mA"])


def test_an_evaluation_needs_something_to_compare_with(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(TABLE)
    with pytest.raises(ax.StudyError, match="threshold_mA"):
        training.evaluate("mrg", table)
    for at in (0.0, -1.0, np.nan):
        with pytest.raises(ax.StudyError, match="factor from 1"):
            training.evaluate("two-mode", table, at=at)
    with pytest.raises(ax.StudyError, match="thresholds alone"):
        training.evaluate("two-mode", table, at=2.0, thresholds_only=True)
    with pytest.raises(ax.InputError, match="threads=-1"):
        training.evaluate("two-mode", table, threads=-1)
    study = ax.Study.from_dict({"fibers": {"model": "mrg"}, "protocol": {"kind": "threshold"}})
    with pytest.raises(ax.StudyError, match="nothing to compare with"):
        study.evaluate()
