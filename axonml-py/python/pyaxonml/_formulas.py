"""Formulas as data, and as the text of fiber files, which is read back to the same operations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from .errors import FiberError

# Operations that are no functions; all others go by their names in fiber files.
NUMBER: Final = "number"
NAME: Final = "name"
NEGATIVE: Final = "negative"
POWER: Final = "^"
WHERE: Final = "where"

FUNCTIONS: Final = frozenset({"exp", "expm1", "log", "sqrt", "exprelr", "sigmoid", "min", "max", "pow", "q10"})
"""Functions of formulas, by their names in fiber files."""

# Levels of operations within each other that the engine takes.
_DEEPEST = 400
# Operations from which on a part that is used more than once is given a name.
_WORTH_A_NAME = 8
# Characters, and parentheses within each other, above which a part is given a name: far below what the engine reads.
_LONGEST = 2000
_NESTED = 50
# Operations that a symbol shows as text.
_SHOWN = 1000

# Levels of precedence, from the loosest.
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = 1, 2, 3, 4, 5
_BINARY = {"+": (" + ", _SUM), "-": (" - ", _SUM), "*": ("*", _PRODUCT), "/": ("/", _PRODUCT)}


class Formula:
    """An operation on formulas: a number, a name, or one of the operations above.

    Parts that are used twice are the same object or another of the same content; both are written once.
    """

    __slots__ = ("depth", "operands", "operation", "operations", "value")

    operation: str
    operands: tuple[Formula, ...]
    value: float | str | None
    """The number, the name, the exponent of a power, or the sign of a comparison."""
    depth: int
    operations: int
    """Operations, shared ones counted as often as they are used."""

    def __init__(
        self,
        operation: str,
        operands: tuple[Formula, ...] = (),
        value: float | str | None = None,
    ) -> None:
        self.operation = operation
        self.operands = operands
        self.value = value
        self.depth = 1 + max((operand.depth for operand in operands), default=-1)
        self.operations = 1 + sum(operand.operations for operand in operands)
        if self.depth > _DEEPEST:
            raise FiberError(
                f"found a formula of more than {_DEEPEST} operations within each other, expected a shallower one: "
                "add or multiply long lists in groups of their own"
            )

    def __repr__(self) -> str:
        if self.operations > _SHOWN:
            return f"(a formula of {self.operations} operations)"
        texts: dict[int, _Text] = {}
        for part in _each([self]):
            texts[id(part)] = _write(part, [texts[id(operand)] for operand in part.operands])
        return texts[id(self)].text


@dataclass(frozen=True)
class _Text:
    """Text of a formula, its level of precedence, and parentheses, signs and powers within each other."""

    text: str
    level: int
    nested: int = 0

    def within(self, least: int) -> _Text:
        """The text where a level of at least ``least`` is needed."""
        if self.level >= least:
            return self
        return _Text(f"({self.text})", _ATOM, self.nested + 1)


class Texts:
    """The texts of formulas that share parts: every larger part that is used twice is written once, as a definition."""

    definitions: dict[str, str]
    """Texts of shared parts by their names, each after those that it needs."""

    def __init__(self, roots: Iterable[Formula], taken: Collection[str]) -> None:
        """Writes all formulas; definitions get none of the names that are ``taken``."""
        self.definitions = {}
        roots = list(roots)
        parts = list(_each(roots))
        # Parts that do the same operations on the same operands are one part.
        alike: dict[tuple[object, ...], int] = {}
        self._part_of: dict[int, int] = {}
        distinct: list[tuple[Formula, tuple[int, ...]]] = []
        for part in parts:
            operands = tuple(self._part_of[id(operand)] for operand in part.operands)
            # By its digits a number differs from its negative at 0, too.
            key = (part.operation, repr(part.value), operands)
            if key not in alike:
                alike[key] = len(distinct)
                distinct.append((part, operands))
            self._part_of[id(part)] = alike[key]
        inner = [0] * len(distinct)
        for _, operands in distinct:
            for operand in operands:
                inner[operand] += 1
        uses = inner.copy()
        for root in roots:
            uses[self._part_of[id(root)]] += 1

        self._texts: list[_Text] = []
        for index, (part, operands) in enumerate(distinct):
            text = _write(part, [self._texts[operand] for operand in operands])
            shared = uses[index] > 1 and part.operations >= _WORTH_A_NAME
            large = inner[index] > 0 and (len(text.text) > _LONGEST or text.nested > _NESTED)
            if shared or large:
                name = self._free_name(taken)
                self.definitions[name] = text.text
                text = _Text(name, _ATOM)
            self._texts.append(text)
        # Identities of symbols are good as long as the symbols are there.
        self._kept = parts

    def __getitem__(self, formula: Formula) -> str | float:
        """The text of a formula, or its value if it is a number."""
        if isinstance(formula.value, float) and formula.operation == NUMBER:
            return formula.value
        return self._texts[self._part_of[id(formula)]].text

    def _free_name(self, taken: Collection[str]) -> str:
        number = len(self.definitions) + 1
        while f"part{number}" in taken or f"part{number}" in self.definitions:
            number += 1
        return f"part{number}"


def names(formulas: Iterable[Formula]) -> list[str]:
    """The names in formulas, in the order in which they come first."""
    found = (part.value for part in _each(formulas) if part.operation == NAME)
    return list(dict.fromkeys(str(value) for value in found))


def _each(formulas: Iterable[Formula]) -> Iterator[Formula]:
    """Every part once, operands before their operation."""
    seen: set[int] = set()
    for formula in formulas:
        stack = [(formula, False)]
        while stack:
            part, complete = stack.pop()
            if complete:
                yield part
            elif id(part) not in seen:
                seen.add(id(part))
                stack.append((part, True))
                stack.extend((operand, False) for operand in reversed(part.operands))


def _write(part: Formula, operands: list[_Text]) -> _Text:
    """The text of an operation on texts."""
    operation, value = part.operation, part.value
    if operation == NUMBER:
        text = _digits(value)
        return _Text(text, _SIGN, 1) if text.startswith("-") else _Text(text, _ATOM)
    if operation == NAME:
        return _Text(str(value), _ATOM)
    if operation == NEGATIVE:
        x = operands[0].within(_SIGN)
        return _Text(f"-{x.text}", _SIGN, x.nested + 1)
    if operation == POWER:
        x = operands[0].within(_ATOM)
        return _Text(f"{x.text}^{_digits(value)}", _POWER, x.nested + 1)
    if operation in _BINARY:
        sign, level = _BINARY[operation]
        # Sums and products are read from the left.
        x, y = operands[0].within(level), operands[1].within(level + 1)
        return _Text(f"{x.text}{sign}{y.text}", level, max(x.nested, y.nested))
    nested = 1 + max(operand.nested for operand in operands)
    texts = [operand.text for operand in operands]
    if operation == WHERE:
        left, right, *choices = texts
        texts = [f"{left} {value} {right}", *choices]
    return _Text(f"{operation}({', '.join(texts)})", _ATOM, nested)


def _digits(value: float | str | None) -> str:
    """The shortest digits that are read back to the same number."""
    return repr(value).removesuffix(".0")
