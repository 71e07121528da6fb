"""New baselines made from traffic."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """No deployment has one yet."""
    op.add_column("deployment", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "rebaseline",
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("former_digest", sa.String(), nullable=False),
        sa.Column("former_basis", sa.String(), nullable=False),
        sa.Column("former_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("states", sa.Text(), nullable=False),
        sa.Column("closed", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("deployment", "position", name="pk_rebaseline"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_rebaseline_deployment"),
    )
