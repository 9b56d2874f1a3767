"""PyFibers' search of thresholds: bounds that hold one, then bisection."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ...errors import InputError
from .._refusal import RunError


class _Word(Enum):
    """A choice that equals its word, as members of PyFibers' enumerations do."""

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, str) and other == self.value)

    def __hash__(self) -> int:
        return hash(self.value)


class ThresholdCondition(_Word):
    """What is searched."""

    ACTIVATION = "activation"
    BLOCK = "block"


class BoundsSearchMode(_Word):
    """How bounds move until they hold a threshold."""

    PERCENT_INCREMENT = "percent"
    ABSOLUTE_INCREMENT = "absolute"


class TerminationMode(_Word):
    """What the tolerance is one of."""

    PERCENT_DIFFERENCE = "percent"
    ABSOLUTE_DIFFERENCE = "absolute"


class BisectionMean(_Word):
    """The mean of the bounds that is tried next."""

    GEOMETRIC = "geometric"
    ARITHMETIC = "arithmetic"


#: Trials that are run at a time: three halvings ahead.
AT_ONCE = 7

#: Whether an amplitude is above threshold; further amplitudes may be asked for next.
Asked = Callable[[float, list[float]], bool]


@dataclass(frozen=True)
class Search:
    """Settings of a search, amplitudes signed."""

    top: float
    bottom: float
    bounds_mode: BoundsSearchMode
    bounds_step: float
    termination_mode: TerminationMode
    tolerance: float
    max_iterations: int
    mean: BisectionMean

    def __post_init__(self) -> None:
        if self.top * self.bottom < 0:
            raise InputError(f"found bounds {self.bottom:g} and {self.top:g}, expected the same sign")
        if abs(self.bottom) > abs(self.top):
            raise InputError(
                f"found stimamp_top={self.top:g}, expected it as far from 0 as stimamp_bottom={self.bottom:g}, or farther"
            )
        if self.bounds_step <= 0 or self.tolerance <= 0:
            raise InputError("found a step of bounds or a tolerance of 0 or less, expected them above 0")
        if self.mean is BisectionMean.GEOMETRIC and self.bottom == 0:
            raise InputError("found stimamp_bottom=0, which has no geometric mean with another amplitude")

    def bracket(self, above: Asked, decided: Callable[[float], None]) -> tuple[float, float]:
        """Bounds of which the upper is above threshold, the lower is not.

        ``decided`` hears of the last amplitude that was tried as the upper bound and is above, before others are tried.
        """
        bottom, top = self.bottom, self.top

        def top_is_above() -> bool:
            return above(top, [bottom, *(self._moved(top, steps) for steps in range(1, AT_ONCE - 1))])

        def bottom_is_above() -> bool:
            return above(bottom, [self._moved(bottom, -steps) for steps in range(1, AT_ONCE)])

        top_above, bottom_above, tried = top_is_above(), bottom_is_above(), top
        for _ in range(self.max_iterations):
            if top_above:
                decided(tried)
            if top_above and not bottom_above:
                return bottom, top
            if bottom_above and not top_above:
                raise RunError(f"an amplitude of {bottom:g} is above threshold, one of {top:g} is not")
            if top_above:
                bottom, top = self._moved(bottom, -1), bottom
                if bottom * top <= 0:
                    raise RunError(
                        f"found no threshold above 0: bounds would move from {top:g} to {bottom:g}",
                        "give a smaller bounds_search_step",
                    )
                bottom_above = bottom_is_above()
            else:
                bottom, top = top, self._moved(top, 1)
                top_above, tried = top_is_above(), top
        raise RunError(
            f"found no threshold in {self.max_iterations} steps of the bounds, which ended at {bottom:g}, {top:g}"
        )

    def bisect(self, bracket: tuple[float, float], above: Asked) -> float:
        """The upper bound of the first bracket that is narrow enough."""
        bottom, top = bracket
        while not self._within(bottom, top):
            middle = self._middle(bottom, top)
            if above(middle, self._ahead(bottom, top, 3)):
                top = middle
            else:
                bottom = middle
        return top

    def _moved(self, amplitude: float, steps: int) -> float:
        """An amplitude moved by steps away from 0, or towards it; step by step, for the last bits."""
        for _ in range(abs(steps)):
            if self.bounds_mode is BoundsSearchMode.ABSOLUTE_INCREMENT:
                amplitude += math.copysign(self.bounds_step, self.top) * math.copysign(1, steps)
            elif steps > 0:
                amplitude *= 1 + self.bounds_step / 100
            else:
                amplitude *= 1 - self.bounds_step / 100
        return amplitude

    def _middle(self, bottom: float, top: float) -> float:
        if self.mean is BisectionMean.GEOMETRIC:
            return math.copysign((bottom * top) ** 0.5, top)
        return (bottom + top) / 2

    def _ahead(self, bottom: float, top: float, halvings: int) -> list[float]:
        """All amplitudes that so many halvings may ask for."""
        if halvings == 0:
            return []
        middle = self._middle(bottom, top)
        lower, upper = self._ahead(bottom, middle, halvings - 1), self._ahead(middle, top, halvings - 1)
        return [middle, *lower, *upper]

    def _within(self, bottom: float, top: float) -> bool:
        width = abs(bottom - top)
        if self.termination_mode is TerminationMode.PERCENT_DIFFERENCE:
            return width / abs(top) < self.tolerance / 100
        return width < self.tolerance
