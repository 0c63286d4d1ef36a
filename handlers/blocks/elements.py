"""The few blocks that everything is built from, as Slack's JSON (https://docs.slack.dev/reference/block-kit)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.tables import Table
from handlers.blocks.text import shown

Block = dict[str, Any]

MAX_SECTION = 3000
MAX_HEADER = 150
MAX_BUTTON = 75
MAX_ACTION_ID = 255
MAX_BUTTONS = 25
MAX_OPTIONS = 100
MAX_OPTION_VALUE = 150
MAX_CELL = 200
MAX_ROWS = 100
MAX_FALLBACK = 12_000
"""Units of a message's `text`. Slack takes 40,000; the blocks hold fewer."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message for Slack: its blocks, and the same in `text` for notifications and screen readers."""

    text: str
    blocks: tuple[Block, ...]


def plain(text: str, limit: int = MAX_SECTION) -> Block:
    """A text object that Slack shows as it is, whatever is in it."""
    return literal(shown(text, limit))


def literal(shown: str) -> Block:
    """As `plain`, for what is legible, limited and not blank already."""
    return {"type": "plain_text", "text": shown, "emoji": True}


def mrkdwn(text: str) -> Block:
    """A text object with markup of ours. Outside words in it must have been escaped, and limited, by the caller."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, MAX_HEADER)}


def section(text: Block) -> Block:
    return {"type": "section", "text": text}


def fields(*texts: Block) -> Block:
    return {"type": "section", "fields": list(texts)}


def context(text: Block) -> Block:
    return {"type": "context", "elements": [text]}


def divider() -> Block:
    return {"type": "divider"}


def button(label: str, action_id: str, value: str | None = None, style: str | None = None) -> Block:
    found: Block = {"type": "button", "action_id": action_id, "text": plain(label, MAX_BUTTON)}
    if value is not None:
        found["value"] = value
    if style is not None:
        found["style"] = style
    return found


def actions(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def select(placeholder: str, action_id: str, options: Sequence[tuple[str, str]]) -> Block:
    """A menu of (value, label) to pick one from. Values that Slack could not send back must have been left out."""
    shown = [{"text": plain(label, MAX_BUTTON), "value": value} for value, label in options[:MAX_OPTIONS]]
    return {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain(placeholder, MAX_BUTTON),
        "options": shown,
    }


def table(found: Table) -> Block:
    """A table of plain cells, its header first. Slack takes one a message."""
    rows = [found.header, *found.rows][:MAX_ROWS]
    return {
        "type": "table",
        "rows": [[{"type": "raw_text", "text": shown(cell, MAX_CELL)} for cell in row] for row in rows],
    }
