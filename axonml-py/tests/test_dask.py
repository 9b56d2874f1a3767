"""Studies on the workers of dask.distributed: killed, interrupted, resumed, refused."""

from __future__ import annotations

import doctest
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("distributed", reason="dask.distributed is not installed: pip install distributed")

from distributed import Client, LocalCluster

import pyaxonml as ax
import pyaxonml.dask

FEW = {
    "fibers": {"diameter_um": 10, "nodes": 21},
    "field": {"distance_um": [200, 300, 400, 500, 600, 700, 800, 900, 1000]},
    "protocol": {"kind": "threshold"},
    "numerics": {"tstop_ms": 2.0},
}


def of_distances(distances: list[float]) -> ax.Study:
    return ax.Study.from_dict(FEW | {"field": {"distance_um": distances}})


@pytest.fixture(scope="module")
def few() -> ax.Study:
    return ax.Study.from_dict(FEW)


@pytest.fixture(scope="module")
def expected(few: ax.Study) -> str:
    return timeless(few.run())


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def asked(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The futures of all tasks that a test gives the cluster."""
    futures: list[Any] = []
    really = client.map

    def map_and_note(*arguments: Any, **keywords: Any) -> Any:
        new = really(*arguments, **keywords)
        futures.extend(new)
        return new

    monkeypatch.setattr(client, "map", map_and_note)
    return futures


def timeless(results: ax.StudyResults) -> str:
    """Everything of results but how long they took."""
    text, times = re.subn(r'"seconds": [^,}\s]+', '"seconds": 0', results.to_json())
    assert times == 1
    return text


def kill_one(client: Client) -> None:
    """Kills a worker that is at work."""
    pids = client.run(os.getpid)
    busy = next(worker for worker, tasks in client.processing().items() if tasks)
    os.kill(pids[busy], signal.SIGKILL)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_worker_changes_no_byte(client: Client, tmp_path: Path) -> None:
    study = of_distances(np.linspace(200, 1000, 2000).tolist())
    before = set(client.nthreads())
    heard: list[float] = []

    def kill(done: float) -> None:
        if done >= 0.2 > heard[-1]:
            kill_one(client)
        heard.append(done)

    heard.append(0.0)
    found = ax.dask.run(study, client, store=tmp_path, parts=40, progress=kill)
    assert len(found) == 2000 and found["status"].tolist() == ["ok"] * 2000
    assert heard == sorted(heard) and heard[-1] == 1.0
    serial = study.run(threads=1)
    assert timeless(found) == timeless(serial)
    assert found.to_csv() == serial.to_csv()
    # The nanny starts another in its place.
    client.wait_for_workers(2, timeout=20)
    assert set(client.nthreads()) != before
    # What the command line reads is there, and nothing else.
    assert ax.Study.load(tmp_path / "study.toml") == study
    names = [f"part-{part:02}-of-40.json" for part in range(1, 41)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["division.json", *names, "study.toml"]


def test_a_trial_divides(client: Client, few: ax.Study, expected: str, tmp_path: Path, asked: list[Any]) -> None:
    assert timeless(ax.dask.run(few, client, store=tmp_path / "new" / "folder", threads=2)) == expected
    division = json.loads((tmp_path / "new" / "folder" / "division.json").read_text())
    # Nine cases that take no second: a task for each of two threads, and the trial before.
    assert (division["parts"], division["cases"], len(asked)) == (2, 9, 3)


def test_an_interrupted_run_goes_on(
    client: Client, few: ax.Study, expected: str, tmp_path: Path, asked: list[Any]
) -> None:
    def interrupt(done: float) -> None:
        if done > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ax.dask.run(few, client, store=tmp_path, parts=9, progress=interrupt)
    # Four are kept; the others are not wanted any more.
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("part-*.json")}
    others = [future for part, future in enumerate(asked, 1) if tmp_path / f"part-{part}-of-9.json" not in kept]
    assert len(kept) == 4 and len(others) == 5
    assert all(future.cancelled() for future in others)

    # A client that is killed while it writes leaves a torn temporary file; other torn files are computed again.
    (tmp_path / ".part-9-of-9.json.0123.tmp").write_text('{"share": {"ind')
    torn = next(iter(kept))
    torn.write_text(torn.read_text()[:100])
    asked.clear()
    assert timeless(ax.dask.run(few, client, store=tmp_path)) == expected
    assert len(asked) == 6
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items() if path != torn)

    asked.clear()
    assert timeless(ax.dask.run(few, client, store=tmp_path, parts=9)) == expected
    assert not asked
    # The parts are files that can be put together without dask.
    assert timeless(ax.merge(*tmp_path.glob("part-*.json"))) == expected


def test_long_studies_are_given_once(client: Client, tmp_path: Path) -> None:
    # Longer than what dask lets a task carry.
    study = of_distances(np.linspace(200, 1000, 10_000).tolist())
    assert len(study.to_toml()) > 150_000
    tasks = pyaxonml.dask._Tasks(client, study, {"device": None, "threads": None}, {"priority": 1})
    for beyond in (20_000, 20_001):
        assert json.loads(tasks.answer(beyond, 2**40).text)["cases"] == 10_000


def test_stores_of_something_else_are_refused(client: Client, few: ax.Study, tmp_path: Path, asked: list[Any]) -> None:
    store = tmp_path / "store"
    ax.dask.run(few, client, store=store, parts=3)
    asked.clear()
    with pytest.raises(ax.StudyError, match=r"division\.json is of another study.*`field.*200") as caught:
        ax.dask.run(of_distances([100, 200]), client, store=store)
    assert caught.value.help and "another folder" in caught.value.help
    with pytest.raises(ax.StudyError, match="found 3 parts, expected 4"):
        ax.dask.run(few, client, store=store, parts=4)

    # A part that a processor of another kind computed.
    part = store / "part-2-of-3.json"
    text = part.read_text()
    backend = json.loads(text)["request"]["backend"]
    part.write_text(text.replace(backend, "cpu (another)"))
    with pytest.raises(ax.DeviceError, match=r"part-2.*`cpu \(another\)`, but .*part-1.*on `cpu") as refused:
        ax.dask.run(few, client, store=store)
    assert refused.value.help and "--constraint" in refused.value.help
    # It may not become a mixture.
    part.unlink()
    for other in (1, 3):
        path = store / f"part-{other}-of-3.json"
        path.write_text(path.read_text().replace(backend, "cpu (another)"))
    assert not asked
    with pytest.raises(ax.DeviceError, match=r"part 2/3 of worker tcp:.*was computed on"):
        ax.dask.run(few, client, store=store)
    assert not part.exists()

    (store / "division.json").write_text("{}")
    with pytest.raises(ax.StudyError, match="no division of a study"):
        ax.dask.run(few, client, store=store)
    own = tmp_path / "study.toml"
    own.write_text("# mine")
    with pytest.raises(ax.StudyError, match="not of a store"):
        ax.dask.run(few, client, store=tmp_path)
    assert own.read_text() == "# mine"


def test_arguments_are_checked(client: Client, few: ax.Study, tmp_path: Path) -> None:
    for wrong in (0, 2.0, True, 10):
        with pytest.raises(ax.InputError, match="parts: found"):
            ax.dask.run(few, client, store=tmp_path, parts=wrong)  # type: ignore[arg-type]
    with pytest.raises(ax.InputError, match="did you mean `workers`"):
        ax.dask.run(few, client, store=tmp_path, submit={"worker": []})
    with pytest.raises(ax.InputError, match="client: found"):
        ax.dask.run(few, None, store=tmp_path)  # type: ignore[arg-type]
    with pytest.raises(ax.InputError, match="study: found"):
        ax.dask.run(FEW, client, store=tmp_path)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_errors_of_tasks_are_the_library_s(
    client: Client, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Relative to the client's folder there is a nerve, to that of the workers there is none.
    monkeypatch.chdir(root / "examples" / "nerves")
    study = ax.Study.from_dict(FEW | {"field": {"nerve": "N1"}})
    with pytest.raises(ax.StudyError, match="N1") as caught:
        ax.dask.run(study, client, store=tmp_path, parts=2)
    assert type(caught.value) is ax.StudyError
    # The client refuses what is wrong without a worker.
    with pytest.raises(ax.StudyError, match="N0"):
        ax.dask.run(ax.Study.from_dict(FEW | {"field": {"nerve": "N0"}}), client, store=tmp_path, parts=2)


def test_other_files_of_workers_are_refused(
    client: Client, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for whose in ("client", "workers"):
        shutil.copytree(root / "examples/nerves/N1", tmp_path / whose / "N1")
    contact = tmp_path / "workers/N1/0.npy"
    np.save(contact, 1.001 * np.load(contact))
    monkeypatch.chdir(tmp_path / "client")
    study = ax.Study.from_dict(FEW | {"field": {"nerve": "N1"}})
    before = client.run(os.getcwd)
    client.run(os.chdir, str(tmp_path / "workers"))
    try:
        with pytest.raises(ax.StudyError, match=r"of worker tcp.*its files are others: `field\.sha256") as caught:
            ax.dask.run(study, client, store=tmp_path / "store", parts=2)
    finally:
        for worker, folder in before.items():
            client.run(os.chdir, folder, workers=[worker])
    assert caught.value.help and "shared file system" in caught.value.help
    assert not list((tmp_path / "store").glob("part-*"))


def test_workers_need_the_package_in_one_version(
    client: Client, few: ax.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = re.escape(f"has pyaxonml {ax.__version__}, the client 0.0.1")
    # Workers that come while it runs are asked by their tasks.
    asked = client.submit(
        pyaxonml.dask.compute_part, 1, 1, version="0.0.1", study=few.to_toml(), device=None, threads=None
    )
    with pytest.raises(ax.DeviceError, match=expected) as caught:
        asked.result()
    assert caught.value.help == "install one version everywhere"
    with monkeypatch.context() as patch:
        patch.setattr(pyaxonml.dask, "__version__", "0.0.1")
        with pytest.raises(ax.DeviceError, match=expected):
            ax.dask.run(few, client, store=tmp_path)

    try:
        client.run(eval, "__import__('sys').modules.update(pyaxonml=None)")
        with pytest.raises(ax.DeviceError, match="cannot import pyaxonml"):
            ax.dask.run(few, client, store=tmp_path)
    finally:
        client.restart()
    assert not list(tmp_path.iterdir())


def test_canceled_tasks_are_told(client: Client, few: ax.Study, tmp_path: Path, asked: list[Any]) -> None:
    def cancel(done: float) -> None:
        if done:
            client.cancel(asked)

    with pytest.raises(ax.CanceledError, match=r"part \d/9: the task was canceled") as caught:
        ax.dask.run(few, client, store=tmp_path, parts=9, progress=cancel)
    assert caught.value.help and "goes on" in caught.value.help
    assert list(tmp_path.glob("part-*"))


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_parts_that_end_their_workers_are_told(client: Client, tmp_path: Path) -> None:
    def allow(failures: int) -> int:
        def allowed(dask_scheduler: Any) -> int:
            before: int = dask_scheduler.allowed_failures
            dask_scheduler.allowed_failures = failures
            return before

        before: int = client.run_on_scheduler(allowed)
        return before

    def kill(done: float) -> None:
        if done == 0.1:
            kill_one(client)

    study = of_distances(np.linspace(200, 1000, 2000).tolist())
    before = allow(0)
    try:
        with pytest.raises(ax.DeviceError, match=r"part \d+/10: 1 workers? died while") as caught:
            ax.dask.run(study, client, store=tmp_path, parts=10, progress=kill)
    finally:
        allow(before)
    assert caught.value.help and "memory" in caught.value.help
    assert list(tmp_path.glob("part-*"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_workers_may_be_forked(few: ax.Study, expected: str, method: str, tmp_path: Path) -> None:
    import dask

    # This process has used its threads, which a fork does not take along.
    few.run()
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": method}),
        LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        assert timeless(ax.dask.run(few, client, store=tmp_path, parts=4)) == expected


class Pretended:
    """A cluster whose cases and plans take given times."""

    def __init__(self, threads: int, cases: int, case_s: float, plan_s: float = 0.0) -> None:
        self.cases, self.case_s, self.plan_s = cases, case_s, plan_s
        self.tried: list[int] = []
        self._threads = threads

    def threads(self) -> int:
        return self._threads

    def answer(self, part: int, of: int) -> Any:
        assert part == 1
        self.tried.append(of)
        seconds = self.case_s * -(-self.cases // of)
        return pyaxonml.dask._Answer(json.dumps({"seconds": seconds}), "", 1, seconds + self.plan_s)


def divided(*arguments: Any) -> tuple[int, bool, int]:
    tasks = Pretended(*arguments)
    parts, first = pyaxonml.dask._divide(tasks, tasks.cases)  # type: ignore[arg-type]
    assert (first is None) or parts == tasks.tried[-1]
    return parts, first is not None, len(tasks.tried)


def test_tasks_take_seconds() -> None:
    # Tasks of 5 s, 250 cases each; a trial of 32 takes 0.64 s.
    assert divided(10, 100_000, 0.02) == (400, False, 1)
    # 32 cases take too short to tell; 256 do not.
    assert divided(10, 1_000_000, 0.005) == (1000, False, 2)
    # A trial that took as long as a task is one.
    assert divided(10, 100_000, 0.0125)[1:] == (True, 2)
    # Of cases that take a minute each none is computed twice.
    assert divided(10, 20, 60.0) == (11, True, 1)
    assert divided(10, 5, 60.0) == (5, True, 1)
    # Four tasks for each thread if they take a second, one if they do not.
    assert divided(2, 2000, 0.005) == (8, False, 2)
    assert divided(2, 2000, 0.003)[0] == 6
    assert divided(100, 1000, 0.001)[0] == 100
    # Tasks take twenty times as long as reading the study does.
    assert divided(2, 100_000, 0.02, 10.0)[0] == 10
    assert divided(1, 1, 1e-3)[0] == 1


def test_without_dask_the_message_says_what_to_install() -> None:
    code = "import sys; sys.modules['distributed'] = None; import pyaxonml as ax; ax.dask"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'pyaxonml[dask]'" in done.stderr.splitlines()[-1]
    lazy = "import sys; import pyaxonml as ax; assert 'distributed' not in sys.modules; ax.dask.run"
    subprocess.run([sys.executable, "-c", lazy], check=True)


def test_the_example_holds() -> None:
    failed, tried = doctest.testmod(pyaxonml.dask)
    assert tried > 0 and failed == 0
