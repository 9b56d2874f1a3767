"""Parameters of a PyTorch state dict of AxonML's surrogate."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ...errors import InputError

#: The three-point weights of both channels, [1, 2, 3]: membrane potential, extracellular potential.
COUPLING = "ssd.weight"
#: The circle number, which AxonML trains as well where everything is trained.
PI = "pi"


def parameters_of(state_dict: Mapping[str, Any], names: Iterable[str]) -> dict[str, float]:
    """The library's parameters; all ``names`` beside those of the coupling must be there, and no other."""
    coupling = ("v_neighbor", "v_center", "ve_neighbor", "ve_center")
    expected = [name for name in names if name not in coupling]
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in state_dict.items()}
    for name in arrays:
        if name not in (*expected, COUPLING, PI):
            near = difflib.get_close_matches(name, [*expected, COUPLING], n=1, cutoff=0.0)
            raise InputError(
                f"the state dict has `{name}`, which is no parameter of the surrogate", f"the nearest is {near[0]}"
            )
    missing = [name for name in (*expected, COUPLING) if name not in arrays]
    if missing:
        raise InputError(f"the state dict has no {', '.join(missing)}")
    for name, array in arrays.items():
        shape = (1, 2, 3) if name == COUPLING else array.shape[:0]
        if array.shape not in (shape, (1,) if name == PI else shape) or not np.isfinite(array).all():
            raise InputError(f"the state dict's `{name}` has shape {array.shape} or is not finite, expected {shape}")
    found = {name: float(arrays[name]) for name in expected}
    # Only the symmetric part of the weights acts.
    for channel, weights in zip(("v", "ve"), arrays[COUPLING][0], strict=True):
        found[f"{channel}_neighbor"] = float(weights[0] + weights[2]) / 2
        found[f"{channel}_center"] = float(weights[1])
    # A trained pi acts on the nodes' area and the axial resistance alone.
    pi = float(arrays[PI].reshape(())) / math.pi if PI in arrays else 1.0
    if abs(pi - 1) > 1e-6:
        for name in ("noded1", "noded2", "noded3"):
            found[name] *= pi
        found["rhoa"] /= pi
    return found
