"""The evidence that a loss has risen, beside that of pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Windows judged before have none: no loss was suspected in them."""
    with op.batch_alter_table("window") as batch:
        batch.add_column(sa.Column("loss_log_evidence", sa.String(), nullable=False, server_default="-inf"))
