"""Fiber files: the TOML text of a described fiber."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def fiber_toml(fiber: Mapping[str, Any]) -> str:
    """The TOML text of a fiber's entries: settings, then parameters, then lists of tables."""
    settings = []
    tables = []
    for key, value in fiber.items():
        if isinstance(value, Mapping):
            rows = [f"{name} = {_inline(entry)}" for name, entry in value.items()]
            tables.append("\n".join([f"[{key}]", *rows]))
        elif _is_tables(value):
            for entry in value:
                rows = [f"{name} = {_inline(own)}" for name, own in entry.items()]
                tables.append("\n".join([f"[[{key}]]", *rows]))
        else:
            settings.append(f"{key} = {_inline(value)}")
    return "\n\n".join(["\n".join(settings), *tables]) + "\n"


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _inline(value: Any) -> str:
    match value:
        case str():
            # The escapes of JSON are TOML's; TOML wants one more character escaped.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case int() | float():
            return repr(value).removesuffix(".0")
        case list():
            return f"[{', '.join(_inline(entry) for entry in value)}]"
        case Mapping():
            return "{ " + ", ".join(f"{key} = {_inline(entry)}" for key, entry in value.items()) + " }"
    raise TypeError(f"found {type(value).__name__}, expected text, a number, a list or a mapping")
