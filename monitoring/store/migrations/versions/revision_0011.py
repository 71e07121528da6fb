"""Notifications that were given up, apart from those that were delivered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """After 96 attempts, earlier releases recorded a notification as delivered."""
    op.add_column("incident", sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE incident SET given_up_at = told_at WHERE tellings >= 96")
    op.execute("UPDATE incident SET told_at = NULL WHERE tellings >= 96")
