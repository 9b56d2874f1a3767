"""Training sets from exact fibers, and surrogates trained on them.

>>> from pyaxonml import training
>>> "count" in training.recipe()
True
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import _native
from ._evaluation import evaluate
from ._fibers import _native_model
from ._machine import thread_count
from ._progress import ProgressLike, listening
from ._study import _tell
from .errors import InputError

__all__ = ["Dataset", "Trained", "evaluate", "recipe", "train"]

#: What names a file, or is its text.
TextLike = str | os.PathLike[str]


def _text(of: TextLike, what: str) -> tuple[str, Path]:
    """A text and the folder that its paths start from: that of its file, or the working one."""
    if isinstance(of, str) and "\n" in of:
        return of, Path.cwd()
    path = Path(of)
    try:
        return path.read_text(encoding="utf-8"), path.resolve().parent
    except OSError as error:
        raise InputError(f"cannot read the {what} `{path}`: {error.strerror}") from error


def _own(model: Any) -> str | _native.FiberDescription | None:
    """A model in the native module's terms, if one is given."""
    return None if model is None else _native_model(model)


def recipe(of: TextLike | None = None, *, model: Any = None) -> str:
    """A recipe of cases as TOML with all of its keys: that of a file or text, or the default one.

    ``model`` is the exact fiber in place of the recipe's: a bundled one, a fiber file, or a fiber of one's own. The result
    has a fiber of one's own as a table, ``[model]``, and needs neither the file nor the class any more.
    """
    text, base = (None, Path.cwd()) if of is None else _text(of, "recipe")
    return _native.recipe(text, base=os.fspath(base), model=_own(model))


class Dataset:
    """A finished training set in a folder: exact fibers under random stimuli, one :meth:`fiber` at a time."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._native = _native.Dataset(os.fspath(folder))

    @classmethod
    def generate(
        cls,
        recipe: TextLike,
        folder: str | os.PathLike[str],
        *,
        model: Any = None,
        states: Sequence[str] = ("v",),
        every: int = 1,
        shard: int | None = None,
        device: str | None = None,
        threads: int | None = None,
        progress: ProgressLike = False,
    ) -> Dataset:
        """Simulates the cases of a recipe, a TOML file or its text, into a folder.

        ``model`` is the exact fiber in place of the recipe's: a bundled one, a fiber file, or a fiber of one's own.
        ``states`` are recorded (``v`` is the voltage), every so many steps. A set that was begun goes on, its finished shards are kept;
        one of another recipe is refused.
        """
        text, base = _text(recipe, "recipe")
        with listening(progress, "fibers") as heard:
            _native.generate(
                text,
                base=os.fspath(base),
                model=_own(model),
                folder=os.fspath(folder),
                states=list(states),
                every=int(every),
                shard=shard,
                device=device,
                threads=thread_count(threads),
                progress=heard,
            )
        return cls(folder)

    @property
    def states(self) -> list[str]:
        """Names of the recorded states, in the order of their axis."""
        return self._native.states

    @property
    def model(self) -> str | None:
        """The exact model; None of sets that were imported."""
        return self._native.model

    @property
    def t_ms(self) -> np.ndarray:
        """Times of the rows, ms."""
        return self._native.t_ms

    def fiber(self, index: int) -> dict[str, Any]:
        """One fiber: ``diameter_um``, ``node_z_um`` ``[node]``, ``basis_mV_per_mA`` ``[contact, node]``, ``waveforms_mA``
        ``[contact, step]`` and ``states`` ``[row, state, node]``.
        """
        if not 0 <= index < len(self):
            raise InputError(f"found fiber {index}, but the set has {len(self)}")
        return dict(self._native.fiber(index))

    def __len__(self) -> int:
        return len(self._native)

    def __repr__(self) -> str:
        return f"<Dataset of {len(self)} fibers of {self.model}: {', '.join(self.states)}>"


@dataclass(frozen=True)
class Trained:
    """What a training ended with."""

    #: The folder of the results.
    folder: Path
    #: Steps done, and those there are at most.
    step: int
    steps: int
    #: The least validation score and the step it was found after, where there is validation.
    best: tuple[float, int] | None

    @property
    def weights(self) -> Path:
        """The file of the best weights, or of the last where there is no validation; ``Simulation(weights=...)`` takes it."""
        return self.folder / ("last.safetensors" if self.best is None else "best.safetensors")


def train(
    config: TextLike,
    *,
    model: Any = None,
    set: Mapping[str, Any] | None = None,
    resume: bool = False,
    device: str | None = None,
    threads: int | None = None,
    progress: ProgressLike = False,
    on_step: Callable[[dict[str, float]], Any] | None = None,
) -> Trained:
    """Trains what a configuration asks for, a TOML file or its text, as ``axonml train`` does.

    ``model`` is the surrogate in place of the configuration's: a bundled one, a fiber file, or a fiber of one's own, whose parameters
    with ``train`` are trained unless ``to_train`` names others.
    ``set`` has other values for keys: ``{"stage.0.epochs": 50, "save_dir": "long"}``. ``on_step`` hears the figures of every step:
    ``step``, ``stage``, ``loss``, the parameters to show, and ``valid_loss`` and ``valid_mape_pct`` where validation was due.
    Ctrl-C waits for the step under way and keeps a checkpoint; ``resume=True`` goes on with it, to the same bytes.
    """
    text, base = _text(config, "configuration")
    given = [f"{key}={_value(x)}" for key, x in (set or {}).items()]
    with listening(progress, "steps") as heard:
        folder, step, steps, best = _native.train(
            text,
            base=os.fspath(base),
            model=_own(model),
            set=given,
            resume=resume,
            device=device,
            threads=thread_count(threads),
            progress=heard,
            log=_tell,
            stepped=on_step,
        )
    return Trained(Path(folder), step, steps, best)


def _value(x: Any) -> str:
    """A value as ``--set`` takes it."""
    if isinstance(x, bool):
        return str(x).lower()
    if isinstance(x, (list, tuple)):
        return f"[{', '.join(_value(one) for one in x)}]"
    return f'"{x}"' if isinstance(x, (str, os.PathLike)) else str(x)
