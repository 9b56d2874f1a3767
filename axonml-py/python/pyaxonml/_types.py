"""Types of what the native module gives back."""

from __future__ import annotations

from typing import Any, TypeAlias, TypedDict

import numpy as np

#: Results by name: arrays, or lists of words.
Columns: TypeAlias = dict[str, Any]


class Extents(TypedDict):
    """Extents of fibers, and how long runs must be."""

    nodes: np.ndarray
    spacing_um: np.ndarray
    ends_driven: np.ndarray
    tstop_ms: float
