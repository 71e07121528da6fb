"""Metrics that are shown beside the losses: of each window, and of a deployment's baseline."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Windows judged before have none."""
    op.add_column("deployment", sa.Column("measured", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("window", sa.Column("measured", sa.Text(), nullable=False, server_default="[]"))
