"""The first tables: events, cases, handoffs, posts, articles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("conversation", AutoString(), nullable=False),
        sa.Column("team", AutoString(), nullable=False),
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("place", AutoString(), nullable=False),
        sa.Column("thread_ts", AutoString(), nullable=True),
        sa.Column("customer", AutoString(), nullable=False),
        sa.Column("status", AutoString(), nullable=False),
        sa.Column("owner", AutoString(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_ts", AutoString(), nullable=False),
        sa.Column("unsure", sa.Integer(), nullable=False),
        sa.Column("human_joined", sa.Boolean(), nullable=False),
        sa.Column("silenced", sa.Boolean(), nullable=False),
        sa.Column("spoken", sa.Boolean(), nullable=False),
        sa.Column("answered", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("conversation", "customer", name=op.f("uq_cases_conversation_customer")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index("ix_cases_customer", ["customer", "status"], unique=False)
        batch_op.create_index("ix_cases_dm", ["team", "channel", "last_ts"], unique=False)

    op.create_table(
        "cursors",
        sa.Column("team", AutoString(), nullable=False),
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("ts", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("team", "channel", name=op.f("pk_cursors")),
    )
    op.create_table(
        "feedback",
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("message_ts", AutoString(), nullable=False),
        sa.Column("user", AutoString(), nullable=False),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "message_ts", "user", name=op.f("pk_feedback")),
    )
    op.create_table(
        "inbox",
        sa.Column("key", AutoString(), nullable=False),
        sa.Column("lane", AutoString(), nullable=False),
        sa.Column("team", AutoString(), nullable=False),
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("place", AutoString(), nullable=False),
        sa.Column("user", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("ts", AutoString(), nullable=False),
        sa.Column("thread_ts", AutoString(), nullable=True),
        sa.Column("target_ts", AutoString(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mention", sa.Boolean(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("click", sa.JSON(), nullable=True),
        sa.Column("source", AutoString(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("processed_at", UTCDateTime(), nullable=True),
        sa.Column("outcome", AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_inbox")),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_message", ["channel", "ts"], unique=False)
        batch_op.create_index("ix_inbox_target", ["target_ts"], unique=False)
        batch_op.create_index("ix_inbox_person", ["team", "user", "place", "ts"], unique=False)
        batch_op.create_index(
            "ix_inbox_waiting",
            ["lane", "ts"],
            unique=False,
            postgresql_where=sa.text("processed_at IS NULL"),
            sqlite_where=sa.text("processed_at IS NULL"),
        )

    op.create_table(
        "memory",
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("value", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_memory")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mark", AutoString(), nullable=False),
        sa.Column("lane", AutoString(), nullable=False),
        sa.Column("team", AutoString(), nullable=False),
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("thread_ts", AutoString(), nullable=True),
        sa.Column("deed", sa.JSON(), nullable=False),
        sa.Column("case_id", AutoString(), nullable=True),
        sa.Column("voice", sa.Boolean(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=True),
        sa.Column("internal_of", AutoString(), nullable=True),
        sa.Column("status", AutoString(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("not_before", UTCDateTime(), nullable=True),
        sa.Column("error", AutoString(), nullable=True),
        sa.Column("ts", AutoString(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("settled_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'sent', 'cancelled', 'refused')", name=op.f("ck_outbox_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("mark", name=op.f("uq_outbox_mark")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_case", ["case_id", "status"], unique=False)
        batch_op.create_index(
            "ix_outbox_waiting",
            ["lane", "id"],
            unique=False,
            postgresql_where=sa.text("status = 'pending'"),
            sqlite_where=sa.text("status = 'pending'"),
        )

    op.create_table(
        "publications",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revisions", sa.JSON(), nullable=False),
        sa.Column("author", AutoString(), nullable=False),
        sa.Column("note", AutoString(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_publications")),
    )
    op.create_table(
        "revisions",
        sa.Column("article", AutoString(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content_hash", AutoString(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("author", AutoString(), nullable=False),
        sa.Column("note", AutoString(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("article", "number", name=op.f("pk_revisions")),
    )
    op.create_table(
        "vectors",
        sa.Column("embedder", AutoString(), nullable=False),
        sa.Column("text_hash", AutoString(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("embedder", "text_hash", name=op.f("pk_vectors")),
    )
    op.create_table(
        "handoffs",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("case_id", AutoString(), nullable=False),
        sa.Column("customer", AutoString(), nullable=False),
        sa.Column("topic", AutoString(), nullable=False),
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("reason", AutoString(), nullable=False),
        sa.Column("priority", AutoString(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("card_channel", AutoString(), nullable=True),
        sa.Column("card_ts", AutoString(), nullable=True),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_handoffs_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
    )
    with op.batch_alter_table("handoffs", schema=None) as batch_op:
        batch_op.create_index("ix_handoffs_case", ["case_id"], unique=False)
        batch_op.create_index(
            "uq_handoffs_open",
            ["customer", "topic", "channel"],
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", AutoString(), nullable=False),
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("speaker", AutoString(), nullable=False),
        sa.Column("user", AutoString(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("ts", AutoString(), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("citations", sa.JSON(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_lines_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lines")),
    )
    with op.batch_alter_table("lines", schema=None) as batch_op:
        batch_op.create_index("ix_lines_case", ["case_id", "id"], unique=False)
        batch_op.create_index("ix_lines_message", ["channel", "ts"], unique=False)

    op.create_table(
        "watches",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("case_id", AutoString(), nullable=False),
        sa.Column("inbox_key", AutoString(), nullable=False),
        sa.Column("lane", AutoString(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_watches_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watches")),
    )


def downgrade() -> None:
    op.drop_table("watches")
    with op.batch_alter_table("lines", schema=None) as batch_op:
        batch_op.drop_index("ix_lines_message")
        batch_op.drop_index("ix_lines_case")

    op.drop_table("lines")
    with op.batch_alter_table("handoffs", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_handoffs_open", postgresql_where=sa.text("closed_at IS NULL"), sqlite_where=sa.text("closed_at IS NULL")
        )
        batch_op.drop_index("ix_handoffs_case")

    op.drop_table("handoffs")
    op.drop_table("vectors")
    op.drop_table("revisions")
    op.drop_table("publications")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_waiting",
            postgresql_where=sa.text("status = 'pending'"),
            sqlite_where=sa.text("status = 'pending'"),
        )
        batch_op.drop_index("ix_outbox_case")

    op.drop_table("outbox")
    op.drop_table("memory")
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_inbox_waiting",
            postgresql_where=sa.text("processed_at IS NULL"),
            sqlite_where=sa.text("processed_at IS NULL"),
        )
        batch_op.drop_index("ix_inbox_person")
        batch_op.drop_index("ix_inbox_target")
        batch_op.drop_index("ix_inbox_message")

    op.drop_table("inbox")
    op.drop_table("feedback")
    op.drop_table("cursors")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_index("ix_cases_dm")
        batch_op.drop_index("ix_cases_customer")

    op.drop_table("cases")
