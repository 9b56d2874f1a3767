"""Symbols: what Python arithmetic writes down, and what it refuses."""

from __future__ import annotations

import itertools
import json
import math
import operator
import random
from collections.abc import Callable
from typing import Any

import numpy
import pytest

import pyaxonml as ax
from pyaxonml._formulas import Formula, Texts

# The stubs of numpy know less than its functions do.
np: Any = numpy

x = ax.Patch()
v, m = x.v, x.m


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (0.1 * ax.exprelr(-(v + 40) / 10), "0.1*exprelr(-(v + 40)/10)"),
        ((v + 1) - (m + 2), "v + 1 - (m + 2)"),
        (v - m - 1, "v - m - 1"),
        (v - (m - 1), "v - (m - 1)"),
        (v / m / 2, "v/m/2"),
        (v / (m / 2), "v/(m/2)"),
        (v * (m * 2), "v*(m*2)"),
        (2 * v + m, "2*v + m"),
        (2 * (v + m), "2*(v + m)"),
        (1 / v, "1/v"),
        (1 - v, "1 - v"),
        (-v * m, "-v*m"),
        (-(v * m), "-(v*m)"),
        (operator.neg(-v), "--v"),
        (+v, "v"),
        (v + -40, "v + -40"),
        (v * -40, "v*-40"),
        (v - -0.0, "v - -0"),
        (v**3, "v^3"),
        (v**3.0, "v^3"),
        (v ** np.int64(64), "v^64"),
        (v**0, "v^0"),
        (v**65, "pow(v, 65)"),
        (v**0.5, "pow(v, 0.5)"),
        (v**-1, "pow(v, -1)"),
        (v**m, "pow(v, m)"),
        (2**v, "pow(2, v)"),
        (-(v**2), "-v^2"),
        ((-v) ** 2, "(-v)^2"),
        ((v**2) ** 3, "(v^2)^3"),
        ((v + 1) ** 2, "(v + 1)^2"),
        (ax.minimum(v, 60), "min(v, 60)"),
        (ax.maximum(0, v), "max(0, v)"),
        (ax.log(2), "log(2)"),
        (ax.expm1(v) * ax.sqrt(v) + ax.sigmoid(v), "expm1(v)*sqrt(v) + sigmoid(v)"),
        (ax.where(v < -150, 1, m), "where(v < -150, 1, m)"),
        (ax.where(v <= m, 1, 2), "where(v <= m, 1, 2)"),
        (ax.where(v > 150, 1, 2), "where(v > 150, 1, 2)"),
        (ax.where(v >= 0, ax.where(m > 1, 2, 3), 4), "where(v >= 0, where(m > 1, 2, 3), 4)"),
        (x.q10(3, 6.3), "q10(3, 6.3)"),
        (x.celsius * x.diameter_um, "celsius*diameter_um"),
        (x["m"], "m"),
        (1.5855e-5 * v, "1.5855e-05*v"),
        (0.1 * 3 * v, "0.30000000000000004*v"),
        (np.float32(0.1) * v, "0.10000000149011612*v"),
    ],
)
def test_text(formula: ax.Symbol, text: str) -> None:
    assert repr(formula) == text


def same(a: Formula, b: Formula) -> bool:
    return (
        (a.operation, repr(a.value)) == (b.operation, repr(b.value))
        and len(a.operands) == len(b.operands)
        and all(map(same, a.operands, b.operands))
    )


def read(text: str, definitions: dict[str, ax.Symbol] | None = None) -> ax.Symbol:
    """Python's own parser has the precedences of formulas."""
    names = {"v": v, "m": m, "exp": ax.exp, "min": ax.minimum, "where": ax.where, "pow": operator.pow}
    formula: ax.Symbol = eval(text.replace("^", "**"), {**names, **(definitions or {})})
    return formula


def arbitrary(source: random.Random, depth: int) -> ax.Symbol:
    """Any formula of these operations; those on two numbers are Python's own."""
    if depth == 0:
        return source.choice([v, m])

    def operand() -> Any:
        number = source.choice([-2.5, -1, 0.1, 3, 1e-7, 1e22])
        return number if source.random() < 0.2 else arbitrary(source, source.randrange(depth))

    one = arbitrary(source, depth - 1)
    match source.randrange(8):
        case 0:
            return -one
        case 1:
            return one ** source.randrange(4)
        case 2:
            return ax.exp(one)
        case 3:
            return ax.where(one < operand(), operand(), operand())
        case 4:
            return one ** (-source.random())
    sign = source.choice([operator.add, operator.sub, operator.mul, operator.truediv])
    formula: ax.Symbol = sign(one, operand()) if source.random() < 0.5 else sign(operand(), one)
    return formula


def arbitrary_formulas(count: int) -> list[ax.Symbol]:
    source = random.Random(15)
    formulas = (arbitrary(source, 6) for _ in range(count))
    return [formula for formula in formulas if formula.operations <= 1000]


def test_text_is_read_back_to_the_same_operations() -> None:
    for formula in arbitrary_formulas(1000):
        assert same(read(repr(formula)), formula), formula


def test_the_engine_reads_the_same_operations() -> None:
    native = pytest.importorskip("pyaxonml._native", reason="the native module is not built")
    formulas = arbitrary_formulas(100)
    # Some share their parts.
    formulas += [x * y for x, y in itertools.pairwise(formulas)]

    class Arbitrary(ax.Fiber):
        start_mv = -70

        def membrane(self, x: ax.Patch) -> list[ax.MembranePart]:
            return [ax.Gate("m", 1, 2), *map(ax.Current, formulas)]

    written = Arbitrary().to_dict()
    assert len(written["define"]) > 10
    described = json.loads(native.FiberDescription.from_json(json.dumps(written)).to_json())
    definitions: dict[str, ax.Symbol] = {}
    for definition in described["define"]:
        definitions[definition["name"]] = read(definition["value"], definitions)
    for formula, current in zip(formulas, described["current"], strict=True):
        assert same(read(current["i"], definitions), formula), formula


@pytest.mark.parametrize(
    ("by_numpy", "here"),
    [
        (np.exp(v), ax.exp(v)),
        (np.expm1(v), ax.expm1(v)),
        (np.log(v), ax.log(v)),
        (np.sqrt(v), ax.sqrt(v)),
        (np.minimum(v, 60), ax.minimum(v, 60)),
        (np.maximum(60, v), ax.maximum(60, v)),
        (np.power(v, 3), v**3),
        (np.negative(v), -v),
        (np.add(1, v), 1 + v),
        (np.where(v < 3, 1.0, m), ax.where(v < 3, 1, m)),
        (np.float64(2) * v, 2 * v),
        (v * np.float64(2), v * 2),
        (np.float64(2) - v, 2 - v),
        (np.float64(2) / v, 2 / v),
        (np.float64(2) ** v, 2**v),
        (v ** np.float64(2), v**2),
        (np.int32(2) * v, 2 * v),
        (np.array(2.0) * v, 2 * v),
        (ax.where(np.float64(3) > v, 1, 2), ax.where(v < 3, 1, 2)),
        (ax.where(v <= np.float32(3), 1, 2), ax.where(v <= 3, 1, 2)),
    ],
)
def test_numpy(by_numpy: ax.Symbol, here: ax.Symbol) -> None:
    # `3 > v` is asked of the symbol as `v < 3`, and of numpy as it stands.
    alike = {repr(here), repr(here).replace("v < 3", "3 > v")}
    assert repr(by_numpy) in alike


def refused(do: Callable[[], Any]) -> str:
    with pytest.raises(TypeError) as error:
        do()
    return str(error.value)


def test_truth_is_explained() -> None:
    assert "where(v < -40, x, y)" in refused(lambda: bool(v))
    assert "where(v < -40, x, y)" in refused(lambda: 1 if v < 3 else 2)
    assert "where(v < -40, x, y)" in refused(lambda: -1 < v < 1)
    assert "`minimum` and `maximum`" in refused(lambda: max(v, m))
    assert "where(v < 0, x, y)" in refused(lambda: v == 3)
    assert "where(v < 0, x, y)" in refused(lambda: v != m)


def test_what_is_no_number_is_refused() -> None:
    assert "ax.exp" in refused(lambda: math.exp(v))
    assert "found str" in refused(lambda: v + "1")  # type: ignore[operator]
    assert "found bool" in refused(lambda: v + True)
    assert "found ndarray" in refused(lambda: v * np.ones(2))
    assert "found ndarray" in refused(lambda: np.ones(2) * v)
    assert "where(comparison, x, y)" in refused(lambda: v + (v < 2))  # type: ignore[operator]
    assert "found bool as the condition" in refused(lambda: ax.where(True, v, m))  # type: ignore[arg-type]
    for value in (math.nan, math.inf, 10**400):
        with pytest.raises(ax.FiberError, match="expected a finite number"):
            v + value


def test_other_functions_of_numpy_name_those_that_there_are() -> None:
    for do in (lambda: np.tanh(v), lambda: np.clip(v, 0, 1)):
        message = refused(do)
        assert "np.expm1" in message
        assert "np.where" in message
        assert "ax.sigmoid" in message
    assert "np.add.reduce" in refused(lambda: np.add.reduce(v))
    assert "out" in refused(lambda: np.exp(v, out=np.empty(1)))


def test_shared_parts_are_written_once() -> None:
    doubled = v
    for _ in range(40):
        doubled = doubled + doubled
    texts = Texts([doubled], taken=["part2"])
    # Parts of 1, 3 and 7 operations are written out; the last is used once.
    assert texts.definitions["part1"] == "v + v + (v + v) + (v + v + (v + v))"
    assert texts.definitions["part3"] == "part1 + part1"
    assert len(texts.definitions) == 37
    assert texts[doubled] == "part38 + part38"
    assert repr(doubled) == f"(a formula of {2**41 - 1} operations)"


def test_equal_parts_are_one_part() -> None:
    rates = [ax.exp((v + 65) / 18 + m) * factor for factor in (4, 0.125)]
    texts = Texts(rates, taken=[])
    assert texts.definitions == {"part1": "exp((v + 65)/18 + m)"}
    assert [texts[rate] for rate in rates] == ["part1*4", "part1*0.125"]
    # 0 and -0 are different numbers.
    zeros = [ax.exp((v + 65) / 18 + m - zero) for zero in (0.0, -0.0)]
    assert [Texts(zeros, [])[zero] for zero in zeros] == ["exp((v + 65)/18 + m - 0)", "exp((v + 65)/18 + m - -0)"]


def test_formulas_are_at_most_400_levels_deep() -> None:
    formula: Any = sum((m * n for n in range(398)), v)
    assert formula.depth == 399
    formula = -formula
    with pytest.raises(ax.FiberError, match="more than 400 operations within each other"):
        ax.exp(formula)
