"""Against NEURON, and against the command line's studies: the same bits."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import pyaxonml as ax


def table(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def numbers(rows: dict[str, list[str]], name: str) -> np.ndarray:
    return np.array([float(text) for text in rows[name]])


@pytest.fixture(scope="module")
def golden(root: Path) -> dict[str, list[str]]:
    return table(root / "golden/neuron/thresholds_mrg.csv")


@pytest.fixture(scope="module")
def batched(golden: dict[str, list[str]]) -> ax.Thresholds:
    """All conditions in one call: each fiber with a place, a diameter and a pulse of its own."""
    fibers = ax.Fibers("mrg", diameter=numbers(golden, "diameter_um"), nodes=numbers(golden, "n_nodes"))
    field = ax.point_source(numbers(golden, "distance_um"), z=numbers(golden, "z_offset_um"), rho_ohm_cm=500)
    pulses = [
        ax.Waveform.shape(shape, float(pw), float(delay))
        for shape, pw, delay in zip(golden["shape"], golden["pw_ms"], golden["delay_ms"], strict=True)
    ]
    return ax.Simulation(fibers, field, pulses, tstop=5.0).thresholds()


def test_thresholds_are_neurons(golden: dict[str, list[str]], batched: ax.Thresholds) -> None:
    assert len(batched) == 172
    error = np.abs(batched.values / numbers(golden, "threshold_mA") - 1.0)
    # The searches end in brackets of 1e-4 here, of 3e-5 there.
    assert error.max() < 2e-4


def test_one_call_has_the_bits_of_a_study_of_the_table(root: Path, batched: ax.Thresholds) -> None:
    conditions = {"file": str(root / "golden/neuron/thresholds_mrg.csv")}
    study = ax.Study.from_dict({"conditions": conditions, "protocol": {"kind": "threshold"}})
    found = study.run()
    np.testing.assert_array_equal(found["threshold_mA"], batched.values)
    np.testing.assert_array_equal(found["lower_mA"], batched.lower_mA)
    np.testing.assert_array_equal(found["start_node"], batched.start_node)


def test_a_nerves_fields_are_those_of_the_folder(root: Path) -> None:
    rows = table(root / "golden/nerves/N1.csv")
    nerve = ax.Nerve.load(root / "examples/nerves/N1")
    first = [
        at
        for at, (contacts, shape) in enumerate(zip(rows["contacts"], rows["shape"], strict=True))
        if contacts == rows["contacts"][0] and shape == "mono" and rows["pw_ms"][at] == rows["pw_ms"][0]
    ]
    lines = np.array([int(rows["fibre"][at]) for at in first])
    assert len(set(lines)) >= 3
    contacts = [float(factor) for factor in rows["contacts"][0].split(",")]
    diameters = numbers(rows, "diameter_um")[first]
    nodes = numbers(rows, "n_nodes")[first]
    ve = sum(factor * nerve.potentials_mv(contact) for contact, factor in enumerate(contacts))
    fibers = ax.Fibers("mrg", diameter=diameters, nodes=nodes)
    field = ax.Field.sampled(nerve.z_um, np.asarray(ve)[lines])
    pulse = ax.Waveform.shape("mono", float(rows["pw_ms"][0]), 0.1)
    found = ax.Simulation(fibers, field, pulse, tstop=5.0).thresholds()
    error = np.abs(found.values / numbers(rows, "threshold_mA")[first] - 1.0)
    assert error.max() < 5e-3
