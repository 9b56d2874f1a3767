"""Where and on how many threads to compute."""

from __future__ import annotations

from .errors import InputError

#: More threads than any machine has use for.
MOST_THREADS = 1024


def thread_count(threads: int | None) -> int:
    """A number of threads in the native module's terms: 0 stands for one per processor."""
    if threads is None:
        return 0
    if not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
        raise InputError(f"found threads={threads}, expected 1 to {MOST_THREADS}, or None for all processors")
    return threads
