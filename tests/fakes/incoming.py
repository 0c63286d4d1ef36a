"""One event as Slack would bring it: a plain message, of which a test changes what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.incoming import Incoming, Kind, Place, Source
from bot.domain.redaction import redacted


def a_message(words: str = "hello", **changes: Any) -> Incoming:
    """Ana's direct message, live, at the first second that there is."""
    made = Incoming(
        team="T1",
        channel="D1ANA",
        place=Place.DM,
        user="U1ANA",
        kind=Kind.MESSAGE,
        ts="1700000000.000001",
        thread_ts=None,
        target_ts=None,
        text=redacted(words),
        mention=False,
        found=frozenset(),
        files=(),
        click=None,
        source=Source.LIVE,
    )
    return replace(made, **changes)
