"""Scripts that exist: the interfaces of PyFibers and of PyTorch AxonML over this package's engine.

:mod:`pyaxonml.compat.pyfibers` and :mod:`pyaxonml.compat.axonml` were written from the documentation of these programs and from
numbers that they gave. What they cannot do here raises :class:`NotSupportedError`; what they do differently is told by a
:class:`CompatWarning`.
"""

from . import axonml, pyfibers
from ._refusal import CompatWarning, NotSupportedError, RunError

__all__ = ["CompatWarning", "NotSupportedError", "RunError", "axonml", "pyfibers"]
