"""reactions.add, remove, get"""

from __future__ import annotations

from integrations.workspace.events import visible
from integrations.workspace.webapi.call import Answer, Call


async def add(call: Call) -> Answer:
    """Put the bot's emoji on a message."""
    return _react(call, add=True)


async def remove(call: Call) -> Answer:
    """Take the bot's emoji off a message."""
    return _react(call, add=False)


async def get(call: Call) -> Answer:
    """A message with its reactions."""
    channel = call.channel()
    message = call.message(channel, "timestamp")
    return {"type": "message", "channel": channel.id, "message": visible(message)}


def _react(call: Call, *, add: bool) -> Answer:
    channel = call.channel()
    message = call.message(channel, "timestamp")
    call.core.posting.react(channel, message, call.app.bot_user, call.text("name").strip(":"), add=add)
    return {}
