"""Selective stimulation: what contacts should deliver to activate some fibers and spare others."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _native
from ._machine import thread_count
from ._nerve import Nerve
from ._progress import ProgressLike, listening
from ._study import Study, _tell
from .errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Keys of ``[limits]`` by the names of :class:`Limits`, where they differ.
_LIMIT_KEYS = {
    "bound": "bound_mA",
    "charge_max": "charge_max_nC",
    "shannon": "shannon_k",
    "contact_area": "contact_area_cm2",
    "compliance": "compliance_V",
    "dac": "dac_mA",
    "frozen": "frozen_mA",
}
#: Tables of a study that an optimization reads, beside those that have arguments of their own.
_TABLES = ("protocol", "fibers", "field", "stimulus", "limits", "gd", "de", "robust", "search", "numerics")


@dataclass(frozen=True)
class Limits:
    """What every delivered stimulus obeys, to a part in 1e9 of each limit."""

    #: Largest current of a contact without sign, mA; 3 by default.
    bound: float | None = None
    #: Whether the currents of all contacts add up to 0 at every step.
    sum_zero: bool = False
    #: Whether samples that vary need not be charge-balanced.
    unbalanced: bool = False
    #: Largest charge of a phase of a contact, nC.
    charge_max: float | None = None
    #: Largest Shannon k of a phase of a contact.
    shannon: float | None = None
    #: Area of all contacts, or of each, cm2; by default from the nerve.
    contact_area: float | Sequence[float] | None = None
    #: Largest voltage of a contact by the nerve's impedances, V.
    compliance: float | None = None
    #: Access impedance of each contact besides, ohm.
    contact_ohm: float | None = None
    #: Step of the stimulator's currents, mA.
    dac: float | None = None
    #: Most contacts whose current is not 0.
    max_contacts: int | None = None
    #: Amplitudes of contacts that are given, mA, by the number of the contact.
    frozen: Mapping[int, float] | None = None

    def _table(self) -> dict[str, Any]:
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        table = {_LIMIT_KEYS.get(name, name): x for name, x in given.items() if x is not None and x is not False}
        if self.frozen is not None:
            table["frozen_mA"] = {str(contact): float(ma) for contact, ma in self.frozen.items()}
        return table


class Optimization:
    """The stimulus that was found, verified on the exact fiber: ``results`` has what ``axonml optimize`` prints, one per nerve.

    Attributes are those of the first result: ``amplitudes_mA`` by contact, ``separation``, ``misclassified``, ``wbce``,
    ``charge_nC``, ``limits_active``, ``verified``, ``baselines``, ...
    """

    def __init__(self, text: str) -> None:
        self._text = text
        whole = json.loads(text)
        self.request: dict[str, Any] = whole["request"]
        self.results: list[dict[str, Any]] = whole["results"]
        self.summary: dict[str, Any] = whole["summary"]

    @property
    def amplitudes_mA(self) -> np.ndarray:
        """Amplitudes of the contacts, mA."""
        return np.array(self.results[0]["amplitudes_mA"], dtype=np.float64)

    def to_json(self) -> str:
        """Request, results and summary, as the command line writes them."""
        return self._text

    def plot(self, **options: Any) -> Axes:
        """Draws thresholds of targets and others, before and after, with matplotlib: :func:`pyaxonml.plot.optimization`."""
        from . import plot

        return plot.optimization(self, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "results":
            raise AttributeError(name)
        try:
            return self.results[0][name]
        except KeyError:
            raise AttributeError(f"found no `{name}`, but: {', '.join(self.results[0])}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.results[0]]

    def __repr__(self) -> str:
        one = self.results[0]
        amplitudes = ", ".join(f"{ma:.4g}" for ma in one["amplitudes_mA"])
        return (
            f"<Optimization of {one['nerve']} by {one['method']}: {amplitudes} mA; misclassified {one['misclassified']:.3g}, "
            f"separation {one['separation']:.4g}>"
        )


def optimize(
    nerve: Nerve | Study | str | os.PathLike[str],
    method: str | None = None,
    *,
    targets: Any = None,
    objective: str | None = None,
    model: str | None = None,
    diameter: float | Sequence[float] | None = None,
    nodes: int | None = None,
    waveform: str | None = None,
    vary: str | Sequence[str] | None = None,
    limits: Limits | None = None,
    seed: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    resume: bool = False,
    device: str | None = None,
    threads: int | None = None,
    progress: ProgressLike = False,
    **tables: Mapping[str, Any],
) -> Optimization:
    """Looks for the currents through a nerve's contacts that activate its targets and spare the other fibers.

    ``nerve`` is one that was loaded, its folder, or a :class:`Study` of kind ``optimize``, which says all the rest itself.
    ``method`` is ``gd`` (gradient descent on exact thresholds, from the best montages), ``de`` (differential evolution) or ``scan`` (all
    montages), the first of them by default. ``targets`` are a flag per fiber of the nerve, or ``"fascicles:2,5"``, by default the
    nerve's own. What is not given has the defaults of ``axonml optimize``; further ``tables`` are those of a study:
    ``gd={"steps": 40}``, ``robust={"copies": 0}``, ``protocol={"recruit": 0.5}``, ``numerics={"tstop_ms": 4.0}``.

    With a ``folder`` the best so far is kept after each improvement, and ``resume=True`` goes on with it, to the same bytes.
    The result is verified in double precision; no montage is better.

    >>> import pyaxonml as ax
    >>> best = ax.optimize("examples/nerves/N2", limits=ax.Limits(bound=0.3, sum_zero=True))  # doctest: +SKIP
    """
    if resume and folder is None:
        raise InputError("found resume=True without a folder, expected the folder to go on with")
    unknown = sorted(set(tables) - set(_TABLES))
    if unknown:
        raise InputError(f"found {unknown}, expected tables of a study: {', '.join(_TABLES)}")
    given: dict[str, dict[str, Any]] = {
        "fibers": {"model": model, "diameter_um": diameter, "nodes": nodes},
        "protocol": {"method": method, "objective": objective},
        "stimulus": {"waveform": waveform, "vary": vary},
        "limits": (limits or Limits())._table(),
        "numerics": {"seed": seed},
    }
    with tempfile.TemporaryDirectory() as made, listening(progress, "optimization") as heard:
        if targets is not None:
            given["protocol"]["target"] = _target(targets, Path(folder or made))
        asked = {
            name: _joined(name, given.get(name, {}), tables.get(name, {})) for name in dict.fromkeys((*given, *tables))
        }
        asked = {name: table for name, table in asked.items() if table}
        if isinstance(nerve, Study):
            if asked:
                raise InputError(f"found a study and {', '.join(asked)}, which the study says itself")
            study = nerve
        else:
            path = nerve.path if isinstance(nerve, Nerve) else os.path.abspath(os.fspath(nerve))
            asked["field"] = {**asked.get("field", {}), "nerve": path}
            asked["protocol"] = {"kind": "optimize", "method": "gd", **asked.get("protocol", {})}
            study = Study.from_dict(asked)
        return Optimization(
            _native.optimize(
                study._native,
                folder=None if folder is None else os.fspath(folder),
                resume=resume,
                device=device,
                threads=thread_count(threads),
                progress=heard,
                log=_tell,
            )
        )


def _joined(name: str, given: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """A table of arguments and of what is given besides; nothing may be given twice."""
    table = {key: x for key, x in given.items() if x is not None}
    twice = sorted(set(table) & set(more))
    if twice:
        raise InputError(f"found {twice} in `{name}` and as an argument, expected one of them")
    return {**table, **more}


def _target(targets: Any, folder: Path) -> str:
    """Targets as a study names them: flags are kept as a file."""
    if isinstance(targets, str):
        return targets
    flags = np.asarray(targets)
    if flags.ndim != 1 or not np.isin(flags, (0, 1)).all():
        raise InputError(f"found targets of shape {flags.shape}, expected one flag (0 or 1) per fiber of the nerve")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "target.npy"
    np.save(path, flags.astype(np.uint8))
    return str(path)
