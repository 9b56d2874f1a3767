"""Simulations: fibers in a field under a waveform, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import _native
from ._arrays import as_array, node_index, spread, whole
from ._as_study import as_study
from ._names import did_you_mean
from ._prepared import Prepared, log
from ._progress import ProgressLike, listening
from ._results import BlockThresholds, Gradients, Recording, Recruitment, Responses, Thresholds, Velocities
from ._state import FiberStates, OnState
from ._stimulus import Injection
from ._study import Study
from .errors import InputError


class Simulation(Prepared):
    """Fibers, the field around them, and the waveform of the current; questions are methods.

    ``field`` is a :class:`Field`, or a list of them that add up; ``waveform`` a :class:`Waveform`, its text, or a function of time.
    A list of waveforms is one per source where the field has several, and one per fiber where it has one. ``inject`` are currents into
    nodes (:func:`inject`, :func:`currents`), ``synapse`` one that opens in runs and for velocities (:class:`Synapse`), ``detect`` is what
    counts as an action potential (:class:`Detection`).

    ``dt`` and ``tstop`` are in ms; by default runs last 5 ms, or as long as the slowest fiber's action potential needs.
    ``precision`` is ``f64`` or ``f32``, ``device`` is ``auto``, ``cpu``, ``cuda`` or ``cuda:N``, ``threads`` all processors by default.
    ``start`` is ``published`` or ``steady-state`` (after ``warmup_ms``); ``ends`` are ``active`` or ``passive``; ``parameters`` replace
    those of the model, ``weights`` are :class:`Weights`, or name bundled ones, a file, or ``published``.

    Amplitudes are positive, as on the command line: cathodic waveforms are negative. With ``signed=True`` they have the sign of PyFibers:
    that of the waveform's first phase, so that cathodic thresholds are negative.
    """

    def _check_scaled(self, amplitude: Any) -> None:
        """Refuses an amplitude of nothing."""
        if np.any(amplitude) and self.field is None and not any(one.searched for one in self.injections):
            raise InputError(
                "found an amplitude, but no field and no injected current (inject without `na`) that it scales"
            )

    def _without_synapse(self, what: str) -> None:
        if self.synapse is not None:
            raise InputError(
                f"found a synapse in a question for {what}, which only runs and conduction velocities have"
            )

    def _threshold_search(
        self,
        ve: Any,
        resolution: float,
        max_amplitude: float | None,
        first_amplitude: float | None,
        early_end: bool,
        near: Any,
    ) -> dict[str, Any]:
        self._without_synapse("thresholds")
        if self.field is None and ve is None and not any(one.searched for one in self.injections):
            raise InputError(
                "found no field and no injected current to search for (inject without `na`), expected what is to be searched"
            )
        unit, per_ma = self._unit(ve)
        most = max_amplitude if max_amplitude is not None else 20_000.0 if unit == "nA" else 20.0
        guesses = None
        if near is not None:
            guesses = (np.abs(spread(near, (len(self.fibers),), "guesses")) / per_ma).tolist()
        return self._search(
            resolution=float(resolution),
            max_ma=float(most) / per_ma,
            first_ma=None if first_amplitude is None else float(first_amplitude) / per_ma,
            early_end=early_end,
            guesses_ma=guesses,
        )

    def thresholds(
        self,
        ve: Any = None,
        *,
        resolution: float = 1e-4,
        max_amplitude: float | None = None,
        first_amplitude: float | None = None,
        early_end: bool = True,
        near: Any = None,
        progress: ProgressLike = False,
    ) -> Thresholds:
        """Activation thresholds of all fibers.

        ``ve`` are potentials at the fibers' sample points in place of the field (``[fiber, sample]``, mV per mA). ``resolution`` is the
        width of the final bracket relative to its upper end; ``max_amplitude`` is 20 mA, or 20,000 nA of an injected current; ``near``
        are guesses, which change no result. Both ends of every bracket were simulated.
        """
        search = self._threshold_search(ve, resolution, max_amplitude, first_amplitude, early_end, near)
        with listening(progress, "thresholds") as heard:
            found = self._running.thresholds(self._stimulated(ve), search, heard)
        return self._thresholds(found, ve)

    def _thresholds(self, found: Any, ve: Any) -> Thresholds:
        unit, per_ma = self._unit(ve)
        factor = per_ma * self._sign()
        columns: dict[str, np.ndarray] = {}
        for name, column in found.items():
            if name.endswith("_mA"):
                columns[name.replace("_mA", f"_{unit}")] = column * factor
            else:
                columns[name] = np.asarray(column)
        result = Thresholds(columns, self._coordinates())
        tell_statuses("threshold", result["status"])
        return result

    def thresholds_and_gradients(
        self,
        ve: Any = None,
        *,
        by: Sequence[str] = ("potentials",),
        resolution: float = 1e-6,
        max_amplitude: float | None = None,
        progress: ProgressLike = False,
    ) -> tuple[Thresholds, Gradients]:
        """Thresholds, and their exact derivatives by ``potentials``, ``waveforms``, ``parameters`` and gains of sources.

        Derivatives are those of the threshold in its unit: by potentials in mA per mV/mA. Layers of torch and jax can be written on it.
        """
        # Those by gains are always there.
        wanted = asked(by, ("potentials", "waveforms", "parameters", "gains"))
        del wanted["gains"]
        search = self._threshold_search(ve, resolution, max_amplitude, None, True, None)
        stimulus = self._stimulated(ve)
        with listening(progress, "thresholds") as heard:
            found = self._running.thresholds(stimulus, search, heard)
        raw = self._running.threshold_gradients(stimulus, search, found["threshold_mA"], wanted)
        thresholds = self._thresholds(found, ve)
        # The derivative of the logarithm times the threshold.
        of = thresholds.values
        columns = {"message": np.asarray(raw["message"]), "gains": raw["gains"] * of[:, None]}
        gradients = Gradients(columns, self._coordinates(), {"gains": ("fiber", "source")})
        self._fill(gradients, raw, wanted, of)
        return thresholds, gradients

    def block_thresholds(
        self,
        test: Injection,
        *,
        resolution: float = 1e-4,
        max_amplitude: float = 20.0,
        first_amplitude: float = 1e-3,
        progress: ProgressLike = False,
    ) -> BlockThresholds:
        """Amplitudes (mA) at which the stimulus excites, blocks the action potentials of ``test`` pulses, and excites again.

        Test pulses are looked for at the last site of detection, from ``detect.after`` on, by default from the first of them.
        """
        self._without_synapse("block thresholds")
        if self._unit()[0] == "nA":
            raise InputError(
                "found an injected current to search for, expected a field: block thresholds are amplitudes of fields"
            )
        search = {
            **self.detect._spec(),
            "first_ma": float(first_amplitude),
            "max_ma": float(max_amplitude),
            "resolution": float(resolution),
        }
        with listening(progress, "block thresholds") as heard:
            found = self._running.block_thresholds(self._stimulated(), search, test._test(), heard)
        sign = self._sign()
        columns = {
            name: column * sign if name.endswith("_mA") else np.asarray(column) for name, column in found.items()
        }
        result = BlockThresholds(columns, self._coordinates())
        tell_statuses("block", result["status"])
        return result

    def run(
        self,
        amplitude: Any = 0.0,
        *,
        record: Sequence[str] = ("v",),
        nodes: Sequence[int] | None = None,
        at: Sequence[float] | None = None,
        every: int = 1,
        begin: FiberStates | None = None,
        until: float | None = None,
        on_state: OnState | None = None,
        on_every: int = 1,
    ) -> Recording:
        """Runs at an amplitude (mA; one, or one per fiber) and records ``v`` and states, every so many steps, the start included.

        ``nodes`` are counted from 0, negative ones from the end; ``at`` are fractions of the length; all by default.

        A run goes from the fibers' initial state to ``tstop``, or from the state ``begin`` on, at its time, until ``until`` (ms). Its last
        state is :attr:`Recording.end`, so that ``sim.run(a, until=2)`` and ``sim.run(a, begin=first.end)`` are the parts of one run; the
        second does not record again what it begins with. ``on_state`` is called with the :class:`FiberStates` after every ``on_every``
        steps and at the end; where it returns one (of the same time), the run goes on from that.
        """
        if whole(on_every, "on_every") < 1:
            raise InputError(f"found on_every={on_every}, expected 1 or more steps")
        if on_state is None and on_every != 1:
            raise InputError("found `on_every` without `on_state`, which it is about")
        if until is not None and begin is not None and self._fitting(begin).t_ms > float(until):
            raise InputError(f"found a run from {begin.t_ms:g} to {until:g} ms, expected an end after the beginning")
        self._check_scaled(amplitude)
        spec = self._run_spec(amplitude, record, nodes, at, every)
        states = spec["states"]
        seen = None if on_state is None else self._seeing(on_state)
        part = {
            "begin": None if begin is None else self._fitting(begin)._spec(),
            "until_ms": None if until is None else float(until),
            "every": whole(on_every, "on_every"),
            "on_state": seen,
            "synapse": None if self.synapse is None else self.synapse._spec(),
        }
        found: dict[str, Any] = dict(self._running.run(self._stimulated(), spec, part))
        crossings, end = found.pop("crossings"), found.pop("end")
        renamed = {name.removeprefix("state "): np.asarray(column) for name, column in found.items()}
        dims: dict[str, tuple[str, ...]] = {name: ("fiber", "time", "node") for name in ("v", *states)}
        dims |= {name: ("fiber", "node") for name in ("node_index", "z_um")}
        dims |= {"v_max_mV": ("fiber", "any_node"), "t_ms": ("time",)}
        t_ms = renamed.pop("t_ms")
        renamed["node_index"] = renamed.pop("node")
        if "v" not in record:
            del renamed["v"]
        result = Recording(renamed, {**self._coordinates(), "t_ms": t_ms}, dims)
        result.crossings = crossings
        result.end = FiberStates._of(end, self._coordinates())
        tell_statuses("threshold", result["status"])
        return result

    def initial_state(self) -> FiberStates:
        """The state of the fibers before the first step."""
        return FiberStates._of(self._running.initial_state(), self._coordinates())

    def _fitting(self, state: FiberStates) -> FiberStates:
        """A state, with variables in the order of the model's."""
        if not isinstance(state, FiberStates):
            raise InputError(f"found {type(state).__name__} as a state, expected that of a simulation: FiberStates")
        names = ["v", "modes", *self._running.variables]
        if set(state.columns) != set(names):
            raise InputError(f"found a state of {list(state.columns)}, expected {names}")
        for name in ("diameter_um", "n_nodes"):
            own, of = self._coordinates()[name], state.coordinates.get(name)
            if of is not None and not np.array_equal(own, of):
                raise InputError(f"found a state of fibers of other {name}, {of}, expected {own}")
        return FiberStates(state.t_ms, {name: state.columns[name] for name in names}, state.coordinates)

    def _seeing(self, on_state: OnState) -> Callable[[Any], dict[str, Any] | None]:
        """A function of native states that asks one of states."""

        def seen(found: Any) -> dict[str, Any] | None:
            answer = on_state(FiberStates._of(found, self._coordinates()))
            if answer is None:
                return None
            if not isinstance(answer, FiberStates):
                raise InputError(f"found {type(answer).__name__} from on_state, expected None or FiberStates")
            return self._fitting(answer)._spec()

        return seen

    def _run_spec(
        self,
        amplitude: Any,
        record: Sequence[str],
        nodes: Sequence[int] | None,
        at: Sequence[float] | None,
        every: int,
    ) -> dict[str, Any]:
        if nodes is not None and at is not None:
            raise InputError("found `nodes` and `at`, expected one of them")
        if whole(every, "every") < 1:
            raise InputError(f"found every={every}, expected 1 or more steps")
        for name in record:
            if not isinstance(name, str) or name not in ("v", *self._running.variables):
                known = ", ".join(("v", *self._running.variables))
                raise InputError(
                    f"found {name!r} to record, expected {known}{did_you_mean(str(name), ('v', *self.states))}"
                )
        if not record:
            raise InputError("found nothing to record, expected v or states")
        return {
            "amplitudes_ma": self._amplitudes(amplitude),
            "states": [name for name in dict.fromkeys(record) if name != "v"],
            "nodes": None if nodes is None else [node_index(node) for node in nodes],
            "at": None if at is None else [float(part) for part in at],
            "every": whole(every, "every"),
            "search": self._search(),
        }

    def run_gradients(
        self,
        weights: Mapping[str, Any],
        amplitude: Any = 0.0,
        *,
        nodes: Sequence[int] | None = None,
        at: Sequence[float] | None = None,
        every: int = 1,
        by: Sequence[str] = ("potentials",),
    ) -> Gradients:
        """Derivatives of the sum over a run of what it records, times ``weights``: a vector-Jacobian product.

        ``weights`` has an array ``[fiber, time, node]`` for ``v`` and for states, of the shape that :meth:`run` records with the same
        ``nodes``, ``at`` and ``every``. ``by`` are ``potentials``, ``waveforms`` and ``parameters``; the derivative by each fiber's
        amplitude is always there, as the column ``amplitude``. Fibers that diverge are an error.
        """
        self._without_synapse("gradients")
        wanted = asked(by, ("potentials", "waveforms", "parameters"))
        spec = self._run_spec(amplitude, list(weights), nodes, at, every)
        arrays = {name: np.asarray(one, dtype=np.float64) for name, one in weights.items()}
        shapes = {array.shape for array in arrays.values()}
        if len(shapes) > 1:
            raise InputError(f"found weights of shapes {sorted(shapes)}, expected one shape")
        silent = np.zeros(next(iter(shapes)))
        each = [arrays.get(name, silent) for name in ("v", *spec["states"])]
        raw = self._running.run_gradients(self._stimulated(), spec, each, wanted)
        by_amplitude = np.asarray(raw["amplitude"]) * self._sign() / self._unit()[1]
        result = Gradients({"amplitude": by_amplitude}, self._coordinates())
        self._fill(result, raw, wanted, np.ones(len(self.fibers)))
        return result

    def _fill(self, result: Gradients, raw: Any, wanted: Mapping[str, bool], factor: np.ndarray) -> None:
        """Puts derivatives, times a factor of each fiber, into a result."""
        for kind in ("potentials", "waveforms"):
            # Sources are numbered from 0.
            each: list[np.ndarray] = []
            while (name := f"{kind} {len(each)}") in raw:
                each.append(raw[name] * factor[:, None])
            setattr(result, kind, each)
        names = [row["name"] for row in self.parameters] if wanted["parameters"] else []
        result.parameters = {name: raw["parameters"][:, at] * factor for at, name in enumerate(names)}

    def response(
        self,
        amplitude: Any,
        *,
        test: Injection | None = None,
        progress: ProgressLike = False,
    ) -> Responses:
        """Counts the action potentials that arrive at the last site of detection.

        Amplitudes (mA; nA of an injected current to search for) are ``[amplitude]``, the same for all fibers, or ``[fiber, amplitude]``.
        """
        self._without_synapse("responses")
        fibers = len(self.fibers)
        self._check_scaled(amplitude)
        given = as_array(np.atleast_1d(amplitude), "amplitudes", (1, 2)).astype(np.float64)
        each = spread(given, (fibers, given.shape[-1]), "amplitudes")
        unit, per_ma = self._unit()
        sign = np.broadcast_to(np.asarray(self._sign()), (fibers,))[:, None]
        pulses = None if test is None else test._test()
        search = self._search()
        if test is not None and self.detect.after is None:
            search["after_ms"] = test.at[0]
        with listening(progress, "responses") as heard:
            found = self._running.transmission(self._stimulated(), each * sign / per_ma, search, pulses, heard)
        columns = {name: np.asarray(column) for name, column in found.items()}
        del columns["amplitude_mA"]
        columns[f"amplitude_{unit}"] = each.copy()
        return Responses(columns, self._coordinates(), {name: ("fiber", "amplitude") for name in columns})

    def recruitment(self, thresholds: Thresholds | None = None, **search: Any) -> Recruitment:
        """The recruitment curve, by the weights of the fibers; thresholds are searched unless they are given."""
        if thresholds is not None and search:
            raise InputError(
                f"found thresholds and settings of their search ({', '.join(search)}), expected one of them"
            )
        found = self.thresholds(**search) if thresholds is None else thresholds
        unit = next(name for name in found.columns if name.startswith("threshold_")).removeprefix("threshold_")
        steps = _native.recruitment(np.abs(found.values), self.fibers.weight)
        columns = {name.replace("_mA", f"_{unit}"): column for name, column in steps.items()}
        return Recruitment(columns, {}, {name: ("step",) for name in columns})

    def conduction_velocity(
        self,
        amplitude: Any = 0.0,
        *,
        nodes: tuple[int, int] | None = None,
        at: tuple[float, float] = (0.25, 0.75),
    ) -> Velocities:
        """Velocities (m/s) of the action potentials that the stimulus starts, between two nodes or fractions ``at`` of the length.

        The stimulus is a field at ``amplitude`` (mA), a current into a node (:func:`inject`) or a :class:`Synapse`, which need none.
        """
        if not np.any(amplitude) and not self.injections and self.synapse is None:
            raise InputError("found amplitude=0 and no injected current, expected an amplitude above threshold, mA")
        if self.synapse is not None and (np.any(amplitude) or self.injections):
            raise InputError(
                "found a synapse beside another stimulus, expected one thing that starts action potentials"
            )
        spec = self.detect._spec()
        found = self._running.velocities(
            self._stimulated(),
            {
                "amplitudes_ma": self._amplitudes(amplitude),
                "nodes": nodes,
                "at": at,
                "threshold_mv": spec["threshold_mv"],
                "after_ms": spec["after_ms"] or 0.0,
                "synapse": None if self.synapse is None else self.synapse._spec(),
            },
        )
        columns = {name: np.asarray(column) for name, column in found.items()}
        result = Velocities(columns, self._coordinates())
        tell_statuses("velocity", result["status"])
        return result

    def study(self, kind: str = "threshold", *, search: Mapping[str, Any] | None = None, **question: Any) -> Study:
        """The same fibers, field, stimulus and settings as a :class:`Study`, which can be printed, repeated and split over machines.

        ``kind`` and its settings are those of a study's ``[protocol]``, ``search`` those of ``[search]``:
        ``simulation.study("response", amplitude_mA="0:2:21")``. A study has words for point electrodes and contacts of nerve folders,
        pulses by name and injected pulses; anything else is an error.
        """
        return as_study(self, kind, search or {}, question)

    def __repr__(self) -> str:
        return (
            f"Simulation({self.fibers!r}, {self.field!r}, dt={self.dt:g}, tstop={self.tstop:g}, device={self.device!r})"
        )


def asked(by: Sequence[str], kinds: Sequence[str]) -> dict[str, bool]:
    """Which of the kinds of inputs are differentiated by."""
    unknown = sorted(set(by) - set(kinds))
    if unknown:
        raise InputError(f"found {unknown} in `by`, expected {', '.join(kinds[:-1])} or {kinds[-1]}")
    return {kind: kind in by for kind in kinds}


def tell_statuses(of: str, statuses: np.ndarray) -> None:
    """Logs the statuses that are not ``ok``, with their meanings."""
    names, counts = np.unique(statuses, return_counts=True)
    meanings = _native.statuses()[of]
    for name, count in zip(names, counts, strict=True):
        if name != "ok":
            log.warning("%d of %d fibers: %s: %s", count, len(statuses), name, meanings.get(str(name), ""))
