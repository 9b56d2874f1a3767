"""Studies on many machines, by dask.distributed: parts of seconds, kept as they come, to the bytes of one run.

>>> import tempfile
>>> from distributed import Client
>>> import pyaxonml as ax
>>> import pyaxonml.dask
>>> study = ax.Study.from_dict(
...     {
...         "fibers": {"diameter_um": [5.7, 10, 14], "nodes": 53},
...         "field": {"distance_um": 1000},
...         "protocol": {"kind": "threshold"},
...     }
... )
>>> with Client(processes=False, dashboard_address=":0") as client, tempfile.TemporaryDirectory() as store:
...     found = ax.dask.run(study, client, store=store)
>>> round(float(found["threshold_mA"][1]), 4)
0.1236
"""

# mypy: disallow-untyped-calls=False

from __future__ import annotations

import json
import logging
import math
import os
import pkgutil
import time
import uuid
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

try:
    from distributed import Client, Future, KilledWorker, as_completed, get_worker
except ImportError as error:
    raise ImportError(
        "pyaxonml.dask needs dask.distributed, which is not installed: pip install 'pyaxonml[dask]', or distributed"
    ) from error

from ._names import did_you_mean
from ._native import __version__
from ._progress import ProgressLike, listening
from ._study import Study, StudyResults, merge
from .errors import CanceledError, DeviceError, InputError, StudyError

__all__ = ["run"]

log = logging.getLogger("pyaxonml")

#: Time that a task should take, s: long beside what a task costs, short beside what a killed worker may lose.
TASK_S = 5.0
#: A task also takes at least so many times as long as reading and laying out the study, which each does anew.
PLANS_OF_A_TASK = 20
#: Tasks per thread of the cluster, so that all threads end at about the same time,
TASKS_PER_THREAD = 4
#: unless these take only this part of the time that a task should take.
SHORT = 0.2
#: Cases of the smallest task, unless some threads have none then: fewer fibers at a time cost more each.
LEAST = 32
#: A trial that computes for less than this, s, says little about the time of a case:
TRIAL_S = 0.5
#: the next has so many times as many.
GROWTH = 8
#: Arguments that `submit` may hold.
SUBMIT = ("workers", "allow_other_workers", "resources", "priority", "retries", "fifo_timeout")
#: What helps where a store is of something else.
BEGUN_WITH = "give another folder, or the study, files and version that the store was begun with"
#: More parts than a study can have cases: the last of so many is empty, and says what the study is.
ENDLESS = 2**40


class _Answer(NamedTuple):
    text: str
    worker: str
    tasks_at_once: int
    seconds: float


def compute_part(index: int, of: int, *, version: str, study: str, device: str | None, threads: int | None) -> _Answer:
    """The task of a worker: a part of a study, which is given as TOML."""
    worker = get_worker()
    if version != __version__:
        raise _other_version(worker.address, __version__, version)
    begun = time.perf_counter()
    # Tasks of a worker share its pool.
    tasks = worker.state.nthreads
    text = Study.from_toml(study).run_part(index, of, device=device, threads=threads or tasks)
    return _Answer(text, worker.address, tasks, time.perf_counter() - begun)


def _other_version(worker: str, there: str, here: str) -> DeviceError:
    return DeviceError(
        f"worker {worker} has pyaxonml {there}, the client {here}: results could differ",
        "install one version everywhere",
    )


def _given(text: str) -> str:
    return text


def run(
    study: Study,
    client: Client,
    *,
    store: str | os.PathLike[str],
    parts: int | None = None,
    device: str | None = None,
    threads: int | None = None,
    progress: ProgressLike = False,
    submit: Mapping[str, Any] | None = None,
) -> StudyResults:
    """Computes a study on the workers of ``client``: what :meth:`Study.run` gives, to the byte but for ``seconds`` of the summary.

    The study is cut into ``parts``, each a task. Without a number, a trial on a worker decides: tasks of 2.5 to 5 s (or of 10 to 20 times
    the time that reading the study takes), down to a fifth of that where there would be fewer than four per thread of the cluster, and
    a task for each thread at least. None has fewer than 32 cases, unless some threads had none then. Threads that come later are not
    known to it: wait for them first.

    ``store`` is a folder, made by the client, who alone writes to it: ``study.toml``, ``division.json`` and a file of each part as soon as
    it is there. The same call with the same folder goes on with the parts that are missing, in the division found there; another study,
    changed files or another version are refused with what differs. The parts are those of ``axonml study study.toml --part I/N``, and
    ``axonml merge`` reads them.

    Files that a study names (nerves, tables, arrays) are read by workers and client alike, relative to their working directories: give
    absolute paths on a file system that all share. Workers must be of one kind: the instruction set of a processor and the device are
    part of what parts must agree in. Scheduler and workers need this package, in the client's version.

    ``threads`` is the number of threads of a worker's one pool, which its tasks share; by default as many as dask gave the worker.
    ``device`` is that of :meth:`Study.run`. ``submit`` holds further arguments of dask's ``Client.submit``: ``workers``,
    ``allow_other_workers``, ``resources``, ``priority``, ``retries``, ``fifo_timeout``.

    Ctrl-C cancels tasks that have not begun; those under way end after their seconds, unheard. Finished parts are kept.

    Raises:
        StudyError: the study is wrong, or the store is of another one.
        DeviceError: a worker lacks the package, has another version or is of another kind, or a part ended several workers.
        CanceledError: somebody else canceled the tasks, or the cluster is gone.
        InputError: an argument is wrong.
    """
    if not isinstance(study, Study):
        raise InputError(f"study: found {study!r}, expected a Study")
    if not isinstance(client, Client) or client.asynchronous:
        raise InputError(f"client: found {client!r}, expected a distributed.Client that is not asynchronous")
    if parts is not None and (isinstance(parts, bool) or not isinstance(parts, int) or parts < 1):
        raise InputError(f"parts: found {parts!r}, expected a whole number from 1")
    for name in submit or {}:
        if name not in SUBMIT:
            raise InputError(f"submit: found `{name}`, expected {', '.join(SUBMIT)}{did_you_mean(name, SUBMIT)}")
    kept = _Store(Path(store), study)
    tasks = _Tasks(client, study, {"device": device, "threads": threads}, dict(submit or {}))
    if kept.parts and parts not in (None, kept.parts):
        raise StudyError(
            f"{kept.division}: found {kept.parts} parts, expected {parts}",
            "leave `parts` out to go on with those, or give another folder",
        )
    if parts is not None and parts > kept.cases:
        raise InputError(f"parts: found {parts}, expected no more than the study has cases, {kept.cases}")
    missing = kept.missing()
    if missing != []:
        tasks.check_workers()
    with listening(progress, study.kind) as heard:
        if missing is None:
            parts, first = (parts, None) if parts else _divide(tasks, kept.cases)
            kept.begin(parts)
            if first:
                kept.keep(1, first)
            missing = list(range(2 if first else 1, parts + 1))
        done = kept.parts - len(missing)

        def tell() -> None:
            if heard is not None:
                heard(done / kept.parts)

        tell()
        with closing(tasks.answers(missing, kept.parts)) as answers:
            for index, answer in answers:
                kept.keep(index, answer)
                done += 1
                tell()
    # Nothing is simulated any more, and the client need not have the workers' device.
    return merge(*(kept.part(index) for index in range(1, kept.parts + 1)), device="cpu", threads=1)


class _Tasks:
    """Parts of a study on a cluster."""

    def __init__(self, client: Client, study: Study, arguments: dict[str, Any], submit: dict[str, Any]) -> None:
        self._client = client
        self._study = study.to_toml()
        self._arguments = {"version": __version__, **arguments}
        self._submit = submit

    def check_workers(self) -> None:
        """Refuses workers without the package, which cannot even read a task: dask would try for ever."""
        # Whoever names workers may have others, too.
        if "workers" in self._submit:
            return
        found = self._client.run(pkgutil.resolve_name, "pyaxonml:__version__", on_error="return")
        for worker, version in found.items():
            if isinstance(version, Exception):
                raise DeviceError(
                    f"worker {worker} cannot import pyaxonml: {version}", "install it where scheduler and workers run"
                )
            if version != __version__:
                raise _other_version(worker, version, __version__)

    def threads(self) -> int:
        """Threads of the workers that are there, or 1."""
        return max(1, sum(int(threads) for threads in self._client.nthreads().values()))

    def answers(self, parts: list[int], of: int) -> Generator[tuple[int, _Answer], None, None]:
        """Parts as they come, each with its number. A generator that is closed cancels the others."""
        if not parts:
            return
        # A task of its own, as the text may be long: each worker gets it once, and it survives the worker that has it.
        study = self._client.submit(_given, self._study, pure=False, **self._submit)
        futures = self._client.map(
            compute_part, parts, of=of, study=study, **self._arguments, pure=False, **self._submit
        )
        left = dict(zip(futures, parts, strict=True))
        try:
            for future, result in as_completed(futures, with_results=True, raise_errors=False):
                part = left.pop(future)
                yield part, _answer(f"part {part}/{of}", future, result)
                # Workers forget what the client has.
                future.release()
        finally:
            if left and self._client.status == "running":
                self._client.cancel(list(left))

    def answer(self, part: int, of: int) -> _Answer:
        """One part."""
        with closing(self.answers([part], of)) as answers:
            return next(answers)[1]


def _answer(place: str, future: Future[Any], result: Any) -> _Answer:
    """The answer of a future that ended.

    Raises:
        AxonmlError: the task's own error, or what happened to it.
    """
    # The state of a future may have changed since: its worker may be gone. What it gave has not.
    if isinstance(result, _Answer):
        return result
    if isinstance(result, tuple) and future.status == "error":
        _, error, traceback = result
        if isinstance(error, KilledWorker):
            raise DeviceError(
                f"{place}: {error.allowed_failures + 1} workers died while they computed it, the last was "
                f"{error.last_worker.address}",
                "their logs may say why; where memory ran out, give `parts`, a greater number",
            ) from error
        raise error.with_traceback(traceback)
    raise CanceledError(
        f"{place}: the task was canceled, or its cluster is gone", "the same call goes on from the store"
    )


def _divide(tasks: _Tasks, cases: int) -> tuple[int, _Answer | None]:
    """A number of parts that makes tasks of seconds; the first part where a trial has computed it."""
    size = _least(cases, tasks.threads())
    while True:
        # Cases run through grids: a prime number of parts meets all sides of them, and the trial is like the others.
        of = min(cases, _prime(math.ceil(cases / size)))
        trial = tasks.answer(1, of)
        computed_s = json.loads(trial.text)["seconds"]
        # Threads that come with the first task count, too.
        threads = tasks.threads()
        task_s = max(TASK_S, PLANS_OF_A_TASK * (trial.seconds - computed_s))
        tried = math.ceil(cases / of)
        # A trial has the worker's pool to itself.
        case_s = computed_s * trial.tasks_at_once / tried
        if 2 * case_s * tried >= task_s:
            return of, trial
        size = GROWTH * tried
        if computed_s >= TRIAL_S or size * TASKS_PER_THREAD * threads > cases:
            break
    whole_s = cases * case_s
    balanced = min(TASKS_PER_THREAD * threads, math.floor(whole_s / (SHORT * task_s)))
    most = math.ceil(cases / _least(cases, threads))
    parts = min(most, max(threads, balanced, math.ceil(whole_s / task_s)))
    return parts, trial if parts == of else None


def _least(cases: int, threads: int) -> int:
    """Cases of the smallest task."""
    return min(LEAST, max(1, cases // threads))


def _prime(least: int) -> int:
    """The first prime number from ``least`` on."""
    number = max(2, least)
    while any(number % divisor == 0 for divisor in range(2, math.isqrt(number) + 1)):
        number += 1
    return number


class _Store:
    """The folder of a study's parts, which only the client writes to."""

    def __init__(self, folder: Path, study: Study) -> None:
        self._folder = folder
        self._text = study.to_toml()
        self.division = folder / "division.json"
        # A part without a case says what the study is, and what is wrong with it.
        plan = json.loads(study.run_part(ENDLESS, ENDLESS, device="cpu", threads=1))
        self.cases: int = plan["cases"]
        self._request, _ = _apart(plan["request"])
        #: Backend that the parts were computed with, and which part says so.
        self._backend: tuple[str, str] | None = None
        #: Number of parts; 0 until that is decided.
        self.parts = 0
        if self.division.exists():
            self.parts = self._read_division()
        elif self._toml.exists() and self._toml.read_text(encoding="utf-8") != self._text:
            raise StudyError(f"{self._toml}: found a study that is not of a store", "give another folder")

    @property
    def _toml(self) -> Path:
        return self._folder / "study.toml"

    def _read_division(self) -> int:
        text = self.division.read_text(encoding="utf-8")
        try:
            found = json.loads(text)
            parts, request = int(found["parts"]), dict(found["request"])
        except (ValueError, TypeError, KeyError) as error:
            raise StudyError(
                f"{self.division}: found no division of a study: {error}", "give another folder"
            ) from error
        self._refuse_other(str(self.division), request, BEGUN_WITH)
        return parts

    def _refuse_other(self, name: str, request: dict[str, Any], help: str) -> None:
        difference = _difference(request, self._request)
        if difference is not None:
            field, there, here = difference
            raise StudyError(
                f"{name} is of another study, or its files are others: `{field}` is {there} there, but {here} here",
                help,
            )

    def begin(self, parts: int) -> None:
        """Makes the store, of so many parts."""
        self._folder.mkdir(parents=True, exist_ok=True)
        _write(self._toml, self._text)
        division = {"parts": parts, "cases": self.cases, "request": self._request}
        _write(self.division, json.dumps(division, indent=1) + "\n")
        self.parts = parts

    def part(self, index: int) -> Path:
        """The file of a part."""
        return self._folder / f"part-{index:0{len(str(self.parts))}}-of-{self.parts}.json"

    def missing(self) -> list[int] | None:
        """Numbers of the parts that are not there yet; None before the store has begun."""
        if not self.parts:
            return None
        return [index for index in range(1, self.parts + 1) if not self._has(index)]

    def _has(self, index: int) -> bool:
        path = self.part(index)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return False
        try:
            self._check(index, text, str(path), BEGUN_WITH)
        except (ValueError, TypeError, KeyError) as error:
            log.warning("%s: found no part of a study (%s): it is computed again", path, error)
            return False
        return True

    def keep(self, index: int, answer: _Answer) -> None:
        """Writes a part that a worker computed."""
        name = f"part {index}/{self.parts} of worker {answer.worker}"
        self._check(
            index,
            answer.text,
            name,
            "give workers the files that the client reads: absolute paths, a shared file system",
        )
        _write(self.part(index), answer.text)

    def _check(self, index: int, text: str, name: str, help: str) -> None:
        found = json.loads(text)
        if found["share"] != {"index": index, "of": self.parts}:
            raise ValueError(f"found part {found['share']}, expected {index}/{self.parts}")
        request, backend = _apart(found["request"])
        self._refuse_other(name, request, help)
        if self._backend is None:
            self._backend = (backend, name)
        first_backend, first = self._backend
        if backend != first_backend:
            raise DeviceError(
                f"{name} was computed on `{backend}`, but {first} on `{first_backend}`: results could differ in their last bits",
                "use workers of one kind: name them by `submit={'workers': [...]}`, or ask the cluster for one (SLURM: --constraint)",
            )


def _apart(request: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A request without its backend, and that."""
    return {name: value for name, value in request.items() if name != "backend"}, str(request["backend"])


def _difference(there: Any, here: Any, place: str = "") -> tuple[str, str, str] | None:
    """Place and values of the first difference."""
    if isinstance(there, dict) and isinstance(here, dict):
        for name in [*there, *(name for name in here if name not in there)]:
            found = _difference(there.get(name), here.get(name), f"{place}.{name}" if place else name)
            if found is not None:
                return found
        return None
    return None if there == here else (place, _short(there), _short(here))


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:60] + "..."


def _write(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
