"""Fibers as PyFibers' scripts see them: sections along z from one end, potentials at every section."""

from __future__ import annotations

import logging
import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..._fibers import Fibers
from ..._names import did_you_mean
from ..._simulation import Simulation
from ..._stimulus import Detection, Synapse
from ...errors import InputError
from .._refusal import AbsentError, NotSupportedError, RunError, told
from ._models import FiberModel, as_model
from ._sections import APCount, NetStim, Section

log = logging.getLogger("pyaxonml")

#: Why fibers along paths are refused, and what helps.
IN_3D = ("fibers along paths in 3-D are not built here", "give potentials at the sections of a straight one")

#: Attributes of PyFibers' fibers that are not here, and what helps.
ABSENT = {
    "apcounts": "every run counts action potentials, at its `ap_detect_threshold`",
    "im": "membrane currents are not recorded here",
    "membrane_currents": "membrane currents are not recorded here",
    "nc": "add_intrinsic_activity makes no objects of NEURON",
    "resample_potentials_3d": "fibers are straight here: use resample_potentials with arc lengths",
    "set_save_vm": "use record_vm",
    "sfap": "single-fiber action potentials are not recorded here",
    "syn": "add_intrinsic_activity makes no objects of NEURON",
    "v_rest": "pyaxonml.models(name)[0]['start_mV'] is where runs start",
    "ve_second_difference": "np.diff(fiber.potentials[0, ::11], 2) are those of the nodes of an MRG fiber",
    "vext": "potentials inside the myelin are not recorded here",
}


def build_fiber(
    fiber_model: FiberModel | str,
    diameter: float,
    length: float | None = None,
    n_sections: int | None = None,
    n_nodes: int | None = None,
    enforce_odd_nodecount: bool = True,
    **kwargs: Any,
) -> Fiber:
    """A straight fiber of a model, its first end at z = 0.

    ``diameter`` in um; one of ``length`` in um, ``n_sections`` and ``n_nodes``. Further arguments are those of :class:`Fiber`:
    ``temperature``, ``passive_end_nodes``, and ``delta_z`` of unmyelinated fibers.
    """
    return Fiber(
        fiber_model,
        diameter,
        length=length,
        n_sections=n_sections,
        n_nodes=n_nodes,
        enforce_odd_nodecount=enforce_odd_nodecount,
        **kwargs,
    )


class Fiber:
    """A straight fiber along z. ``potentials`` are mV at every section for one unit of the stimulus, or one row per source.

    ``vm`` and ``gating`` hold what :meth:`record_vm` and :meth:`record_gating` asked for, by node, of the last run;
    ``apc`` its action potentials.
    """

    def __init__(
        self,
        fiber_model: FiberModel | str,
        diameter: float,
        temperature: float = 37,
        passive_end_nodes: int | bool = True,
        is_3d: bool = False,
        *,
        delta_z: float | None = None,
        length: float | None = None,
        n_sections: int | None = None,
        n_nodes: int | None = None,
        enforce_odd_nodecount: bool = True,
    ) -> None:
        self._model = as_model(fiber_model)
        self._built = self._model.built
        if is_3d:
            raise NotSupportedError(*IN_3D)
        if delta_z is not None and self._built.myelinated:
            raise InputError(f"found `delta_z`, which the diameter of {self._model.name} fixes")
        if not diameter > 0:
            raise InputError(f"found a diameter of {diameter} um, expected one above 0")
        self.diameter = float(diameter)
        self.temperature = float(temperature)
        self.passive_end_nodes = int(passive_end_nodes)
        one = Fibers(self._model.value, diameter=self.diameter, nodes=3, compartment_um=delta_z)
        self.delta_z = float(one.spacing_um()[0])
        self._ends = self._checked_ends()
        self.nodecount = self._count(length, n_sections, n_nodes, enforce_odd_nodecount)
        node_um = self._built.node_um or self.delta_z
        self.length = (self.nodecount - 1) * self.delta_z + node_um
        self.longitudinal_coordinates = self._centers() + 0.5 * self.length
        kinds = self._built.kinds
        places = enumerate(self.longitudinal_coordinates)
        #: All sections, in order along the fiber, and the nodes among them.
        self.sections = [Section(kinds[at % len(kinds)], at, float(z)) for at, z in places]
        self.nodes = self.sections[:: len(kinds)]
        self._shift = np.zeros(3)
        self._potentials = np.zeros((1, self._n_sections))
        self.last_shift_amount = 0.0
        self.stim = None
        self.apc: list[APCount] = []
        # Of the last run: interpolated times of the last upward crossings by node, NaN without one, and where they begin.
        self._ap_ms: np.ndarray = np.full(self.nodecount, np.nan)
        self._begins: list[int] = []
        self.time: np.ndarray | None = None
        self.vm: list[np.ndarray] | None = None
        self.gating: dict[str, list[np.ndarray]] | None = None
        self._recorded: dict[str, list[int] | None] = {}

    def _count(self, length: float | None, n_sections: int | None, n_nodes: int | None, odd: bool) -> int:
        given = {"length": length, "n_sections": n_sections, "n_nodes": n_nodes}
        named = [name for name, value in given.items() if value is not None]
        if len(named) != 1:
            raise InputError(f"found {named or 'none'} of length, n_sections and n_nodes, expected one of them")
        each = len(self._built.kinds)
        if length is not None:
            count = 1 + math.floor(length / self.delta_z)
        elif n_sections is not None:
            if (n_sections - 1) % each:
                raise InputError(f"found n_sections={n_sections}, expected a multiple of {each}, plus 1")
            count = 1 + (int(n_sections) - 1) // each
        else:
            count = int(n_nodes or 0)
        if odd and count % 2 == 0:
            log.info("%d nodes in place of %d, an odd number", count - 1, count)
            count -= 1
        if count < 1 + 2 * max(self.passive_end_nodes, 1):
            raise InputError(f"found {count} nodes, expected {1 + 2 * max(self.passive_end_nodes, 1)} or more")
        if count % 2 == 0:
            raise NotSupportedError(
                f"fibers have a middle node here, found {count} nodes", "leave enforce_odd_nodecount at True"
            )
        return count

    def _checked_ends(self) -> str:
        """The ends that the library gives the fiber."""
        name, wanted = self._model.name, self.passive_end_nodes
        if wanted < 0:
            raise InputError(f"found passive_end_nodes={wanted}, expected 0 or more")
        if wanted == 0:
            return "active"
        if self._model.passive_ends == "not applied":
            told(f"passive end nodes of {name} are not applied: its double cable has active, sealed ends here", 5)
            return "active"
        if self._model.passive_ends == "ignored":
            told(f"passive end nodes of {name} are not applied, as PyFibers ignores them for this model", 5)
            self.passive_end_nodes = 0
            return "active"
        if wanted > 1:
            raise NotSupportedError(
                f"found passive_end_nodes={wanted}: one node at each end can be passive here", "give True, or False"
            )
        return "passive"

    def _centers(self) -> np.ndarray:
        """Centers of all sections, um from the middle."""
        fibers = Fibers(
            self._model.value, diameter=self.diameter, nodes=self.nodecount, compartment_um=self._compartment
        )
        points = Simulation(fibers, tstop=1.0, detect=Detection(nodes=[0])).sample_points()
        if len(points) == self._n_sections:
            return points
        # The library needs no potential where myelin insulates: those of sections in between are passed over.
        assert self._model is FiberModel.SWEENEY
        centers = np.empty(self._n_sections)
        centers[::2] = points
        centers[1::2] = 0.5 * (points[1:] + points[:-1])
        return centers

    @property
    def _compartment(self) -> float | None:
        return None if self._built.myelinated else self.delta_z

    @property
    def _n_sections(self) -> int:
        return 1 + (self.nodecount - 1) * len(self._built.kinds)

    def _at_sample_points(self, potentials: np.ndarray) -> np.ndarray:
        """Of potentials ``[..., section]`` those that the library needs."""
        return potentials[..., ::2] if self._model is FiberModel.SWEENEY else potentials

    @property
    def potentials(self) -> np.ndarray:
        """Potentials of one unit of the stimulus ``[source, section]``, mV; 0 at first.

        What is assigned is copied; ``[section]`` is one source.
        """
        return self._potentials

    @potentials.setter
    def potentials(self, given: Any) -> None:
        potentials = np.atleast_2d(np.array(given, dtype=np.float64))
        if potentials.ndim != 2 or potentials.shape[1] != self._n_sections or not np.isfinite(potentials).all():
            raise InputError(
                f"found potentials of shape {np.shape(given)}, expected a finite value for each of {self._n_sections} sections, "
                "in one row per source where there are several"
            )
        self._potentials = potentials

    @property
    def stim(self) -> NetStim | None:
        """When intrinsic activity begins; none where there is none, and it is gone when none is assigned."""
        return self._stim

    @stim.setter
    def stim(self, none: None) -> None:
        if none is not None:
            raise NotSupportedError("found a stimulus that is no intrinsic activity", "call add_intrinsic_activity")
        self._stim: NetStim | None = None
        self._synapse: Synapse | None = None

    @property
    def fiber_model(self) -> FiberModel:
        """The model."""
        return self._model

    @property
    def myelinated(self) -> bool:
        """Whether the fiber has myelin."""
        return self._built.myelinated

    @property
    def coordinates(self) -> np.ndarray:
        """Centers of all sections ``[section, 3]``, um."""
        straight = np.zeros((self._n_sections, 3))
        straight[:, 2] = self.longitudinal_coordinates
        return straight + self._shift

    @property
    def shifted_coordinates(self) -> np.ndarray:
        """Longitudinal coordinates as potentials were last resampled at, um."""
        return self.longitudinal_coordinates + self.last_shift_amount

    def is_3d(self) -> bool:
        """Whether the fiber follows a path: never."""
        return False

    def set_xyz(self, x: float = 0, y: float = 0, z: float = 0) -> None:
        """Puts the fiber at x, y and its first end at z, um."""
        self._shift = np.array([x, y, z], dtype=np.float64)

    def loc_index(self, loc: float, target: str = "nodes") -> int:
        """The index at a fraction of the list of ``nodes`` or ``sections``, or the last before it."""
        if not 0 <= loc <= 1:
            raise InputError(f"found loc={loc}, expected 0 to 1")
        if target not in ("nodes", "sections"):
            raise InputError(f"found target={target!r}, expected nodes or sections")
        count = self.nodecount if target == "nodes" else self._n_sections
        return int(loc * (count - 1))

    def point_source_potentials(
        self, x: float, y: float, z: float, i0: float, sigma: float | tuple[float, float, float], inplace: bool = False
    ) -> np.ndarray:
        """Potentials at all sections, mV, of ``i0`` mA at x, y, z (um) in ``sigma`` S/m, or in those along x, y and z."""
        sx, sy, sz = (float(sigma),) * 3 if isinstance(sigma, (int, float)) else sigma
        # 1 mA in 1 S/m gives 1 mV at 1/(4 pi) m.
        dx, dy, dz = (1e-6 * (self.coordinates - np.array([x, y, z], dtype=np.float64))).T
        found: np.ndarray = i0 / (4 * np.pi * np.sqrt(sy * sz * dx**2 + sx * sz * dy**2 + sx * sy * dz**2))
        if inplace:
            self.potentials = found
        return found

    def resample_potentials(
        self,
        potentials: Any,
        potential_coords: Any,
        center: bool = False,
        inplace: bool = False,
        shift: float = 0,
        shift_ratio: float | None = None,
    ) -> np.ndarray:
        """Potentials at all sections, interpolated linearly between samples at arc lengths (um).

        ``center`` joins the middles of samples and fiber, else both begin at 0. ``shift`` (um) or ``shift_ratio`` (of ``delta_z``) moves
        the fiber on, by the remainder of a division by ``delta_z``: -0.2 of it is 0.8.
        """
        ve, at = np.asarray(potentials, dtype=np.float64), np.asarray(potential_coords, dtype=np.float64)
        if ve.ndim != 1 or ve.shape != at.shape or len(at) < 2 or not (np.diff(at) > 0).all():
            raise InputError(f"found potentials {ve.shape} at {at.shape}, expected as many places, ascending")
        if shift and shift_ratio is not None:
            raise InputError("found `shift` and `shift_ratio`, expected one of them")
        asked = float(shift if shift_ratio is None else shift_ratio * self.delta_z)
        moved = asked % self.delta_z
        if moved != asked:
            log.info("a shift of %g um in place of %g um, which lies as far from a node", moved, asked)
        if center:
            moved += 0.5 * (at[0] + at[-1] - self.length)
        else:
            at = at - at[0]
        z = self.longitudinal_coordinates + moved
        if z[0] < at[0] or z[-1] > at[-1]:
            raise InputError(
                f"the fiber reaches from {z[0]:g} to {z[-1]:g} um, potentials from {at[0]:g} to {at[-1]:g} um",
                "build a shorter fiber, or sample potentials farther",
            )
        self.last_shift_amount = moved
        found = np.interp(z, at, ve)
        if inplace:
            self.potentials = found
        return found

    def add_intrinsic_activity(
        self,
        loc: float | None = 0.1,
        loc_index: int | None = None,
        avg_interval: float = 1,
        num_stims: int = 1,
        start_time: float = 1,
        noise: float = 0,
        synapse_tau: float = 0.1,
        synapse_reversal_potential: float = 0,
        netcon_weight: float = 0.1,
    ) -> None:
        """Action potentials at regular times: a synapse at a fraction ``loc`` of the nodes, or at node ``loc_index``.

        It opens ``num_stims`` times from ``start_time`` on, ``avg_interval`` ms apart, by ``netcon_weight`` uS that decay with
        ``synapse_tau`` ms.
        """
        if noise != 0:
            raise NotSupportedError(f"found noise={noise}: intrinsic activity is regular here", "give noise=0")
        if loc is not None and loc_index is None:
            node = self.loc_index(loc)
        elif loc is None and loc_index is not None:
            node = operator.index(loc_index)
        else:
            raise InputError(
                f"found loc={loc} and loc_index={loc_index}, expected one of them", "give loc=None beside loc_index"
            )
        if not -self.nodecount <= node < self.nodecount:
            raise InputError(f"found loc_index={node}, but the fiber has {self.nodecount} nodes")
        if num_stims != int(num_stims) or num_stims < 0:
            raise InputError(f"found num_stims={num_stims}, expected a whole number of at least 0")
        if not start_time > 0:
            raise InputError(
                f"found start_time={start_time}, expected ms above 0: before, it would open within the initialization"
            )
        if num_stims > 1 and not avg_interval > 0:
            raise InputError(f"found avg_interval={avg_interval}, expected ms above 0")
        self.stim = None
        if num_stims:
            self._stim = NetStim(float(start_time), float(avg_interval), int(num_stims))
            self._synapse = Synapse(
                node=node,
                onset=[start_time + avg_interval * index for index in range(int(num_stims))],
                us=netcon_weight,
                e_mv=synapse_reversal_potential,
                tau=synapse_tau,
            )

    def _synapse_within(self, tstop: float) -> Synapse | None:
        """The synapse as far as a run sees it open."""
        if self._synapse is None:
            return None
        seen = [onset for onset in self._synapse.onsets if onset < tstop]
        return replace(self._synapse, onset=seen) if seen else None

    def record_vm(self, indices: Sequence[int] | None = None, **kwargs: Any) -> None:
        """Has later runs record the membrane potential of all nodes, or of some, in their order."""
        self._record("v", indices, kwargs)

    def record_gating(self, indices: Sequence[int] | None = None, **kwargs: Any) -> None:
        """Has later runs record all states of the membrane, by the names that they have here."""
        self._record("gating", indices, kwargs)

    def _record(self, what: str, indices: Sequence[int] | None, further: dict[str, Any]) -> None:
        defaults = {"allsec": False, "allow_missing": True, "recording_dt": None, "recording_tvec": None}
        for name, value in further.items():
            if name not in defaults:
                raise InputError(f"found `{name}`, expected one of indices, {', '.join(defaults)}")
            if value is not defaults[name]:
                raise NotSupportedError(f"found {name}={value}: nodes are recorded at every step here")
        some = None if indices is None else [operator.index(index) for index in indices]
        if some == []:
            raise InputError("found no indices, expected those of some nodes, or None for all")
        for index in some or []:
            if not -self.nodecount <= index < self.nodecount:
                raise InputError(f"found node {index}, but the fiber has {self.nodecount}")
        self._recorded[what] = some

    def __getattr__(self, name: str) -> Any:
        if name in ABSENT:
            raise AbsentError(f"found no `{name}` in the fiber", ABSENT[name])
        public = [one for one in (*dir(type(self)), *self.__dict__) if not one.startswith("_")]
        raise AttributeError(f"found no `{name}` in the fiber{did_you_mean(name, public)}")

    def _refused(self, what: str) -> NotSupportedError:
        return NotSupportedError(f"{what} of single sections are not recorded here", "record_vm and record_gating are")

    def record_im(self, **kwargs: Any) -> None:
        """Refused: membrane currents are not recorded."""
        raise self._refused("membrane currents")

    def record_vext(self) -> None:
        """Refused: potentials inside the myelin are not recorded."""
        raise self._refused("extracellular potentials")

    def record_values(self, ref_attr: str, **kwargs: Any) -> None:
        """Refused: variables of NEURON are not to be had."""
        raise self._refused(f"`{ref_attr}`")

    def record_sfap(self, rec_potentials: Any, downsample: int = 1) -> None:
        """Refused: single-fiber action potentials have a command of their own."""
        raise self._refused("action potentials at contacts")

    def measure_cv(self, start: float = 0.25, end: float = 0.75, tolerance: float = 0.005) -> float:
        """Conduction velocity between two fractions of the nodes in the last run, m/s; refused unless conduction is even."""
        a, b = self.loc_index(start), self.loc_index(end)
        middle = self.loc_index(0.5 * (start + end))
        if not a < middle < b:
            raise InputError(
                f"found nodes {a} and {b} at {start} and {end}, expected an end after the start, and a node between"
            )
        times = self._ap_ms[[a, middle, b]]
        if np.isnan(times).any():
            raise RunError(*self._no_velocity([a, middle, b]))
        expected = times[0] + (times[2] - times[0]) * (middle - a) / (b - a)
        if abs(times[1] - expected) > tolerance:
            raise InputError(
                f"conduction is uneven: node {middle} fires at {times[1]:.4f} ms, not at {expected:.4f} ms, halfway between nodes "
                f"{a} and {b}",
                "give start and end on one side of where the action potential begins, away from the ends of the fiber, or raise tolerance",
            )
        return float(1e-3 * (b - a) * self.delta_z / abs(times[2] - times[0]))

    def initiation_nodes(self) -> tuple[np.ndarray, int, np.ndarray]:
        """Nodes at which action potentials of the last run begin, the number of such places, and the time of every node's last, ms."""
        if not self.apc:
            raise RunError("found no run of the fiber", "call run_sim or find_threshold before initiation_nodes")
        found = np.array(self._begins, dtype=int)
        places = int(np.count_nonzero(np.diff(found) > 1)) + 1 if len(found) else 0
        return found, places, np.array([one.time if one.n else np.nan for one in self.apc])

    def _no_velocity(self, nodes: list[int]) -> tuple[str, str]:
        """Why the last run tells no velocity between nodes, and the remedy."""
        if self.time is None:
            return "found no run of the fiber", "call run_sim or find_threshold before measure_cv"
        fired = np.flatnonzero(~np.isnan(self._ap_ms))
        if not len(fired):
            return (
                "found no action potential at any node in the last run",
                "run at an amplitude above threshold (find_threshold gives it)",
            )
        silent = [node for node in nodes if node not in fired]
        return (
            f"found no action potential at nodes {silent} in the last run; those that fired lie within {fired[0]} to {fired[-1]}",
            "give start and end where it passes, or raise tstop until it has passed both",
        )

    def loc(self, loc: float, target: str = "nodes") -> Section:
        """The section at a fraction of the list of ``nodes`` or ``sections``."""
        return (self.nodes if target == "nodes" else self.sections)[self.loc_index(loc, target)]

    def __call__(self, loc: float, target: str = "nodes") -> Section:
        return self.loc(loc, target)

    def __len__(self) -> int:
        return self.nodecount

    def __getitem__(self, item: int) -> Section:
        return self.nodes[item]

    def __iter__(self) -> Iterator[Section]:
        return iter(self.nodes)

    def __contains__(self, item: object) -> bool:
        return item in self.sections

    def __repr__(self) -> str:
        return (
            f"{self._model.name} fiber of diameter {self.diameter:g} um and length {self.length:.2f} um\n"
            f"\tnode count: {self.nodecount}, section count: {self._n_sections}"
        )
