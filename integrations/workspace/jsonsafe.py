"""Reading JSON from outside: broken or absurdly nested input is one kind of error."""

from __future__ import annotations

import json
from typing import Any

MAX_DEPTH = 64  # Block Kit needs about fifteen; recursion over a checked value can then never run out of stack


def loads(text: str | bytes) -> Any:
    """Parse JSON. Raises `ValueError` for what is broken, not UTF-8, or nested deeper than ``MAX_DEPTH``."""
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [part for item in level for part in _parts(item)]
        if not level:
            return value
    raise ValueError("nested too deeply")


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
