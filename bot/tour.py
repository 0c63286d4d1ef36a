"""`demo --tour`: a scripted conversation through the same path, in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.domain import buttons
from bot.services import words
from integrations.workspace import Workspace

ANA, BEN, MIRA = "U0ANA", "U0BEN", "U0MIRA"
SUPPORT, DESK = "C0SUPPORT", "G0DESK"
PATIENCE = 30.0
"""Seconds for one reply, on a machine that is busy with other things."""

Say = Callable[[str], None]


class Mismatch(Exception):
    """A reply was not what it should be, or did not come."""


async def play(ws: Workspace, say: Say) -> bool:
    """All scenes; True when each reply was what it should be."""
    for number, scene in enumerate((_answer, _card_number, _person, _channel), 1):
        title = (scene.__doc__ or "").strip()
        say(f"\n{number}. {title}")
        try:
            await scene(_Stage(ws, say))
        except Mismatch as problem:
            say(f"   NOT AS IT SHOULD BE: {problem}")
            return False
    say("\nEvery reply was what it should be.")
    return True


class _Stage:
    """Says what people write and waits for what the bot says."""

    def __init__(self, ws: Workspace, say: Say) -> None:
        self.ws = ws
        self._say = say

    async def write(self, who: str, channel: str, text: str, thread_ts: str | None = None) -> str:
        self._say(f"   {self._name(who):<9} {text}")
        return await self.ws.post(who, channel, text, thread_ts=thread_ts)

    async def hear(self, channel: str, after: str, *parts: str, thread_ts: str | None = None) -> dict[str, Any]:
        """The bot's first message after `after`, which must hold all `parts`. Raises Mismatch."""

        def found(ws: Workspace) -> dict[str, Any] | None:
            messages = ws.messages(channel, thread_ts)
            return next((one for one in messages if one["ts"] > after and one["user"] == ws.bot_user_id), None)

        try:
            message = await self.ws.wait_for(found, timeout=PATIENCE)
        except TimeoutError:
            raise Mismatch(f"no reply within {PATIENCE:.0f} s") from None
        assert message is not None  # noqa: S101 - wait_for returns what is true
        for line in str(message["text"]).splitlines():
            if line.strip():
                self._say(f"   {'Handrail':<9} {line}")
        for part in parts:
            if part.lower() not in str(message["text"]).lower():
                raise Mismatch(f"“{part}” is not in the reply")
        return message

    def _name(self, user: str) -> str:
        return {ANA: "Ana", BEN: "Ben", MIRA: "Mira"}.get(user, user)


async def _answer(stage: _Stage) -> None:
    """A customer asks; the answer cites the article's revision."""
    channel = await stage.ws.open_im(ANA)
    asked = await stage.write(ANA, channel, "How long does a refund take to reach my card?")
    await stage.hear(channel, asked, "business days", "revision 1")


async def _card_number(stage: _Stage) -> None:
    """A card number is removed, and the customer is asked to delete it."""
    channel = await stage.ws.open_im(ANA)
    asked = await stage.write(ANA, channel, "my card is 4242 4242 4242 4242")
    message = await stage.hear(channel, asked, "a card number", "delete your message")
    if "4242" in str(message):
        raise Mismatch("the card number came back")


async def _person(stage: _Stage) -> None:
    """A customer asks for a person; a specialist replies from their channel, and closes the case."""
    ws = stage.ws
    channel = await ws.open_im(BEN)
    before = max((one["ts"] for one in ws.messages(DESK)), default="0")
    asked = await stage.write(BEN, channel, "I want to talk to a person please")
    said = await stage.hear(channel, asked, words.SPECIALIST_WILL_ANSWER)
    card = await stage.hear(DESK, before)
    await ws.click(MIRA, DESK, card["ts"], buttons.REPLY)
    view = (await ws.wait_for(lambda now: now.open_views(MIRA), timeout=PATIENCE))[-1]
    result = await ws.submit_view(MIRA, view["id"], {"reply": {"text": "Hello Ben, Mira here. I am looking at it."}})
    if not result.ok:
        raise Mismatch(f"the reply was not taken: {result.errors}")
    reply = await stage.hear(channel, said["ts"], "Mira here")
    await ws.click(MIRA, DESK, card["ts"], buttons.DONE)
    await stage.hear(channel, reply["ts"], words.RESOLVED)


async def _channel(stage: _Stage) -> None:
    """A question in the support channel that no person answers."""
    asked = await stage.write(BEN, SUPPORT, "Why is the charge on my card still pending?")
    await stage.hear(SUPPORT, asked, "revision 1", thread_ts=asked)
