"""The numbers of an incident's cause: its parts, the inputs that moved with it, rows to look at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Incidents opened before have words alone."""
    op.add_column("incident", sa.Column("detail", sa.Text(), nullable=True))
