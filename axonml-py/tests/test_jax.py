"""Thresholds as functions of JAX: derivatives under jit against differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pyaxonml as ax

jax = pytest.importorskip("jax", reason="JAX is not installed: its functions were not tested")
jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402

from pyaxonml.jax import bases_mv, places_um, thresholds  # noqa: E402

PULSE = "monophasic:pw=0.1,delay=0.1"


@pytest.fixture(scope="module")
def simulation() -> ax.Simulation:
    return ax.Simulation(ax.Fibers("mrg", diameter=[5.7, 10.0], nodes=21), None, PULSE, tstop=1.5)


def point(simulation: ax.Simulation, at: Any) -> Any:
    """The field of a point source as a user writes it."""
    x_um, y_um, z_um = places_um(simulation)
    distance = jnp.sqrt((x_um - at[0]) ** 2 + (y_um - at[1]) ** 2 + (z_um - at[2]) ** 2)
    return 1e4 * 500 / (4 * jnp.pi * distance)


def differences(function: Any, at: np.ndarray, step: float) -> np.ndarray:
    ends = [[function(at + sign * step * along) for sign in (1, -1)] for along in np.eye(len(at))]
    return np.array([(above - below) / (2 * step) for above, below in ends]).T


def test_values_are_those_of_the_simulation(three: ax.Simulation) -> None:
    ve = bases_mv(three)[:, 0]
    np.testing.assert_allclose(point(three, (1000.0, 0.0, 0.0)), ve, rtol=1e-12)
    found = jax.jit(thresholds(three))(ve)
    np.testing.assert_array_equal(found, three.thresholds(ve, resolution=1e-6).values)
    logarithms = thresholds(three.fibers, PULSE, log=True)(ve)
    np.testing.assert_allclose(np.exp(logarithms), found, rtol=1e-12)


def test_by_the_place_of_an_electrode_under_jit(simulation: ax.Simulation) -> None:
    find = thresholds(simulation, resolution=1e-12)
    at = np.array([900.0, 150.0, 120.0])

    def found(at: Any) -> Any:
        return find(point(simulation, at))

    by_place = jax.jit(jax.jacrev(found))(at)
    np.testing.assert_allclose(by_place, differences(jax.jit(found), at, 0.1), rtol=1e-4)
    total = jax.jit(jax.grad(lambda at: found(at).sum()))(at)
    np.testing.assert_allclose(total, by_place.sum(0), rtol=1e-9)


def test_by_waveforms_and_parameters_under_jit(simulation: ax.Simulation) -> None:
    find = thresholds(simulation, resolution=1e-12)
    ve = point(simulation, (1000.0, 0.0, 0.0))
    t_ms = 0.005 * np.arange(simulation.steps)
    gna = next(row["value"] for row in simulation.parameters if row["name"] == "gna")

    def found(of: Any) -> Any:
        width, relative = of
        waveform = -jnp.exp(-(((t_ms - 0.3) / width) ** 2))
        return find(ve, waveform, {"gna": relative * gna})

    at = np.array([0.1, 1.0])
    np.testing.assert_allclose(jax.jit(jax.jacrev(found))(at), differences(found, at, 1e-5), rtol=1e-4)

    def of_each(widths: Any) -> Any:
        return find(ve, -jnp.exp(-(((t_ms - 0.3) / widths[:, None]) ** 2)))

    widths = np.array([0.08, 0.12])
    by_widths = np.asarray(jax.jit(jax.jacrev(of_each))(widths))
    assert by_widths[0, 1] == by_widths[1, 0] == 0.0
    np.testing.assert_allclose(np.diag(by_widths), np.diag(differences(of_each, widths, 1e-5)), rtol=1e-4)


def test_by_gains_of_contacts_with_a_waveform_each() -> None:
    fibers = ax.Fibers("mrg", diameter=[5.7, 10.0], nodes=21)
    contacts = [ax.point_source(x=800, z=z) for z in (0, 800)]
    both = ax.Simulation(fibers, contacts, [PULSE, "monophasic:pw=0.3,delay=0.15"], tstop=1.5)
    find, bases = thresholds(both, resolution=1e-12), bases_mv(both)

    def found(gains: Any) -> Any:
        return find(gains[:, None] * bases)

    gains = np.array([1.0, 0.5])
    np.testing.assert_allclose(jax.jacrev(found)(gains), differences(found, gains, 1e-4), rtol=1e-4)


def test_candidates_by_vmap(simulation: ax.Simulation) -> None:
    find = thresholds(simulation, log=True)
    places = jnp.array([[900.0, 50.0, 80.0], [1100.0, 200.0, 50.0]])

    def loss(at: Any) -> Any:
        target, other = find(point(simulation, at))
        return target - other

    values, by_place = jax.jit(jax.vmap(jax.value_and_grad(loss)))(places)
    for at, value, by in zip(places, values, by_place, strict=True):
        alone = jax.value_and_grad(loss)(at)
        np.testing.assert_allclose(value, alone[0], rtol=1e-12)
        np.testing.assert_allclose(by, alone[1], rtol=1e-9)


def test_fibers_without_a_threshold_have_a_value_and_no_derivative(simulation: ax.Simulation) -> None:
    ve = point(simulation, (1000.0, 0.0, 0.0))
    for missing in (math.inf, math.nan, 1.0):
        find = thresholds(simulation, max_amplitude=0.15, missing=missing)
        found, pull = jax.vjp(find, ve)
        np.testing.assert_equal(float(found[0]), missing)
        (by_ve,) = pull(2 * found)
        assert (by_ve[0] == 0).all() and jnp.isfinite(by_ve[1]).all() and (by_ve[1] != 0).any()


def test_types_are_kept(simulation: ax.Simulation) -> None:
    find = thresholds(simulation)
    ve = point(simulation, (1000.0, 0.0, 0.0)).astype(jnp.float32)
    found, pull = jax.vjp(find, ve)
    assert found.dtype == jnp.float32
    assert pull(found)[0].dtype == jnp.float32


def test_what_is_wrong_is_said(simulation: ax.Simulation) -> None:
    find = thresholds(simulation)
    with pytest.raises(Exception, match="expected 2 fibers and 221 points"):
        find(jnp.ones((2, 7)))
    with pytest.raises(ax.InputError, match="has already"):
        thresholds(simulation, PULSE)
