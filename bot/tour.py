"""`demo --tour`: a scripted conversation through the same path, in the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from bot.domain import buttons
from bot.services import words
from integrations.workspace import Workspace

ANA, BEN, DAN, GIL, MIRA = "U0ANA", "U0BEN", "U0DAN", "U0GIL", "U0MIRA"
SUPPORT, DESK = "C0SUPPORT", "G0DESK"
PATIENCE = 30.0
"""Seconds for one reply, on a machine that is busy with other things."""

GIL_ADDRESS = "gil@moreau.example"

Say = Callable[[str], None]


class Mismatch(Exception):
    """A reply was not what it should be, or did not come."""


async def play(ws: Workspace, say: Say) -> bool:
    """All scenes; True when each reply was what it should be."""
    for number, scene in enumerate(_SCENES, 1):
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
        self.tell(f"{self._name(who):<9} {text}")
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
                self.tell(f"{'Handrail':<9} {line}")
        for part in parts:
            if part.lower() not in str(message["text"]).lower():
                raise Mismatch(f"“{part}” is not in the reply")
        return message

    def tell(self, line: str) -> None:
        """Show what happens."""
        self._say(f"   {line}")

    def _name(self, user: str) -> str:
        return {ANA: "Ana", BEN: "Ben", DAN: "Dan", GIL: "Gil", MIRA: "Mira"}.get(user, user)


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


async def _refund(stage: _Stage) -> None:
    """A customer asks for their refund, and sees their own one: where it is and when it usually shows."""
    channel = await stage.ws.open_im(ANA)
    asked = await stage.write(ANA, channel, "Where is my refund?")
    told = await stage.hear(channel, asked, "120,00", "handed to your bank", "usually visible between", "Trace number")
    stage.tell(f"{'Ana':<9} [Tell me when there is news]")
    await stage.ws.click(ANA, channel, told["ts"], buttons.NEWS)
    await stage.hear(channel, told["ts"], "120,00")


async def _decline(stage: _Stage) -> None:
    """Another one asks in the channel: what concerns their money comes in a direct message, and nowhere else."""
    asked = await stage.write(DAN, SUPPORT, "Why was my card declined 2 days ago?")
    stub = await stage.hear(SUPPORT, asked, words.LOOK_IN_DM, thread_ts=asked)
    if "49" in str(stub["text"]):
        raise Mismatch("an amount stands in the channel")
    channel = await stage.ws.open_im(DAN)
    await stage.hear(channel, asked, "did not go through", "49.00")


async def _duplicates(stage: _Stage) -> None:
    """A third one sees two payments of the same amount. A specialist is called, who sees what was found."""
    channel = await stage.ws.open_im(BEN)
    before = max((one["ts"] for one in stage.ws.messages(DESK)), default="0")
    asked = await stage.write(BEN, channel, "I was charged twice for the same thing")
    await stage.hear(channel, asked, "two payments of the same amount", words.SPECIALIST_WILL_ANSWER)
    await stage.hear(DESK, before, "ch_sandbox_ben_lamp_1", "ch_sandbox_ben_lamp_2")


async def _guest(stage: _Stage) -> None:
    """A guest is nobody's customer until they prove their billing e-mail with a code."""
    ws = stage.ws
    channel = await ws.open_im(GIL)
    asked = await stage.write(GIL, channel, "Where is my refund?")
    said = await stage.hear(channel, asked, words.NOT_PROVEN)
    await ws.click(GIL, channel, said["ts"], buttons.PROVE)
    view = (await ws.wait_for(lambda now: now.open_views(GIL), timeout=PATIENCE))[-1]
    await ws.submit_view(GIL, view["id"], {"address": {"field": GIL_ADDRESS}})
    mail = (await ws.wait_for(lambda now: now.mailbox.of(GIL_ADDRESS), timeout=PATIENCE))[0]
    stage.tell(f"{'Mail':<9} {mail.subject}")
    code = re.search(r"\b\d{6}\b", mail.text)
    if code is None:
        raise Mismatch("there is no code in the mail")
    result = await ws.submit_view(GIL, view["id"], {"code": {"field": code.group()}})
    if not result.ok:
        raise Mismatch(f"the code was not taken: {result.errors}")
    await stage.hear(channel, said["ts"], "A refund of", "15,00")


_SCENES: Final = (_answer, _card_number, _person, _channel, _refund, _decline, _duplicates, _guest)
