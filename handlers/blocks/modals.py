"""Modals: where a specialist writes a reply, and a word on why they cannot."""

from __future__ import annotations

from handlers.blocks import ids
from handlers.blocks.elements import Block, context, literal, mrkdwn, plain, section
from handlers.blocks.text import quoted

MAX_QUESTION = 1500
MAX_REPLY = 3000
MAX_NOTICE = 600

REPLY_BLOCK = ids.REPLY_BLOCK
REPLY_ACTION = ids.REPLY_ACTION


def reply_modal(handoff: str, question: str) -> Block:
    """Where a specialist writes to the customer. `private_metadata` is the handoff's id."""
    return {
        "type": "modal",
        "callback_id": ids.HANDOFF_REPLY_VIEW,
        "private_metadata": handoff,
        "title": plain("Reply to the customer", 24),
        "submit": plain("Send", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            context(mrkdwn("*The customer asked*")),
            section(literal(quoted(question, MAX_QUESTION))),
            {
                "type": "input",
                "block_id": ids.REPLY_BLOCK,
                "label": plain("Your reply"),
                "hint": plain("It goes to the customer under your name, as plain text."),
                "element": {
                    "type": "plain_text_input",
                    "action_id": ids.REPLY_ACTION,
                    "multiline": True,
                    "min_length": 1,
                    "max_length": MAX_REPLY,
                    "focus_on_load": True,
                },
            },
        ],
    }


def notice_modal(words: str) -> Block:
    """A word instead of what was asked for; there is nothing to submit."""
    return {
        "type": "modal",
        "title": plain("Handrail", 24),
        "close": plain("Close", 24),
        "blocks": [section(plain(words, MAX_NOTICE))],
    }
