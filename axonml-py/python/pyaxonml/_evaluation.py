"""Models against references: rows of a table of conditions."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from ._fibers import _native_model
from ._progress import ProgressLike
from ._study import Study, StudyResults
from ._weights import Weights, WeightsLike

#: Endings of files of torch, which studies do not read.
OF_TORCH = (".pt", ".pth", ".ckpt")


def evaluate(
    model: Any,
    conditions: str | os.PathLike[str],
    *,
    weights: WeightsLike | None = None,
    reference: Any = None,
    at: float | None = None,
    thresholds_only: bool = False,
    device: str | None = None,
    threads: int | None = None,
    progress: ProgressLike = False,
) -> StudyResults:
    """Compares a model, with weights, row by row with the thresholds of a table of conditions (``axonml help columns``).

    References are the column ``threshold_mA``, or else the exact model that a row names, or ``reference``; action potentials are
    compared at ``at`` times each threshold (1.5) unless ``thresholds_only``. Rows are in the order of the table: ``threshold_mA``,
    ``reference_mA``, ``error_pct`` and others; ``summary`` has the errors of all. Of weights in
    memory the request keeps the checksum, as of a file.
    """
    native = _native_model(model)
    group: dict[str, Any] = {"model": native if isinstance(native, str) else native.id}
    question = {"kind": "threshold"}
    study: dict[str, Any] = {"fibers": group, "conditions": {"file": os.fspath(conditions)}, "protocol": question}
    if not isinstance(native, str):
        study["model"] = [json.loads(native.to_json())]
    asked = {"reference": reference, "at": at, "thresholds_only": thresholds_only}
    machine: dict[str, Any] = {"device": device, "threads": threads, "progress": progress}
    if isinstance(weights, str | os.PathLike) and os.fspath(weights).lower().endswith(OF_TORCH):
        weights = Weights.load(weights)
    if not isinstance(weights, Weights):
        if weights is not None:
            group["weights"] = os.fspath(weights)
        return Study.from_dict(study).evaluate(**asked, **machine)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        weights.save(path)
        group["weights"] = os.fspath(path)
        return Study.from_dict(study).evaluate(**asked, **machine)
