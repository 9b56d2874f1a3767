"""Studies: to and from text, tables, parts."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import pyaxonml as ax

TEXT = """
[fibers]
diameter_um = [5.7, 10]
nodes = 53

[field]
distance_um = [500, 1000]

[protocol]
kind = "threshold"
"""


def test_a_study_has_the_bits_of_a_simulation(three: ax.Simulation) -> None:
    found = ax.Study.from_toml(TEXT).run()
    assert len(found) == 4
    assert found["threshold_mA"][3] == three.thresholds().values[1]
    assert found["status"].tolist() == ["ok"] * 4
    assert found["fiber"].dtype == np.int64
    assert json.loads(found.to_json())["results"][3]["threshold_mA"] == found["threshold_mA"][3]
    assert found.to_csv().splitlines()[0].split(",") == found.columns
    with pytest.raises(KeyError, match="threshold_mA"):
        found["threshold_nA"]


def test_progress_and_notes_are_heard(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[float] = []
    with caplog.at_level("DEBUG", "pyaxonml"):
        ax.Study.from_toml(TEXT + '[[source]]\npulse = "monophasic:pw=0.01,delay=0.1"').run(progress=heard.append)
    assert heard and heard[-1] == 1.0
    assert "less than 4 steps" in caplog.text


def test_texts_files_and_dictionaries(tmp_path: Path) -> None:
    study = ax.Study.from_toml(TEXT)
    text = study.to_toml(tmp_path / "study.toml")
    assert ax.Study.load(tmp_path / "study.toml") == study == ax.Study.from_toml(text)
    assert pickle.loads(pickle.dumps(study)) == study
    fibers = {"diameter_um": [5.7, 10], "nodes": 53}
    same = ax.Study.from_dict(
        {"fibers": fibers, "field": {"distance_um": [500, 1000]}, "protocol": {"kind": "threshold"}}
    )
    assert same == study and same.kind == "threshold"
    with pytest.raises(ax.StudyError, match="did you mean `diameter_um`"):
        ax.Study.from_toml("[fibers]\ndiametr_um = 5.7")


def test_parts_make_the_whole(tmp_path: Path) -> None:
    study = ax.Study.from_toml(TEXT)
    parts = [study.run_part(index, 2) for index in (1, 2)]
    (tmp_path / "one.json").write_text(parts[0])
    merged = ax.merge(tmp_path / "one.json", parts[1])
    np.testing.assert_array_equal(merged["threshold_mA"], study.run()["threshold_mA"])
    with pytest.raises(ax.StudyError, match="part 2/2 is missing") as caught:
        ax.merge(parts[0])
    assert caught.value.help == "compute it, then merge again"
    with pytest.raises(ax.InputError, match=r"merge\(\*parts\)"):
        ax.merge(parts)  # type: ignore[arg-type]
    with pytest.raises(ax.InputError, match="found part 0/3"):
        study.run_part(0, 3)


def test_further_tables_and_summaries() -> None:
    text = TEXT.replace('kind = "threshold"', 'kind = "recruitment"\nat_mA = 0.1').replace("[500, 1000]", "500")
    found = ax.Study.from_toml(text).run()
    assert set(found.further) == {"at", "thresholds"}
    assert len(found.table("thresholds")["threshold_mA"]) == 2
    assert isinstance(found.summary, dict) and isinstance(found.request, dict)
    with pytest.raises(ax.InputError, match="at, thresholds"):
        found.table("fits")
    xarray = pytest.importorskip("xarray")
    rows = found.to_xarray("thresholds")
    assert isinstance(rows, xarray.Dataset) and rows.sizes == {"row": 2}
    assert rows.threshold_mA.attrs == {"units": "mA"}
    np.testing.assert_array_equal(rows.threshold_mA, found.table("thresholds")["threshold_mA"])


def test_own_models_in_studies_and_simulations(tmp_path: Path) -> None:
    passive = """
    id = "squid"
    v_rest_mV = -65
    celsius = 6.3
    [param]
    cm = { value = 1, unit = "uF/cm2" }
    ra = { value = 35.4, unit = "ohm cm" }
    gna = { value = 0.12, unit = "S/cm2" }
    gk = { value = 0.036, unit = "S/cm2" }
    gl = { value = 3e-4, unit = "S/cm2" }
    [[current]]
    g = "gna*m^3*h"
    e = "50"
    [[current]]
    g = "gk*n^4"
    e = "-77"
    [[current]]
    g = "gl"
    e = "-54.3"
    [[gate]]
    name = "m"
    alpha = "exprelr(-(v+40)/10)"
    beta = "4*exp(-(v+65)/18)"
    [[gate]]
    name = "h"
    alpha = "0.07*exp(-(v+65)/20)"
    beta = "1/(1 + exp(-(v+35)/10))"
    [[gate]]
    name = "n"
    alpha = "0.1*exprelr(-(v+55)/10)"
    beta = "0.125*exp(-(v+65)/80)"
    """
    description = ax.FiberDescription.from_toml(passive)
    assert pickle.loads(pickle.dumps(description)) == description
    assert ax.FiberDescription.from_json(description.to_json()) == description
    assert ax.FiberDescription.from_toml(description.to_toml()) == description
    path = tmp_path / "squid.toml"
    path.write_text(description.to_toml())

    field, waveform = ax.point_source(500, rho_ohm_cm=500), "monophasic:pw=0.5,delay=0.1"
    values = [
        ax.Simulation(ax.Fibers(model, diameter=10.0, nodes=201, compartment_um=50.0), field, waveform, tstop=10.0)
        .thresholds(resolution=1e-3)
        .values
        for model in (description, path)
    ]
    np.testing.assert_array_equal(values[0], values[1])
    assert np.isfinite(values[0]).all()
    with pytest.raises(ax.ModelError, match=r"gnax|unknown"):
        ax.FiberDescription.from_toml(passive.replace('g = "gl"', 'g = "gnax"'))


# ---- simulations as studies ----------------------------------------------------------------------------------------


def test_a_simulation_as_a_study_has_the_same_answers(root: Path) -> None:
    fibers = ax.Fibers("mrg", diameter=[10.0, 6.0, 6.0], nodes=[53, 53, 61], x=100, offset=200.0)
    field = [ax.point_source(x=1000, z=at, rho_ohm_cm=(500, 300)) for at in (0.0, 1000.0)]
    pulses = [ax.pulse("biphasic", pw=0.2).scaled(0.5), -ax.pulse("monophasic", pw=0.1)]
    simulation = ax.Simulation(
        fibers, field, pulses, parameters={"gl": 0.006}, detect=ax.Detection(at=[0.9]), precision="f32", tstop=3.0
    )
    study = simulation.study(search={"resolution": 1e-5})
    assert ax.Study.from_toml(study.to_toml()) == study
    found, expected = study.run(), simulation.thresholds(resolution=1e-5)
    np.testing.assert_array_equal(found["threshold_mA"], expected.threshold_mA)
    np.testing.assert_array_equal(found["start_node"], expected.start_node)

    nerve = ax.Nerve.load(root / "examples/nerves/N1")
    cuff = nerve.field([1.0, -0.5, 0.0, -0.5, 0.0, 0.0])
    among = ax.Simulation(nerve.fibers(diameter=10.0, nodes=53), cuff, ax.pulse("monophasic"))
    np.testing.assert_array_equal(among.study().run()["threshold_mA"], among.thresholds().threshold_mA)

    weighted = ax.Simulation(
        ax.Fibers("mrg", diameter=[10.0, 12.0, 14.0], nodes=[53, 53, 61], weight=[1.0, 1.0, 9.0]),
        ax.point_source(x=1000),
        ax.pulse("monophasic"),
    )
    for one in (weighted, simulation):
        curve = one.study("recruitment").run()
        mine = curve["of"] == "all"
        np.testing.assert_allclose(
            one.recruitment().at(curve["amplitude_mA"][mine]), curve["fraction"][mine], rtol=1e-12
        )

    inside = ax.Simulation(ax.Fibers("mrg", diameter=10.0, nodes=53), inject=ax.inject(26, pw=0.2, at=0.1))
    np.testing.assert_array_equal(inside.study().run()["threshold_nA"], inside.thresholds().threshold_nA)

    counts = simulation.study("response", amplitude_mA=[0.1, 0.4]).run()
    np.testing.assert_array_equal(counts["n_ap"].reshape(3, 2), simulation.response([0.1, 0.4]).n_ap)


def test_what_a_study_has_no_words_for_is_refused(electrode: ax.Field, root: Path) -> None:
    fibers, pulse = ax.Fibers("mrg", diameter=[10.0, 6.0], nodes=53), ax.pulse("monophasic")
    nerve = ax.Nerve.load(root / "examples/nerves/N1")
    apart = ax.Fibers("mrg", diameter=10.0, nodes=53, x=[0.0, 10.0])
    for simulation, message in [
        (ax.Simulation(fibers, electrode, pulse, signed=True), "signs"),
        (ax.Simulation(fibers, ax.Field(lambda x, y, z: 1e3 / np.hypot(1e3, z)), pulse), "FunctionField"),
        (ax.Simulation(apart, electrode, pulse), "different places"),
        (ax.Simulation(fibers, electrode, ax.Waveform(np.ones(9), dt=0.005)), "waveform of values"),
        (ax.Simulation(fibers, electrode, [pulse, -pulse]), "waveform for every fiber"),
        (ax.Simulation(fibers, inject=ax.inject(3, [1.0, 2.0])), "one for each fiber"),
        (
            ax.Simulation(fibers, electrode, pulse, synapse=None, weights=ax.Weights.published("mrg")),
            "weights in memory",
        ),
        (ax.Simulation(fibers, [electrode, ax.point_source(x=500, sigma=1.0)], pulse), "several media"),
        (
            ax.Simulation(nerve.fibers(diameter=5.0, nodes=53, weight=2.0), nerve.field([1] * 6), pulse),
            "weights of lines",
        ),
        (ax.Simulation(nerve.fibers(diameter=np.linspace(5, 6, 12), nodes=53), nerve.field([1] * 6), pulse), "lines"),
    ]:
        with pytest.raises(ax.InputError, match=message):
            simulation.study()
