"""Who sees whose money: everybody who asks, in every kind of place, with every kind of specialists' channel.

After each question all conversations of the workspace are read, ephemeral messages and Home tabs too, for anything that
tells of the asker's payments. It may stand in their own direct message; and on a card, while the specialists' channel
is private, of our own people alone.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.domain import buttons
from bot.domain.identity import CustomerRef, Provider
from bot.domain.redaction import redacted
from bot.measure.belongings import Books, seen_in
from bot.services import words
from integrations.stripe.sandbox import Sandbox
from integrations.workspace import Channel
from tests.scenarios.stage import DESK, GENERAL, MIRA, SUPPORT, Stage, open_stage

ANA, BEN, GIL, KIM, NORA, TOM = "U0ANA", "U0BEN", "U0GIL", "U0KIM", "U0NORA", "U0TOM"
PRIVATE, GROUP = "G1PRIVATE", "G1GROUP"
WHERE, TWICE = "Where is my refund?", "I was charged twice for the same thing"
TEAM = "T0ACME"

THEIRS: Mapping[str, frozenset[str]] = {
    ANA: frozenset({"ana"}),
    BEN: frozenset({"ben"}),
    GIL: frozenset({"gil"}),
    MIRA: frozenset({"mira"}),
    KIM: frozenset(),
    NORA: frozenset(),
}
PLACES = ("direct message", "thread in it", "group message", "support channel", "thread there", "#general", "private")
TOLD = {"direct message", "thread in it", "support channel", "thread there"}
"""Where a question of somebody who is a customer is looked up: what is found goes to their direct message."""


@dataclass
class House:
    """A stage, and who of it reads what of somebody's money."""

    stage: Stage
    books: Books

    async def ask(self, user: str, place: str, text: str) -> None:
        """Ask in a place, with a mention where it takes one; and let everything come to rest. It is an hour and more
        after the last question, so it starts a conversation of its own."""
        ws = self.stage.ws
        ws.clock.advance(4000)
        direct = await self.stage.dm(user)
        mention = f"<@{ws.bot_user_id}> {text}"
        match place:
            case "direct message":
                await ws.post(user, direct, text)
            case "thread in it":
                root = await ws.post(user, direct, "Hello")
                await self.stage.settled()
                await ws.post(user, direct, text, thread_ts=root)
            case "thread there":
                root = await ws.post(TOM, SUPPORT, "Good morning everybody")
                await ws.post(user, SUPPORT, mention, thread_ts=root)
            case _:
                known = {"group message": GROUP, "support channel": SUPPORT, "#general": GENERAL, "private": PRIVATE}
                await ws.post(user, known[place], mention)
        await self.stage.settled()

    def readers(self, user: str, after: str = "0") -> dict[str, frozenset[str]]:
        """By conversation in which, since then, anything of this person's money stands: who can read it."""
        ws = self.stage.ws
        told = self.books.told(THEIRS[user], ws.directory.people[user].locale)
        found: dict[str, set[str]] = {}
        for channel in ws.directory.channels.values():
            public = set(ws.directory.people) if channel.kind == "public" else set()
            for reader in {*channel.members} | public:
                shown = [
                    one
                    for one in ws.messages(channel.id, include_ephemeral_for=reader)
                    if one.get("user") == ws.bot_user_id and one["ts"] > after
                ]
                if seen_in(json.dumps(shown, ensure_ascii=False), told, ""):
                    found.setdefault(channel.id, set()).add(reader)
        for reader in ws.directory.people:
            if seen_in(json.dumps(ws.home(reader), ensure_ascii=False), told, ""):
                found.setdefault("home", set()).add(reader)
        return {channel: frozenset(readers - {ws.bot_user_id}) for channel, readers in found.items()}


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    async with Sandbox() as stripe, open_stage(folder, stripe=stripe) as stage:
        ws = stage.ws
        people = (*THEIRS, TOM, ws.bot_user_id)
        ws.directory.save_channel(Channel(PRIVATE, "deal-room", "private", "", people, TOM))
        ws.directory.save_channel(Channel(GROUP, "mpdm-all", "mpim", "", people, TOM))
        for user in (MIRA, KIM, GIL):
            for channel in (SUPPORT, GENERAL):
                await ws.join(user, channel)
        yield House(stage, Books(stripe.story))


def table(rows: Mapping[str, Mapping[str, Mapping[str, frozenset[str]]]]) -> str:
    """Who asked where, and who can read of it."""
    lines = [f"{'':<14}" + "".join(f"{place:<24}" for place in PLACES)]
    for who, cells in rows.items():
        shown = (
            "; ".join(f"{channel}: {','.join(sorted(readers))}" for channel, readers in cells[place].items()) or "-"
            for place in PLACES
        )
        lines.append(f"{who:<14}" + "".join(f"{cell:<24}" for cell in shown))
    return "\n".join(lines)


@pytest.mark.timeout(300)
async def test_money_is_read_by_its_owner_in_their_direct_message_alone(tmp_path: Path) -> None:
    """Every asker in every place. A guest sees nothing until a specialist links them."""
    async with house(tmp_path) as at:
        found: dict[str, dict[str, dict[str, frozenset[str]]]] = {}
        expected: dict[str, dict[str, dict[str, frozenset[str]]]] = {}
        for who, user in (("member", ANA), ("guest", GIL), ("stranger", KIM), ("staff", MIRA), ("no customer", NORA),
                          ("linked guest", GIL)):  # fmt: skip
            if who == "linked guest":
                await link(at.stage, GIL, "cus_sandbox_gil")
            direct = await at.stage.dm(user)
            for place in PLACES:
                after = at.stage.ws.clock.ts()
                await at.ask(user, place, WHERE)
                found.setdefault(who, {})[place] = at.readers(user, after)
                sees = who in ("member", "linked guest") and place in TOLD
                expected.setdefault(who, {})[place] = {direct: frozenset({user})} if sees else {}

        assert found == expected, "\n" + table(found)
        assert sum(words.LOOK_IN_DM in str(one) for one in at.stage.said(SUPPORT)) == 4
        assert await at.stage.bot.stores.audit.verify() is None


async def link(stage: Stage, user: str, customer: str) -> None:
    assert stage.bot.lookups is not None
    ref = CustomerRef(Provider.STRIPE, customer)
    await stage.bot.lookups.identity.link(MIRA, TEAM, (user,), (ref,), redacted("they showed an invoice"))


async def test_who_joins_in_between_sees_nothing(tmp_path: Path) -> None:
    """Between the question and its answer somebody joins the channel; then they ask in the very thread, and click."""
    async with house(tmp_path) as at:
        ws, newcomer = at.stage.ws, at.stage.newcomer()
        await ws.leave(newcomer, SUPPORT)
        asked = await ws.post(ANA, SUPPORT, WHERE)
        await ws.join(newcomer, SUPPORT)
        await at.stage.settled()
        await ws.post(newcomer, SUPPORT, f"<@{ws.bot_user_id}> And what did you find?", thread_ts=asked)
        await at.stage.settled()
        stub = at.stage.said(SUPPORT, asked)[0]
        assert words.LOOK_IN_DM in str(stub)
        for action in (buttons.HELPED, buttons.SPECIALIST, f"{buttons.PICK}refund-status"):
            if action in str(stub.get("blocks")):
                await ws.click(newcomer, SUPPORT, stub["ts"], action, value="re_sandbox_ana_workshop_1")
        await at.stage.settled()

        assert at.readers(ANA) == {await at.stage.dm(ANA): frozenset({ANA})}


async def _is_public(at: House) -> None:
    ws = at.stage.ws
    ws.directory.save_channel(replace(ws.directory.channels[DESK], kind="public"))


async def _has_a_guest(at: House) -> None:
    await at.stage.ws.join(GIL, DESK)


async def _is_shared(at: House) -> None:
    await at.stage.ws.join(KIM, DESK)


@pytest.mark.parametrize("change", [_is_public, _has_a_guest, _is_shared], ids=["public", "guest", "shared"])
async def test_cards_tell_of_money_only_while_the_desk_is_private(
    tmp_path: Path, change: Callable[[House], Awaitable[None]]
) -> None:
    """First a card in a private desk; then the desk changes, and the next card, and each update of the first, has
    nothing of it."""
    async with house(tmp_path) as at:
        ws = at.stage.ws
        direct = await at.stage.dm(BEN)
        await at.ask(BEN, "direct message", TWICE)
        first = await at.stage.card_of(BEN)
        staff = frozenset({MIRA, TOM, "U0ADA"})
        assert at.readers(BEN) == {direct: frozenset({BEN}), DESK: staff}

        await change(at)
        await ws.click(MIRA, DESK, first["ts"], buttons.DONE)
        await at.stage.settled()
        assert at.readers(BEN) == {direct: frozenset({BEN})}

        after = ws.clock.ts()
        await at.ask(BEN, "support channel", TWICE)
        assert at.readers(BEN, after) == {direct: frozenset({BEN})}
        assert any(f"<@{BEN}>" in str(one) and "blocks" in one for one in at.stage.said(DESK) if one["ts"] > after)
