"""Delivery: outbox rows go to Slack in order, effectively once, and never over a person's head.

Slack has no idempotency key. So an attempt is counted and committed first; when more than one was begun, the
message is looked up by its mark before it is sent again; and before every attempt the case's owner is asked.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from bot.domain.cases import Status
from bot.domain.outbox import Hint, OutboxRow, Post, React, Say, ShowCard, ShowHome, UpdateCard
from bot.domain.replies import Address, Content, Note, Relay, Reply
from bot.errors import DeliveryDeferred, DeliveryRefused
from bot.ports import (
    Cases,
    Clock,
    Desk,
    Directory,
    Engine,
    Forbidden,
    Knowledge,
    Messenger,
    News,
    Outbox,
    Presence,
    Wake,
    WakeKind,
)
from bot.services import words
from bot.services.identity import Identity
from bot.services.packet import build_card, build_home
from bot.services.waking import Waker
from bot.telemetry import count

log = logging.getLogger(__name__)

FIRST_WAIT = 0.5
LONGEST_WAIT = 300.0
GIVE_UP_AFTER = timedelta(hours=6)
"""A post that Slack did not take for so long is reported to the specialists instead."""
REFUSES_US = frozenset({
    "account_inactive", "ekm_access_denied", "enterprise_is_restricted", "invalid_auth", "missing_scope", "not_authed",
    "org_login_required", "team_access_not_granted", "token_expired", "token_revoked",
})  # fmt: skip
"""Slack refuses the bot, not the post: an operator mends that, and what was to be said must still be there then.
A receipt or a hint does not wait: words would wait behind it."""
REFUSES_PLACE = frozenset({"channel_is_archived", "channel_not_found", "is_archived", "not_in_channel"})
SIDE_TRIES = 3
"""Attempts for what nobody waits for: hints, Home."""
RECEIPT_TRIES = 12
"""Attempts for a receipt: no words wait behind it, and without it a customer does not know that they were heard."""
ROWS_A_WAKE = 20
BROKEN_AFTER = 6
"""Attempts after which a row that breaks our own code is refused."""
CLOCK_SLACK = 0.05
"""Seconds by which a timer may fire early."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Sends what waits in a lane."""

    outbox: Outbox
    cases: Cases
    messenger: Messenger
    presence: Presence
    directory: Directory
    desk: Desk
    knowledge: Knowledge
    engine: Engine
    waker: Waker
    clock: Clock
    specialist_channel: str
    news: News | None = None
    """None: refunds cannot be looked up, so there is no news of any."""
    identity: Identity | None = None
    """None, for the same reason: nobody's links are shown."""

    async def run(self, lane: str) -> None:
        """Send the lane's pending rows, oldest first, until one has to wait.

        More than the row that woke us: a wake-up that met a waiting row is spent, and the row behind it too.
        """
        for _ in range(ROWS_A_WAKE):
            row = await self.outbox.next(lane)
            if row is None:
                return
            wait = 0.0 if row.not_before is None else (row.not_before - self.clock.now()).total_seconds()
            if wait > CLOCK_SLACK and row.not_before is not None:
                await self._wake_later(row, row.not_before)
                return
            if not await self._settle(row):
                return
        await self.engine.enqueue(Wake(self.clock.new_id("more"), WakeKind.DELIVER, lane, lane))

    async def give_up(self, lane: str) -> bool:
        """The lane's oldest row broke us: after some tries it is refused, so that the rest can go. True then."""
        row = await self.outbox.next(lane)
        if row is None or row.attempt < BROKEN_AFTER:
            return False
        await self._refuse(row, "internal_error")
        return True

    async def _settle(self, row: OutboxRow) -> bool:
        """Bring one row to its end. False when it has to wait, and with it all behind it."""
        begun = await self.outbox.begin(row.id)
        if begun is None:
            return True
        try:
            if isinstance(begun, Forbidden):
                await self._withdraw(row, begun.attempts)
            else:
                await self.outbox.sent(row.id, await self._do(row, begun.attempt))
        except DeliveryRefused as error:
            if self._can_be_mended(row, error.code):
                attempt = begun.attempts if isinstance(begun, Forbidden) else begun.attempt
                return await self._defer(row, attempt, DeliveryDeferred(error.code, LONGEST_WAIT / 5))
            await self._refuse(row, error.code)
        except DeliveryDeferred as error:
            attempt = begun.attempts if isinstance(begun, Forbidden) else begun.attempt
            return await self._defer(row, attempt, error)
        return True

    def _can_be_mended(self, row: OutboxRow, code: str) -> bool:
        """Whether an operator can make Slack take it: a new token, or the bot back in the specialists' channel."""
        if not isinstance(row.deed, Say | ShowCard):
            return False
        return code in REFUSES_US or (code in REFUSES_PLACE and row.to.channel == self.specialist_channel)

    async def _withdraw(self, row: OutboxRow, attempts: int) -> None:
        """A person took the case over. What was begun may be in Slack all the same: look before forgetting it."""
        found = None
        if attempts > 0 and isinstance(row.deed, Say):
            found = await self.messenger.find(row.to, row.mark, row.created_at)
        if found is None:
            await self.outbox.cancelled(row.id)
        else:
            await self.outbox.sent(row.id, found)
        count("posts", result="withdrawn" if found is None else "found")

    async def _do(self, row: OutboxRow, attempt: int) -> str | None:
        deed = row.deed
        match deed:
            case Say(content=content):
                return await self._post(row, await self._address(row), content, attempt)
            case ShowCard(handoff=handoff_id):
                handoff = await self.cases.handoff(handoff_id)
                return await self._post(
                    row, row.to, await build_card(self.cases, self.knowledge, self.desk, handoff), attempt
                )
            case UpdateCard(handoff=handoff_id):
                await self._update_card(handoff_id, row)
            case React(ts=ts, emoji=emoji):
                await self.messenger.react(row.to, ts, emoji)
            case Hint(user=user, reply=reply):
                # An ephemeral message cannot be looked up. It may be lost, it must not come twice.
                if attempt == 1:
                    await self.messenger.hint(row.to, user, reply)
            case ShowHome(user=user, notice=notice):
                links = () if self.identity is None else await self.identity.live(row.to.team, user)
                home = await build_home(row.to.team, user, self.cases, self.knowledge, self.directory, self.news, links)
                await self.messenger.home(user, replace(home, notice=notice))
            case _:
                assert_never(deed)
        return None

    async def _post(self, row: OutboxRow, to: Address, content: Content, attempt: int) -> str:
        if attempt > 1:
            found = await self.messenger.find(to, row.mark, row.created_at)
            if found is not None:
                self.presence.done(to)
                count("posts", result="found")
                return found
        ts = await self.messenger.post(to, content, row.mark)
        self.presence.done(to)
        count("posts", result="sent")
        return ts

    async def _address(self, row: OutboxRow) -> Address:
        """Where the row goes: a note of a case goes under its card, wherever that was posted."""
        if row.internal_of is None:
            return row.to
        handoff = await self.cases.handoff(row.internal_of)
        return Address(row.to.team, handoff.card_channel or row.to.channel, handoff.card_ts)

    async def _update_card(self, handoff_id: str, row: OutboxRow) -> None:
        handoff = await self.cases.handoff(handoff_id)
        if handoff.card_ts is None or handoff.card_channel is None:
            return
        case = await self.cases.get(handoff.case)
        if case.status is Status.CLAIMED and await self.outbox.in_flight(case.id):
            # A claim is announced only after the bot's last words of before have come to rest.
            raise DeliveryDeferred("in_flight", FIRST_WAIT)
        card = await build_card(self.cases, self.knowledge, self.desk, handoff)
        await self.messenger.update(Address(row.to.team, handoff.card_channel), handoff.card_ts, card)

    async def _defer(self, row: OutboxRow, attempt: int, error: DeliveryDeferred) -> bool:
        now = self.clock.now()
        receipt = isinstance(row.deed, React) and attempt >= RECEIPT_TRIES
        side = receipt or (isinstance(row.deed, Hint | ShowHome) and attempt >= SIDE_TRIES)
        # Cards and notes wait for as long as it takes: nobody else would hear of the case.
        stale = now - row.created_at > GIVE_UP_AFTER and row.to.channel != self.specialist_channel
        if side or stale:
            await self._refuse(row, error.code)
            return True
        wait = error.retry_after
        if wait is None:
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempt, 12))
        log.info("post %s waits %.1f s: %s", row.id, wait, error.code)
        count("posts", result="deferred", code=error.code)
        until = now + timedelta(seconds=wait)
        await self.outbox.deferred(row.id, error.code, until)
        await self._wake_later(row, until)
        return False

    async def _wake_later(self, row: OutboxRow, until: datetime) -> None:
        # The id names the moment, so that all who find the row waiting make one wake-up between them.
        wake = Wake(f"deliver:{row.mark}:until-{until.timestamp():.3f}", WakeKind.DELIVER, row.lane, row.mark)
        await self.engine.enqueue(wake, max(0.0, (until - self.clock.now()).total_seconds()))

    async def _refuse(self, row: OutboxRow, code: str) -> None:
        log.error("post %s in %s was refused: %s", row.id, row.to.channel, code)
        count("posts", result="refused", code=code)
        await self.waker.wake(await self.outbox.refused(row.id, code, await self._report(row, code)))

    async def _report(self, row: OutboxRow, code: str) -> Post | None:
        """Specialists hear of every word that did not reach a customer."""
        if isinstance(row.deed, ShowCard):
            handoff = await self.cases.handoff(row.deed.handoff)
            lost = Note(words.card_failed(handoff.question, code), about=handoff.customer)
            return Post(Address(row.to.team, self.specialist_channel), Say(lost), case=row.case)
        content = row.deed.content if isinstance(row.deed, Say) else None
        if not isinstance(content, Reply | Relay) or row.to.channel == self.specialist_channel:
            return None
        customer = (await self.cases.get(row.case)).customer if row.case is not None else None
        private = isinstance(content, Reply) and content.private
        told = words.undelivered_private(code) if private else words.undelivered(content.text, code)
        note = Note(told, about=customer)
        return Post(Address(row.to.team, self.specialist_channel), Say(note), case=row.case)
