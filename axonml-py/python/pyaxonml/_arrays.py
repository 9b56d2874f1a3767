"""Arrays as users give them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import InputError


def as_array(given: Any, what: str, axes: tuple[int, ...]) -> np.ndarray:
    """An array in the precision and the place that it has; anything else as NumPy understands it."""
    array = given if isinstance(given, np.ndarray) else np.asarray(given)
    if array.dtype not in (np.float32, np.float64):
        if array.dtype.kind == "c":
            raise InputError(f"found {what} that are complex, expected real numbers")
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"found {what} of type {array.dtype}, expected numbers") from error
    if array.ndim not in axes:
        expected = " or ".join(str(n) for n in axes)
        raise InputError(f"found {what} of shape {array.shape}, expected {expected} axes")
    return array


def spread(given: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Numbers of a shape, from fewer."""
    try:
        return np.broadcast_to(np.asarray(given, dtype=np.float64), shape)
    except (TypeError, ValueError) as error:
        raise InputError(f"found {what} of shape {np.shape(given)}, expected one or {list(shape)} numbers") from error
