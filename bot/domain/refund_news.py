"""News of a refund, for somebody who asked to be told: what there is to tell, when to look again, when it is over.

Does not interact with any dependencies, only processes data.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from bot.domain.days import Days, business_days_after, day_of
from bot.domain.findings_refunds import RefundStage, stage_of, usual_days
from bot.domain.identity import CustomerRef
from bot.domain.redaction import Redacted
from bot.domain.transactions import Refund, RefundState

NEWS_LASTS: Final = timedelta(days=45)
LOOKS: Final = (time(10), time(16))
"""When to look, on business days of the one who waits. Banks and providers book in runs, on business days: twice a day
tells of each on its day and never at night, for two requests."""
SPREAD: Final = timedelta(hours=1)
"""Looks of different people are spread over this time, so that they do not all fall on one second."""
RETRY_AFTER: Final = timedelta(hours=1)
"""When to look again after the provider, or Slack, did not answer."""

_FINAL: Final = frozenset({RefundState.FAILED, RefundState.CANCELLED})
_DAY: Final = timedelta(days=1)


class Event(StrEnum):
    """What there is to tell. STARTED: nothing but that we look from now on. MOVED: it is somewhere else now. RETURNED:
    it had been handed to the bank. EXPIRED: there was no end to it in all that time. LOST: it is not theirs to see any
    more, or not there."""

    STARTED = "started"
    MOVED = "moved"
    TRACE = "trace"
    WINDOW_OVER = "window over"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    LOST = "lost"


class Ended(StrEnum):
    """Why nobody looks any more. FINAL: it failed or was cancelled. MISSING: they said that it has not arrived."""

    FINAL = "final"
    STOPPED = "stopped"
    ARRIVED = "arrived"
    MISSING = "missing"
    EXPIRED = "expired"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Told:
    """What they know. `state` None: nothing yet. `window`: they were asked whether it has arrived; `sent_at`: when we
    saw that it was handed over, where it was not yet when they asked."""

    state: RefundState | None = None
    trace: bool = False
    window: bool = False
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundNews:
    """Somebody's wish to be told of a refund. `case` is where they asked, in their direct conversation `channel`;
    `article` the topic of a handoff; `label` the refund in a few words, for them alone.

    `tick` counts the looks and guards every write, 0 for what is not kept yet: the look of this number is at `due_at`.
    """

    id: str
    team: str
    user: str
    channel: str
    case: str
    refund: str
    customer: CustomerRef | None
    article: str
    label: Redacted
    told: Told
    tick: int
    due_at: datetime
    ends_at: datetime
    ended: Ended | None = None

    @property
    def lane(self) -> str:
        """Where its wake-ups queue: nobody else's words wait for a provider."""
        return f"news:{self.id}"

    @property
    def subject(self) -> str:
        """Names its next look, once and for all."""
        return f"{self.id}:{self.tick}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look comes to: what to tell, None for nothing, and the row as it is then. `stage` and the `usual` days are
    those of the refund, None where there is none."""

    event: Event | None
    news: RefundNews
    stage: RefundStage | None = None
    usual: Days | None = None


def decide(news: RefundNews, refund: Refund | None, now: datetime, zone: tzinfo) -> Verdict:
    """What this refund, as it is now, means to somebody who knows what they were told. `refund` None: it is not among
    those that they may see."""
    if refund is None:
        return Verdict(Event.LOST, replace(news, ended=Ended.LOST))
    sent_at = _sent_at(news.told, refund, now)
    # Days are counted from when it was handed over, which is not when it was created if it was pending for long.
    counted = replace(refund, created_at=max(refund.created_at, sent_at or refund.created_at))
    stage, usual = stage_of(counted, now, zone), usual_days(counted, zone)
    traced = refund.trace is not None and refund.state is RefundState.SUCCEEDED and not refund.reversal
    told = Told(refund.state, news.told.trace or traced, news.told.window or stage is RefundStage.WINDOW_OVER, sent_at)
    event = _event(news.told, told, stage)
    over = now >= news.ends_at
    if over and event is None and not told.window:
        event = Event.EXPIRED
    ended = Ended.FINAL if refund.state in _FINAL else Ended.EXPIRED if over else None
    kept = replace(
        news, customer=refund.customer, told=told, due_at=next_look(news.id, now, news.ends_at, zone), ended=ended
    )
    return Verdict(event, kept, stage, usual)


def postponed(news: RefundNews, now: datetime, until: datetime) -> Verdict:
    """Nobody could say how it is: the same again later, with no words, but not for ever."""
    if now < news.ends_at:
        return Verdict(None, replace(news, due_at=until))
    event = None if news.told.window else Event.EXPIRED
    return Verdict(event, replace(news, ended=Ended.EXPIRED))


def next_look(id: str, now: datetime, ends_at: datetime, zone: tzinfo) -> datetime:
    """When to look again: at one of the times of day, in their zone, and once more when it ends."""
    spread = timedelta(seconds=zlib.crc32(id.encode()) % (SPREAD // timedelta(seconds=1)))
    first = business_days_after(day_of(now, zone) - _DAY, 1)
    looks = (
        datetime.combine(day, hour, zone).astimezone(UTC) + spread
        for day in (first, business_days_after(first, 1))
        for hour in LOOKS
    )
    return min(next(look for look in looks if look > now), ends_at)


def _sent_at(told: Told, refund: Refund, now: datetime) -> datetime | None:
    if refund.state is not RefundState.SUCCEEDED or told.state in (None, RefundState.SUCCEEDED):
        return told.sent_at
    return now


def _event(before: Told, told: Told, stage: RefundStage) -> Event | None:
    """The one thing to tell: its words tell the rest too."""
    if told.state is RefundState.CANCELLED:
        return Event.CANCELLED
    if told.state is RefundState.FAILED:
        return Event.RETURNED if before.state is RefundState.SUCCEEDED else Event.FAILED
    if stage is RefundStage.WINDOW_OVER and not before.window:
        return Event.WINDOW_OVER
    if before.state is None:
        return Event.STARTED
    if told.state is not before.state:
        return Event.MOVED
    return Event.TRACE if told.trace and not before.trace else None
