"""The exception of fibers of one's own."""

from __future__ import annotations


class FiberError(ValueError):
    """A fiber of one's own that cannot be described: the message says where, what was found and what is expected."""
