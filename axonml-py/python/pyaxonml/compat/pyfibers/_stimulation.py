"""Stimulation as PyFibers' scripts set it up: scaled potentials, or currents into a node."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from ..._fibers import Fibers
from ..._field import Field
from ..._simulation import Simulation
from ..._stimulus import Detection, Injection
from ..._waveform import Waveform
from ...errors import InputError
from .._currents import sampled
from .._refusal import NotSupportedError, RunError, told
from ._fiber import Fiber
from ._search import AT_ONCE, BisectionMean, BoundsSearchMode, Search, TerminationMode, ThresholdCondition
from ._sections import APCount
from ._trials import Trial, Watch, check_ends, crossings, recorded

log = logging.getLogger("pyaxonml")

#: The step of the steady-state initialization, ms, the library's and PyFibers' default.
WARMUP_DT_MS = 5.0

#: The state that a synapse adds to a model's own: its conductance.
SYNAPSE = "g_syn"

#: Arguments of runs that searches take, too, by what a :class:`Watch` calls them.
WATCHED = {
    "ap_detect_location": "location",
    "ap_detect_threshold": "threshold_mv",
    "fail_on_end_excitation": "fail_on_end_excitation",
}


def _above_zero(name: str, ms: float) -> float:
    if not ms > 0:
        raise InputError(f"found {name}={ms}, expected ms above 0")
    return float(ms)


@dataclass(frozen=True)
class Acting:
    """What acts on a fiber at amplitude 1: potentials at sample points, waveforms ``[source, step]``, pulses into nodes."""

    potentials: np.ndarray
    waveforms: np.ndarray
    pulses: tuple[Injection, ...]


class Stimulation:
    """Time steps, the steady-state initialization, and the search of thresholds. ``dt`` and ``tstop`` in ms."""

    def __init__(
        self,
        dt: float = 0.001,
        tstop: float = 50,
        t_init_ss: float = -200,
        dt_init_ss: float = 5,
        custom_run_sim: Callable[..., Any] | None = None,
    ) -> None:
        if custom_run_sim is not None:
            raise NotSupportedError(
                "found `custom_run_sim`: runs are not advanced step by step here",
                "use ScaledStim, or pyaxonml.Simulation",
            )
        if t_init_ss > 0:
            raise InputError(f"found t_init_ss={t_init_ss}, expected 0 or less")
        if t_init_ss < 0 and (dt_init_ss != WARMUP_DT_MS or math.fmod(t_init_ss, WARMUP_DT_MS) != 0):
            raise NotSupportedError(
                f"found t_init_ss={t_init_ss} in steps of {dt_init_ss} ms: the start is initialized in whole steps of 5 ms here"
            )
        self.t_init_ss = float(t_init_ss)
        self.dt_init_ss = float(dt_init_ss)
        self.dt = dt
        self.tstop = tstop
        self.time: np.ndarray | None = None

    @property
    def dt(self) -> float:
        """Time step, ms."""
        return self._dt

    @dt.setter
    def dt(self, value: float) -> None:
        self._dt = _above_zero("dt", value)

    @property
    def tstop(self) -> float:
        """Duration, ms."""
        return self._tstop

    @tstop.setter
    def tstop(self, value: float) -> None:
        self._tstop = _above_zero("tstop", value)

    @property
    def n_timesteps(self) -> int:
        """Number of steps."""
        return round(self.tstop / self.dt)

    def _acting(self, fiber: Fiber, factors: np.ndarray | None) -> Acting:
        """What acts on a fiber at amplitude 1; ``factors`` scale sources one by one."""
        raise NotSupportedError("Stimulation has no stimulus of its own", "use ScaledStim or IntraStim")

    def _simulation(self, acting: Acting, fiber: Fiber, watch: Watch, lanes: int, tstop: float) -> Simulation:
        steps = round(tstop / self.dt)
        waveforms = [Waveform(row[:steps], dt=self.dt) for row in acting.waveforms]
        settled = self.t_init_ss < 0
        return Simulation(
            Fibers(
                fiber._model.value,
                diameter=[fiber.diameter] * lanes,
                nodes=fiber.nodecount,
                compartment_um=fiber._compartment,
            ),
            [Field.potentials(row) for row in acting.potentials] or None,
            (waveforms if len(waveforms) > 1 else waveforms[0]) if waveforms else None,
            inject=[sampled(one, self.dt, steps) for one in acting.pulses],
            synapse=fiber._synapse_within(tstop),
            detect=Detection(nodes=[fiber.loc_index(watch.location)], threshold_mv=watch.threshold_mv),
            dt=self.dt,
            tstop=tstop,
            device="cpu",
            start="steady-state" if settled else "published",
            warmup_ms=-self.t_init_ss if settled else None,
            ends=fiber._ends,
            celsius=fiber.temperature,
        )

    def run_sim(
        self,
        stimamp: float | Sequence[float],
        fiber: Fiber,
        ap_detect_location: float = 0.9,
        exit_func: Callable[..., bool] | None = None,
        exit_func_interval: int = 100,
        exit_func_kws: dict[str, Any] | None = None,
        use_exit_t: bool = False,
        fail_on_end_excitation: bool | None = True,
        ap_detect_threshold: float = -30,
    ) -> tuple[int, float | None]:
        """Runs at an amplitude: the number of action potentials at a fraction of the nodes, and the time of the last, ms.

        Amplitudes are signed; one per source where there are several.
        """
        if exit_func is not None or exit_func_kws is not None or use_exit_t or exit_func_interval != 100:
            raise NotSupportedError("found an exit function or `use_exit_t`: runs are not looked at step by step here")
        watch = Watch(ap_detect_location, ap_detect_threshold, fail_on_end_excitation)
        given = np.asarray(stimamp, dtype=np.float64)
        factors, amplitude = (given, 1.0) if given.ndim else (None, float(given))
        simulation = self._simulation(self._acting(fiber, factors), fiber, watch, 1, self.tstop)
        trial = self._shown(simulation, fiber, amplitude)
        check_ends(trial, fiber, self.dt, watch.fail_on_end_excitation)
        node = fiber.loc_index(watch.location)
        elsewhere = [at for at, one in enumerate(fiber.apc) if one.n]
        if elsewhere and not fiber.apc[node].n:
            warnings.warn(
                f"action potentials at nodes {elsewhere[0]} to {elsewhere[-1]}, but none at node {node}, where they are counted: "
                "they do not propagate, the stimulus is so strong that it blocks what it excites, or the run ends before they arrive",
                RuntimeWarning,
                stacklevel=2,
            )
        return self._told(trial, node)

    def _told(self, trial: Trial, node: int) -> tuple[int, float | None]:
        """Number of action potentials of a node, and the time of the last with as many decimals as the time step has."""
        count, last = trial.detected(node, self.dt)
        decimals = -int(Decimal(str(self.dt)).as_tuple().exponent)
        return count, None if last is None else round(last, decimals)

    def _shown(self, simulation: Simulation, fiber: Fiber, amplitude: float) -> Trial:
        """A run whose action potentials and recordings the fiber keeps."""
        wanted = fiber._recorded
        every_node = list(range(fiber.nodecount))
        states = [name for name in simulation.states if name != SYNAPSE] if "gating" in wanted else []
        if wanted:
            trial, ran = recorded(simulation, amplitude, states)
            rows = {"v": ran["v"][0], **{name: ran[name][0] for name in states}}

            def by_node(of: str, what: str) -> list[np.ndarray]:
                return [rows[of][:, node] for node in wanted[what] or every_node]

            fiber.vm = by_node("v", "v") if "v" in wanted else None
            fiber.gating = {name: by_node(name, "gating") for name in states} if states else None
        else:
            trial = crossings(simulation, [amplitude])[0]
        trial.finished()
        self.time = fiber.time = self.dt * np.arange(simulation.steps + 1)
        fiber._ap_ms, fiber._begins = trial.last_ms(), trial.begins_at(self.dt, 0)
        counts = [trial.detected(node, self.dt) for node in every_node]
        fiber.apc = [APCount(count, last or 0.0) for count, last in counts]
        return trial

    def find_threshold(
        self,
        fiber: Fiber,
        condition: ThresholdCondition | str = ThresholdCondition.ACTIVATION,
        bounds_search_mode: BoundsSearchMode | str = BoundsSearchMode.PERCENT_INCREMENT,
        bounds_search_step: float = 10,
        termination_mode: TerminationMode | str = TerminationMode.PERCENT_DIFFERENCE,
        termination_tolerance: float = 1,
        stimamp_top: float = -1,
        stimamp_bottom: float = -0.01,
        max_iterations: int = 50,
        exit_t_shift: float | None = 5,
        bisection_mean: BisectionMean | str = BisectionMean.ARITHMETIC,
        block_delay: float | None = None,
        thresh_num_aps: int = 1,
        **kwargs: Any,
    ) -> tuple[float, tuple[int, float | None]]:
        """The threshold, signed, and what :meth:`run_sim` tells at it: PyFibers' bounds search and bisection.

        Activation is ``thresh_num_aps`` action potentials; block is none later than ``block_delay`` ms, of those that
        :meth:`Fiber.add_intrinsic_activity` starts. Once an upper bound has fired, later runs end ``exit_t_shift`` ms after its time.
        The run at the threshold that follows is a whole one.
        """
        search = Search(
            float(stimamp_top),
            float(stimamp_bottom),
            BoundsSearchMode(bounds_search_mode),
            float(bounds_search_step),
            TerminationMode(termination_mode),
            float(termination_tolerance),
            max_iterations,
            BisectionMean(bisection_mean),
        )
        if ThresholdCondition(condition) is not ThresholdCondition.BLOCK:
            block_delay = None
            if fiber._synapse is not None:
                told(
                    "a search for activation of a fiber with intrinsic activity, which may be above threshold by itself"
                )
        elif block_delay is None or not block_delay > 0:
            raise InputError(
                f"found block_delay={block_delay}, expected ms above 0: when the onset response is over and the "
                "intrinsic activity has passed"
            )
        if thresh_num_aps < 1:
            raise InputError(f"found thresh_num_aps={thresh_num_aps}, expected 1 or more")
        if block_delay is not None and thresh_num_aps != 1:
            raise NotSupportedError("found thresh_num_aps above 1 in a search for block, which PyFibers has not either")
        if exit_t_shift is not None and exit_t_shift <= 0:
            raise InputError(f"found exit_t_shift={exit_t_shift}, expected ms above 0, or None")
        unknown = set(kwargs) - set(WATCHED)
        if unknown:
            raise NotSupportedError(f"found {sorted(unknown)}, which a search has no use for here")
        watch = Watch(**{WATCHED[name]: value for name, value in kwargs.items()})
        trials = _Trials(self, fiber, watch)
        node = fiber.loc_index(watch.location)

        def is_above(trial: Trial, until_ms: float) -> bool:
            count, last = trial.detected(node, self.dt, until_ms)
            log.info("amplitude %g: %d action potentials", trial.amplitude, count)
            if block_delay is None:
                return count >= thresh_num_aps
            if last is None:
                raise RunError(
                    f"found no action potential at node {node}, where block is looked for, at an amplitude of {trial.amplitude:g}",
                    "a search for block needs add_intrinsic_activity that reaches the node before tstop",
                )
            return last <= block_delay

        def above(amplitude: float, next_ones: list[float]) -> bool:
            return is_above(trials.ask(amplitude, next_ones), trials.until)

        def decided(amplitude: float) -> None:
            if exit_t_shift is not None and block_delay is None:
                # PyFibers leaves a run at the action potential that decides it.
                deciding = float(trials.ask(amplitude, []).seen_ms(node, self.dt)[thresh_num_aps - 1])
                trials.until = min(deciding + exit_t_shift, self.tstop)

        found = search.bisect(search.bracket(above, decided), above)
        whole = self._simulation(trials.acting, fiber, watch, 1, self.tstop)
        kept = self._shown(whole, fiber, found)
        check_ends(kept, fiber, self.dt, watch.fail_on_end_excitation)
        if not is_above(kept, math.inf):
            raise RunError(f"the run at {found:g} that follows on the search is not above threshold")
        return found, self._told(kept, node)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.dt:g} ms steps to {self.tstop:g} ms"


class _Trials:
    """Trials of a search, several at a time."""

    def __init__(self, stimulation: Stimulation, fiber: Fiber, watch: Watch) -> None:
        self.stimulation, self.fiber, self.watch = stimulation, fiber, watch
        self.acting = stimulation._acting(fiber, None)
        self.until = stimulation.tstop
        self._known: dict[float, Trial] = {}
        self._simulation: tuple[float, Simulation] | None = None

    def ask(self, amplitude: float, next_ones: list[float]) -> Trial:
        if amplitude not in self._known:
            further = [one for one in next_ones if one != amplitude and one not in self._known]
            each = [amplitude, *further][:AT_ONCE]
            padded = each + [each[0]] * (AT_ONCE - len(each))
            for trial in crossings(self._built(), padded)[: len(each)]:
                self._known[trial.amplitude] = trial
        return self._known[amplitude].finished()

    def _built(self) -> Simulation:
        """A simulation as long as runs last by now."""
        if self._simulation is None or self._simulation[0] > 1.2 * self.until:
            dt = self.stimulation.dt
            tstop = dt * math.ceil(self.until / dt - 1e-6)
            made = self.stimulation._simulation(self.acting, self.fiber, self.watch, AT_ONCE, tstop)
            self._simulation = (self.until, made)
        return self._simulation[1]


class ScaledStim(Stimulation):
    """Potentials at every section times a waveform times an amplitude.

    ``waveform`` is a function of the time (ms), called at the beginning of every step, or an array of a value per step (of
    several rows, or a list, for as many sources); ``pad_waveform`` fills shorter ones with 0, ``truncate_waveform`` cuts longer.
    """

    def __init__(
        self,
        waveform: Any,
        dt: float = 0.001,
        tstop: float = 50,
        t_init_ss: float = -200,
        dt_init_ss: float = 5,
        pad_waveform: bool = True,
        truncate_waveform: bool = True,
    ) -> None:
        super().__init__(dt, tstop, t_init_ss, dt_init_ss)
        self.waveform = waveform
        self.pad = pad_waveform
        self.truncate = truncate_waveform

    def _rows(self) -> np.ndarray:
        """Waveforms ``[source, step]``."""
        given = self.waveform
        several = isinstance(given, (list, tuple)) and any(callable(one) or np.ndim(one) for one in given)
        each = list(given) if several or np.ndim(given) == 2 else [given]
        return np.array([self._row(one) for one in each])

    def _row(self, waveform: Any) -> np.ndarray:
        steps = self.n_timesteps
        if callable(waveform):
            return np.array([float(waveform(self.dt * step)) for step in range(steps)])
        values = np.asarray(waveform, dtype=np.float64)
        if values.ndim != 1:
            raise InputError(f"found a waveform of shape {values.shape}, expected a value per step")
        if len(values) > steps and self.truncate:
            told(f"a waveform of {len(values)} values is cut to {steps} steps", 6)
            values = values[:steps]
        if len(values) < steps and self.pad:
            values = np.pad(values, (0, steps - len(values)))
        if len(values) != steps:
            raise InputError(f"found a waveform of {len(values)} values for {steps} steps")
        return values

    def _acting(self, fiber: Fiber, factors: np.ndarray | None) -> Acting:
        potentials = fiber.potentials
        if not potentials.any():
            raise InputError("found no potentials of the fiber but 0", "set fiber.potentials, one value per section")
        rows = self._rows()
        if len(rows) != len(potentials):
            raise InputError(f"found {len(rows)} waveforms for potentials of {len(potentials)} sources")
        if factors is not None:
            if factors.shape != (len(rows),):
                raise InputError(f"found {factors.size} amplitudes for {len(rows)} sources")
            rows = rows * factors[:, None]
        return Acting(fiber._at_sample_points(potentials), rows, ())


class IntraStim(Stimulation):
    """Trains of current pulses into a node; amplitudes are nA where ``amp`` is 1.

    The node is ``istim_ind``, or the one at a fraction ``istim_loc``; ``clamp_kws`` are ``delay`` (0 ms), ``pw`` (1 ms), ``dur``
    (50 ms, the time at which the train ends), ``freq`` (100 Hz) and ``amp`` (1 nA).
    """

    def __init__(
        self,
        dt: float = 0.001,
        tstop: float = 50,
        t_init_ss: float = -200,
        dt_init_ss: float = 5,
        istim_ind: int | None = None,
        istim_loc: float | None = None,
        clamp_kws: dict[str, float] | None = None,
    ) -> None:
        super().__init__(dt, tstop, t_init_ss, dt_init_ss)
        if (istim_ind is None) == (istim_loc is None):
            raise InputError("expected one of `istim_ind` and `istim_loc`")
        self.istim_ind, self.istim_loc = istim_ind, istim_loc
        defaults = {"delay": 0.0, "pw": 1.0, "dur": 50.0, "freq": 100.0, "amp": 1.0}
        unknown = set(clamp_kws or {}) - set(defaults)
        if unknown:
            raise InputError(f"found {sorted(unknown)} in clamp_kws, expected {', '.join(defaults)}")
        self.istim_params = {**defaults, **(clamp_kws or {})}

    def _acting(self, fiber: Fiber, factors: np.ndarray | None) -> Acting:
        if fiber.potentials.any():
            raise InputError("found potentials of the fiber beside intracellular stimulation, expected none, or zeros")
        if factors is not None:
            raise InputError("found several amplitudes, expected one")
        of = self.istim_params
        if of["amp"] != 1:
            raise NotSupportedError(f"found amp={of['amp']}: amplitudes are nA here", "give amp=1 and scale stimamp")
        node = self.istim_ind if self.istim_ind is not None else fiber.loc_index(self.istim_loc or 0.0)
        times = np.arange(of["delay"], min(of["dur"], self.tstop), 1e3 / of["freq"])
        if not len(times):
            end, name = min((of["dur"], "dur"), (self.tstop, "tstop"))
            raise InputError(
                f"found no pulse: the first would begin after a delay of {of['delay']:g} ms, the train ends at {name}={end:g} ms",
                "`dur` is the time at which the train ends (`pw` is the width of a pulse): give delay below both dur and tstop",
            )
        train = Injection(node, None, of["pw"], tuple(times.tolist()))
        return Acting(np.empty((0, 0)), np.empty((0, 0)), (train,))
