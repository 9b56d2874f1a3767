"""Parameters of fibers of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, SupportsFloat, TypeAlias, overload

from . import symbols
from ._checks import number, text
from .errors import FiberError
from .symbols import Symbol

Train: TypeAlias = Literal["factor"] | Mapping[Literal["shift"], float]
"""How training moves a parameter: ``"factor"`` multiplies it, ``{"shift": size}`` adds steps of this size to it."""


class Param:
    """A parameter of a fiber, made by :func:`param`; in ``membrane`` it is a symbol."""

    __slots__ = ("group", "name", "train", "unit", "value")

    name: str
    value: float
    unit: str
    group: str | None
    train: Train | None

    def __init__(self, value: SupportsFloat, unit: str, group: str | None, train: Train | None) -> None:
        self.name = ""
        self.value = number("param", value)
        self.unit = text("param, unit", unit)
        self.group = None if group is None else text("param, group", group)
        self.train = None if train is None else _training(train)

    def __set_name__(self, owner: type, name: str) -> None:
        # One object under two names is refused by the class: errors raised here lose their type.
        self.name = self.name or name

    @overload
    def __get__(self, instance: None, owner: type) -> Param: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Symbol: ...

    def __get__(self, instance: object | None, owner: type) -> Param | Symbol:
        return self if instance is None else symbols.name(self.name)

    def __set__(self, instance: object, value: object) -> None:
        raise AttributeError(
            f"parameters are set when a fiber is made: {type(instance).__name__}({self.name}={value!r})"
        )

    def __repr__(self) -> str:
        group = "" if self.group is None else f", group={self.group!r}"
        train = "" if self.train is None else f", train={self.train!r}"
        return f"param({self.value!r}, {self.unit!r}{group}{train})"

    def entry(self, value: float) -> dict[str, Any]:
        """The entry of a fiber file, with the value of an instance."""
        entry: dict[str, Any] = {"value": value, "unit": self.unit}
        if self.group is not None:
            entry["group"] = self.group
        if self.train is not None:
            entry["train"] = self.train
        return entry


def param(value: SupportsFloat, unit: str, group: str | None = None, train: Train | None = None) -> Param:
    """A parameter of a fiber, as a class attribute; its name is that of the attribute.

    Args:
        value: Value unless an instance sets another.
        unit: Unit as text: ``"S/cm2"``, ``"mV"``, ``"uF/cm2"``, ``"ohm cm"``; values are not converted, and other units of these
            quantities (``"mS/cm2"``) are refused.
        group: Group that it is listed by; one that fits the unit by default.
        train: How training moves it, if it does: ``"factor"`` or ``{"shift": size}``.

    Raises:
        FiberError: the value is not finite, or an argument is of another kind.
    """
    return Param(value, unit, group, train)


def _training(train: object) -> Train:
    if train == "factor":
        return "factor"
    if isinstance(train, Mapping) and list(train) == ["shift"]:
        return {"shift": number("param, train", train["shift"])}
    raise FiberError(f'param, train: found {train!r}, expected "factor" or {{"shift": size}}')


# A cylinder's, where the class declares none.
CYLINDER_PARAMETERS: Final = {
    "cm": param(1.0, "uF/cm2"),
    "ra": param(100.0, "ohm cm"),
}
