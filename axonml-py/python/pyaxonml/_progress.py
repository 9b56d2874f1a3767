"""Progress bars, where tqdm is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: ``True`` for a bar, or a function that hears the part that is done, 0 to 1.
ProgressLike = bool | Callable[[float], Any]


@contextmanager
def listening(progress: ProgressLike, what: str) -> Iterator[Callable[[float], Any] | None]:
    """The function that hears of progress: the user's own, that of a bar, or none."""
    if callable(progress):
        yield progress
        return
    if not progress:
        yield None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield None
        return
    bar_format = "{l_bar}{bar}| {elapsed}<{remaining}"
    with tqdm(total=1.0, desc=what, bar_format=bar_format) as bar:

        def heard(part: float) -> None:
            bar.update(part - bar.n)

        yield heard
