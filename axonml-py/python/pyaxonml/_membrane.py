"""Parts of a membrane: currents, gates and other states, and the symbols that they are written with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from . import symbols
from ._formulas import FUNCTIONS, WHERE, Formula, Texts, names
from ._names import did_you_mean
from .errors import FiberError
from .symbols import Operand, Symbol, symbol

VOLTAGE: Final = "v"
CELSIUS: Final = "celsius"
DIAMETER: Final = "diameter_um"

_SYMBOLS: Final = (VOLTAGE, CELSIUS, DIAMETER)
RESERVED: Final = frozenset({*_SYMBOLS, WHERE, *FUNCTIONS})
"""Names that have a meaning in every formula."""


class _Part:
    """A part of a membrane: its formulas by the keys of fiber files."""

    _list: str

    def __post_init__(self) -> None:
        # What is no formula is refused where it is written.
        self._formulas()

    def _formulas(self) -> dict[str, Symbol]:
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Ohmic(_Part):
    """A current ``g (v - e)``: conductance ``g`` in S/cm2, reversal potential ``e`` in mV."""

    g: Operand
    e: Operand
    _list = "current"

    def _formulas(self) -> dict[str, Symbol]:
        return {"g": symbol(self.g), "e": symbol(self.e)}


@dataclass(frozen=True, eq=False)
class Current(_Part):
    """Any other outward current density ``i``, mA/cm2."""

    i: Operand
    _list = "current"

    def _formulas(self) -> dict[str, Symbol]:
        return {"i": symbol(self.i)}


@dataclass(frozen=True, eq=False)
class Gate(_Part):
    """A gate by its opening rate ``alpha`` and closing rate ``beta``, 1/ms; it starts at its steady state."""

    name: str
    alpha: Operand
    beta: Operand
    _list = "gate"

    def _formulas(self) -> dict[str, Symbol]:
        return {"alpha": symbol(self.alpha), "beta": symbol(self.beta)}


@dataclass(frozen=True, eq=False)
class InfTau(_Part):
    """A gate by its steady state ``inf`` and time constant ``tau``, ms; it starts at its steady state."""

    name: str
    inf: Operand
    tau: Operand
    _list = "gate"

    def _formulas(self) -> dict[str, Symbol]:
        return {"inf": symbol(self.inf), "tau": symbol(self.tau)}


@dataclass(frozen=True, eq=False)
class State(_Part):
    """Any other state: its value at the ``start`` and its time derivative ``rate``, per ms."""

    name: str
    start: Operand
    rate: Operand
    _list = "state"

    def _formulas(self) -> dict[str, Symbol]:
        return {"start": symbol(self.start), "rate": symbol(self.rate)}


MembranePart: TypeAlias = Ohmic | Current | Gate | InfTau | State
"""Anything that ``Fiber.membrane`` yields."""


class Patch:
    """A patch of membrane as symbols: ``x.v``, ``x.celsius``, ``x.diameter_um``, and states by their names.

    A state is any that ``membrane`` yields, before or after it is read: ``x.m``, or ``x["m"]`` for a computed name.

    Example:
        >>> import pyaxonml as ax
        >>> x = ax.Patch()
        >>> x.q10(3, 6.3) * x.m**3 * (x.v + 65)
        q10(3, 6.3)*m^3*(v + 65)
    """

    __slots__ = ("_read",)

    _read: dict[str, None]

    def __init__(self) -> None:
        self._read = {}

    @property
    def v(self) -> Symbol:
        """Membrane potential, mV."""
        return symbols.name(VOLTAGE)

    @property
    def celsius(self) -> Symbol:
        """Temperature, degrees Celsius."""
        return symbols.name(CELSIUS)

    @property
    def diameter_um(self) -> Symbol:
        """Diameter of the fiber, um."""
        return symbols.name(DIAMETER)

    def q10(self, factor: Operand, reference: Operand) -> Symbol:
        """Temperature factor ``factor**((celsius - reference)/10)``, reference in degrees Celsius."""
        return symbols.q10(factor, reference)

    def __getitem__(self, state: str) -> Symbol:
        self._read[state] = None
        return symbols.name(state)

    def __getattr__(self, state: str) -> Symbol:
        # Names with an underscore are asked for by Python and its tools.
        if state.startswith("_"):
            raise AttributeError(state)
        return self[state]


def describe(parts: Iterable[MembranePart], x: Patch, parameters: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """The lists of a fiber file: definitions, currents, gates and other states.

    Raises:
        FiberError: something else than parts, names that are unknown, reserved or used twice.
    """
    lists: dict[str, list[tuple[dict[str, Any], dict[str, Symbol]]]] = {
        "current": [],
        "gate": [],
        "state": [],
    }
    taken = dict.fromkeys(RESERVED, "a name of every formula")
    taken.update(dict.fromkeys(parameters, "a parameter"))
    states: list[str] = []
    for index, part in enumerate(parts):
        if not isinstance(part, _Part):
            raise FiberError(
                f"membrane, part {index + 1}: found {type(part).__name__}, expected Ohmic, Current, Gate, InfTau or "
                "State"
            )
        head: dict[str, Any] = {}
        if isinstance(part, Gate | InfTau | State):
            check_name(part.name, "state")
            if part.name in taken:
                raise FiberError(
                    f"state `{part.name}`: found a name that is {taken[part.name]} already, expected another"
                )
            taken[part.name] = "a state"
            states.append(part.name)
            head["name"] = part.name
        lists[part._list].append((head, part._formulas()))

    entries = [entry for entries in lists.values() for entry in entries]
    roots = [formula for _, formulas in entries for formula in formulas.values()]
    _check_names(roots, x, states, list(parameters))
    texts = Texts(roots, taken)
    described: dict[str, list[dict[str, Any]]] = {
        "define": [{"name": name, "value": text} for name, text in texts.definitions.items()]
    }
    for key, entries in lists.items():
        described[key] = [
            {**head, **{key: texts[formula] for key, formula in formulas.items()}} for head, formulas in entries
        ]
    return {key: entries for key, entries in described.items() if entries}


def check_name(name: str, role: str) -> None:
    """Refuses names that formulas cannot have.

    Raises:
        FiberError: the name has other characters than ASCII letters, digits and `_`, or begins with a digit.
    """
    if not (isinstance(name, str) and name.isascii() and name.isidentifier()):
        raise FiberError(
            f"found {name!r} as the name of a {role}, expected ASCII letters, digits and `_`, a letter first"
        )


def _check_names(roots: Sequence[Formula], x: Patch, states: list[str], parameters: list[str]) -> None:
    """Refuses names that are no symbol of a patch, state or parameter."""
    for name in x._read:
        if name in states:
            continue
        if name in parameters:
            raise FiberError(f"found the parameter `{name}` read as a state, expected `self.{name}`")
        raise FiberError(
            f"found `{name}` read as a state, expected one that the membrane yields "
            f"({', '.join(states) or 'none'}), x.v, x.celsius or x.diameter_um"
            f"{did_you_mean(name, [*states, *_SYMBOLS])}"
        )
    known = {*_SYMBOLS, *states, *parameters}
    for name in names(roots):
        if name not in known:
            raise FiberError(
                f"found `{name}` of another fiber, expected a parameter of this one "
                f"({', '.join(parameters) or 'none'}){did_you_mean(name, parameters)}"
            )
