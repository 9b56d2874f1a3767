"""Functions of users on their way to another process."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

_F = TypeVar("_F", bound=Callable[..., Any])

#: Packages that pickle functions by what they do, not by their name: joblib brings one of them along.
BY_VALUE = ("cloudpickle", "joblib.externals.cloudpickle")


class Portable:
    """A function that pickles: by its name where it has one, else by cloudpickle, where that is installed."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __deepcopy__(self, memo: object) -> Portable:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        try:
            pickle.dumps(self.function)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            return pickle.loads, (_by_value(self.function, error),)
        # Whoever pickles decides how: cloudpickle sends functions of scripts, which others cannot import.
        return _unchanged, (self.function,)


def _unchanged(function: _F) -> _F:
    return function


def _by_value(function: Callable[..., Any], error: Exception) -> bytes:
    for name in BY_VALUE:
        try:
            dumped: bytes = import_module(name).dumps(function)
        except ImportError:
            continue
        return dumped
    raise pickle.PicklingError(
        f"found {function!r}, which cannot be pickled ({error})\n"
        "help: define the function with `def` at the top of a module that other processes can import, or pip install cloudpickle"
    ) from error
