"""What a deployment's evidence is held against, apart from the method: another method continues the deployment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Of deployments made before it is not known: the next run of the same budgets and time zone continues them."""
    op.add_column("deployment", sa.Column("basis", sa.String(), nullable=False, server_default=""))
