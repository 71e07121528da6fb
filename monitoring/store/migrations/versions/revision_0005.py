"""Labels that contradict an earlier one, for the coverage."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Windows judged before count none."""
    op.add_column("window", sa.Column("labels_conflicting", sa.BigInteger(), nullable=False, server_default="0"))
