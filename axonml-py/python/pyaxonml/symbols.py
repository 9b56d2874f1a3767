"""Formulas of membranes, written as Python arithmetic on symbols.

A symbol stands for the membrane potential, a parameter, a state, or an operation on symbols and numbers. Nothing is
computed in Python: the formula is handed to the engine, which keeps the order of operations.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any, Final, NoReturn, Protocol, SupportsFloat, TypeAlias, runtime_checkable

from ._formulas import NAME, NEGATIVE, NUMBER, POWER, WHERE, Formula
from .errors import FiberError

Operand: TypeAlias = "Symbol | SupportsFloat"
"""A symbol or a real number."""

# Natural exponents up to this one are powers by multiplications.
_LARGEST_EXPONENT = 64


class Symbol(Formula):
    """A formula: the result of arithmetic on symbols.

    Symbols have ``+ - * / **`` with symbols and numbers on either side, the functions of this package and of numpy
    that carry the same names, and comparisons for ``where``. ``x**n`` with a whole number from 0 to 64 is a product;
    any other power is ``exp(y*log(x))`` and needs an ``x`` that is not negative.

    Example:
        >>> import pyaxonml as ax
        >>> x = ax.Patch()
        >>> 0.1 * ax.exprelr(-(x.v + 40) / 10)
        0.1*exprelr(-(v + 40)/10)
    """

    __slots__ = ()

    def __add__(self, other: Operand) -> Symbol:
        return _binary("+", self, other)

    def __radd__(self, other: Operand) -> Symbol:
        return _binary("+", other, self)

    def __sub__(self, other: Operand) -> Symbol:
        return _binary("-", self, other)

    def __rsub__(self, other: Operand) -> Symbol:
        return _binary("-", other, self)

    def __mul__(self, other: Operand) -> Symbol:
        return _binary("*", self, other)

    def __rmul__(self, other: Operand) -> Symbol:
        return _binary("*", other, self)

    def __truediv__(self, other: Operand) -> Symbol:
        return _binary("/", self, other)

    def __rtruediv__(self, other: Operand) -> Symbol:
        return _binary("/", other, self)

    def __pow__(self, other: Operand) -> Symbol:
        return _power(self, other)

    def __rpow__(self, other: Operand) -> Symbol:
        return _power(other, self)

    def __neg__(self) -> Symbol:
        return _negative(self)

    def __pos__(self) -> Symbol:
        return self

    def __lt__(self, other: Operand) -> Comparison:
        return Comparison(self, "<", other)

    def __le__(self, other: Operand) -> Comparison:
        return Comparison(self, "<=", other)

    def __gt__(self, other: Operand) -> Comparison:
        return Comparison(self, ">", other)

    def __ge__(self, other: Operand) -> Comparison:
        return Comparison(self, ">=", other)

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("symbols have no values to be equal: compare with <, <=, > or >= inside `where(v < 0, x, y)`")

    def __ne__(self, other: object) -> NoReturn:
        self.__eq__(other)

    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:
        raise TypeError(_NO_TRUTH)

    def __float__(self) -> NoReturn:
        raise TypeError(
            f"`{self!r}` is a symbol and has no value yet: use ax.exp, ax.log, ... or numpy's in place of math's; "
            "the value of a parameter is `fiber.parameters[name]`"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return _ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _array_function(func, args, kwargs)


class Comparison:
    """A comparison of two symbols: the condition of ``where``, and nothing else."""

    __slots__ = ("left", "right", "sign")

    left: Symbol
    sign: str
    right: Symbol

    def __init__(self, left: Operand, sign: str, right: Operand) -> None:
        self.left = symbol(left)
        self.sign = sign
        self.right = symbol(right)

    def __repr__(self) -> str:
        return f"{self.left!r} {self.sign} {self.right!r}"

    def __bool__(self) -> NoReturn:
        raise TypeError(_NO_TRUTH)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _array_function(func, args, kwargs)


_NO_TRUTH = (
    "a symbol is neither true nor false while the membrane is written down, so `if`, `and`, `or`, `not`, min() and "
    "max() cannot ask it: write `where(v < -40, x, y)` for x where v < -40 and y elsewhere (one `where` in another for "
    "several conditions), `minimum` and `maximum`"
)


@runtime_checkable
class _Item(Protocol):
    """An array or scalar of numpy and its like."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def item(self) -> object: ...


def symbol(value: Operand) -> Symbol:
    """``value`` as a symbol; a number becomes a constant.

    Raises:
        TypeError: it is neither a symbol nor a real number.
        FiberError: the number is not finite.
    """
    if isinstance(value, Symbol):
        return value
    if isinstance(value, Comparison):
        raise TypeError(
            f"found the comparison `{value!r}`, expected a symbol or a number: comparisons belong into "
            "`where(comparison, x, y)`"
        )
    # Arrays of one number and no axis come from numpy's own operators.
    plain = value.item() if isinstance(value, _Item) and value.shape == () else value
    if isinstance(plain, bool) or not isinstance(plain, numbers.Real):
        raise TypeError(f"found {type(value).__name__} in a formula, expected a symbol or a number")
    return Symbol(NUMBER, (), finite(plain))


def finite(value: SupportsFloat) -> float:
    """A number as a finite float.

    Raises:
        FiberError: it is not finite.
    """
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FiberError(f"found {number}, expected a finite number")
    return number


def name(text: str) -> Symbol:
    """The symbol of a name."""
    return Symbol(NAME, (), text)


def exp(x: Operand) -> Symbol:
    """``e**x``."""
    return _call("exp", x)


def expm1(x: Operand) -> Symbol:
    """``e**x - 1``, exact near 0."""
    return _call("expm1", x)


def log(x: Operand) -> Symbol:
    """Natural logarithm."""
    return _call("log", x)


def sqrt(x: Operand) -> Symbol:
    """Square root."""
    return _call("sqrt", x)


def exprelr(x: Operand) -> Symbol:
    """``x/(e**x - 1)``, 1 at 0: rates like ``(v - b)/(1 - exp(-(v - b)/c))`` without their singularity.

    Example:
        >>> import pyaxonml as ax
        >>> ax.exprelr(-(ax.Patch().v + 55) / 10)
        exprelr(-(v + 55)/10)
    """
    return _call("exprelr", x)


def sigmoid(x: Operand) -> Symbol:
    """``1/(1 + e**-x)``."""
    return _call("sigmoid", x)


def minimum(x: Operand, y: Operand) -> Symbol:
    """The smaller of two."""
    return _call("min", x, y)


def maximum(x: Operand, y: Operand) -> Symbol:
    """The larger of two."""
    return _call("max", x, y)


def where(condition: Comparison, x: Operand, y: Operand) -> Symbol:
    """``x`` where the condition holds, ``y`` elsewhere.

    Example:
        >>> import pyaxonml as ax
        >>> v = ax.Patch().v
        >>> ax.where(v < -150, 0.2, ax.exp(-v / 10))
        where(v < -150, 0.2, exp(-v/10))

    Raises:
        TypeError: the condition is no comparison of symbols.
    """
    if not isinstance(condition, Comparison):
        raise TypeError(
            f"found {type(condition).__name__} as the condition of `where`, expected a comparison of symbols with <, "
            "<=, > or >="
        )
    operands = (condition.left, condition.right, symbol(x), symbol(y))
    return Symbol(WHERE, operands, condition.sign)


def q10(factor: Operand, reference: Operand) -> Symbol:
    """Temperature factor ``factor**((celsius - reference)/10)``, reference in degrees Celsius."""
    return _call("q10", factor, reference)


def _call(function: str, *arguments: Operand) -> Symbol:
    return Symbol(function, tuple(symbol(argument) for argument in arguments))


def _binary(sign: str, left: Operand, right: Operand) -> Symbol:
    return Symbol(sign, (symbol(left), symbol(right)))


def _negative(x: Operand) -> Symbol:
    x = symbol(x)
    if x.operation == NUMBER:
        assert isinstance(x.value, float)
        return Symbol(NUMBER, (), -x.value)
    return Symbol(NEGATIVE, (x,))


def _power(base: Operand, exponent: Operand) -> Symbol:
    base, exponent = symbol(base), symbol(exponent)
    n = exponent.value
    if isinstance(n, float) and n.is_integer() and 0 <= n <= _LARGEST_EXPONENT:
        return Symbol(POWER, (base,), n)
    return Symbol("pow", (base, exponent))


def _compare(sign: str) -> Callable[..., Comparison]:
    return lambda left, right: Comparison(left, sign, right)


def _arithmetic(sign: str) -> Callable[..., Symbol]:
    return lambda left, right: _binary(sign, left, right)


# By numpy's names.
_UFUNCS: Final[dict[str, Callable[..., Any]]] = {
    "add": _arithmetic("+"),
    "subtract": _arithmetic("-"),
    "multiply": _arithmetic("*"),
    "divide": _arithmetic("/"),
    "power": _power,
    "negative": _negative,
    "positive": symbol,
    "exp": exp,
    "expm1": expm1,
    "log": log,
    "sqrt": sqrt,
    "minimum": minimum,
    "maximum": maximum,
    "less": _compare("<"),
    "less_equal": _compare("<="),
    "greater": _compare(">"),
    "greater_equal": _compare(">="),
}


def _ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    known = _UFUNCS.get(ufunc.__name__)
    if known is None:
        raise _unknown(ufunc.__name__)
    if method != "__call__" or kwargs:
        used = f"np.{ufunc.__name__}.{method}" if method != "__call__" else ", ".join(kwargs)
        raise TypeError(f"found `{used}` on a symbol, expected a plain call of np.{ufunc.__name__}")
    return known(*inputs)


def _array_function(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Symbol:
    if func.__name__ != WHERE:
        raise _unknown(func.__name__)
    return where(*args, **kwargs)


def _unknown(function: str) -> TypeError:
    known = ", ".join(f"np.{ufunc}" for ufunc in [*_UFUNCS, WHERE])
    return TypeError(
        f"found np.{function} on a symbol, expected one of {known}; besides, there are ax.exprelr and ax.sigmoid"
    )
