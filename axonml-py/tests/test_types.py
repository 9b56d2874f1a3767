"""Stubs are those of the native module, and the package is typed, tidy and documented by examples that hold."""

from __future__ import annotations

import doctest
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import pyaxonml as ax

PACKAGE = Path(__file__).resolve().parents[1]


def run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=PACKAGE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_stubs_are_those_of_the_native_module() -> None:
    run("mypy.stubtest", "pyaxonml._native")


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_the_package_is_typed() -> None:
    run("mypy")


@pytest.mark.skipif(importlib.util.find_spec("ruff") is None, reason="ruff is not installed")
def test_the_package_is_tidy() -> None:
    run("ruff", "check", ".")
    run("ruff", "format", "--check", ".")


def test_examples_hold() -> None:
    failed, tried = doctest.testmod(ax)
    assert tried > 0 and failed == 0
