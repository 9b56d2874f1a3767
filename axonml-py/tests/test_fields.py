"""Ways to give a field: all of them come to the same potentials."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import pyaxonml as ax


def potential(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """That of a point source of 500 ohm cm at (1000, 0, 0) um, mV per mA, by hand."""
    return 500.0 * 1e4 / (4.0 * math.pi * np.sqrt((x - 1000.0) ** 2 + y**2 + z**2))


def test_a_function_is_called_once_with_all_places(three: ax.Simulation, monophasic: ax.Waveform) -> None:
    calls = []

    def field(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        calls.append(z.shape)
        return potential(x, y, z)

    found = ax.Simulation(three.fibers, ax.Field(field), monophasic).thresholds()
    assert calls == [(sum(len(three.sample_points(fiber)) for fiber in range(3)),)]
    np.testing.assert_allclose(found.values, three.thresholds().values, rtol=2e-4)


def test_places_of_fibers_shift_functions_and_electrodes_alike(monophasic: ax.Waveform) -> None:
    fibers = ax.Fibers("mrg", diameter=10.0, nodes=53, x=[0.0, 300.0], y=[50.0, -20.0], offset=[0.0, 250.0])
    of_function = ax.Simulation(fibers, ax.Field(potential), monophasic).thresholds()
    of_electrode = ax.Simulation(fibers, ax.point_source(1000, rho_ohm_cm=500), monophasic).thresholds()
    np.testing.assert_allclose(of_function.values, of_electrode.values, rtol=2e-4)
    assert of_electrode.values[1] < of_electrode.values[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", ["C", "F", "memmap", "strided", "list"])
def test_arrays_of_any_layout(three: ax.Simulation, tmp_path: Path, dtype: type, layout: str) -> None:
    ve = np.stack([potential(np.float64(0), np.float64(0), three.sample_points(fiber)) for fiber in range(3)]).astype(
        dtype
    )
    expected = three.thresholds(ve.astype(np.float64)).values
    given: object = ve
    if layout == "F":
        given = np.asfortranarray(ve)
    elif layout == "strided":
        given = np.repeat(ve, 2, axis=1)[:, ::2]
    elif layout == "list":
        given = list(ve)
    elif layout == "memmap":
        mapped = np.memmap(tmp_path / "ve", dtype=dtype, mode="w+", shape=ve.shape)
        mapped[:] = ve
        given = mapped
    np.testing.assert_array_equal(three.thresholds(given).values, expected)
    np.testing.assert_allclose(expected, three.thresholds().values, rtol=2e-4)


class Tensor:
    """What a tensor of another library is: an object that NumPy can read."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self.array


def test_objects_with_an_array_go_in(three: ax.Simulation) -> None:
    ve = np.stack([potential(np.float64(0), np.float64(0), three.sample_points(fiber)) for fiber in range(3)])
    np.testing.assert_array_equal(three.thresholds(Tensor(ve)).values, three.thresholds(ve).values)


def test_bases_are_weighted_or_have_waveforms_of_their_own(three: ax.Simulation, monophasic: ax.Waveform) -> None:
    at = [three.sample_points(fiber) for fiber in range(3)]
    bases = np.stack([[potential(np.float64(0), np.float64(0), z + shift) for shift in (0.0, 800.0)] for z in at])
    weighted = ax.Simulation(three.fibers, ax.Field.bases(bases, contacts=[1.0, -0.5]), monophasic)
    each = ax.Simulation(three.fibers, ax.Field.bases(bases), [monophasic, monophasic.scaled(-0.5)])
    np.testing.assert_allclose(weighted.thresholds().values, each.thresholds().values, rtol=2e-4)
    with pytest.raises(ax.InputError, match="1 waveforms for the 2 sources"):
        ax.Simulation(three.fibers, ax.Field.bases(bases), [monophasic])


def test_space_time_potentials_are_shape_times_waveform(three: ax.Simulation, monophasic: ax.Waveform) -> None:
    one = ax.Fibers("mrg", diameter=10.0, nodes=53)
    shape = potential(np.float64(0), np.float64(0), three.sample_points(1))
    in_time = np.outer(monophasic.sample(0.005, 5.0), shape)
    found = ax.Simulation(one, ax.Field.space_time(in_time), tstop=5.0).thresholds()
    np.testing.assert_allclose(found.values, three.thresholds().values[1:2], rtol=2e-4)
    with pytest.raises(ax.InputError, match="space and time"):
        ax.Simulation(one, ax.Field.space_time(in_time), monophasic).thresholds()


def test_lines_refuse_to_extrapolate(monophasic: ax.Waveform) -> None:
    z = np.linspace(-20e3, 20e3, 801)
    line = ax.Field.sampled(z, potential(np.float64(0), np.float64(0), z))
    fits = ax.Simulation(ax.Fibers("mrg", diameter=5.7), line, monophasic)
    assert fits.nodes[0] <= 81
    exact = ax.Simulation(ax.Fibers("mrg", diameter=5.7), ax.point_source(1000, rho_ohm_cm=500), monophasic)
    np.testing.assert_allclose(fits.thresholds().values, exact.thresholds().values, rtol=1e-3)
    with pytest.raises(ax.AxonmlError, match=r"beyond|reaches|line"):
        ax.Simulation(ax.Fibers("mrg", diameter=5.7, nodes=201), line, monophasic).thresholds()


def test_nerves(root: Path, monophasic: ax.Waveform) -> None:
    nerve = ax.Nerve.load(root / "examples/nerves/N1")
    fibers = nerve.fibers("mrg", diameter=10.0)
    assert len(fibers) == len(nerve)
    factors = np.eye(nerve.contacts)[0] - np.eye(nerve.contacts)[3]
    one = ax.Simulation(fibers, nerve.field(factors), monophasic)
    curve = one.recruitment()
    assert curve.fraction[-1] == pytest.approx(1.0)
    assert curve.at(0.0) == 0.0
    waveforms = [monophasic.scaled(factor) for factor in factors]
    each = ax.Simulation(fibers, nerve.field(), waveforms)
    np.testing.assert_allclose(each.thresholds().values, one.thresholds().values, rtol=2e-4)
    with pytest.raises(ax.NerveError):
        ax.Nerve.load(root / "golden")
