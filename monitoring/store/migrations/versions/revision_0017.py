"""Attempts at judging windows, and windows that are judged again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Attempts of before are not known, and windows of before cannot be judged again."""
    op.create_table(
        "window_attempt",
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("deployment", "start", name="pk_window_attempt"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_window_attempt_deployment"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("deployment", "start", name="pk_checkpoint"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_checkpoint_deployment"),
    )
    op.create_table(
        "backfill",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("only", sa.String(), nullable=False),
        sa.Column("revised", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_backfill"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_backfill_deployment"),
    )
    op.create_index("ix_backfill_deployment", "backfill", ["deployment", "id"])
    op.create_table(
        "window_revision",
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("backfill", sa.Integer(), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("labels", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("page_log_evidence", sa.String(), nullable=False),
        sa.Column("notice_log_evidence", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("deployment", "start", "backfill", name="pk_window_revision"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_window_revision_deployment"),
        sa.ForeignKeyConstraint(["backfill"], ["backfill.id"], name="fk_window_revision_backfill"),
    )
