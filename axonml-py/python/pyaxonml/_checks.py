"""Checks of what users give: the kind of a value, with its place in messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import SupportsFloat

from .errors import FiberError
from .symbols import finite


def number(place: str, value: object) -> float:
    """A finite number.

    Raises:
        FiberError: it is something else.
    """
    if isinstance(value, bool | str) or not isinstance(value, SupportsFloat):
        raise FiberError(f"{place}: found {value!r}, expected a number")
    try:
        return finite(value)
    except (FiberError, TypeError, ValueError) as error:
        raise FiberError(f"{place}: {error}") from error


def text(place: str, value: object) -> str:
    """Text.

    Raises:
        FiberError: it is something else.
    """
    if not isinstance(value, str):
        raise FiberError(f"{place}: found {value!r}, expected text")
    return value


def pair(place: str, value: object) -> list[float]:
    """Two finite numbers: the least and the largest value.

    Raises:
        FiberError: it is something else.
    """
    ends = [number(place, end) for end in value] if isinstance(value, Iterable) else []
    if len(ends) != 2:
        raise FiberError(f"{place}: found {value!r}, expected the least and the largest")
    return ends
