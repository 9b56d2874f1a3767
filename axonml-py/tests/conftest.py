"""What tests share: the repository's own files, and the fibers that most of them use."""

from __future__ import annotations

from pathlib import Path

import pytest

import pyaxonml as ax

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def electrode() -> ax.Field:
    return ax.point_source(x=1000, rho_ohm_cm=500)


@pytest.fixture(scope="session")
def monophasic() -> ax.Waveform:
    return ax.pulse("monophasic", pw=0.1, delay=0.1)


@pytest.fixture(scope="session")
def three(electrode: ax.Field, monophasic: ax.Waveform) -> ax.Simulation:
    fibers = ax.Fibers("mrg", diameter=[5.7, 10.0, 14.0], nodes=53)
    return ax.Simulation(fibers, electrode, monophasic)
