"""Labels by their delay, for the arrival curve."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Windows judged before have no counts."""
    op.add_column("window", sa.Column("label_delays", sa.Text(), nullable=False, server_default="[]"))
