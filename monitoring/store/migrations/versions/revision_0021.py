"""Labels that came over the HTTP API: who sent how many, and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Nothing is known of requests before."""
    op.create_table(
        "added_labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("labels", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_added_labels"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_added_labels_deployment"),
    )
    op.create_index("ix_added_labels_deployment", "added_labels", ["deployment", "id"])
