"""States of fibers: runs begin with them, end with them, and are looked at on their way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ._arrays import spread
from ._results import Result

#: Called with the state of a run; returns none, or the state to go on from.
OnState = Callable[["FiberStates"], "FiberStates | None"]


class FiberStates(Result):
    """The state of all fibers of a simulation at ``t_ms``.

    ``v`` (mV) and the model's variables by name are ``[fiber, node]``, ``modes`` (nA) are the charges of the internodes, ``[fiber,
    mode]``, of which models without internodes have none. Where a fiber has no such node there is NaN, and nothing but NaN of fibers that
    diverged. The arrays may be written to.
    """

    def __init__(self, t_ms: float, columns: Mapping[str, np.ndarray], coordinates: Mapping[str, np.ndarray]) -> None:
        dims = {name: ("fiber", "mode" if name == "modes" else "node") for name in columns}
        super().__init__(columns, coordinates, dims)
        self.t_ms = float(t_ms)

    def __setattr__(self, name: str, value: Any) -> None:
        if "t_ms" in self.__dict__ and name not in (*self.columns, "t_ms"):
            raise AttributeError(f"found no `{name}` in the state, but: {', '.join((*self.columns, 't_ms'))}")
        super().__setattr__(name, value)

    def at(self, t_ms: float) -> FiberStates:
        """A copy at another time: a run that begins with ``state.at(0)`` sees its waveforms from their beginning."""
        return FiberStates(t_ms, {name: array.copy() for name, array in self.columns.items()}, self.coordinates)

    def copy(self) -> FiberStates:
        """The same with arrays of its own."""
        return self.at(self.t_ms)

    @classmethod
    def _of(cls, found: Mapping[str, Any], coordinates: Mapping[str, np.ndarray]) -> FiberStates:
        columns = {name.removeprefix("state "): array for name, array in found.items() if name != "t_ms"}
        return cls(found["t_ms"], columns, coordinates)

    def _spec(self) -> dict[str, Any]:
        own = {name: spread(array, np.shape(array), f"`{name}` of a state") for name, array in self.columns.items()}
        v, modes = own.pop("v"), own.pop("modes")
        return {"t_ms": self.t_ms, "v": v, "modes": modes, "states": list(own.values())}

    def __repr__(self) -> str:
        first, *rest = super().__repr__().split("\n")
        return "\n".join([first.replace(">", f" at {self.t_ms:g} ms>"), *rest])
