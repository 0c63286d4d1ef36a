"""Committing one unit of work: all of it, or none."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

from sqlalchemy import CursorResult, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from bot.domain.articles import Citation
from bot.domain.cases import Case, Handoff
from bot.domain.incoming import Kind
from bot.domain.outbox import IGNORED, Amended, Changes, Deed, Feedback, Hint, Post, React, Revival, ShowHome, Spoken
from bot.domain.redaction import Redacted, redacted
from bot.domain.refund_news import RefundNews
from bot.domain.replies import Choice
from bot.errors import Conflict
from bot.ports import Clock, Pending, WakeKind
from bot.storage import codec
from bot.storage.news import columns_of, pending_of
from bot.storage.tables import (
    CaseTable,
    FeedbackTable,
    HandoffTable,
    InboxTable,
    LineTable,
    OutboxTable,
    RefundNewsTable,
    WatchTable,
)

log = logging.getLogger(__name__)

_GONE = redacted("[deleted by its author]")


async def apply_changes(engine: AsyncEngine, clock: Clock, changes: Changes) -> tuple[Pending, ...]:
    """Commit `changes`; returns the outbox rows and timers that they added. Raises Conflict."""
    try:
        async with engine.begin() as connection:
            return await _Unit(connection, clock).apply(changes)
    except IntegrityError as error:
        # Two first messages of one thread, or two handoffs on one topic, at the same time: the second reads again.
        log.warning("a unit of work met another one: %s", type(error.orig).__name__)
        raise Conflict from error


async def add_post(connection: AsyncConnection, clock: Clock, post: Post) -> Pending:
    """Add one outbox row, and its line of the transcript, inside a unit of work."""
    return await _Unit(connection, clock).post(post)


class _Unit:
    """One open unit of work."""

    def __init__(self, connection: AsyncConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._now = clock.now()

    async def apply(self, changes: Changes) -> tuple[Pending, ...]:
        for key in changes.done:
            await self._process(key, changes.outcome)
        for case in changes.cases:
            await self._write_case(case)
        for spoken in changes.lines:
            await self._add_line(spoken)
        for amended in changes.amended:
            await self._amend(amended)
        await self._write_handoff(changes.handoff, changes.close_handoff)
        if changes.joined is not None:
            joined = col(HandoffTable.id) == changes.joined, col(HandoffTable.closed_at).is_(None)
            same = {"customer": HandoffTable.customer}  # written as it is: that locks the row against Done
            await self._exactly_one(self._connection.execute(update(HandoffTable).where(*joined).values(**same)))
        if changes.silence is not None:
            await self._silence(changes.silence)
        if changes.feedback is not None:
            await self._feedback(changes.feedback)
        added = [await self.post(post) for post in changes.posts]
        timers = (*await self._watches(changes), *await self._news(changes.news))
        return (*added, *timers, *await self._revive(changes.revive))

    async def _revive(self, revival: Revival | None) -> list[Pending]:
        if revival is None:
            return []
        ignored = (
            col(InboxTable.lane) == revival.lane,
            *((col(InboxTable.user) == revival.user,) if revival.user is not None else ()),
            col(InboxTable.ts) > revival.after_ts,
            col(InboxTable.kind) == str(Kind.MESSAGE),
            col(InboxTable.outcome) == IGNORED,
        )
        rows = await self._connection.execute(
            update(InboxTable).where(*ignored).values(processed_at=None, outcome=None).returning(col(InboxTable.key))
        )
        # Their own wake-ups are spent, so these have ids of their own.
        return [Pending(WakeKind.TURN, f"{key}:revived", revival.lane) for (key,) in rows]

    async def _process(self, key: str, outcome: str) -> None:
        waiting = col(InboxTable.key) == key, col(InboxTable.processed_at).is_(None)
        await self._exactly_one(
            self._connection.execute(update(InboxTable).where(*waiting).values(processed_at=self._now, outcome=outcome))
        )

    async def _write_case(self, case: Case) -> None:
        values: dict[str, Any] = {
            "status": str(case.status),
            "owner": case.owner,
            "version": case.version + 1,
            "last_ts": case.last_ts,
            "unsure": case.unsure,
            "human_joined": case.human_joined,
            "silenced": case.silenced,
            "spoken": case.spoken,
            "answered": list(case.answered),
        }
        if case.version == 0:
            fixed = {
                "id": case.id,
                "conversation": case.conversation,
                "team": case.team,
                "channel": case.channel,
                "place": str(case.place),
                "thread_ts": case.thread_ts,
                "customer": case.customer,
                "created_at": self._now,
            }
            await self._connection.execute(insert(CaseTable).values(**fixed, **values))
            return
        as_read = col(CaseTable.id) == case.id, col(CaseTable.version) == case.version
        await self._exactly_one(self._connection.execute(update(CaseTable).where(*as_read).values(**values)))

    async def _add_line(self, spoken: Spoken) -> int:
        line = spoken.line
        result = await self._connection.execute(
            insert(LineTable)
            .values(
                case_id=spoken.case,
                channel=_channel_of(spoken.case),
                speaker=str(line.speaker),
                user=line.user,
                text=line.text,
                ts=line.ts,
                at=line.at,
                citations=codec.to_json(line.citations, tuple[Citation, ...]),
                choices=codec.to_json(line.choices, tuple[Choice, ...]),
                facts=codec.to_json(line.facts, tuple[Redacted, ...]),
                deleted=False,
            )
            .returning(col(LineTable.id))
        )
        return int(result.scalar_one() or 0)

    async def _amend(self, amended: Amended) -> None:
        new: dict[str, Any] = {"deleted": True, "text": _GONE} if amended.text is None else {"text": amended.text}
        this = col(LineTable.channel) == amended.channel, col(LineTable.ts) == amended.ts
        if amended.text is None:
            asked = select(col(LineTable.case_id), col(LineTable.text)).where(*this)
            for case_id, text in (await self._connection.execute(asked)).all():
                of_it = col(HandoffTable.case_id) == case_id, col(HandoffTable.question) == text
                await self._connection.execute(update(HandoffTable).where(*of_it).values(question=_GONE))
        await self._connection.execute(update(LineTable).where(*this).values(**new))
        if amended.text is None:
            its_rows = (
                col(InboxTable.channel) == amended.channel,
                or_(col(InboxTable.ts) == amended.ts, col(InboxTable.target_ts) == amended.ts),
            )
            await self._connection.execute(update(InboxTable).where(*its_rows).values(text=_GONE, files=[]))

    async def _write_handoff(self, handoff: Handoff | None, close: str | None) -> None:
        if handoff is not None:
            await self._connection.execute(
                insert(HandoffTable).values(
                    id=handoff.id,
                    case_id=handoff.case,
                    customer=handoff.customer,
                    topic=handoff.topic,
                    channel=handoff.channel,
                    question=handoff.question,
                    reason=handoff.reason.name,
                    priority=str(handoff.priority),
                    created_at=handoff.created_at,
                )
            )
        if close is not None:
            still_open = col(HandoffTable.id) == close, col(HandoffTable.closed_at).is_(None)
            await self._exactly_one(
                self._connection.execute(update(HandoffTable).where(*still_open).values(closed_at=self._now))
            )

    async def _silence(self, case_id: str) -> None:
        unsent = (
            col(OutboxTable.case_id) == case_id,
            col(OutboxTable.voice).is_(True),
            col(OutboxTable.status) == "pending",
        )
        # A row that was begun may be in Slack already: delivery looks, and settles it without sending it again.
        begun = update(OutboxTable).where(*unsent, col(OutboxTable.attempt) > 0).values(withdrawn=True)
        await self._connection.execute(begun)
        cancelled = await self._connection.execute(
            update(OutboxTable)
            .where(*unsent, col(OutboxTable.attempt) == 0)
            .values(status="cancelled", settled_at=self._now, error="claimed")
            .returning(col(OutboxTable.line_id))
        )
        unsaid = [line_id for (line_id,) in cancelled if line_id is not None]
        await self._connection.execute(update(LineTable).where(col(LineTable.id).in_(unsaid)).values(deleted=True))

    async def _feedback(self, feedback: Feedback) -> None:
        this = (
            col(FeedbackTable.channel) == feedback.channel,
            col(FeedbackTable.message_ts) == feedback.message_ts,
            col(FeedbackTable.user) == feedback.user,
        )
        values = {"helpful": feedback.helpful, "at": self._now}
        result: CursorResult[Any] = await self._connection.execute(update(FeedbackTable).where(*this).values(**values))
        if result.rowcount == 0:
            await self._connection.execute(
                insert(FeedbackTable).values(
                    channel=feedback.channel, message_ts=feedback.message_ts, user=feedback.user, **values
                )
            )

    async def post(self, post: Post) -> Pending:
        line_id = None
        if post.line is not None and post.case is not None:
            line_id = await self._add_line(Spoken(post.case, post.line))
        lane = _lane_of(post)
        mark = self._clock.new_id("post")
        await self._connection.execute(
            insert(OutboxTable).values(
                mark=mark,
                lane=lane,
                team=post.to.team,
                channel=post.to.channel,
                thread_ts=post.to.thread_ts,
                deed=codec.to_json(post.deed, Deed),
                case_id=post.case,
                voice=post.voice,
                withdrawn=False,
                line_id=line_id,
                internal_of=post.internal_of,
                status="pending",
                attempt=0,
                created_at=self._now,
            )
        )
        return Pending(WakeKind.DELIVER, mark, lane)

    async def _watches(self, changes: Changes) -> list[Pending]:
        if changes.watch_done is not None:
            open_watch = col(WatchTable.id) == changes.watch_done, col(WatchTable.done).is_(False)
            await self._exactly_one(self._connection.execute(update(WatchTable).where(*open_watch).values(done=True)))
        watch = changes.watch
        if watch is None:
            return []
        await self._connection.execute(
            insert(WatchTable).values(
                id=watch.id,
                case_id=watch.case,
                inbox_key=watch.inbox_key,
                lane=watch.lane,
                due_at=watch.due_at,
                done=False,
            )
        )
        return [Pending(WakeKind.WATCH, watch.id, watch.lane)]

    async def _news(self, news: RefundNews | None) -> list[Pending]:
        if news is None:
            return []
        if news.tick == 0:
            fixed = {
                "id": news.id,
                "team": news.team,
                "user": news.user,
                "channel": news.channel,
                "case_id": news.case,
                "refund": news.refund,
                "article": news.article,
                "ends_at": news.ends_at,
            }
            await self._connection.execute(insert(RefundNewsTable).values(**fixed, **columns_of(news)))
        else:
            as_read = (
                col(RefundNewsTable.id) == news.id,
                col(RefundNewsTable.tick) == news.tick,
                col(RefundNewsTable.ended).is_(None),
            )
            written = update(RefundNewsTable).where(*as_read).values(**columns_of(news))
            await self._exactly_one(self._connection.execute(written))
        return [] if news.ended is not None else [pending_of(replace(news, tick=news.tick + 1))]

    @staticmethod
    async def _exactly_one(execution: Awaitable[CursorResult[Any]]) -> None:
        result = await execution
        if result.rowcount != 1:
            raise Conflict


def _channel_of(case_id: str) -> Any:
    return select(col(CaseTable.channel)).where(col(CaseTable.id) == case_id).scalar_subquery()


def _lane_of(post: Post) -> str:
    """A card and its thread are one lane. Receipts, hints and Home have lanes of their own: no words wait for them."""
    if post.internal_of is not None:
        return f"card:{post.internal_of}"
    if isinstance(post.deed, ShowHome):
        return f"home:{post.deed.user}"
    return f"side:{post.to.lane}" if isinstance(post.deed, React | Hint) else post.to.lane
