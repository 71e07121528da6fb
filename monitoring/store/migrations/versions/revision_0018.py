"""The code of the metrics of the user's own that a deployment is judged by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """No deployment has any yet."""
    op.add_column("deployment", sa.Column("metrics", sa.Text(), nullable=False, server_default="[]"))
