"""Where a refund is.

A provider knows when it handed the money over, never when it landed: the days in which a refund usually shows are an
estimate, and the bank decides (docs.stripe.com/refunds).
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final

from bot.domain.days import Days, business_days_after, day_of
from bot.domain.transactions import Refund, RefundState

FROM: Final = 5
UNTIL: Final = 10
TRACE_WITHIN: Final = 7
"""Business days after a refund was created."""


class RefundStage(StrEnum):
    """REVERSED: the payment itself is undone and vanishes. WINDOW_OVER: handed over, and it should show by now."""

    PENDING = "pending"
    NEEDS_ACTION = "needs action"
    WITH_BANK = "with the bank"
    WINDOW_OVER = "window over"
    REVERSED = "reversed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_STAGES: Final = {
    RefundState.PENDING: RefundStage.PENDING,
    RefundState.NEEDS_ACTION: RefundStage.NEEDS_ACTION,
    RefundState.FAILED: RefundStage.FAILED,
    RefundState.CANCELLED: RefundStage.CANCELLED,
}


def usual_days(refund: Refund, zone: tzinfo) -> Days:
    """From when until when a refund usually becomes visible."""
    sent = day_of(refund.created_at, zone)
    return Days(business_days_after(sent, FROM), business_days_after(sent, UNTIL))


def stage_of(refund: Refund, now: datetime, zone: tzinfo) -> RefundStage:
    """Where it is at this time."""
    if refund.state is not RefundState.SUCCEEDED:
        return _STAGES[refund.state]
    if day_of(now, zone) > usual_days(refund, zone).last:
        return RefundStage.WINDOW_OVER
    return RefundStage.REVERSED if refund.reversal else RefundStage.WITH_BANK
