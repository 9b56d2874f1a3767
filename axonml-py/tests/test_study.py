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


def test_further_tables_and_summaries() -> None:
    text = TEXT.replace('kind = "threshold"', 'kind = "recruitment"\nat_mA = 0.1').replace("[500, 1000]", "500")
    found = ax.Study.from_toml(text).run()
    assert set(found.further) == {"at", "thresholds"}
    assert len(found.table("thresholds")["threshold_mA"]) == 2
    assert isinstance(found.summary, dict) and isinstance(found.request, dict)
    with pytest.raises(ax.InputError, match="at, thresholds"):
        found.table("fits")


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
