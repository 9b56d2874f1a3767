"""Waveforms: when current flows, at unit amplitude."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from . import _native
from ._arrays import spread
from ._portable import Portable
from .errors import InputError

#: What stands for a waveform: one, its text, or a function of time.
WaveformLike: TypeAlias = "Waveform | str | Callable[[np.ndarray], Any]"


class Waveform:
    """A waveform of unit amplitude; cathodic is negative, and amplitudes multiply it.

    ``values`` is the text of the command line (``"biphasic:pw=0.2,gap=0.1"``), an array of one value per step of ``dt`` ms
    (0 after the last), or a function that is called once with the times (ms) at which steps begin. ``on = (begin, end)``
    lets a function act between two times only, ms.
    """

    def __init__(
        self,
        values: str | Callable[[np.ndarray], Any] | Any,
        dt: float | None = None,
        *,
        on: tuple[float, float | None] | None = None,
    ) -> None:
        self._kind = "text" if isinstance(values, str) else "function" if callable(values) else "samples"
        if on is not None and self._kind != "function":
            raise InputError("found `on`, expected it beside a function of time only")
        if (dt is not None) != (self._kind == "samples"):
            raise InputError("expected `dt`, ms, beside an array of samples, and only there")
        self._recipe: tuple[Any, ...]
        if self._kind == "text":
            self._recipe = (values,)
        elif self._kind == "function":
            self._recipe = (values, on)
        else:
            self._recipe = (dt, np.array(values, dtype=np.float64))
            if self._recipe[1].size == 0:
                raise InputError("found no samples, expected one or more")
        self._delay = 0.0
        self._scale = 1.0
        if self._kind != "function":
            self._made()

    @classmethod
    def _of(cls, kind: str, *recipe: Any) -> Waveform:
        made = cls.__new__(cls)
        made._kind, made._recipe, made._delay, made._scale = kind, recipe, 0.0, 1.0
        made._made()
        return made

    @classmethod
    def table(cls, times: Any, values: Any) -> Waveform:
        """Values that hold from their times (ms) on until the next one's."""
        return cls._of("table", np.array(times, dtype=np.float64), np.array(values, dtype=np.float64))

    @classmethod
    def shape(cls, name: str, pw: float, delay: float = 0.0) -> Waveform:
        """A shape by the name that tables of conditions have: ``mono``, ``biphasic``, ``biphasic_gap0.1``, ... (ms)."""
        return cls._of("shape", name, pw, delay)

    def delayed(self, ms: float) -> Waveform:
        """The same, later."""
        return self._changed(self._delay + ms, self._scale)

    def scaled(self, factor: float) -> Waveform:
        """The same, stronger by a factor."""
        return self._changed(self._delay, self._scale * factor)

    def _changed(self, delay: float, scale: float) -> Waveform:
        return _waveform(type(self), self._kind, self._recipe, delay, scale)

    def __reduce__(self) -> tuple[Any, ...]:
        first, *rest = self._recipe
        packed = Portable(first) if self._kind == "function" else first
        return _waveform, (type(self), self._kind, (packed, *rest), self._delay, self._scale)

    def __neg__(self) -> Waveform:
        return self.scaled(-1.0)

    def sample(self, dt: float = 0.005, tstop: float = 5.0) -> np.ndarray:
        """One value per step, of a run of ``tstop`` ms in steps of ``dt`` ms."""
        return self._on_grid(dt, tstop).sample(dt, tstop)

    def end(self) -> float | None:
        """When it ends, ms; ``None`` if it never does."""
        if self._kind == "function":
            on = self._recipe[1]
            return None if on is None or on[1] is None else float(on[1]) + self._delay
        return self._on_grid(0.0, 0.0).end_ms()

    def _made(self) -> _native.Waveform:
        if self._kind == "text":
            return _native.Waveform.parse(*self._recipe)
        if self._kind == "samples":
            return _native.Waveform.samples(*self._recipe)
        if self._kind == "table":
            return _native.Waveform.table(*self._recipe)
        return _native.Waveform.shape(*self._recipe)

    def _on_grid(self, dt: float, tstop: float) -> _native.Waveform:
        """In the library's terms; only functions need the grid."""
        made = self._sampled(dt, tstop) if self._kind == "function" else self._made()
        # A delay of a function is one of its argument.
        if self._delay != 0.0 and self._kind != "function":
            made = made.delayed(self._delay)
        return made if self._scale == 1.0 else made.scaled(self._scale)

    def _sampled(self, dt: float, tstop: float) -> _native.Waveform:
        function, on = self._recipe
        t = dt * np.arange(round(tstop / dt)) - self._delay
        try:
            given = function(t)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"the waveform's function failed ({error}): it is called once, with an array of all times; "
                "use numpy.where in place of `if`, or numpy.vectorize(function)"
            ) from error
        values = spread(given, t.shape, "values of the function")
        if on is not None:
            begin, end = on
            # A step that begins at a boundary despite the rounding of k dt lies on its right.
            slack = 1e-6 * dt
            inside = (t >= begin - slack) & (t < (np.inf if end is None else end) - slack)
            values = np.where(inside, values, 0.0)
        return _native.Waveform.samples(dt, values)

    def __repr__(self) -> str:
        if self._kind == "function":
            return f"Waveform({self._recipe[0]!r}, on={self._recipe[1]!r})"
        if self._kind == "samples":
            return f"Waveform(<{len(self._recipe[1])} samples>, dt={self._recipe[0]})"
        return f"Waveform({str(self._on_grid(0.0, 0.0))!r})"


def _waveform(kind_of: type[Waveform], kind: str, recipe: tuple[Any, ...], delay: float, scale: float) -> Waveform:
    """A waveform from its parts; copies hand a function over as it was packed."""
    made = kind_of.__new__(kind_of)
    made._kind, made._delay, made._scale = kind, delay, scale
    made._recipe = tuple(one.function if isinstance(one, Portable) else one for one in recipe)
    return made


def pulse(kind: str, **keys: Any) -> Waveform:
    """A pulse by name, its keys as on the command line: ``pulse("biphasic", pw=0.2, gap=0.05, delay=0.1)``.

    Times in ms: ``monophasic`` (``pw``), ``biphasic`` (``pw``, ``gap``), ``charge-balanced`` (``pw1``, ``pw2``, ``gap``),
    ``asymmetric-biphasic``, ``triangle``, ``gaussian`` and ``sine-cycle`` (``pw``), ``ramp`` (``pw``, ``dir``), ``exp`` (``pw``,
    ``tau``, ``dir``), ``sine`` (``freq`` in kHz, ``dur``), ``train`` (``pulse``, ``freq`` in kHz, ``n``). All have ``delay`` and
    ``scale``; widths and the delay are 0.1 ms where they are not given. ``axonml help pulses`` tells more. Square waves of kHz are
    functions of time.
    """
    text = ",".join(f"{name}={value}" for name, value in keys.items())
    return Waveform(f"{kind}:{text}" if text else kind)


def as_waveform(given: WaveformLike) -> Waveform:
    """A waveform of whatever stands for one."""
    return given if isinstance(given, Waveform) else Waveform(given)


def as_waveforms(given: Any) -> list[Waveform] | None:
    """Waveforms of a list of what stands for them; ``None`` of anything else."""
    if isinstance(given, Sequence) and not isinstance(given, str):
        return [as_waveform(one) for one in given]
    return None
