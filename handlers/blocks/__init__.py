"""How Slack shows what Handrail says: pure builders from domain values to Block Kit."""

from __future__ import annotations

from typing import assert_never

from bot.domain.replies import Card, Content, Note, Relay, Reply
from handlers.blocks.card import card_message
from handlers.blocks.elements import Block, Message
from handlers.blocks.home import home_view
from handlers.blocks.modals import notice_modal, reply_modal
from handlers.blocks.relay import note_message, relay_message
from handlers.blocks.reply import reply_message

__all__ = ["Block", "Message", "home_view", "message", "notice_modal", "reply_message", "reply_modal"]


def message(content: Content) -> Message:
    """Any content as a message."""
    match content:
        case Reply():
            return reply_message(content)
        case Relay():
            return relay_message(content)
        case Note():
            return note_message(content)
        case Card():
            return card_message(content)
        case _:
            assert_never(content)
