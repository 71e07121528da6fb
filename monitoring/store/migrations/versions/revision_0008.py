"""The history of each incident: its states and when it entered them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Of incidents opened before, opening, acknowledgement and closing are known from their own columns."""
    op.add_column("incident", sa.Column("history", sa.Text(), nullable=False, server_default="[]"))
