"""Finding interactive elements in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Block = dict[str, Any]
Element = dict[str, Any]


def elements_of(block: Block) -> Iterator[Element]:
    """The interactive elements of one block, in order. Malformed parts are passed over."""
    kind = block.get("type")
    found: list[Any] = []
    if kind in ("actions", "context_actions") and isinstance(block.get("elements"), list):
        found = block["elements"]
    elif kind == "section":
        found = [block.get("accessory")]
    elif kind == "input":
        found = [block.get("element")]
    for element in found:
        if isinstance(element, dict) and element.get("type") != "image":
            yield element


def find_element(blocks: Sequence[Block], action_id: str, block_id: str | None = None) -> tuple[Block, Element] | None:
    """The first element with this action id, in a given block or anywhere."""
    for block in blocks:
        if block_id is not None and block.get("block_id") != block_id:
            continue
        for element in elements_of(block):
            if element.get("action_id") == action_id:
                return block, element
    return None
