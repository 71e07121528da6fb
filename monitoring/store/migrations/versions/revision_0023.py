"""Rollouts, their windows and their events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """There were no rollouts before."""
    op.create_table(
        "rollout",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("champion", sa.BigInteger(), nullable=False),
        sa.Column("candidate", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("share", sa.String(), nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("scale", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("follows", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_rollout"),
    )
    op.create_index("ix_rollout_name", "rollout", ["name", "id"])
    op.create_table(
        "rollout_window",
        sa.Column("rollout", sa.Integer(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rollout", "start", name="pk_rollout_window"),
        sa.ForeignKeyConstraint(["rollout"], ["rollout.id"], name="fk_rollout_window_rollout"),
    )
    op.create_table(
        "rollout_event",
        sa.Column("rollout", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reached", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("rollout", "position", name="pk_rollout_event"),
        sa.ForeignKeyConstraint(["rollout"], ["rollout.id"], name="fk_rollout_event_rollout"),
    )
