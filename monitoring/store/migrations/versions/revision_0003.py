"""Answered rows that were not read, for the coverage."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Windows judged before count none."""
    op.add_column("window", sa.Column("unseen", sa.BigInteger(), nullable=False, server_default="0"))
