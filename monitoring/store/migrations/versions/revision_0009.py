"""The name of each deployment, the traffic that it is of, and the deployment that it follows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """A deployment made before has its model's name; its traffic is that of the first run from now on."""
    op.add_column("deployment", sa.Column("name", sa.String(), nullable=False, server_default=""))
    op.add_column("deployment", sa.Column("traffic", sa.String(), nullable=False, server_default=""))
    op.add_column("deployment", sa.Column("follows", sa.Integer(), nullable=True))
    op.add_column("deployment", sa.Column("quiet_until", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE deployment SET name = model")
