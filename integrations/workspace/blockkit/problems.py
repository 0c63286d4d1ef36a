"""Collecting what is wrong with blocks, in the words and places Slack uses."""

from __future__ import annotations

from typing import Any


class Problems:
    """A list of messages such as ``[ERROR] missing required field: text [json-pointer:/blocks/0]``."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def add(self, problem: str, place: str) -> None:
        """Note a problem at a JSON pointer."""
        self.messages.append(f"[ERROR] {problem} [json-pointer:{place}]")

    def string(self, holder: dict[str, Any], key: str, longest: int, place: str, *, required: bool = False) -> None:
        """``holder[key]`` is a string of at most ``longest`` characters."""
        value = holder.get(key)
        if value is None:
            if required:
                self.add(f"missing required field: {key}", place)
        elif not isinstance(value, str):
            self.add("must provide a string", f"{place}/{key}")
        elif len(value) > longest:
            self.add(f"must be less than {longest + 1} characters", f"{place}/{key}")
        elif required and not value:
            self.add("must be more than 0 characters", f"{place}/{key}")

    def text(
        self, holder: dict[str, Any], key: str, longest: int, place: str, *, plain: bool = False, required: bool = False
    ) -> None:
        """``holder[key]`` is a text object: ``plain_text``, or ``mrkdwn`` where it is allowed."""
        value = holder.get(key)
        if value is None:
            if required:
                self.add(f"missing required field: {key}", place)
            return
        here = f"{place}/{key}"
        if not isinstance(value, dict):
            self.add("must provide an object", here)
            return
        if value.get("type") not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
            self.add(f"unsupported type: {value.get('type')}", f"{here}/type")
        self.string(value, "text", longest, here, required=True)

    def items(self, holder: dict[str, Any], key: str, least: int, most: int, place: str) -> list[dict[str, Any]]:
        """``holder[key]`` as a list of objects within bounds; what is not an object is reported and left out."""
        value = holder.get(key)
        here = f"{place}/{key}"
        if value is None and least > 0:
            self.add(f"missing required field: {key}", place)
            return []
        if value is not None and not isinstance(value, list):
            self.add("must provide an array", here)
            return []
        listed = value or []
        if len(listed) < least:
            self.add(f"no fewer than {least} items allowed", here)
        if len(listed) > most:
            self.add(f"no more than {most} items allowed", here)
        for index, item in enumerate(listed):
            if not isinstance(item, dict):
                self.add("must provide an object", f"{here}/{index}")
        return [item for item in listed if isinstance(item, dict)]
