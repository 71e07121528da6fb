"""Receivers notified of an incident, so that a failed notification is sent by the next run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Incidents opened before count as notified: an upgrade sends no notification."""
    op.add_column("incident", sa.Column("told", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("incident", sa.Column("tellings", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("incident", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE incident SET told_at = opened_at")
