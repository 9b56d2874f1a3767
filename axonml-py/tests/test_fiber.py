"""Fibers of one's own: their description, its refusals, and their thresholds by the command line."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import pickle
import shutil
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pyaxonml as ax

HERE = Path(__file__).parent


def example(name: str) -> types.ModuleType:
    """An example as an imported module."""
    spec = importlib.util.spec_from_file_location(name, HERE.parent / "examples" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


HodgkinHuxley: type[ax.Fiber] = example("hodgkin_huxley").HodgkinHuxley
MrgNode: type[ax.Fiber] = example("mrg_node").MrgNode


class Leaky(ax.Fiber):
    """A membrane with a leak and a gate. Nothing else.

    Not in the summary.
    """

    start_mv = -70
    g = ax.param(1e-3, "S/cm2")

    def membrane(self, x: ax.Patch) -> Iterator[ax.MembranePart]:
        yield ax.Ohmic(self.g, -70)
        yield ax.InfTau("y", ax.sigmoid((x.v + 40) / 5), 2)


def fiber(membrane: Any, **settings: Any) -> ax.Fiber:
    """A fiber of this membrane."""
    made: type[ax.Fiber] = type("Made", (ax.Fiber,), {"start_mv": -70, "membrane": membrane, **settings})
    return made()


def test_description() -> None:
    class ChannelABC2(ax.Fiber):
        """Everything that there is.

        Further text.
        """

        citations = ("one", 'two "quoted" \\ and \x7f')
        v_rest_mv, celsius = -61.5, 20
        diameter_um = (0.5, 2)
        compartment_um, length_um = 5, 1e3
        cm = ax.param(2, "uF/cm2")
        k = ax.param(1, "1/ms", group="rates", train="factor")
        shift = ax.param(0, "mV", train={"shift": 5})
        SCALE = 2.0

        def membrane(self, x: ax.Patch) -> list[ax.MembranePart]:
            return [
                ax.State("c", 0.5, self.SCALE * self.k - x.c),
                ax.Current(1e-3 * x.c * (x.v + self.shift)),
                ax.Gate("y", self.k, 1),
                ax.Ohmic(0.1, -80),
                ax.InfTau("z", 0.5, x.y),
            ]

    described = ChannelABC2(k=3, ra=35).to_dict()
    assert described == {
        "id": "channel-abc2",
        "name": "Everything that there is",
        "citations": ["one", 'two "quoted" \\ and \x7f'],
        "v_rest_mV": -61.5,
        "celsius": 20,
        "diameter_um": [0.5, 2],
        "delta_z_um": 5,
        "length_um": 1000,
        "cable": "cylinder",
        "param": {
            "cm": {"value": 2, "unit": "uF/cm2"},
            "k": {"value": 3, "unit": "1/ms", "group": "rates", "train": "factor"},
            "shift": {"value": 0, "unit": "mV", "train": {"shift": 5}},
            "ra": {"value": 35, "unit": "ohm cm"},
        },
        "current": [{"i": "0.001*c*(v + shift)"}, {"g": 0.1, "e": -80}],
        "gate": [{"name": "y", "alpha": "k", "beta": 1}, {"name": "z", "inf": 0.5, "tau": "y"}],
        "state": [{"name": "c", "start": 0.5, "rate": "2*k - c"}],
    }


def test_toml_says_the_same(tmp_path: Path) -> None:
    toml = pytest.importorskip("tomllib", reason="Python 3.11 has tomllib")
    made = HodgkinHuxley(gna=0.1)
    text = made.to_toml(tmp_path / "mine.toml")
    assert (tmp_path / "mine.toml").read_text(encoding="utf-8") == text
    assert toml.loads(text) == made.to_dict()
    quoted = fiber(Leaky.membrane, g=ax.param(1e22, 'a "b" \\ \x7f \n µ'))
    assert toml.loads(quoted.to_toml()) == quoted.to_dict()


def test_classes_inherit() -> None:
    class Leakier(Leaky):
        g = ax.param(2e-3, "S/cm2")
        cable = "sundt"

    # The cable of a bundled model brings its own capacitance and resistivity.
    assert Leakier().parameters == {"g": 2e-3}
    assert Leaky().parameters == {"g": 1e-3, "cm": 1.0, "ra": 100.0}
    assert (Leakier().id, Leakier().name) == ("leakier", "A membrane with a leak and a gate. Nothing else")


def test_instances_are_values() -> None:
    one, two = HodgkinHuxley(gna=0.1), HodgkinHuxley(gna=0.1)
    assert one == two
    assert hash(one) == hash(two)
    assert one != HodgkinHuxley()
    assert HodgkinHuxley(gna=0.12) == HodgkinHuxley()
    assert one != "HodgkinHuxley(gna=0.1)"
    assert repr(one) == "HodgkinHuxley(gna=0.1)"
    assert pickle.loads(pickle.dumps(one)) == one
    assert copy.deepcopy(one) == one
    assert repr(HodgkinHuxley.gna) == "param(0.12, 'S/cm2')"  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"HodgkinHuxley\(gna=0.2\)"):
        one.gna = 0.2  # type: ignore[attr-defined]


def test_definitions_keep_clear_of_names() -> None:
    class Shared(Leaky):
        part1 = ax.param(1, "mV")

        def membrane(self, x: ax.Patch) -> Iterator[ax.MembranePart]:
            rate = ax.exp((x.v + 65) / 18 + self.part1)
            yield ax.Gate("part2", rate, 2 * rate)

    described = Shared().to_dict()
    assert described["define"] == [{"name": "part3", "value": "exp((v + 65)/18 + part1)"}]
    assert described["gate"] == [{"name": "part2", "alpha": "part3", "beta": "2*part3"}]


@pytest.mark.parametrize(
    ("membrane", "message"),
    [
        (lambda self, x: [ax.Current(x.yy), ax.Gate("y", 1, 2)], "`yy` read as a state.*did you mean `y`?"),
        (lambda self, x: [ax.Current(x.g * 2)], "the parameter `g` read as a state, expected `self.g`"),
        (lambda self, x: [ax.Current(x["v"])], "`v` read as a state"),
        (lambda self, x: [ax.Current(HodgkinHuxley().gna)], "`gna` of another fiber"),  # type: ignore[attr-defined]
        (lambda self, x: [ax.Gate("y", 1, 2), ax.State("y", 1, 2)], "state `y`: found a name that is a state already"),
        (lambda self, x: [ax.Gate("g", 1, 2)], "state `g`: found a name that is a parameter already"),
        (lambda self, x: [ax.Gate("exp", 1, 2)], "state `exp`: found a name that is a name of every formula"),
        (lambda self, x: [ax.Gate("y z", 1, 2)], "'y z' as the name of a state"),
        (lambda self, x: [ax.Gate("µ", 1, 2)], "'µ' as the name of a state"),
        (lambda self, x: [ax.Current(float("nan"))], "found nan, expected a finite number"),
        (lambda self, x: [x.v], "part 1: found Symbol, expected Ohmic"),
        (lambda self, x: None, "membrane: found NoneType"),
    ],
)
def test_membranes_refused(membrane: Any, message: str) -> None:
    made = fiber(membrane, g=ax.param(1, "S/cm2"))
    with pytest.raises(ax.FiberError, match=f"^Made: .*{message}"):
        made.to_dict()


def test_parts_are_refused_where_they_are_written() -> None:
    with pytest.raises(TypeError, match="found str in a formula"):
        ax.Ohmic("g", -70)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="comparisons belong into"):
        ax.Current(ax.Patch().v < 3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"celcius": 20}, "did you mean `celsius`?"),
        ({"start_mV": -70}, "did you mean `start_mv`?"),
        ({"diameter": (1, 2)}, "did you mean `diameter_um`?"),
        ({"gna": 0.1}, "gna: found 0.1, expected a setting .* a parameter by param"),
        ({"exp": ax.param(1, "")}, "exp: found a parameter, expected another name"),
        ({"celsius": ax.param(1, "")}, "celsius: found a parameter, expected another name"),
        ({"membrane": ax.param(1, "")}, "membrane: found a parameter, expected another name"),
        ({"a": (both := ax.param(1, "")), "b": both}, "b: found the parameter `a` again"),
        ({"naïve": ax.param(1, "")}, "'naïve' as the name of a parameter"),
        ({"g": 2e-3}, r"found 0.002 in place of a parameter, expected param\(..., 'S/cm2'\)"),
    ],
)
def test_classes_refused(attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(ax.FiberError, match=message):
        type("Made", (Leaky,), attributes)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start_mv": None}, "start_mv: found none"),
        ({"v_rest_mv": -60}, "start_mv: found -70 and v_rest_mv -60"),
        ({"start_mv": "-70"}, "start_mv: found '-70', expected a number"),
        ({"celsius": True}, "celsius: found True, expected a number"),
        ({"diameter_um": 3}, "diameter_um: found 3, expected the least and the largest"),
        ({"length_um": float("inf")}, "length_um: found inf, expected a finite number"),
        ({"cable": None}, "cable: found None, expected text"),
        ({"citations": [1]}, "citations: found 1, expected text"),
        ({"membrane": ax.Fiber.membrane}, "membrane: found none"),
    ],
)
def test_settings_refused(settings: dict[str, Any], message: str) -> None:
    made = fiber(**{"membrane": Leaky.membrane, "g": ax.param(1, "S/cm2"), **settings})
    with pytest.raises(ax.FiberError, match=f"^Made: {message}"):
        made.to_dict()


def test_parameters_refused() -> None:
    with pytest.raises(ax.FiberError, match=r"Leaky: found `G`, expected a parameter \(g, cm, ra\); did you mean `g`?"):
        Leaky(G=1)
    with pytest.raises(ax.FiberError, match="Leaky, g: found 'much', expected a number"):
        Leaky(g="much")  # type: ignore[arg-type]
    for bad, message in [
        ({"value": float("nan"), "unit": "mV"}, "found nan"),
        ({"value": 1, "unit": 2}, "unit: found 2, expected text"),
        ({"value": 1, "unit": "mV", "train": "shift"}, "train: found 'shift'"),
    ]:
        with pytest.raises(ax.FiberError, match=message):
            ax.param(**bad)  # type: ignore[arg-type]


def test_the_engine_reads_both_forms_alike() -> None:
    native = pytest.importorskip("pyaxonml._native", reason="the native module is not built")
    for made in (HodgkinHuxley(gna=0.1), MrgNode(), Leaky()):
        assert made._description() == native.FiberDescription.from_toml(made.to_toml())


@pytest.fixture(scope="session")
def binary() -> str:
    """The command line: the binary that AXONML_BINARY names, or `axonml` on PATH."""
    found = os.environ.get("AXONML_BINARY") or shutil.which("axonml")
    if found is None:
        pytest.skip("no command line: set AXONML_BINARY to the binary, or put `axonml` on PATH")
    return found


def ask(binary: str, *arguments: str) -> Any:
    done = subprocess.run([binary, *arguments, "--quiet"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("made", "model", "arguments"),
    [
        (
            HodgkinHuxley,
            "hh",
            "--diameter 1 --distance 50,100 --nodes 101 --tstop 4 --detect-nodes 20",
        ),
        (MrgNode, "mrg", "--diameter 5.7,10 --distance 100,1000 --nodes 21"),
    ],
)
def test_thresholds_are_those_of_the_bundled_model(
    binary: str, tmp_path: Path, made: type[ax.Fiber], model: str, arguments: str
) -> None:
    file = tmp_path / "mine.toml"
    made().to_toml(file)

    def thresholds(model: str) -> list[dict[str, Any]]:
        report = ask(binary, "threshold", "--model", model, *arguments.split(), "--format", "json")
        return [{**row, "model": None} for row in report["results"]]

    found, expected = thresholds(str(file)), thresholds(model)
    assert found == expected
    assert {row["status"] for row in found} == {"ok"}


def test_parameters_of_instances_count(binary: str, tmp_path: Path) -> None:
    arguments = ["--diameter", "10", "--distance", "1000", "--nodes", "21", "--format", "json"]
    MrgNode(gna=2.5).to_toml(tmp_path / "mine.toml")
    mine = ask(binary, "threshold", "--model", str(tmp_path / "mine.toml"), *arguments)
    set_there = ask(binary, "threshold", "--model", "mrg", "--set", "gna=2.5", *arguments)
    assert mine["results"][0]["threshold_mA"] == set_there["results"][0]["threshold_mA"]


def test_the_largest_formulas_are_read(binary: str, tmp_path: Path) -> None:
    def deepest(self: ax.Fiber, x: ax.Patch) -> Iterator[ax.MembranePart]:
        nested: Any = x.v
        for _ in range(100):
            nested = -ax.minimum(3, 1e-3 * (nested + 1))
        assert nested.depth == 400
        terms: Any = sum((1e-9 * (x.v + n) for n in range(396)), x.v)
        shared = x.v
        for _ in range(40):
            shared = shared + shared
        yield ax.Current(nested)
        yield ax.Current(terms)
        yield ax.Current(1e-20 * shared)
        yield ax.Gate("y", 1, 2)

    fiber(deepest).to_toml(tmp_path / "mine.toml")
    assert ask(binary, "models", str(tmp_path / "mine.toml"), "--json")
