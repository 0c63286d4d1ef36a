"""Whether Slack would accept blocks and views (https://docs.slack.dev/reference/block-kit/blocks).

`check_message` and `check_view` raise `ApiError` with Slack's code and the places in
``response_metadata.messages``; they return copies in which every block has a ``block_id`` and every element an
``action_id``, as Slack fills them in.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from integrations.workspace import ids
from integrations.workspace.blockkit.elements import (
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    check_element,
)
from integrations.workspace.blockkit.problems import Problems
from integrations.workspace.blockkit.walk import elements_of
from integrations.workspace.errors import ApiError

Block = dict[str, Any]
Rule = Callable[[Block, str, Problems], None]

MAX_MESSAGE_BLOCKS = 50
MAX_VIEW_BLOCKS = 100
MAX_MARKDOWN = 12_000
MAX_BLOCK_CHARACTERS = 13_200  # measured by others, in no document: ../shared/facts/slack.md
MAX_VIEW_BYTES = 250_000


def check_message(given: Any) -> list[Block]:
    """Blocks of a message. Raises ``invalid_blocks_format``, ``invalid_blocks`` or ``msg_blocks_too_long``."""
    if not isinstance(given, list):
        raise ApiError("invalid_blocks_format")
    problems = Problems()
    blocks = _check_blocks(given, MAX_MESSAGE_BLOCKS, "/blocks", problems)
    if problems.messages:
        raise ApiError("invalid_blocks", *problems.messages)
    if sum(map(_characters, blocks)) > MAX_BLOCK_CHARACTERS:
        raise ApiError("msg_blocks_too_long")
    return blocks


def check_view(given: Any) -> dict[str, Any]:
    """A modal or Home as an app sends it. Raises ``invalid_arguments`` or ``view_too_large``."""
    if not isinstance(given, dict):
        raise ApiError("invalid_arguments", "[ERROR] must provide an object [json-pointer:/view]")
    if len(json.dumps(given)) > MAX_VIEW_BYTES:
        raise ApiError("view_too_large")
    problems = Problems()
    kind = given.get("type")
    if kind not in ("modal", "home"):
        problems.add(f"unsupported type: {kind}", "/view/type")
    problems.string(given, "private_metadata", 3000, "/view")
    problems.string(given, "callback_id", 255, "/view")
    problems.string(given, "external_id", 255, "/view")
    blocks: list[Block] = []
    if isinstance(given.get("blocks"), list):
        blocks = _check_blocks(given["blocks"], MAX_VIEW_BLOCKS, "/view/blocks", problems)
    else:
        problems.add("missing required field: blocks", "/view")
    if kind == "modal":
        problems.text(given, "title", 24, "/view", plain=True, required=True)
        problems.text(given, "submit", 24, "/view", plain=True, required=_has_input(blocks))
        problems.text(given, "close", 24, "/view", plain=True)
    if problems.messages:
        raise ApiError("invalid_arguments", *problems.messages)
    return given | {"blocks": blocks}


def _check_blocks(given: list[Any], most: int, place: str, problems: Problems) -> list[Block]:
    blocks = copy.deepcopy(problems.items({"blocks": given}, "blocks", 0, most, place.removesuffix("/blocks")))
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        here = f"{place}/{index}"
        kind = block.get("type")
        rule = _RULES.get(kind) if isinstance(kind, str) else None
        if rule is None:
            problems.add(f"unsupported type: {kind}", f"{here}/type")
            continue
        problems.string(block, "block_id", 255, here)
        block["block_id"] = block.get("block_id") or ids.short()
        if str(block["block_id"]) in seen:
            problems.add("block_id already exists", f"{here}/block_id")
        seen.add(str(block["block_id"]))
        rule(block, here, problems)
        _check_action_ids(block, here, problems)
    markdown = sum(len(block["text"]) for block in blocks if block.get("type") == "markdown" and _is_text(block))
    if markdown > MAX_MARKDOWN:
        problems.add(f"markdown blocks must be less than {MAX_MARKDOWN + 1} characters together", place)
    return blocks


def _check_action_ids(block: Block, place: str, problems: Problems) -> None:
    """Action ids are unique within their block; the same id in two blocks is allowed (a list with equal buttons)."""
    seen: set[str] = set()
    for element in elements_of(block):
        element["action_id"] = element.get("action_id") or ids.short()
        if str(element["action_id"]) in seen:
            problems.add("action_id already exists", place)
        seen.add(str(element["action_id"]))


def _section(block: Block, place: str, problems: Problems) -> None:
    problems.text(block, "text", 3000, place, required="fields" not in block)
    for index, field in enumerate(problems.items(block, "fields", 0, 10, place)):
        problems.text({"text": field}, "text", 2000, f"{place}/fields/{index}", required=True)
    accessory = block.get("accessory")
    if isinstance(accessory, dict):
        check_element(accessory, f"{place}/accessory", problems, IN_SECTION)
    elif accessory is not None:
        problems.add("must provide an object", f"{place}/accessory")


def _elements(key: str, least: int, most: int, allowed: frozenset[str]) -> Rule:
    def rule(block: Block, place: str, problems: Problems) -> None:
        for index, element in enumerate(problems.items(block, key, least, most, place)):
            check_element(element, f"{place}/{key}/{index}", problems, allowed)

    return rule


def _input(block: Block, place: str, problems: Problems) -> None:
    problems.text(block, "label", 2000, place, plain=True, required=True)
    problems.text(block, "hint", 2000, place, plain=True)
    if isinstance(block.get("element"), dict):
        check_element(block["element"], f"{place}/element", problems, IN_INPUT)
    else:
        problems.add("missing required field: element", place)


def _context(block: Block, place: str, problems: Problems) -> None:
    for index, element in enumerate(problems.items(block, "elements", 1, 10, place)):
        here = f"{place}/elements/{index}"
        if element.get("type") == "image":
            problems.string(element, "alt_text", 2000, here, required=True)
        elif element.get("type") in ("mrkdwn", "plain_text"):
            problems.string(element, "text", 3000, here, required=True)
        else:
            problems.add(f"unsupported type: {element.get('type')}", f"{here}/type")


def _header(block: Block, place: str, problems: Problems) -> None:
    problems.text(block, "text", 150, place, plain=True, required=True)


def _markdown(block: Block, place: str, problems: Problems) -> None:
    problems.string(block, "text", MAX_MARKDOWN, place, required=True)


def _image(block: Block, place: str, problems: Problems) -> None:
    problems.string(block, "alt_text", 2000, place, required=True)
    problems.text(block, "title", 2000, place, plain=True)
    if "slack_file" not in block:
        problems.string(block, "image_url", 3000, place, required=True)


def _table(block: Block, place: str, problems: Problems) -> None:
    rows = block.get("rows")
    if not isinstance(rows, list) or not rows:
        problems.add("missing required field: rows", place)
        return
    if len(rows) > 100:
        problems.add("no more than 100 items allowed", f"{place}/rows")
    if any(not isinstance(row, list) or len(row) > 20 for row in rows):
        problems.add("each row must be an array of no more than 20 items", f"{place}/rows")


def _anything(block: Block, place: str, problems: Problems) -> None:
    """Accepted without a look inside; docs/workspace-limits.md lists these."""


_RULES: dict[str, Rule] = {
    "section": _section, "header": _header, "context": _context, "input": _input, "markdown": _markdown,
    "image": _image, "table": _table, "actions": _elements("elements", 1, 25, IN_ACTIONS),
    "context_actions": _elements("elements", 1, 5, IN_CONTEXT_ACTIONS), "divider": _anything,
    "rich_text": _anything, "video": _anything, "file": _anything, "plan": _anything, "task_card": _anything,
    "card": _anything, "carousel": _anything, "alert": _anything,
}  # fmt: skip


def _is_text(block: Block) -> bool:
    return isinstance(block.get("text"), str)


def _has_input(blocks: list[Block]) -> bool:
    return any(block.get("type") == "input" for block in blocks)


def _characters(value: Any) -> int:
    """Characters of all ``text`` strings inside a block."""
    if isinstance(value, dict):
        return sum(
            len(part) if key == "text" and isinstance(part, str) else _characters(part) for key, part in value.items()
        )
    return sum(map(_characters, value)) if isinstance(value, list) else 0
