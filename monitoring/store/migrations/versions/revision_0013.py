"""What people do with incidents: owner, snooze, closing, and the log of their actions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Incidents of before have no owner, no snooze and no log; their acknowledgements stay."""
    op.add_column("incident", sa.Column("previous", sa.Integer()))
    op.add_column("incident", sa.Column("owner", sa.String(), nullable=False, server_default=""))
    op.add_column("incident", sa.Column("snoozed_until", sa.DateTime(timezone=True)))
    op.add_column("incident", sa.Column("snoozed_until_worse", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("incident", sa.Column("closed_from", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "incident_action",
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("until_worse", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment", "incident"],
            ["incident.deployment", "incident.number"],
            name="fk_incident_action_deployment",
        ),
        sa.PrimaryKeyConstraint("deployment", "incident", "position", name="pk_incident_action"),
    )
