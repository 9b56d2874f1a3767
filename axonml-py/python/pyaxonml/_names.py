"""Hints for names that do not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that ``name`` was most likely meant to be, or None; capitals do not matter."""
    spelled: dict[str, str] = {}
    for candidate in candidates:
        spelled.setdefault(candidate.lower(), candidate)
    near = difflib.get_close_matches(name.lower(), spelled, n=1)
    return spelled[near[0]] if near else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """The end of a message: a question for the nearest candidate, empty if none is near."""
    near = nearest(name, candidates)
    return "" if near is None else f"; did you mean `{near}`?"
