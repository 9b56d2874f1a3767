"""Arrays as users give them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .errors import InputError

#: More nodes than a fiber can have.
MOST_NODES = 2**31


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
    if np.iscomplexobj(given):
        raise InputError(f"found {what} that are complex, expected real numbers")
    try:
        return np.broadcast_to(np.asarray(given, dtype=np.float64), shape)
    except (TypeError, ValueError) as error:
        raise InputError(f"found {what} of {kind_of(given)}, expected one or {list(shape)} numbers") from error


def kind_of(given: Any) -> str:
    """What was given, for messages: its shape, or its type."""
    try:
        return f"shape {np.shape(given)}"
    except ValueError:
        return f"type {type(given).__name__}"


def whole(given: Any, what: str) -> int:
    """A whole number."""
    try:
        return operator.index(given)
    except TypeError:
        if isinstance(given, float | np.floating) and float(given).is_integer():
            return int(given)
        raise InputError(f"found {what}={given!r}, expected a whole number") from None


def node_index(given: Any, what: str = "node") -> int:
    """The index of a node, negative ones from the end."""
    index = whole(given, what)
    if abs(index) > MOST_NODES:
        raise InputError(f"found {what}={index}, expected a node of a fiber, negative ones from the end")
    return index
