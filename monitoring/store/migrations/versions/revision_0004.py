"""Who was told of an incident, so that one that nobody was told of is told at the next run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Incidents opened before count as told: a new release is no reason to wake anyone again."""
    op.add_column("incident", sa.Column("told", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("incident", sa.Column("tellings", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("incident", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE incident SET told_at = opened_at")
