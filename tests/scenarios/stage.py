"""A running bot in a local workspace, and short words for what people do in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.app import Running, Stores, SystemClock, open_stores, running
from bot.demo import settings_for
from bot.domain import buttons
from bot.ports import Pending
from bot.settings import Settings
from bot.storage.tables import VectorTable
from integrations.stripe.sandbox import Sandbox
from integrations.workspace import Person, Workspace, WorkspaceConfig, WorkspaceMail, demo_seed

MIRA, TOM, ADA, GIL = "U0MIRA", "U0TOM", "U0ADA", "U0GIL"
SUPPORT, GENERAL, DESK = "C0SUPPORT", "C0GENERAL", "G0DESK"
PATIENCE = 20.0
REDELIVERY = 90.0
"""Seconds: what a bot did not acknowledge before it stopped is delivered again after a minute."""

REFUND = "how long does a refund take to arrive on my card?"
PENDING = "why is a charge on my card still pending?"
CANCEL = "how do I cancel my subscription?"
RECEIPT = "where can I download a receipt for my payment?"
STOLEN = "there is a charge on my card that I never made, somebody used it without my permission"
PERSON = "I want to talk to a human please"
NONSENSE = "purple bicycles dream of tuesday soup"


def crowd(count: int = 60) -> tuple[Person, ...]:
    """Customers, so that each scenario has people of its own."""
    ana = next(person for person in demo_seed().people if person.id == "U0ANA")
    return tuple(
        replace(ana, id=f"U1CUST{n:03}", name=f"cust{n}", real_name=f"Customer {n}", email=f"c{n}@example.com")
        for n in range(count)
    )


@dataclass
class Stage:
    """One workspace with the bot in it. `newcomer` gives each scenario a customer that nobody else uses."""

    ws: Workspace
    bot: Running
    next_customer: int = 0
    stripe: Sandbox | None = None

    def newcomer(self) -> str:
        self.next_customer += 1
        return f"U1CUST{self.next_customer - 1:03}"

    async def dm(self, user: str) -> str:
        return await self.ws.open_im(user)

    def said(self, channel: str, thread_ts: str | None = None, *, by: str | None = None) -> list[dict[str, Any]]:
        """What the bot (or another) said in a channel or thread, oldest first."""
        who = by or self.ws.bot_user_id
        return [one for one in self.ws.messages(channel, thread_ts) if one.get("user") == who]

    async def reply(self, channel: str, after: str, thread_ts: str | None = None) -> dict[str, Any]:
        """The bot's first message after `after`."""

        def found(_: Workspace) -> dict[str, Any] | None:
            return next((one for one in self.said(channel, thread_ts) if one["ts"] > after), None)

        message = await self.ws.wait_for(found, timeout=PATIENCE)
        assert message is not None
        return message

    async def ask(self, user: str, text: str) -> dict[str, Any]:
        """Ask in the direct conversation; the bot's next message."""
        channel = await self.dm(user)
        return await self.reply(channel, await self.ws.post(user, channel, text))

    async def card_of(self, user: str) -> dict[str, Any]:
        """The card about this customer."""

        def found(_: Workspace) -> dict[str, Any] | None:
            return next((one for one in self.said(DESK) if f"<@{user}>" in str(one)), None)

        message = await self.ws.wait_for(found, timeout=PATIENCE)
        assert message is not None
        return message

    async def specialist_replies(self, specialist: str, card: dict[str, Any], text: str) -> Any:
        """*Reply* on a card, through the modal."""
        await self.ws.click(specialist, DESK, card["ts"], buttons.REPLY)
        view = (await self.ws.wait_for(lambda ws: ws.open_views(specialist), timeout=PATIENCE))[-1]
        return await self.ws.submit_view(specialist, view["id"], {"reply": {"text": text}})

    async def settled(self) -> None:
        """Everything delivered is processed and everything said is posted."""
        await self.ws.idle(REDELIVERY)
        waiting: tuple[Pending, ...] = ()
        try:
            async with asyncio.timeout(PATIENCE):
                while waiting := await self.bot.stores.books.pending():  # noqa: ASYNC110 - nothing tells when
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"still waiting: {waiting}") from None
        await self.ws.idle()


_kept: dict[str, dict[str, bytes]] = {}
"""Embeddings by embedder and text hash: the same for every stage, and slow to make."""


async def _bring_vectors(settings: Settings) -> None:
    async with open_stores(settings, SystemClock()) as stores:
        for embedder, vectors in _kept.items():
            await stores.articles.save_vectors(embedder, vectors)


async def _keep_vectors(stores: Stores) -> None:
    if _kept:
        return
    async with stores.engine.connect() as connection:
        for row in await connection.execute(select(VectorTable.__table__)):
            _kept.setdefault(row.embedder, {})[row.text_hash] = bytes(row.vector)


@asynccontextmanager
async def open_stage(
    folder: Path, *, database_url: str | None = None, stripe: Sandbox | None = None, **changes: Any
) -> AsyncIterator[Stage]:
    """A stage on a database of its own; with `stripe`, payments are looked up in it, and mail stays here."""
    seed = demo_seed()
    people = crowd()
    channels = tuple(
        replace(channel, members=(*channel.members, *(one.id for one in people)))
        if channel.id in (SUPPORT, GENERAL)
        else channel
        for channel in seed.channels
    )
    ws = Workspace(WorkspaceConfig(seed=replace(seed, people=(*seed.people, *people), channels=channels)))
    await ws.start()
    try:
        chosen: dict[str, Any] = {"database_url": database_url, "channel_wait_seconds": 0.0}
        if stripe is not None:
            chosen |= {"stripe_api_key": stripe.key, "stripe_api_url": stripe.url, "identity_rule": "email"}
        settings = settings_for(ws, folder, **{**chosen, **changes})
        await _bring_vectors(settings)
        async with running(settings, mail=None if stripe is None else WorkspaceMail(ws)) as bot:
            await _keep_vectors(bot.stores)
            yield Stage(ws, bot, stripe=stripe)
    finally:
        await ws.stop()


Check = Callable[[Workspace], Any]
