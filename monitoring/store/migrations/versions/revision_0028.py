"""What the windows of a deployment alone say against it, with the last of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Of windows of earlier releases it is not known until the next run."""
    for claim in ("fact", "unlabelled", "burn_in"):
        op.add_column("window", sa.Column(claim, sa.Text(), nullable=False, server_default=""))
