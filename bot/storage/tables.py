"""The tables. Text columns take only `Redacted`: anything else is refused when it is bound."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, MetaData, Text, UniqueConstraint, text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel
from sqlmodel._compat import SQLModelConfig

from bot.domain.redaction import Redacted, stored

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata


class RedactedText(TypeDecorator[Redacted]):
    """Text that went through redaction, checked by its type."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Refuses any text but Redacted, so that raw text cannot be stored by mistake."""
        if value is not None and not isinstance(value, Redacted):
            raise TypeError("only Redacted text is stored")
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Redacted | None:
        return None if value is None else stored(value)


def _redacted(**options: Any) -> Any:
    return Field(sa_type=RedactedText, **options)


class _Table(SQLModel):
    model_config = SQLModelConfig(arbitrary_types_allowed=True)  # Redacted is ours, not pydantic's


class InboxTable(_Table, table=True):
    """Every event, stored before it is acknowledged. Unprocessed while `processed_at` is null."""

    __tablename__ = "inbox"
    __table_args__ = (
        Index(
            "ix_inbox_waiting",
            "lane",
            "ts",
            postgresql_where=text("processed_at IS NULL"),
            sqlite_where=text("processed_at IS NULL"),
        ),
        Index("ix_inbox_person", "team", "user", "place", "ts"),
        Index("ix_inbox_message", "channel", "ts"),
        Index("ix_inbox_target", "target_ts"),
    )

    key: str = Field(primary_key=True)
    lane: str
    team: str
    channel: str
    place: str
    user: str
    kind: str
    ts: str
    thread_ts: str | None = None
    target_ts: str | None = None
    text: Redacted = _redacted()
    mention: bool = False
    found: list[str] = Field(default_factory=list, sa_type=JSON)
    files: list[dict[str, str]] = Field(default_factory=list, sa_type=JSON)
    click: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    source: str
    attempts: int = 0
    received_at: datetime
    processed_at: datetime | None = None
    outcome: str | None = None


class CaseTable(_Table, table=True):
    """One customer problem. `version` guards every write."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("conversation", "customer"),
        Index("ix_cases_dm", "team", "channel", "last_ts"),
        Index("ix_cases_customer", "customer", "status"),
    )

    id: str = Field(primary_key=True)
    conversation: str
    team: str
    channel: str
    place: str
    thread_ts: str | None = None
    customer: str
    status: str
    owner: str | None = None
    version: int
    last_ts: str
    unsure: int = 0
    human_joined: bool = False
    silenced: bool = False
    spoken: bool = False
    answered: list[str] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime


class LineTable(_Table, table=True):
    """A line of a case's transcript. A bot line's `ts` is null until Slack has it."""

    __tablename__ = "lines"
    __table_args__ = (Index("ix_lines_case", "case_id", "id"), Index("ix_lines_message", "channel", "ts"))

    id: int | None = Field(default=None, primary_key=True)
    case_id: str = Field(foreign_key="cases.id")
    channel: str
    speaker: str
    user: str
    text: Redacted = _redacted()
    ts: str | None = None
    at: datetime
    citations: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    choices: list[dict[str, Any]] | None = Field(default_factory=list, sa_type=JSON, nullable=True)
    facts: list[str] | None = Field(default_factory=list, sa_type=JSON, nullable=True)
    deleted: bool = False


class HandoffTable(_Table, table=True):
    """The transfer of a case to specialists. One open handoff per customer, topic and place."""

    __tablename__ = "handoffs"
    __table_args__ = (
        Index(
            "uq_handoffs_open",
            "customer",
            "topic",
            "channel",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
            sqlite_where=text("closed_at IS NULL"),
        ),
        Index("ix_handoffs_case", "case_id"),
    )

    id: str = Field(primary_key=True)
    case_id: str = Field(foreign_key="cases.id")
    customer: str
    topic: str
    channel: str
    question: Redacted = _redacted()
    reason: str
    priority: str
    created_at: datetime
    card_channel: str | None = None
    card_ts: str | None = None
    closed_at: datetime | None = None


class OutboxTable(_Table, table=True):
    """Something to be done in Slack: pending, then sent, cancelled or refused."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'sent', 'cancelled', 'refused')", name="status"),
        Index(
            "ix_outbox_waiting",
            "lane",
            "id",
            postgresql_where=text("status = 'pending'"),
            sqlite_where=text("status = 'pending'"),
        ),
        Index("ix_outbox_case", "case_id", "status"),
    )

    id: int | None = Field(default=None, primary_key=True)
    mark: str = Field(unique=True)
    lane: str
    team: str
    channel: str
    thread_ts: str | None = None
    deed: dict[str, Any] = Field(sa_type=JSON)
    case_id: str | None = None
    voice: bool = False
    withdrawn: bool = False
    line_id: int | None = None
    internal_of: str | None = None
    status: str = "pending"
    attempt: int = 0
    not_before: datetime | None = None
    error: str | None = None
    ts: str | None = None
    created_at: datetime
    settled_at: datetime | None = None


class WatchTable(_Table, table=True):
    """A timer over a case. Its workflow re-checks everything when it fires."""

    __tablename__ = "watches"

    id: str = Field(primary_key=True)
    case_id: str = Field(foreign_key="cases.id")
    inbox_key: str
    lane: str
    due_at: datetime
    done: bool = False


class RefundNewsTable(_Table, table=True):
    """Somebody's wish to be told of a refund. Open while `ended` is null: one for a person and a refund. `tick` guards
    every write."""

    __tablename__ = "refund_news"
    __table_args__ = (
        Index(
            "uq_refund_news_open",
            "team",
            "user",
            "refund",
            unique=True,
            postgresql_where=text("ended IS NULL"),
            sqlite_where=text("ended IS NULL"),
        ),
        Index(
            "ix_refund_news_due",
            "due_at",
            postgresql_where=text("ended IS NULL"),
            sqlite_where=text("ended IS NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    team: str
    user: str
    channel: str
    case_id: str = Field(foreign_key="cases.id")
    refund: str
    customer: dict[str, str] = Field(sa_type=JSON)
    article: str
    label: Redacted = _redacted()
    state: str
    trace_told: bool
    window_asked: bool
    sent_at: datetime | None = None
    tick: int
    due_at: datetime
    ends_at: datetime
    ended: str | None = None


class FeedbackTable(_Table, table=True):
    """What somebody thought of an answer: their last word counts."""

    __tablename__ = "feedback"

    channel: str = Field(primary_key=True)
    message_ts: str = Field(primary_key=True)
    user: str = Field(primary_key=True)
    helpful: bool
    at: datetime


class CursorTable(_Table, table=True):
    """Up to which Slack time a channel's history was read."""

    __tablename__ = "cursors"

    team: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    ts: str


class MemoryTable(_Table, table=True):
    """Small named values that outlive a process."""

    __tablename__ = "memory"

    name: str = Field(primary_key=True)
    value: str


class RevisionTable(_Table, table=True):
    """An article's immutable content. Rows are only ever added."""

    __tablename__ = "revisions"

    article: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    content_hash: str
    content: dict[str, Any] = Field(sa_type=JSON)
    author: str
    note: str
    created_at: datetime


class PublicationTable(_Table, table=True):
    """A set of revisions that is live together; the highest number is live."""

    __tablename__ = "publications"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    revisions: dict[str, int] = Field(sa_type=JSON)
    author: str
    note: str
    created_at: datetime


class VectorTable(_Table, table=True):
    """An embedding by embedder and text hash: little-endian float32."""

    __tablename__ = "vectors"

    embedder: str = Field(primary_key=True)
    text_hash: str = Field(primary_key=True)
    vector: bytes = Field(sa_type=LargeBinary)


class HeadTable(_Table, table=True):
    """A fitted head, as `knowledge.head` writes it, by what it was fitted on."""

    __tablename__ = "heads"

    key: str = Field(primary_key=True)
    content: bytes = Field(sa_type=LargeBinary)
    created_at: datetime


class LinkTable(_Table, table=True):
    """People who may see a provider's customers. `channel` is null when it is one person's."""

    __tablename__ = "links"
    __table_args__ = (Index("ix_links_team", "team", "made_at"),)

    id: str = Field(primary_key=True)
    team: str
    channel: str | None = None
    customers: list[dict[str, str]] = Field(sa_type=JSON)
    proof: str
    made_by: str
    reason: Redacted = _redacted()
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None


class LinkContactTable(_Table, table=True):
    """A person of a link. `fingerprint` is a keyed hash."""

    __tablename__ = "link_contacts"
    __table_args__ = (Index("ix_link_contacts_user", "user"),)

    link_id: str = Field(primary_key=True, foreign_key="links.id")
    user: str = Field(primary_key=True)
    position: int
    fingerprint: str
    ended_at: datetime | None = None


class CodeTable(_Table, table=True):
    """A one-time code. `address` and `digest` are keyed hashes. One is open per asker."""

    __tablename__ = "codes"
    __table_args__ = (
        Index(
            "uq_codes_open",
            "team",
            "user",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
            sqlite_where=text("closed_at IS NULL"),
        ),
        Index("ix_codes_asker", "team", "user", "asked_at"),
        Index("ix_codes_address", "address", "asked_at"),
        Index("ix_codes_asked", "asked_at"),
    )

    id: str = Field(primary_key=True)
    team: str
    user: str
    address: str
    digest: str
    customers: list[dict[str, str]] = Field(default_factory=list, sa_type=JSON)
    asked_at: datetime
    expires_at: datetime
    tries: int = 0
    closed_at: datetime | None = None


class AuditTable(_Table, table=True):
    """The audit log. Rows are only ever added. Values are in the form that was hashed, so nothing has to be read to
    see whether they were changed: `at` is ISO 8601, `objects` JSON."""

    __tablename__ = "audit"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: str
    who: str
    for_whom: str
    rule: str
    kind: str
    objects: str
    count: int
    outcome: str
    duration_ms: int
    hash: str
