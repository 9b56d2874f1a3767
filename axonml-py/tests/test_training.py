"""Training sets and trainings: kept, resumed, and used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyaxonml as ax
from pyaxonml.training import Dataset, recipe, train

RECIPE = """
seed = 3
count = 5
nodes = 21
tstop_ms = 0.6

[[fields]]
kind = "point"
distance_um = { low = 250, high = 1000 }

[[pulses]]
shape = "monophasic"
amplitude_ma = { low = 0.05, high = 0.5 }
pw = { low = 0.05, high = 0.2 }
delay_ms = { low = 0.05, high = 0.1 }
"""

CONFIG = """
model = "smf"
save_dir = "{folder}"
save_every = 1
set = {{ gl = 0.08, el = -80.9 }}
postfix = ["gnabar"]

[train]
folder = "{data}"

[[stage]]
kind = "trajectory"
epochs = 3
batch = 5
learning_rate = 0.01
"""


def test_a_set_is_what_simulations_say(tmp_path: Path) -> None:
    parts: list[float] = []
    options = {"states": ["v", "m"], "every": 2, "shard": 2}
    made = Dataset.generate(RECIPE, tmp_path / "set", progress=parts.append, **options)
    assert len(made) == 5 and made.model == "mrg" and made.states == ["v", "m"]
    assert parts[-1] == 1.0
    assert "5 fibers of mrg" in repr(made)
    one = made.fiber(1)
    assert one["states"].shape == (len(made.t_ms), 2, 21)
    # The fiber once more, by its potentials at the nodes: those of a point source in 500 ohm cm.
    (potentials,), (current,) = one["basis_mV_per_mA"], one["waveforms_mA"]
    distances = 1e4 * 500 / (4 * np.pi) / potentials
    across = np.sqrt(distances**2 - one["node_z_um"] ** 2)
    np.testing.assert_allclose(across, across[0], rtol=1e-3)
    assert 250 <= across[0] <= 1000
    simulation = ax.Simulation(
        ax.Fibers("mrg", diameter=one["diameter_um"], nodes=21, offset=float(one["node_z_um"][10])),
        ax.point_source(float(across[0])),
        ax.Waveform(current.astype(float), dt=0.005),
        tstop=0.6,
    )
    run = simulation.run(1.0, record=["v", "m"], every=2)
    # Sets hold single precision: the distance and the currents read from it move a spike by less than 0.5 us.
    np.testing.assert_allclose(one["states"][:, 0], run.v[0], atol=0.2)
    np.testing.assert_allclose(one["states"][:, 1], run["m"][0], atol=2e-3)
    again = Dataset.generate(RECIPE, tmp_path / "set", **options)
    np.testing.assert_array_equal(again.fiber(1)["states"], one["states"])
    with pytest.raises(ax.TrainingError, match="seed"):
        Dataset.generate(RECIPE.replace("seed = 3", "seed = 4"), tmp_path / "set", **options)
    with pytest.raises(ax.InputError, match="has 5"):
        made.fiber(5)


def test_recipes_are_completed_and_checked() -> None:
    assert "pulses" in recipe()
    assert "nodes = 21" in recipe(RECIPE)
    with pytest.raises(ax.TrainingError, match="conut"):
        recipe(RECIPE.replace("count", "conut"))
    with pytest.raises(ax.InputError, match="cannot read"):
        recipe("nowhere.toml")


def test_a_training_ends_with_weights_and_goes_on(tmp_path: Path) -> None:
    Dataset.generate(RECIPE, tmp_path / "set")
    text = CONFIG.format(folder=tmp_path / "run", data=tmp_path / "set")
    heard: list[dict[str, float]] = []
    done = train(text, on_step=heard.append)
    assert done.step == done.steps == 3 and done.best is None
    assert [row["step"] for row in heard] == [1.0, 2.0, 3.0] and heard[-1]["loss"] < heard[0]["loss"]
    assert heard[0]["gnabar"] > 0
    fibers = ax.Fibers("smf", diameter=10.0, nodes=21)
    simulation = ax.Simulation(
        fibers, ax.point_source(1000), "monophasic:pw=0.1,delay=0.1", weights=str(done.weights), tstop=1.0
    )
    assert simulation.run(0.1).status[0] == "ok"
    with pytest.raises(ax.TrainingError, match="holds a training already"):
        train(text)
    # Interrupted after a step, and resumed: the same bytes.
    parts = text.replace(str(tmp_path / "run"), str(tmp_path / "parts"))

    def stop(row: dict[str, float]) -> None:
        if row["step"] == 1.0:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        train(parts, on_step=stop)
    resumed = train(parts, resume=True)
    assert resumed.step == 3
    assert resumed.weights.read_bytes() == done.weights.read_bytes()


def test_values_of_keys_are_set(tmp_path: Path) -> None:
    Dataset.generate(RECIPE, tmp_path / "set")
    text = CONFIG.format(folder=tmp_path / "run", data=tmp_path / "set")
    done = train(text, set={"stage.0.epochs": 1, "save_dir": tmp_path / "other", "freeze": ["ek"]})
    assert done.step == 1 and done.folder == tmp_path / "other"
    with pytest.raises(ax.TrainingError, match="epochz"):
        train(text, set={"stage.0.epochz": 1})


class Squid(ax.Fiber):
    """A squid axon whose conductances are trained."""

    id = "squid-to-train"
    start_mv, celsius = -65, 6.3
    diameter_um = (0.1, 1000)

    gna: ax.Param = ax.param(0.12, "S/cm2", train="factor")
    gk: ax.Param = ax.param(0.036, "S/cm2", train="factor")
    gl: ax.Param = ax.param(0.0003, "S/cm2")
    cm: ax.Param = ax.param(1, "uF/cm2")
    ra: ax.Param = ax.param(100, "ohm cm")

    def membrane(self, x: ax.Patch) -> Iterator[ax.MembranePart]:
        """Hodgkin & Huxley 1952."""

        def fall(per_mv: float) -> ax.Symbol:
            return ax.exp(ax.minimum(-(x.v + 65) / per_mv, 60))

        yield ax.Ohmic(self.gna * x.m**3 * x.h, 50)
        yield ax.Ohmic(self.gk * x.n**4, -77)
        yield ax.Ohmic(self.gl, -54.3)
        q = x.q10(3, 6.3)
        yield ax.Gate("m", q * ax.exprelr(-(x.v + 40) / 10), q * 4 * fall(18))
        yield ax.Gate("h", q * 0.07 * fall(20), q * ax.sigmoid((x.v + 35) / 10))
        yield ax.Gate("n", q * 0.1 * ax.exprelr(-(x.v + 55) / 10), q * 0.125 * fall(80))


SQUIDS = "diameter_um = { low = 0.5, high = 2 }" + RECIPE.replace("250", "60").replace("1000", "200")


@pytest.mark.parametrize("own", [Squid, Squid(), Squid()._description()], ids=["class", "instance", "description"])
def test_a_fiber_of_ones_own_is_target_and_trainee(own: Any, tmp_path: Path) -> None:
    options = {"states": ["v", "m"], "every": 4}
    made = Dataset.generate(SQUIDS, tmp_path / "set", model=own, **options)
    assert made.model == "squid-to-train"
    # The bundled twin has the same equations, and its traces are the same bits.
    twin = Dataset.generate(SQUIDS, tmp_path / "twin", model="hh", **options)
    np.testing.assert_array_equal(made.fiber(1)["states"], twin.fiber(1)["states"])
    with pytest.raises(ax.TrainingError, match=r"param\.gna\.value` is 0\.12 there, but 0\.13"):
        Dataset.generate(SQUIDS, tmp_path / "set", model=Squid(gna=0.13), **options)

    text = CONFIG.format(folder=tmp_path / "run", data=tmp_path / "set")
    text = text.replace("set = { gl = 0.08, el = -80.9 }", "set = { gna = 0.1 }").replace("gnabar", "gna")
    done = train(text, model=own)
    found = {
        name: ax.Simulation(
            ax.Fibers(own, diameter=1.0, nodes=41),
            ax.point_source(100, rho_ohm_cm=500),
            "monophasic:pw=0.1,delay=0.1",
            weights=name,
            tstop=3,
        )
        .thresholds()
        .threshold_mA[0]
        for name in (str(done.weights), "published")
    }
    assert found[str(done.weights)] != found["published"]
    with pytest.raises(ax.TrainingError, match=r"begun with model\.param\.gk\.value = 0\.036, but 0\.04 is requested"):
        train(text, model=Squid(gk=0.04), resume=True)
    # The bundled twin trained by name: the same numbers.
    same = train(
        text.replace('model = "smf"', 'model = "hh"\nto_train = ["gna", "gk"]'), set={"save_dir": tmp_path / "hh"}
    )
    losses = [(run / "log.csv").read_text() for run in (done.folder, same.folder)]
    assert losses[0] == losses[1]


def test_a_recipe_has_a_fiber_as_a_table(tmp_path: Path) -> None:
    text = recipe(SQUIDS, model=Squid)
    assert 'id = "squid-to-train"' in text
    assert recipe(text) == text
    Squid().to_toml(tmp_path / "squid.toml")
    (tmp_path / "recipe.toml").write_text('model = "squid.toml"\n' + SQUIDS)
    assert recipe(tmp_path / "recipe.toml") == text
    with pytest.raises(ax.TrainingError, match=r"cannot read .*absent\.toml"):
        recipe('model = "absent.toml"\n' + SQUIDS)
    with pytest.raises(ax.TrainingError, match="did you mean `sundt`"):
        recipe(SQUIDS, model="sunt")
