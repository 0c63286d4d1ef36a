"""Whose money: links, one-time codes, the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", AutoString(), nullable=False),
        sa.Column("who", AutoString(), nullable=False),
        sa.Column("for_whom", AutoString(), nullable=False),
        sa.Column("rule", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("objects", AutoString(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("outcome", AutoString(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("hash", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
    )
    op.create_table(
        "codes",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("team", AutoString(), nullable=False),
        sa.Column("user", AutoString(), nullable=False),
        sa.Column("address", AutoString(), nullable=False),
        sa.Column("digest", AutoString(), nullable=False),
        sa.Column("customers", sa.JSON(), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_codes")),
    )
    with op.batch_alter_table("codes", schema=None) as batch_op:
        batch_op.create_index("ix_codes_address", ["address", "asked_at"], unique=False)
        batch_op.create_index("ix_codes_asked", ["asked_at"], unique=False)
        batch_op.create_index("ix_codes_asker", ["team", "user", "asked_at"], unique=False)
        batch_op.create_index(
            "uq_codes_open",
            ["team", "user"],
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "links",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("team", AutoString(), nullable=False),
        sa.Column("channel", AutoString(), nullable=True),
        sa.Column("customers", sa.JSON(), nullable=False),
        sa.Column("proof", AutoString(), nullable=False),
        sa.Column("made_by", AutoString(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_by", AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index("ix_links_team", ["team", "made_at"], unique=False)

    op.create_table(
        "link_contacts",
        sa.Column("link_id", AutoString(), nullable=False),
        sa.Column("user", AutoString(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("fingerprint", AutoString(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_link_contacts_link_id_links")),
        sa.PrimaryKeyConstraint("link_id", "user", name=op.f("pk_link_contacts")),
    )
    with op.batch_alter_table("link_contacts", schema=None) as batch_op:
        batch_op.create_index("ix_link_contacts_user", ["user"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("link_contacts", schema=None) as batch_op:
        batch_op.drop_index("ix_link_contacts_user")

    op.drop_table("link_contacts")
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.drop_index("ix_links_team")

    op.drop_table("links")
    with op.batch_alter_table("codes", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_codes_open", postgresql_where=sa.text("closed_at IS NULL"), sqlite_where=sa.text("closed_at IS NULL")
        )
        batch_op.drop_index("ix_codes_asker")
        batch_op.drop_index("ix_codes_asked")
        batch_op.drop_index("ix_codes_address")

    op.drop_table("codes")
    op.drop_table("audit")
