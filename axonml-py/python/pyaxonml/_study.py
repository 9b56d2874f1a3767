"""Studies: experiments as data, as the command line reads and prints them."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _native
from ._fibers import _native_model
from ._machine import thread_count
from ._progress import ProgressLike, listening
from ._results import unit_of
from .errors import CanceledError, InputError

if TYPE_CHECKING:
    import pandas
    import xarray

    from ._types import Columns

log = logging.getLogger("pyaxonml")

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "debug": logging.DEBUG}


def _tell(level: str, text: str) -> None:
    log.log(_LEVELS[level], text)


class Study:
    """An experiment as data: fibers, field, stimulus, question, numerics; the same as on the command line.

    Paths in it are relative to the working directory.
    """

    def __init__(self, native: _native.Study) -> None:
        self._native = native

    @classmethod
    def from_toml(cls, text: str) -> Study:
        """From TOML."""
        return cls(_native.Study.from_toml(text))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Study:
        """From a file, ``.toml`` or ``.json``."""
        text = Path(path).read_text(encoding="utf-8")
        return cls(_native.Study.from_json(text) if Path(path).suffix == ".json" else _native.Study.from_toml(text))

    @classmethod
    def from_dict(cls, study: dict[str, Any]) -> Study:
        """From nested dictionaries with the keys of the TOML form."""
        return cls(_native.Study.from_json(json.dumps(study)))

    def to_toml(self, path: str | os.PathLike[str] | None = None) -> str:
        """As TOML, which is written to ``path`` where one is given."""
        text = self._native.to_toml()
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @property
    def kind(self) -> str:
        """The question: ``threshold``, ``recruitment``, ``block``, ..."""
        return self._native.kind

    def run(
        self,
        *,
        device: str | None = None,
        threads: int | None = None,
        journal: str | os.PathLike[str] | None = None,
        progress: ProgressLike = False,
    ) -> StudyResults:
        """Computes it. ``journal`` is a file that keeps answers as they come, so that a killed study goes on where it ended."""
        results, _ = self._run(device, threads, journal, None, progress)
        if results is None:
            raise CanceledError("the work ended without results")
        return StudyResults(results)

    def run_part(
        self,
        index: int,
        of: int,
        *,
        device: str | None = None,
        threads: int | None = None,
        journal: str | os.PathLike[str] | None = None,
        progress: ProgressLike = False,
    ) -> str:
        """Computes part ``index`` (from 1) of ``of``: the text of its file, which :func:`merge` and ``axonml merge`` read."""
        _, text = self._run(device, threads, journal, (index, of), progress)
        if text is None:
            raise CanceledError("the work ended without results")
        return text

    def evaluate(
        self,
        *,
        reference: Any = None,
        at: float | None = None,
        thresholds_only: bool = False,
        traces: Sequence[str | os.PathLike[str]] = (),
        device: str | None = None,
        threads: int | None = None,
        progress: ProgressLike = False,
    ) -> StudyResults:
        """Compares the study's model with references, as ``axonml evaluate`` does: errors of thresholds in percent, and action potentials.

        References are the column ``threshold_mA`` of the study's table of conditions, the exact model that a row names, or another model
        (``reference``). Action potentials are compared at ``at`` times each threshold (1.5), unless ``thresholds_only``. ``traces`` are
        files of recorded runs (``axonml help traces``).
        """
        with listening(progress, "rows") as heard:
            found = self._native.evaluate(
                reference=None if reference is None else _native_model(reference),
                at=None if at is None else float(at),
                thresholds_only=bool(thresholds_only),
                traces=[os.fspath(path) for path in traces],
                device=device,
                threads=thread_count(threads),
                progress=heard,
                log=_tell,
            )
        return StudyResults(found)

    def _run(
        self,
        device: str | None,
        threads: int | None,
        journal: str | os.PathLike[str] | None,
        part: tuple[int, int] | None,
        progress: ProgressLike,
    ) -> tuple[_native.StudyResults | None, str | None]:
        if self.kind == "optimize":
            raise InputError("found an optimization, which has no rows to run: expected pyaxonml.optimize(study)")
        with listening(progress, self.kind) as heard:
            return self._native.run(
                device=device,
                threads=thread_count(threads),
                journal=None if journal is None else os.fspath(journal),
                part=part,
                progress=heard,
                log=_tell,
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Study) and self._native == other._native

    def __hash__(self) -> int:
        return hash(self.to_toml())

    def __repr__(self) -> str:
        return f"<Study of {self.kind}>"


@dataclass(frozen=True)
class _Kept:
    """The answers of results without the library's own object: all that travels to another process."""

    tables: Mapping[str | None, Columns | None]
    texts: Mapping[str, str]

    @classmethod
    def of(cls, answers: _native.StudyResults | _Kept) -> _Kept:
        if isinstance(answers, cls):
            return answers
        texts = ("summary", "request", "to_json", "to_csv")
        return cls(
            {name: answers.table(name) for name in (None, *answers.further())},
            {text: getattr(answers, text)() for text in texts},
        )

    def table(self, name: str | None) -> Columns | None:
        return self.tables.get(name)

    def further(self) -> list[str]:
        return [name for name in self.tables if name is not None]

    def summary(self) -> str:
        return self.texts["summary"]

    def request(self) -> str:
        return self.texts["request"]

    def to_json(self) -> str:
        return self.texts["to_json"]

    def to_csv(self) -> str:
        return self.texts["to_csv"]


class StudyResults:
    """Tables that a study answers with: ``results["threshold_mA"]`` is a column of the rows."""

    def __init__(self, native: _native.StudyResults | _Kept) -> None:
        self._native = native
        self._rows = self._table(None)

    def __reduce__(self) -> tuple[Any, ...]:
        return StudyResults, (_Kept.of(self._native),)

    def _table(self, name: str | None) -> dict[str, np.ndarray]:
        columns = self._native.table(name)
        if columns is None:
            raise InputError(f"found no table `{name}`, but: {', '.join(self.further)}")
        return {column: np.asarray(cells) for column, cells in columns.items()}

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._rows)

    @property
    def further(self) -> list[str]:
        """Names of the further tables."""
        return self._native.further()

    def table(self, name: str | None = None) -> dict[str, np.ndarray]:
        """The columns of the rows, or of a further table."""
        return dict(self._rows) if name is None else self._table(name)

    def to_pandas(self, name: str | None = None) -> pandas.DataFrame:
        """The rows, or a further table."""
        import pandas

        return pandas.DataFrame(self.table(name))

    def to_xarray(self, name: str | None = None) -> xarray.Dataset:
        """The rows, or a further table, along ``row``, units in the attributes ``units``: to be written as Zarr or NetCDF, for example."""
        import xarray

        def variable(column: str, cells: np.ndarray) -> Any:
            unit = unit_of(column)
            return ("row", cells, {} if unit is None else {"units": unit})

        return xarray.Dataset({column: variable(column, cells) for column, cells in self.table(name).items()})

    @property
    def summary(self) -> dict[str, Any]:
        """Figures about all rows."""
        found: dict[str, Any] = json.loads(self._native.summary())
        return found

    @property
    def request(self) -> dict[str, Any]:
        """Everything needed to repeat it."""
        found: dict[str, Any] = json.loads(self._native.request())
        return found

    def to_json(self) -> str:
        """Request, rows, summary and further tables, as the command line writes them."""
        return self._native.to_json()

    def to_csv(self) -> str:
        """The rows, as the command line writes them."""
        return self._native.to_csv()

    def __getitem__(self, column: str) -> np.ndarray:
        try:
            return self._rows[column]
        except KeyError:
            raise KeyError(f"found no column `{column}`, but: {', '.join(self._rows)}") from None

    def __len__(self) -> int:
        return len(next(iter(self._rows.values()), ()))

    def __repr__(self) -> str:
        return f"<StudyResults of {len(self)} rows: {', '.join(self._rows)}>"


def merge(
    *parts: str | os.PathLike[str],
    device: str | None = None,
    threads: int | None = None,
) -> StudyResults:
    """Puts parts of a study together: their files, or the texts that :meth:`Study.run_part` gave."""
    if not parts:
        raise InputError("found no parts, expected one or more")
    if isinstance(parts[0], list | tuple):
        raise InputError("found a list of parts, expected each as an argument: merge(*parts)")

    def read(index: int, part: str | os.PathLike[str]) -> tuple[str, str]:
        if isinstance(part, str) and part.lstrip().startswith("{"):
            return f"part {index}", part
        return os.fspath(part), Path(part).read_text(encoding="utf-8")

    files = [read(index, part) for index, part in enumerate(parts, start=1)]
    return StudyResults(_native.merge(files, device=device, threads=thread_count(threads), log=_tell))
