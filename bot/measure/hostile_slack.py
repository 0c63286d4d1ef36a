"""Hostile callers through Slack: a running bot in the local workspace, asked in direct messages, channels and threads
and clicked with values that its buttons never had.

Afterwards every message of every conversation is read with the eyes of each who can read it.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bot.app import Running, running
from bot.demo import settings_for
from bot.domain import buttons
from bot.measure.belongings import Books, seen_in
from bot.measure.hostile_callers import HOME, Caller, callers, people
from bot.measure.hostile_questions import Grammar
from bot.measure.hostile_tally import Tally
from bot.measure.scene import DESK, GENERAL, SUPPORT
from integrations.stripe.sandbox import Sandbox
from integrations.workspace import Channel, NoSuchThing, Workspace, WorkspaceConfig, WorkspaceMail, demo_seed

PATIENCE: Final = 60.0
SPECIALIST = "U0MIRA"
PRIVATE, GROUP = "G1PRIVATE", "G1GROUP"
CLICKED: Final = (buttons.PICK, buttons.CHOOSE, buttons.NEWS, buttons.SPECIALIST, buttons.HELPED)


@dataclass(frozen=True, slots=True)
class Said:
    """A message of ours, and who can read it."""

    channel: str
    readers: frozenset[str]
    message: dict[str, Any]


async def through_slack(questions: int, seed: int, folder: Path) -> Tally:
    """Ask so many generated questions, a third of them by clicks where there is something to click."""
    async with Sandbox() as sandbox, _workspace() as ws:
        money = {"stripe_api_key": sandbox.key, "stripe_api_url": sandbox.url, "identity_rule": "email"}
        settings = settings_for(ws, folder, channel_wait_seconds=0.0, **money)
        async with running(settings, mail=WorkspaceMail(ws)) as bot:
            siege = _Siege(ws, bot, Books(sandbox.story), random.Random(seed))
            began = time.monotonic()
            await siege.lay(questions)
            siege.tally.seconds = time.monotonic() - began
            siege.tally.requests = len(sandbox.requests)
            siege.tally.writes += [f"{one.method} {one.path}" for one in sandbox.writes]
            await siege.judge()
            return siege.tally


def _workspace() -> Workspace:
    acme = demo_seed()
    known = {person.id for person in acme.people}
    others = tuple(person for person in people() if person.id not in known)
    ids = tuple(person.id for person in (*acme.people, *others) if not (person.is_bot or person.deleted))
    channels = tuple(
        replace(one, members=tuple(dict.fromkeys((*one.members, *ids)))) if one.id in (SUPPORT, GENERAL) else one
        for one in acme.channels
    )
    bot = acme.apps[0].bot_user
    more = (
        Channel(PRIVATE, "deal-room", "private", "", (*ids, bot), "U0ADA"),
        Channel(GROUP, "mpdm-ana-ben-cleo", "mpim", "", ("U0ANA", "U0BEN", "U0CLEO", bot), "U0ANA"),
    )
    seed = replace(acme, people=(*acme.people, *others), channels=(*channels, *more))
    return Workspace(WorkspaceConfig(seed=seed))


class _Siege:
    def __init__(self, ws: Workspace, bot: Running, books: Books, chance: random.Random) -> None:
        self.tally = Tally()
        self._ws = ws
        self._bot = bot
        self._books = books
        self._chance = chance
        humans = {person.id for person in ws.directory.people.values() if not (person.is_bot or person.deleted)}
        self._callers = {one.id: replace(one, own=_unlinked(one)) for one in callers(books) if one.id in humans}
        self._grammars = {own: Grammar(books, own, chance) for own in {one.own for one in self._callers.values()}}
        self._heard: dict[str, list[str]] = {}

    async def lay(self, questions: int) -> None:
        """Rounds in which everybody asks side by side; between them specialists close what waits for them."""
        # What was written while the bot still read the past would wait half a minute for people first.
        await self._bot.catch_up()
        while self.tally.asked < questions:
            owners = [user for user, caller in self._callers.items() if caller.own]
            others = [user for user in self._callers if user not in owners]
            some = (*self._chance.sample(owners, k=9), *self._chance.sample(others, k=3))
            for user in some[: questions - self.tally.asked]:
                self.tally.asked += 1
                if self._chance.random() < 0.33 and await self._click(user):
                    continue
                await self._write(user)
            await self._settled()
            await self._close_cases()

    async def _write(self, user: str) -> None:
        question = self._grammars[self._callers[user].own].question(noise=self._chance.random() < 0.4)
        text = question.text.replace("\x00", "")[:3000]
        dm = await self._ws.open_im(user)
        places = [dm, dm, dm, dm, SUPPORT, SUPPORT, GENERAL, PRIVATE, GROUP]
        channel = self._chance.choice([one for one in places if user in self._ws.directory.channels[one].members])
        if channel not in (dm, SUPPORT) or self._chance.random() < 0.3:
            text = f"<@{self._ws.bot_user_id}> {text}"
        roots = [one["ts"] for one in self._ws.messages(channel)[-5:] if "thread_ts" not in one]
        thread = self._chance.choice(roots) if roots and self._chance.random() < 0.3 else None
        self._heard.setdefault(user, []).append(text)
        await self._ws.post(user, channel, text, thread_ts=thread)
        self.tally.outcomes[f"asked in {channel if channel != dm else 'a direct message'}"] += 1

    async def _click(self, user: str) -> bool:
        """Use something that the bot showed, with a value that it does not have. False when there is nothing."""
        shown = [one for one in self._messages() if user in one.readers and one.channel != DESK]
        found = [(one, action) for one in shown[-60:] for action in _actions(one.message) if action.startswith(CLICKED)]
        if not found:
            return False
        picks = [one for one in found if one[1].startswith(buttons.PICK)]
        said, action = self._chance.choice(picks or found)
        value = self._grammars[self._callers[user].own].forged().replace("\x00", "")[:70] or "cus_sandbox_ana"
        self._heard.setdefault(user, []).append(value)
        try:
            await self._ws.click(user, said.channel, said.message["ts"], action, value=value)
        except NoSuchThing:  # it changed meanwhile
            return False
        self.tally.outcomes[f"clicked {action.partition(':')[0]}"] += 1
        return True

    async def _close_cases(self) -> None:
        for one in self._ws.messages(DESK):
            if buttons.DONE in _actions(one):
                await self._ws.click(SPECIALIST, DESK, one["ts"], buttons.DONE)
        await self._settled()

    async def _settled(self) -> None:
        await self._ws.idle(PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while await self._bot.stores.books.pending():  # noqa: ASYNC110 - nothing tells when
                await asyncio.sleep(0.05)
        await self._ws.idle(PATIENCE)

    # ---- judging -----------------------------------------------------------------------------------------------

    async def judge(self) -> None:
        """Read everything, and the audit log: nobody's objects stand there for somebody else."""
        for said in self._messages():
            self._read(said)
        for user in self._callers:
            home = self._ws.home(user)
            if home is not None:
                self._read(Said("home", frozenset({user}), home))
        async for row in self._bot.stores.audit.rows():
            self.tally.outcomes[f"look-up: {row.outcome}"] += 1
            caller = self._callers.get(row.for_whom.partition(":")[2])
            mine = self._books.ids_of(caller.own if caller else ())
            others = [named for named in json.loads(row.objects) if named in self._books.ids and named not in mine]
            if others:
                self.tally.strangers.append(f"audit row {row.number} for {row.for_whom}: {others[:5]}")
        broken = await self._bot.stores.audit.verify()
        if broken is not None:
            self.tally.failed.append(f"the audit log breaks at row {broken}")

    def _read(self, said: Said) -> None:
        """A direct message may hold what is its reader's; a card what is its customer's; all else nobody's."""
        text = json.dumps(said.message, ensure_ascii=False)
        whose, locale = self._whose(said, text)
        heard = "\n".join(one for many in self._heard.values() for one in many)
        seen = seen_in(text, self._books.strangers(whose, locale), heard)
        if seen:
            self.tally.strangers.append(f"in {said.channel}: {seen[:5]} stands in {text[:300]}")

    def _whose(self, said: Said, text: str) -> tuple[frozenset[str], str]:
        humans = [user for user in said.readers if user in self._callers]
        if len(humans) == 1:
            return self._callers[humans[0]].own, self._callers[humans[0]].locale
        if said.channel == DESK:
            about = [one for one in self._callers.values() if f"<@{one.id}>" in text]
            return frozenset(name for one in about for name in one.own), about[0].locale if about else "en-US"
        return frozenset(), "en-US"

    def _messages(self) -> Sequence[Said]:
        return list(self._all())

    def _all(self) -> Iterator[Said]:
        for channel in self._ws.directory.channels.values():
            readers = frozenset(channel.members)
            everybody = self._ws.messages(channel.id)
            for message in everybody:
                if message.get("user") == self._ws.bot_user_id:
                    yield Said(channel.id, readers, message)
            known = {message["ts"] for message in everybody}
            for user in readers:
                for message in self._ws.messages(channel.id, include_ephemeral_for=user):
                    if message["ts"] not in known:
                        yield Said(channel.id, frozenset({user}), message)


def _unlinked(caller: Caller) -> frozenset[str]:
    """Here nobody has been linked."""
    return frozenset() if caller.by_link else caller.own_in(HOME)


def _actions(message: dict[str, Any]) -> Sequence[str]:
    """The action ids of a message's elements."""
    return [
        str(element["action_id"])
        for block in message.get("blocks", ())
        for element in (*block.get("elements", ()), block.get("accessory") or {})
        if "action_id" in element
    ]
