"""Simulations as studies: as data that the command line reads and that many machines share."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ._fibers import _native_model
from ._field import Field, JoinedField, PointField
from ._nerve import NerveField
from ._stimulus import Injection
from ._study import Study
from ._waveform import Waveform
from ._weights import Weights
from .errors import InputError

if TYPE_CHECKING:
    from ._prepared import Prepared

#: Settings of a simulation, and the keys of a study's fibers that say the same.
OF_FIBERS = {"weights": "weights", "celsius": "temperature_celsius", "warmup_ms": "warmup_ms"}


def as_study(simulation: Prepared, kind: str, search: Mapping[str, Any], question: Mapping[str, Any]) -> Study:
    """The study that asks the same."""
    if simulation.signed:
        raise _without_words("amplitudes with signs", "give signed=False")
    fields = _parts(simulation.field)
    in_nerve = any(isinstance(part, NerveField) for part in fields)
    study: dict[str, Any] = {"protocol": {"kind": kind, **{name: _plain(value) for name, value in question.items()}}}
    if search:
        study["search"] = {name: _plain(value) for name, value in search.items()}
    native = _native_model(simulation.fibers.model)
    common = _common(simulation, native if isinstance(native, str) else native.id)
    if not isinstance(native, str):
        study["model"] = [json.loads(native.to_json())]
    study["fibers"] = _groups(simulation, common, in_nerve)
    study |= _nerve(simulation, fields) if in_nerve else _points(simulation, fields)
    study["source"] = _sources(simulation, fields, "contact" if in_nerve else "point")
    study["inject"] = [row for current in simulation.injections for row in _injected(current)]
    study["detection"] = _detection(simulation)
    study["numerics"] = {
        "dt_ms": simulation.dt,
        "tstop_ms": simulation.tstop,
        "precision": simulation._settings["precision"],
        "rates": simulation._settings["rates"],
    }
    return Study.from_dict({name: part for name, part in study.items() if part})


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Injection):
        return {
            **{name: at for row in _injected(value) for name, at in row.items() if name != "delay_ms"},
            "at_ms": list(value.at),
        }
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _without_words(what: str, remedy: str) -> InputError:
    return InputError(f"found {what}, which a study has no words for", remedy)


def _parts(field: Field | None) -> list[Field]:
    if field is None:
        return []
    if isinstance(field, JoinedField):
        return [one for part in field.parts for one in _parts(part)]
    if isinstance(field, (PointField, NerveField)):
        return [field]
    raise _without_words(
        f"a {type(field).__name__}", "give point electrodes, or save a nerve folder and give its field"
    )


def _common(simulation: Prepared, model: str) -> dict[str, Any]:
    """What all groups share."""
    settings = simulation._settings
    if isinstance(settings["weights"], Weights):
        raise _without_words("weights in memory", "save them, and give the file")
    group: dict[str, Any] = {"model": model}
    group |= {key: _plain(settings[name]) for name, key in OF_FIBERS.items() if settings[name] is not None}
    if "weights" in group:
        group["weights"] = os.fspath(group["weights"])
    if settings["ends"] != "active":
        group["ends"] = settings["ends"]
    if settings["parameters"]:
        group["set"] = {name: float(value) for name, value in settings["parameters"].items()}
    if simulation.fibers.compartment_um is not None:
        group["compartment_um"] = float(simulation.fibers.compartment_um)
    if simulation.synapse is not None:
        raise _without_words("a synapse", "give it to a study of velocities: [protocol] kind = 'cv', synapse = {...}")
    return group


def _groups(simulation: Prepared, common: dict[str, Any], in_nerve: bool) -> list[dict[str, Any]]:
    """A group for each stretch of fibers with the same nodes."""
    fibers = simulation.fibers
    if not len(fibers):
        raise _without_words("no fibers", "give at least one")
    alike = list(zip(simulation.nodes.tolist(), fibers.offset_um.tolist(), strict=True))
    weights = fibers.weight.tolist()
    if in_nerve:
        nerve = next(part.nerve for part in _parts(simulation.field) if isinstance(part, NerveField))
        if not np.array_equal(fibers.weight, nerve.weights):
            raise _without_words(
                "weights of lines that are not those of the nerve",
                "leave weight= out, or write it into the nerve folder",
            )
        if len({*alike}) > 1 or len({*fibers.diameter_um.tolist()}) > 1:
            raise _without_words(
                "lines of a nerve with fibers of different diameters, nodes or offsets",
                "give all lines the same, nodes=...",
            )
        return [{**common, "diameter_um": float(fibers.diameter_um[0]), "nodes": alike[0][0], "offset_um": alike[0][1]}]
    groups: list[dict[str, Any]] = []
    for (nodes, weight), stretch in itertools.groupby(range(len(fibers)), key=lambda of: (alike[of][0], weights[of])):
        diameters = fibers.diameter_um[list(stretch)].tolist()
        group = {**common, "name": f"fibers {len(groups) + 1}", "diameter_um": diameters, "nodes": nodes}
        # The share of a group is that of all its fibers.
        groups.append({**group, "weight": weight * len(diameters)})
    if len(groups) == 1:
        del groups[0]["name"], groups[0]["weight"]
    return groups


def _points(simulation: Prepared, fields: list[Field]) -> dict[str, Any]:
    """Point electrodes as the fibers see them, which lie at the origin of a study."""
    fibers = simulation.fibers
    rows, media = [], set()
    for part in fields:
        if not isinstance(part, PointField):
            raise _without_words("point electrodes beside a nerve", "give one kind of field")
        media.add(part.medium)
        seen = [
            at - of
            for at, of in zip((part.x, part.y, part.z), (fibers.x_um, fibers.y_um, fibers.offset_um), strict=True)
        ]
        if any((at != at[0]).any() for at in seen):
            raise _without_words(
                "electrodes that fibers see at different places", "make a study for the fibers of each place"
            )
        rows.append(dict(zip(("x_um", "y_um", "z_um"), (float(at[0]) for at in seen), strict=True)))
    if len(media) > 1:
        raise _without_words("point electrodes in several media", "give all of them one medium")
    return {"field": {"point": rows, "resistivity_ohm_cm": list(media.pop())}} if rows else {}


def _nerve(simulation: Prepared, fields: list[Field]) -> dict[str, Any]:
    nerves = [part for part in fields if isinstance(part, NerveField)]
    if len(nerves) < len(fields):
        raise _without_words("point electrodes beside a nerve", "give one kind of field")
    if len({(part.nerve.path, part.how) for part in nerves}) > 1:
        raise _without_words("several nerves", "give the contacts of one nerve")
    interpolation, extend = nerves[0].how
    field: dict[str, Any] = {"nerve": nerves[0].nerve.path, "interpolation": interpolation, "extend": extend}
    if len(nerves) == 1:
        field["contacts"] = nerves[0].factors.tolist()
    elif not np.array_equal([part.factors for part in nerves], np.eye(nerves[0].nerve.contacts)):
        raise _without_words(
            "several montages with a waveform each", "give one montage, or a waveform to every contact"
        )
    return {"field": field}


def _sources(simulation: Prepared, fields: list[Field], place: str) -> list[dict[str, Any]]:
    """The waveforms: one of the whole field, or one of each source."""
    rows = []
    for each in simulation._waveforms:
        if len({id(one) for one in each}) > 1:
            raise _without_words("a waveform for every fiber", "make a study for each waveform")
        rows.append({"pulse": _words(each[0])})
    if len(rows) > 1 and any(row != rows[0] for row in rows):
        return [{place: index, **row} for index, row in enumerate(rows)]
    return rows[:1] if fields else []


def _words(waveform: Waveform) -> str:
    if waveform._kind not in ("text", "shape"):
        raise _without_words("a waveform of values or of a function", "give a pulse by name: pyaxonml.pulse(...)")
    return str(waveform._on_grid(0.0, 0.0))


def _injected(current: Any) -> list[dict[str, Any]]:
    if not isinstance(current, Injection) or isinstance(current.na, tuple):
        raise _without_words("currents of values, or of one for each fiber", "give pulses: pyaxonml.inject(node, na)")
    na = {} if current.na is None else {"amp_nA": current.na}
    return [{"node": current.node, **na, "pw_ms": current.pw, "delay_ms": at} for at in current.at]


def _detection(simulation: Prepared) -> dict[str, Any]:
    spec = simulation.detect._spec()
    found = {
        "nodes": spec["nodes"],
        "at": spec["at"],
        "threshold_mV": spec["threshold_mv"],
        "after_ms": spec["after_ms"],
    }
    return {name: value for name, value in found.items() if value is not None}
