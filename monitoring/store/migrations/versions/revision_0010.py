"""What the last run of each deployment left, from which the next one knows that nothing is due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Nothing is known of runs before: the next run looks at everything, and leaves these."""
    op.add_column("deployment", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("deployment", sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("deployment", sa.Column("inputs", sa.String(), nullable=False, server_default=""))
    op.add_column("deployment", sa.Column("traffic_state", sa.String(), nullable=False, server_default=""))
