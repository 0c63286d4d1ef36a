"""The audit log: a row for each look at somebody's money, and for each change of who may look.

Rows are chained: each one's sha256 goes over its content and the hash before it, so that a row that was altered, taken
out or moved no longer fits. Ids and words alone go in; what is no id is kept as a hash of itself.

Does not interact with any dependencies, only processes data.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

FIRST: Final = "handrail audit log"
"""What the first row's hash goes over in place of a hash before it."""

_WHO = re.compile(r"(?:[A-Z0-9]{2,30}:)?[A-Z0-9]{2,30}")
_WORD = re.compile(r"[a-z][a-z_.]{0,39}")
_OBJECT = re.compile(r"[A-Za-z]{1,20}_[A-Za-z0-9_]{1,100}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be kept. `who` did it and `for_whom` it was are Slack ids, with their team (`T1:U1`) where that is
    known; `rule` is why it was allowed (a proof), `kind` what it was, `objects` the provider's ids that were seen."""

    at: datetime
    who: str
    for_whom: str
    rule: str
    kind: str
    objects: tuple[str, ...]
    count: int
    outcome: str
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row as it is kept, each value in the form that was hashed: `at` is ISO 8601 in UTC, `objects` JSON."""

    number: int
    at: str
    who: str
    for_whom: str
    rule: str
    kind: str
    objects: str
    count: int
    outcome: str
    duration_ms: int
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: its last row's number and hash."""

    number: int = 0
    hash: str = FIRST


def chained(entry: Entry, head: Head) -> AuditRow:
    """The row that follows `head`. Raises ValueError for what may not stand in the log."""
    if not all(_WHO.fullmatch(one) for one in (entry.who, entry.for_whom)):
        raise ValueError("the audit log takes Slack ids for people")
    if not all(_WORD.fullmatch(one) for one in (entry.rule, entry.kind, entry.outcome)):
        raise ValueError("the audit log takes plain words for rule, kind and outcome")
    if entry.at.tzinfo is None:
        raise ValueError("the audit log takes times with a zone")
    row = AuditRow(
        number=head.number + 1,
        at=entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        who=entry.who,
        for_whom=entry.for_whom,
        rule=entry.rule,
        kind=entry.kind,
        objects=json.dumps([object_id(one) for one in entry.objects]),
        count=entry.count,
        outcome=entry.outcome,
        duration_ms=entry.duration_ms,
    )
    return AuditRow(**asdict(row) | {"hash": digest(row, head.hash)})


def object_id(text: str) -> str:
    """The id, or a hash in its place where it does not look like one: old accounts hold customers whose id is an
    e-mail address."""
    return text if _OBJECT.fullmatch(text) else f"hash_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def digest(row: AuditRow, previous: str) -> str:
    """The hash of a row, given the hash before it."""
    content = asdict(row)
    del content["hash"]
    # What somebody put into a column in our place may be of any type.
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), default=repr)
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()


def follow(head: Head, row: AuditRow) -> Head | None:
    """The head after this row, None when the row does not follow."""
    if row.number != head.number + 1 or row.hash != digest(row, head.hash):
        return None
    return Head(row.number, row.hash)


def first_broken(rows: Iterable[AuditRow], end: Head | None = None) -> int | None:
    """The number of the first row that is altered, missing or out of place; None when all fit. With `end`, the head
    that was kept beside the rows, rows missing at the end are found too."""
    head = Head()
    for row in rows:
        after = follow(head, row)
        if after is None:
            return head.number + 1
        head = after
    return None if end is None else ended_at(head, end)


def ended_at(head: Head, end: Head) -> int | None:
    """The first broken row when rows that fit end at `head` but should at `end`; None when that is the same."""
    if head == end:
        return None
    return max(1, head.number) if head.number == end.number else min(head.number, end.number) + 1
