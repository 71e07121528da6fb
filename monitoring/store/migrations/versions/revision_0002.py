"""Estimates of losses, and realised losses, with each window."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Windows judged before have none."""
    op.add_column("window", sa.Column("estimates", sa.Text(), nullable=True))
