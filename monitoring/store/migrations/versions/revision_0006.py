"""The numbers of an incident's cause: its parts, the inputs that drifted, rows to look at first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Incidents opened before have only their message."""
    op.add_column("incident", sa.Column("detail", sa.Text(), nullable=True))
