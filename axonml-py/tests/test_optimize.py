"""Selective stimulation: against montages, limits and the same study in other words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyaxonml as ax

N2 = Path(__file__).parents[2] / "examples" / "nerves" / "N2"
QUICK: dict[str, Any] = {
    "nodes": 15,
    "gd": {"steps": 2, "starts": 1},
    "robust": {"copies": 0},
    "numerics": {"tstop_ms": 1.5},
    "protocol": {"baselines": False},
}


def test_finds_what_obeys_limits_and_goes_on(tmp_path: Path) -> None:
    limits = ax.Limits(bound=0.3, sum_zero=True, dac=0.01, max_contacts=4, frozen={0: 0.0})
    parts: list[float] = []
    found = ax.optimize(N2, limits=limits, folder=tmp_path / "kept", progress=parts.append, **QUICK)
    amplitudes = found.amplitudes_mA
    assert amplitudes.shape == (6,) and amplitudes[0] == 0.0
    assert np.abs(amplitudes).max() <= 0.3 + 1e-9 and abs(amplitudes.sum()) < 1e-9
    assert np.count_nonzero(amplitudes) <= 4
    np.testing.assert_allclose(amplitudes / 0.01, np.round(amplitudes / 0.01), atol=1e-7)
    assert parts and 0 < max(parts) <= 1
    assert 0 <= found.misclassified <= 1 and found.results[0]["nerve"] == "N2"
    assert "separation" in dir(found) and "N2 by gd" in repr(found)
    again = ax.optimize(N2, limits=limits, folder=tmp_path / "kept", resume=True, **QUICK)
    np.testing.assert_array_equal(again.amplitudes_mA, amplitudes)


def test_a_study_and_flags_of_targets_say_the_same() -> None:
    nerve = ax.Nerve.load(N2)
    assert nerve.target is not None
    by_flags = ax.optimize(
        nerve, "scan", targets=nerve.target, nodes=15, robust={"copies": 0}, numerics={"tstop_ms": 1.5}
    )
    study = ax.Study.from_dict(
        {
            "fibers": {"nodes": 15},
            "field": {"nerve": str(N2)},
            "protocol": {"kind": "optimize", "method": "scan"},
            "robust": {"copies": 0},
            "numerics": {"tstop_ms": 1.5},
        }
    )
    of_study = ax.optimize(study)
    np.testing.assert_array_equal(by_flags.amplitudes_mA, of_study.amplitudes_mA)
    assert by_flags.separation == of_study.separation
    # Montages are never better than the best of them.
    baselines = of_study.baselines
    assert min(one["misclassified"] for one in baselines.values()) >= of_study.misclassified


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(ax.InputError, match="resume=True without a folder"):
        ax.optimize(N2, resume=True)
    with pytest.raises(ax.InputError, match="expected tables of a study"):
        ax.optimize(N2, steps={"steps": 3})
    with pytest.raises(ax.InputError, match="as an argument"):
        ax.optimize(N2, nodes=15, fibers={"nodes": 21})
    with pytest.raises(ax.InputError, match="one flag"):
        ax.optimize(N2, targets=[0.5, 1.0])
    with pytest.raises(ax.AxonmlError, match=r"sum.zero|contacts"):
        ax.optimize(N2, limits=ax.Limits(sum_zero=True, max_contacts=1), **QUICK)
    study = ax.Study.from_dict({"field": {"nerve": str(N2)}, "protocol": {"kind": "optimize"}})
    with pytest.raises(ax.InputError, match=r"pyaxonml\.optimize"):
        study.run()
    with pytest.raises(ax.InputError, match="says itself"):
        ax.optimize(study, nodes=15)
