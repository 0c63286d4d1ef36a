"""Who is to be told of which refund."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OPEN = sa.text("ended IS NULL")


def upgrade() -> None:
    op.create_table(
        "refund_news",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("team", AutoString(), nullable=False),
        sa.Column("user", AutoString(), nullable=False),
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("case_id", AutoString(), nullable=False),
        sa.Column("refund", AutoString(), nullable=False),
        sa.Column("customer", sa.JSON(), nullable=False),
        sa.Column("article", AutoString(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("trace_told", sa.Boolean(), nullable=False),
        sa.Column("window_asked", sa.Boolean(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("tick", sa.Integer(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("ended", AutoString(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_refund_news_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_news")),
    )
    with op.batch_alter_table("refund_news", schema=None) as batch_op:
        batch_op.create_index("ix_refund_news_due", ["due_at"], postgresql_where=OPEN, sqlite_where=OPEN)
        batch_op.create_index(
            "uq_refund_news_open", ["team", "user", "refund"], unique=True, postgresql_where=OPEN, sqlite_where=OPEN
        )


def downgrade() -> None:
    with op.batch_alter_table("refund_news", schema=None) as batch_op:
        batch_op.drop_index("uq_refund_news_open", postgresql_where=OPEN, sqlite_where=OPEN)
        batch_op.drop_index("ix_refund_news_due", postgresql_where=OPEN, sqlite_where=OPEN)

    op.drop_table("refund_news")
