"""Samples of rows of a rollout whose labels were asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """No label was asked for before."""
    op.create_table(
        "rollout_sample",
        sa.Column("rollout", sa.Integer(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("probability", sa.String(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("rollout", "start", name="pk_rollout_sample"),
        sa.ForeignKeyConstraint(["rollout"], ["rollout.id"], name="fk_rollout_sample_rollout"),
    )
