"""Sections of fibers, the action potentials of nodes, and what starts some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._refusal import NotSupportedError


@dataclass(frozen=True)
class Section:
    """A section: its kind, its place among all sections, and its center, um. It is no object of NEURON."""

    kind: str
    index: int
    z_um: float

    def __str__(self) -> str:
        return f"{self.kind}[{self.index}]"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"found no `{name}` in a section: it is no object of NEURON here, and has its kind, index and z_um; parameters of "
            "membranes are those of pyaxonml.Simulation"
        )

    def __call__(self, x: float) -> Any:
        raise NotSupportedError(
            "sections are no objects of NEURON here", "use record_vm, IntraStim or add_intrinsic_activity"
        )


@dataclass(frozen=True)
class NetStim:
    """When the synapse of intrinsic activity opens: ``number`` times from ``start`` on, ``interval`` apart, ms."""

    start: float
    interval: float
    number: int
    noise: float = 0.0


@dataclass
class APCount:
    """Upward crossings of a node: their number ``n``, and the ``time`` of the last, ms (0 without one)."""

    n: int
    time: float
