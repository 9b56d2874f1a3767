"""Fibers of one's own, written in Python and run by the engine at full speed."""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, SupportsFloat

from ._checks import number, pair, text
from ._fiber_file import fiber_toml
from ._membrane import RESERVED, MembranePart, Patch, check_name, describe
from ._names import did_you_mean
from ._parameters import CYLINDER_PARAMETERS, Param
from .errors import FiberError

_CYLINDER: Final = "cylinder"


class Fiber:
    """A fiber of one's own: subclass it, declare parameters, and write down its membrane.

    Class attributes are settings, parameters, or constants with names in capitals; ``start_mv`` is needed, the other
    settings have defaults. A cylinder has the parameters ``cm`` (1 uF/cm2) and ``ra`` (100 ohm cm) unless the class
    declares others; with the cable of a bundled model (``cable = "mrg"``) the parameters of its geometry, myelin and
    axoplasm come with it. Instances may set parameters: ``Squid(gna=0.1)``.

    Example:
        >>> import numpy as np
        >>> import pyaxonml as ax
        >>> class Squid(ax.Fiber):
        ...     "A squid axon with one sodium and one leak current."
        ...     gna = ax.param(0.12, "S/cm2")
        ...     gl = ax.param(3e-4, "S/cm2")
        ...     start_mv, celsius = -65, 6.3
        ...
        ...     def membrane(self, x):
        ...         yield ax.Ohmic(self.gna * x.m**3 * x.h, 50)
        ...         yield ax.Ohmic(self.gl, -54.3)
        ...         yield ax.Gate("m", ax.exprelr(-(x.v + 40) / 10), 4 * np.exp(-(x.v + 65) / 18))
        ...         yield ax.InfTau("h", ax.sigmoid(-(x.v + 60) / 7), 1 + 5 * ax.sigmoid(-(x.v + 40) / 9))
        >>> squid = Squid(gna=0.1)
        >>> squid
        Squid(gna=0.1)
        >>> squid.parameters
        {'gna': 0.1, 'gl': 0.0003, 'cm': 1.0, 'ra': 100.0}
        >>> print(squid.to_toml())  # doctest: +ELLIPSIS
        id = "squid"
        name = "A squid axon with one sodium and one leak current"
        v_rest_mV = -65
        celsius = 6.3
        ...
        [[current]]
        g = "gna*m^3*h"
        e = 50
        ...
    """

    id: str = ""
    """Id in results and studies: small letters, digits and ``-``; by default made from the name of the class."""
    name: str = ""
    """Summary in one line; by default the first line of the docstring, without its full stop."""
    citations: Sequence[str] = ()
    """Literature sources of equations and constants."""
    start_mv: float | None = None
    """Membrane potential at the start, mV; gates are at their steady state there."""
    v_rest_mv: float | None = None
    """Another name of ``start_mv``, as in fiber files."""
    celsius: float = 37.0
    """Temperature unless a simulation sets another, degrees Celsius."""
    diameter_um: tuple[float, float] | None = None
    """Least and largest diameter, um; by default any, or those of the cable's model."""
    compartment_um: float | None = None
    """Length of a compartment, um; by default 8.333, or that of the cable's model."""
    length_um: float | None = None
    """Default length of a fiber without nodes of Ranvier, um."""
    cable: str = _CYLINDER
    """``"cylinder"``, or the id of the bundled model whose cable it has."""

    _declared: ClassVar[Mapping[str, Param]] = {}
    # Replaced by instances; here for those that never call __init__.
    _set: Mapping[str, float] = {}

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        own = vars(cls)
        cls._declared = _declared(cls)
        for name, value in own.items():
            _check_attribute(cls, name, value)
        if "id" not in own:
            cls.id = _kebab(cls.__name__)
        if "name" not in own and cls.__doc__:
            cls.name = cls.__doc__.strip().partition("\n")[0].strip().removesuffix(".")

    def __init__(self, **parameters: SupportsFloat) -> None:
        """A fiber with some parameters set.

        Raises:
            FiberError: the fiber has no parameter of a name, or a value is no finite number.
        """
        known = self._params()
        for name in parameters:
            if name not in known:
                raise FiberError(
                    f"{type(self).__name__}: found `{name}`, expected a parameter ({', '.join(known) or 'none'})"
                    f"{did_you_mean(name, known)}"
                )
        where = type(self).__name__
        self._set = {name: number(f"{where}, {name}", value) for name, value in parameters.items()}

    def membrane(self, x: Patch) -> Iterable[MembranePart]:
        """The membrane, by symbols: yields ``Ohmic``, ``Current``, ``Gate``, ``InfTau`` and ``State``.

        Args:
            x: Potential, temperature, diameter and states; parameters are attributes of ``self``.
        """
        raise FiberError("membrane: found none, expected `def membrane(self, x)` in the class")

    @property
    def parameters(self) -> dict[str, float]:
        """Values of the parameters by their names, those of a bundled cable not included."""
        return {name: self._set.get(name, own.value) for name, own in self._params().items()}

    def to_dict(self) -> dict[str, Any]:
        """The fiber as the entries of a fiber file.

        Raises:
            FiberError: a setting is missing or of another kind, or the membrane cannot be described.
        """
        try:
            return {**self._settings(), **self._membrane()}
        except FiberError as error:
            raise FiberError(f"{type(self).__name__}: {error}") from error

    def to_toml(self, path: str | os.PathLike[str] | None = None) -> str:
        """The text of a fiber file, which the command line takes by ``--model``; written to ``path``, too, if given.

        Raises:
            FiberError: as :meth:`to_dict`.
            OSError: the file cannot be written.
        """
        toml = fiber_toml(self.to_dict())
        if path is not None:
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(toml)
        return toml

    def _description(self) -> Any:
        """The fiber as the engine has it, checked."""
        native = importlib.import_module("pyaxonml._native")
        return native.FiberDescription.from_json(json.dumps(self.to_dict()))

    def _params(self) -> dict[str, Param]:
        """Its parameters: declared ones, and a cylinder's."""
        cylinder = CYLINDER_PARAMETERS if self.cable == _CYLINDER else {}
        others = {name: own for name, own in cylinder.items() if name not in self._declared}
        return {**self._declared, **others}

    def _settings(self) -> dict[str, Any]:
        starts = {
            number(key, value)
            for key, value in (("start_mv", self.start_mv), ("v_rest_mv", self.v_rest_mv))
            if value is not None
        }
        if len(starts) != 1:
            found = f"{self.start_mv} and v_rest_mv {self.v_rest_mv}" if starts else "none"
            raise FiberError(f"start_mv: found {found}, expected one potential at the start, mV")
        settings: dict[str, Any] = {"id": text("id", self.id)}
        if self.name:
            settings["name"] = text("name", self.name)
        citations = [self.citations] if isinstance(self.citations, str) else list(self.citations)
        if citations:
            settings["citations"] = [text("citations", source) for source in citations]
        settings["v_rest_mV"] = starts.pop()
        settings["celsius"] = number("celsius", self.celsius)
        if self.diameter_um is not None:
            settings["diameter_um"] = pair("diameter_um", self.diameter_um)
        if self.compartment_um is not None:
            settings["delta_z_um"] = number("compartment_um", self.compartment_um)
        if self.length_um is not None:
            settings["length_um"] = number("length_um", self.length_um)
        settings["cable"] = text("cable", self.cable)
        values = self.parameters
        settings["param"] = {name: own.entry(values[name]) for name, own in self._params().items()}
        return settings

    def _membrane(self) -> dict[str, Any]:
        x = Patch()
        parts = self.membrane(x)
        if not isinstance(parts, Iterable):
            raise FiberError(
                f"membrane: found {type(parts).__name__}, expected parts to be yielded or returned as a list"
            )
        return describe(parts, x, list(self._params()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self._set.items())
        return f"{type(self).__name__}({values})"

    def __eq__(self, other: object) -> bool:
        """Whether they are described alike: the same settings, parameters and formulas."""
        if not isinstance(other, Fiber):
            return NotImplemented
        return self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> str:
        return json.dumps(self.to_dict(), sort_keys=True)


_SETTINGS: Final = tuple(name for name in Fiber.__annotations__ if not name.startswith("_"))


def _declared(cls: type[Fiber]) -> dict[str, Param]:
    """The parameters of a class and of those that it inherits from, in the order of their declaration."""
    declared: dict[str, Param] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Param):
                declared[name] = value
            elif name in declared:
                raise FiberError(
                    f"{cls.__name__}, {name}: found {value!r} in place of a parameter, expected "
                    f"param(..., {declared[name].unit!r})"
                )
    return declared


def _check_attribute(cls: type[Fiber], name: str, value: object) -> None:
    """Refuses parameters under names with another meaning, and attributes that would be ignored."""
    if isinstance(value, Param):
        check_name(name, "parameter")
        if hasattr(Fiber, name) or name in RESERVED:
            raise FiberError(
                f"{cls.__name__}, {name}: found a parameter, expected another name: this one has a meaning already"
            )
        if value.name != name:
            raise FiberError(
                f"{cls.__name__}, {name}: found the parameter `{value.name}` again, expected a param(...) of its own"
            )
        return
    a_setting = name in _SETTINGS or name.startswith("_") or name.isupper()
    if not a_setting and not callable(value) and not hasattr(value, "__get__"):
        raise FiberError(
            f"{cls.__name__}, {name}: found {value!r}, expected a setting ({', '.join(_SETTINGS)}), a parameter by "
            f"param(value, unit), or a constant with a name in capitals{did_you_mean(name, _SETTINGS)}"
        )


def _kebab(name: str) -> str:
    """``HodgkinHuxley`` as ``hodgkin-huxley``, ``MRGNode`` as ``mrg-node``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
    return words.replace("_", "-").strip("-").lower()
